/**
 * Runs a storm on the Kubernetes version in KUBERNETES_VERSION. The script run.ts starts this file in a separate
 * process.
 */
import { type StormOptions, storm } from './storm.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as Omit<StormOptions, 'say'>;
const result = await storm({ ...options, say: (line) => console.log(line) });
process.send?.(result);
process.disconnect?.();
