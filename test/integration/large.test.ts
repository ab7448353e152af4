/** Tests the most expensive objects that the API server accepts, together with a small violating object. */
import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import { freePorts } from '../../hack/controlplane/ports.ts';
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import { WORST_OBJECTS, type WorstObject, type WorstPod } from '../evaluate/worst-objects.ts';
import { conditionOf, eventually, useCluster } from '../support/harness.ts';
import { watchHealth } from '../support/health-watcher.ts';
import { POLICIES } from '../support/rendered.ts';

const [port] = await freePorts(1);
const HEALTHZ = `http://127.0.0.1:${port}/healthz`;
/** The maximum CPU time in ms for an answer. CPU time does not change if the machine stalls. */
const ANSWERED_CPU_MS = 500;
const ENDED_MS = 10_000;
const SELECTED = { matchLabels: { team: 'large' } };

/** The rules that iterate over lists. `RULES` also has a rule that reads a single field of a container. */
const RULES = [
  'capabilities',
  'capabilities.allowedBounding',
  'hostPorts',
  'hostPaths',
  'volumes',
  'supplementalGroups',
  'sysctls',
  'privileged',
];
/**
 * The maximum lengths of some lists. Etcd would accept longer lists. With longer lists, a request may exceed its
 * timeout if the API server runs on a busy machine. A pod of 1,000 containers does not exceed the bounds of size.ts, but
 * its evaluation is too expensive.
 */
const FASTER_THAN_A_TIMEOUT: Readonly<Record<string, number>> = {
  hostPorts: 2_000,
  hostPaths: 1_000,
  volumes: 10_000,
  privileged: 1_000,
};
const WORST = RULES.map((rule): [string, WorstObject] => [rule, WORST_OBJECTS[rule] as WorstObject]);
const overrides = WORST.map(([, worst]) => worst.overrides);
const capabilities = Object.assign({}, ...overrides.map((one) => one.capabilities));
const OVERRIDES: CapabilityPolicyOverrides = { ...Object.assign({}, ...overrides), capabilities };

/** A Deployment of 155 KB with 10,000 names. A smaller Deployment of the same form once stopped the operator. */
const NAMES_155_KB: WorstPod = WORST_OBJECTS['capabilities.allowedBounding']?.pod(5_000) as WorstPod;

describe('objects as large as the API server accepts', function () {
  this.timeout(300_000);
  const cluster = useCluster('large', { args: ['--health-probe-bind-address', `127.0.0.1:${port}`] });
  let watched: ReturnType<typeof watchHealth>;
  let namespace: string;
  let policy: string;

  before(async () => {
    namespace = await cluster.namespace('team', SELECTED.matchLabels);
    const spec = { namespaceSelector: SELECTED, level: 'restricted', mode: 'Audit', podSecurityLabels: 'Off' } as const;
    policy = await cluster.policy('restricted', { ...spec, overrides: OVERRIDES });
    await cluster.programmed(policy);
    watched = watchHealth({ url: HEALTHZ, pid: cluster.operator.pid as number });
    await create('small', { spec: { containers: [{ name: 'app', image: 'app' }] } });
    await create('names', padded(NAMES_155_KB));
    for (const [rule, { pod, most }] of WORST) {
      await create(rule.toLowerCase(), pod(Math.min(most, FASTER_THAN_A_TIMEOUT[rule] ?? most)));
    }
  });

  it('all objects are evaluated, and only objects that are too expensive have the verdict Unknown', async () => {
    const status = await eventually(`the status of ${policy}`, async () => {
      const { status } = await cluster.api.get(`${POLICIES}/${policy}`);
      return status.workloads?.evaluated === WORST.length + 2 && status;
    });
    const verdicts = new Map(status.violations.map(({ name, verdict }: Json) => [name, verdict]));
    console.log(`      ${JSON.stringify(status.workloads)} ${JSON.stringify([...verdicts])}`);
    assert.equal(verdicts.get('small'), 'Violating');
    assert.equal(verdicts.get('names'), 'Violating');
    assert.equal(verdicts.get('volumes'), 'Violating');
    assert.equal(verdicts.get('privileged'), 'Unknown');
    assert.match(conditionOf({ status }, 'Compliant')?.message ?? '', /; unknown for \d+, too expensive to evaluate$/);
  });

  it(`answers while it evaluates them: /healthz after less than ${ANSWERED_CPU_MS} ms of CPU time`, async () => {
    const { ms, cpuMs, answers } = await watched.stop();
    console.log(`      ${answers} answers; the slowest took ${Math.round(ms)} ms, the most CPU time was ${cpuMs} ms`);
    assert.ok(answers > 20, `${answers} answers`);
    assert.ok(cpuMs < ANSWERED_CPU_MS, `${cpuMs} ms`);
  });

  it('the operator obeys SIGTERM when it has just begun to evaluate the objects again', async () => {
    await cluster.operator.stop('SIGKILL');
    await cluster.operator.startAndWatch();
    const began = performance.now();
    await cluster.operator.stop('SIGTERM');
    assert.ok(performance.now() - began < ENDED_MS, `${performance.now() - began} ms`);
    await cluster.operator.start();
  });

  async function create(name: string, { annotations = {}, spec }: WorstPod): Promise<void> {
    const labels = { app: name };
    const template = { metadata: { labels, annotations }, spec };
    const deployment = { metadata: { name }, spec: { replicas: 0, selector: { matchLabels: labels }, template } };
    const began = performance.now();
    await cluster.api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, deployment);
    console.log(`      ${name}: ${Math.round(performance.now() - began)} ms`);
  }
});

/** The same pod with longer names. Each name of a capability is padded to 12 characters. */
function padded(pod: WorstPod): WorstPod {
  const text = JSON.stringify(pod.spec).replace(/"([AD][A-Z]+)"/g, (found, name: string) =>
    name === 'ALL' ? found : `"${name.padEnd(12, 'X')}"`,
  );
  return { spec: JSON.parse(text) };
}
