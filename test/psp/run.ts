/**
 * `npm run test:psp -- [--part oracle|refusals|written|policies|sets] [--runs N] [--pods N] [--seed S] [--record]`:
 * compares PodSecurityPolicy on Kubernetes 1.24 with the migrated policies today. N policies and a quarter as many
 * sets. Prints the number of evaluated pods, then each difference; exits 1 if there is one. With --record, records for
 * recorded.test.ts the pods that both agreed about, at most a few for each policy.
 */
import { parseArgs } from 'node:util';
import { startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { CurrentCluster } from './current-cluster.ts';
import { OldCluster, startOldControlPlane } from './old-cluster.ts';
import { PARTS, type Part, runPart } from './parts.ts';
import { Recorder } from './recording.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    pods: { type: 'string', default: '50' },
    seed: { type: 'string' },
    part: { type: 'string' },
    record: { type: 'boolean', default: false },
  },
});

process.exitCode = (await main()) ? 0 : 1;

/** Whether there was no difference. */
async function main(): Promise<boolean> {
  const runs = wholeNumber('--runs', values.runs);
  const pods = wholeNumber('--pods', values.pods);
  const seed = values.seed === undefined ? Date.now() % 2 ** 31 : wholeNumber('--seed', values.seed);
  const parts = values.part === undefined ? PARTS : [partOf(values.part)];
  const controlPlanes = await Promise.all([startOldControlPlane(), startControlPlane()]);
  try {
    const [before, today] = controlPlanes;
    const servers = { old: new OldCluster(before.kubeconfig), current: new CurrentCluster(today.kubeconfig) };
    await Promise.all([servers.old.open(), servers.current.open()]);
    const recorder = new Recorder();
    const agreed = [];
    for (const part of parts) agreed.push(await runPart(part, { servers, runs, pods, seed, recorder }));
    if (values.record) console.log(`recorded ${recorder.write()} pods`);
    return agreed.every(Boolean);
  } finally {
    await Promise.all(controlPlanes.map((one) => one.stop()));
  }
}

function partOf(text: string): Part {
  const part = PARTS.find((one) => one === text);
  if (part === undefined) throw new Error(`--part: ${JSON.stringify(text)} is none of ${PARTS.join(', ')}`);
  return part;
}

function wholeNumber(flag: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`${flag}: ${JSON.stringify(text)} is not a number`);
  return Number(text);
}
