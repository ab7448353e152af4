/**
 * Tests `cappol observe --cluster` on a real node. The command observes the capabilities that pods use. The test makes
 * policies for the observed pods.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '../../hack/controlplane/api.ts';
import { NODE_ADDRESS } from '../../hack/node/configuration.ts';
import { NODE_NEEDS } from '../../hack/node/needs.ts';
import { NODE_NAME } from '../../hack/node/node.ts';
import { NEEDS, type Need } from '../kernel/needs.ts';
import { OBSERVER_NEEDS } from '../kernel/observer.ts';
import { beyondRestricted, type Suggested, suggestedFor } from '../kernel/suggested.ts';
import { inBatches } from '../support/batches.ts';
import { eventually } from '../support/harness.ts';
import { describeWith } from '../support/needs.ts';
import { ROOT } from '../support/page.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { useNode } from './cluster.ts';
import { CAPPOL_IMAGE, NEEDS_IMAGE, observerArchives } from './observer-images.ts';
import { pod } from './pods.ts';

const OBSERVERS = `${NAMESPACES}/cappol-observe`;
const STARTS = 20;
/**
 * The number of pods that run at the same time. More pods at the same time would not finish earlier, because the pods
 * would wait for each other.
 */
const BATCH = 8;
const END_MS = 120_000;

const NEEDS_BOTH = {
  ...NODE_NEEDS,
  programs: { ...NODE_NEEDS.programs, ...OBSERVER_NEEDS.programs },
  problem: () => NODE_NEEDS.problem?.() ?? OBSERVER_NEEDS.problem?.(),
};

describeWith(NEEDS_BOTH, 'cappol observe --cluster', () => {
  const cluster = useNode();
  const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-observe-'));
  let namespace: string;
  let suggested: (pod: string) => Suggested;
  let ended: Ended;
  const pods = [
    ...Object.entries(NEEDS).map(([name, { args = [name], holds }]) =>
      needy(name, args, holds ? {} : { capabilities: { add: ['ALL'] } }),
    ),
    pod('real-ping', {
      command: ['/bin/ping', '-c', '1', NODE_ADDRESS],
      securityContext: { capabilities: { add: ['ALL'] } },
    }),
  ];
  const expectations: Readonly<Record<string, Need>> = {
    ...NEEDS,
    // The program ping gives up its capabilities. Afterwards, ping sets its user a second time, and the kernel refuses
    // this step.
    'real-ping': { needs: ['NET_RAW'], refused: ['SETUID'] },
  };

  before(async () => {
    for (const archive of await observerArchives(folder)) await cluster.node.importImage(archive);
    namespace = await cluster.namespace('observed');
    const observer = await observe('--for', '30m', '-n', namespace);
    await inBatches(pods, BATCH, (one) => cluster.run(namespace, one));
    const starts = Array.from({ length: STARTS }, (_, index) => needy(`start-${index}`, ['daemon'], {}));
    await Promise.all(starts.map((one) => cluster.run(namespace, one)));
    observer.kill('SIGINT');
    ended = await endOf(observer);
    suggested = await suggestedFor([...pods, ...starts], ended.stdout, namespace);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [name, { needs, refused = [] }] of Object.entries(expectations)) {
    it(`suggest --used: ${name} uses ${needs.join(', ') || 'nothing'}`, () => {
      const { noise: _noise, ...found } = suggested(name);
      assert.deepEqual(found, { used: needs, refused, allowed: beyondRestricted(needs) });
    });
  }

  it('each pod works with the capabilities that it needs, and fails if one of these capabilities is missing', async () => {
    const tries = Object.entries(expectations).flatMap(([name, { needs: all }]) => [
      { name, capabilities: all, works: true },
      ...all.map((missing) => ({ name, capabilities: all.filter((one) => one !== missing), works: false })),
    ]);
    const results = await inBatches([...tries.entries()], BATCH, async ([index, { name, capabilities, works }]) => {
      const original = pods.find(({ metadata }) => metadata.name === name);
      const [container] = original.spec.containers;
      const securityContext = { capabilities: { drop: ['ALL'], add: capabilities } };
      const again = {
        ...original,
        metadata: { name: `again-${index}-${name}` },
        spec: { ...original.spec, containers: [{ ...container, securityContext }] },
      };
      const { exitCode, output } = await cluster.run(namespace, again);
      return (exitCode === 0) === works ? [] : [`${name} with ${capabilities.join()}: ${output}`];
    });
    assert.deepEqual(results.flat(), []);
  });

  it('has the usual noise apart', () => {
    const found = new Set(pods.flatMap(({ metadata }) => suggested(metadata.name).noise));
    for (const noise of ['RuntimeSetup', 'MemoryOvercommit', 'MountersCredentials']) assert.ok(found.has(noise), noise);
  });

  it(`loses no event while ${STARTS} pods start`, () => {
    assert.match(ended.stderr, new RegExp(`^cappol: ${NODE_NAME}: \\d+ containers for .*, 0 events lost$`, 'm'));
    for (let index = 0; index < STARTS; index++) {
      assert.deepEqual(suggested(`start-${index}`).used, ['SETGID', 'SETUID']);
    }
  });

  it('an interrupted command removes its Job, pods and namespace', async () => {
    assert.equal(ended.code, 130);
    await eventually('the namespace to go', async () => (await cluster.api.find(OBSERVERS)) === undefined);
  });

  it('the command ends by itself after the time of --for, with exit code 0', async () => {
    const { code, stderr } = await endOf(await observe('--for', '5s'));
    assert.match(stderr, new RegExp(`^cappol: ${NODE_NAME}: \\d+ containers for 5s,`, 'm'));
    assert.equal(code, 0);
    await eventually('the namespace to go', async () => (await cluster.api.find(OBSERVERS)) === undefined);
  });

  it('passes the buffer size to the pods, and reports the events that pods with a small buffer lost', async () => {
    const observer = await observe('--for', '30m', '--buffer-size', '4');
    await inBatches(
      Array.from({ length: BATCH }, (_, index) => needy(`lost-${index}`, ['daemon'], {})),
      BATCH,
      (one) => cluster.run(namespace, one),
    );
    observer.kill('SIGINT');
    const { stderr } = await endOf(observer);
    assert.match(stderr, new RegExp(`^cappol: ${NODE_NAME}: .* [1-9]\\d* events lost$`, 'm'));
    assert.match(stderr, new RegExp(`^cappol: ${NODE_NAME}: some uses may be missing, since events were lost:`, 'm'));
    await eventually('the namespace to go', async () => (await cluster.api.find(OBSERVERS)) === undefined);
  });

  it('says which image cannot be pulled', async () => {
    const observer = start('--for', '5s', '--image', 'localhost/none:none');
    await eventually('the pod to wait', async () => {
      const [found] = await cluster.api.list(`${OBSERVERS}/pods`).catch(() => []);
      return /Image/.test(found?.status?.containerStatuses?.[0]?.state?.waiting?.reason ?? '');
    });
    observer.process.kill('SIGINT');
    const { stderr } = await endOf(observer.process);
    assert.match(stderr, new RegExp(`^cappol: ${NODE_NAME}: not observed, \\w*Image\\w*`, 'm'));
  });

  /** Starts an observation. Resolves when a pod of the observation's Job reports its first lines. */
  async function observe(...args: string[]): Promise<ChildProcess> {
    const observer = start('--image', CAPPOL_IMAGE, ...args);
    await eventually(
      'the observer to report',
      async () => {
        if (observer.process.exitCode !== null) throw new Error(`it ended: ${observer.stderr()}`);
        const [found] = await cluster.api.list(`${OBSERVERS}/pods`).catch(() => []);
        if (!found) return false;
        const { body } = await cluster.api.ask('GET', `${OBSERVERS}/pods/${found.metadata.name}/log`);
        return JSON.stringify(body.message ?? String(body)).includes('progress');
      },
      END_MS,
    );
    return observer.process;
  }

  function start(...args: string[]) {
    const { kubeconfig } = cluster.node.controlPlane;
    const main = join(ROOT, 'cli', 'main.ts');
    const command = [main, 'observe', '--cluster', '--kubeconfig', kubeconfig, ...args];
    const started = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
    const texts = { stdout: '', stderr: '' };
    started.stdout.on('data', (text) => (texts.stdout += text));
    started.stderr.on('data', (text) => (texts.stderr += text));
    outputs.set(started, texts);
    return { process: started as ChildProcess, stderr: () => texts.stderr };
  }
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const outputs = new WeakMap<ChildProcess, { stdout: string; stderr: string }>();

async function endOf(observer: ChildProcess): Promise<Ended> {
  if (observer.exitCode === null) await once(observer, 'close', { signal: AbortSignal.timeout(END_MS) });
  const { stdout = '', stderr = '' } = outputs.get(observer) ?? {};
  return { code: observer.exitCode, stdout, stderr };
}

function needy(name: string, args: readonly string[], securityContext: object): Json {
  const container = { name: 'app', image: NEEDS_IMAGE, args, securityContext };
  return pod(name, { spec: { containers: [container] } });
}
