/** A storm on one Kubernetes version, that of KUBERNETES_VERSION, in a separate process: run.ts starts it. */
import { type StormOptions, storm } from './storm.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as Omit<StormOptions, 'say'>;
const result = await storm({ ...options, say: (line) => console.log(line) });
process.send?.(result);
process.disconnect?.();
