import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual, promisify } from 'node:util';
import type { Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { eventually, OPERATOR_NAMESPACE, useCluster } from '../support/harness.ts';
import { LATEST } from '../support/latest.ts';
import { assertStill, assertWellFormed, eventsAbout, Observation, statusOf, vanish } from '../support/observed.ts';
import { baselinePod, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

describe('the status of a policy', function () {
  this.timeout(300_000);
  const cluster = useCluster('status');

  function select(team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
    return { namespaceSelector: { matchLabels: { team } }, level: 'baseline', ...rest };
  }

  function allowing(...allowedAdd: string[]): CapabilityPolicySpec['overrides'] {
    return { capabilities: { allowedAdd } } as CapabilityPolicySpec['overrides'];
  }

  async function createPod(namespace: string, name: string, pod: object): Promise<void> {
    await cluster.api.create(`${NAMESPACES}/${namespace}/pods`, { ...pod, metadata: { name } });
  }

  /** Waits until the policy's workloads are evaluated, and exactly `count` workloads violate. */
  async function violating(policy: string, count: number): Promise<void> {
    const look = async () => (await statusOf(cluster.api, policy)).workloads?.violating === count;
    await eventually(`${count} violating workloads`, look);
  }

  async function kubectl(...args: string[]): Promise<string> {
    const { kubectl: program, kubeconfig } = cluster.controlPlane;
    const { stdout } = await promisify(execFile)(program, ['--kubeconfig', kubeconfig, ...args]);
    return stdout;
  }

  it('is well-formed at every moment', async () => {
    const namespace = await cluster.namespace('moments', { team: 'moments' });
    const observation = await Observation.begin(cluster);
    const policy = await cluster.policy('moments', select('moments'));
    await cluster.programmed(policy);
    await createPod(namespace, 'bad', baselinePod({ add: ['NET_ADMIN'] }));
    await violating(policy, 1);
    await cluster.policy('moments', select('moments', { mode: 'Enforce', overrides: allowing('NET_ADMIN') }));
    await cluster.programmed(policy);
    await violating(policy, 0);
    await cluster.policy('moments', select('moments', { levelVersion: 'v1.99' }));
    await eventually('the refusal', async () => (await cluster.condition(policy, 'Accepted'))?.status === 'False');
    await cluster.policy('moments', select('moments', { level: 'restricted' }));
    await cluster.programmed(policy);
    await violating(policy, 1);
    await cluster.operator.stop();
    await cluster.policy('moments', select('moments', { level: 'restricted', mode: 'Warn' }));
    await cluster.operator.startAndWatch();
    await cluster.programmed(policy);
    await violating(policy, 1);

    const states = await observation.end(cluster, policy);
    assertWellFormed(states);
    const writes = states.filter(({ status }, i) => JSON.stringify(status) !== JSON.stringify(states[i - 1]?.status));
    const ready = writes
      .map(({ status }) => conditionStatus(status, 'Ready'))
      .filter((one, i, all) => one !== all[i - 1]);
    console.log(`      ${states.length} states, ${writes.length} statuses, Ready: ${ready.join(' ')}`);
    assert.equal(ready.at(-1), 'True');
  });

  it('violations and their times stay the same after a restart of the operator, and no Event is repeated', async () => {
    const namespace = await cluster.namespace('restart', { team: 'restart' });
    const policy = await cluster.policy('restart', select('restart'));
    await createPod(namespace, 'bad', baselinePod({ add: ['NET_ADMIN'] }));
    await cluster.programmed(policy);
    await violating(policy, 1);
    const before = await statusOf(cluster.api, policy);
    const events = await eventsAbout(cluster.api, 'CapabilityPolicy', policy);
    const observation = await Observation.begin(cluster);
    await cluster.operator.stop();
    await cluster.operator.startAndWatch();
    await sleep(2_000);
    for (const { status } of await observation.end(cluster, policy)) assert.deepEqual(status, before);
    assert.deepEqual(await statusOf(cluster.api, policy), before);
    assert.deepEqual(await eventsAbout(cluster.api, 'CapabilityPolicy', policy), events);
  });

  it('is not written while nothing changes', async () => {
    const namespace = await cluster.namespace('still', { team: 'still' });
    const policy = await cluster.policy('still', select('still', { mode: 'Enforce' }));
    await createPod(namespace, 'bad', restrictedPod());
    await cluster.programmed(policy);
    await violating(policy, 0);
    await Promise.all([
      assertStill(cluster.api, `${POLICIES}/${policy}`, 5_000),
      assertStill(cluster.api, `${NAMESPACES}/${namespace}`, 5_000),
    ]);
  });

  it('shows in the columns of kubectl', async () => {
    await cluster.namespace('columns-a', { team: 'columns' });
    const namespace = await cluster.namespace('columns-b', { team: 'columns' });
    const policy = await cluster.policy('columns', select('columns', { mode: 'Enforce', priority: 7 }));
    const below = await cluster.policy('columns-below', select('columns', { mode: 'Enforce', level: 'privileged' }));
    const { object } = deployment('bad', baselinePod({ add: ['NET_ADMIN'] }));
    await cluster.api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, object);
    await cluster.programmed(policy, below);
    await violating(policy, 1);
    await violating(below, 0);

    const narrow = await table('get', 'cappol', policy, below);
    assert.deepEqual(narrow[0], [
      'NAME',
      'LEVEL',
      'MODE',
      'PSA',
      'NAMESPACES',
      'VIOLATING',
      'ENFORCED',
      'READY',
      'AGE',
    ]);
    assert.deepEqual(narrow[1]?.slice(0, -1), [policy, 'baseline', 'Enforce', `baseline:${LATEST}`, '2', '1', 'True']);
    assert.deepEqual(narrow[2]?.slice(0, -1), [below, 'privileged', 'Enforce', '-', '0', '0', 'True']);
    const wide = await table('get', 'capabilitypolicies', policy, '-o', 'wide');
    assert.deepEqual(wide[0]?.slice(9), ['PRIORITY', 'USED BY', 'EXPIRES', 'SHARES WITH']);
    assert.deepEqual(wide[1]?.slice(8), ['7', 'Everyone', below]);
    assert.match(await kubectl('get', 'security'), new RegExp(`${policy} `));
  });

  it('the status names the policies that share namespaces or override the policy, and counts the namespaces in which the policy decides', async () => {
    await cluster.namespace('meet-a', { team: 'meet', zone: 'a' });
    await cluster.namespace('meet-b', { team: 'meet', zone: 'b' });
    const all = await cluster.policy('all', select('meet'));
    const same = await cluster.policy('same', select('meet', { level: 'restricted' }));
    const above = await cluster.policy('above', {
      namespaceSelector: { matchLabels: { team: 'meet', zone: 'b' } },
      level: 'restricted',
      priority: 1,
    });
    const other = await cluster.policy('other-mode', select('meet', { mode: 'Warn' }));
    await cluster.programmed(all, same, above, other);
    const counts = { selected: 2, deciding: 1, labelled: 1, conflicting: 0 };
    const expected: Record<string, object> = {
      [all]: {
        sharesWith: [
          { policy: above, relation: 'OverriddenBy', namespaces: 1 },
          { policy: same, relation: 'Shares', namespaces: 2 },
        ],
        namespaces: counts,
      },
      [above]: {
        sharesWith: [
          { policy: all, relation: 'Overrides', namespaces: 1 },
          { policy: same, relation: 'Overrides', namespaces: 1 },
        ],
        namespaces: { selected: 1, deciding: 1, labelled: 1, conflicting: 0 },
      },
      [other]: { sharesWith: undefined, namespaces: { selected: 2, deciding: 2, labelled: 2, conflicting: 0 } },
    };
    for (const [policy, wanted] of Object.entries(expected)) {
      await shows(policy, wanted);
    }
    await vanish(cluster.byHand, cluster.named('meet-b'));
    await cluster.deletePolicy(above);
    await shows(all, {
      sharesWith: [{ policy: same, relation: 'Shares', namespaces: 1 }],
      namespaces: { selected: 1, deciding: 1, labelled: 1, conflicting: 0 },
    });
  });

  it('the status counts neither excluded namespaces nor the namespace of the operator', async () => {
    const everywhere = await cluster.policy('everywhere', { namespaceSelector: {}, level: 'privileged' });
    await cluster.programmed(everywhere);
    const excluded = (name: string) => name.startsWith('kube-') || name === OPERATOR_NAMESPACE;
    // Namespaces of other test files may still be terminating.
    await eventually('the count', async () => {
      const names = (await cluster.api.list(NAMESPACES)).map(({ metadata }) => metadata.name);
      const { namespaces } = await statusOf(cluster.api, everywhere);
      return names.some(excluded) && namespaces?.selected === names.filter((name) => !excluded(name)).length;
    });
    await cluster.deletePolicy(everywhere);
  });

  it('the status names the grants that no workload needs, and since when', async () => {
    const namespace = await cluster.namespace('grants', { team: 'grants' });
    const overrides = { ...allowing('SYS_TIME', 'NET_RAW'), hostNetwork: true };
    const policy = await cluster.policy('grants', select('grants', { overrides }));
    await cluster.programmed(policy);
    await createPod(namespace, 'plain', baselinePod());
    const unused = (...names: string[]) =>
      eventually(`unused: ${names}`, async () => {
        const { unusedGrants = [], workloads } = await statusOf(cluster.api, policy);
        const found = unusedGrants.map(({ path, entry = path }) => entry);
        return workloads?.evaluated !== 0 && JSON.stringify(found) === JSON.stringify(names) && unusedGrants;
      });
    const [first] = await unused('SYS_TIME', 'NET_RAW', 'spec.overrides.hostNetwork');
    await createPod(namespace, 'ping', baselinePod({ add: ['NET_RAW'] }));
    const [same] = await unused('SYS_TIME', 'spec.overrides.hostNetwork');
    assert.deepEqual(same, first);
    await createPod(namespace, 'clock', baselinePod({ add: ['SYS_TIME'] }));
    await unused('spec.overrides.hostNetwork');
    const before = Date.now();
    await cluster.api.remove(`${NAMESPACES}/${namespace}/pods/ping`);
    const [again] = await unused('NET_RAW', 'spec.overrides.hostNetwork');
    assert.ok(Date.parse(again?.since ?? '') >= before - 1_000, again?.since);
    // A restart must not change the time since which a grant is listed as unused.
    await cluster.operator.stop();
    await cluster.operator.startAndWatch();
    await createPod(namespace, 'more', baselinePod());
    await eventually('the new pod', async () => (await statusOf(cluster.api, policy)).workloads?.evaluated === 3);
    const [kept] = await unused('NET_RAW', 'spec.overrides.hostNetwork');
    assert.deepEqual(kept, again);
  });

  it('each change of the status gives one Event on the policy and one Event on the workload', async () => {
    const namespace = await cluster.namespace('events', { team: 'events' });
    const policy = await cluster.policy('events', select('events'));
    await cluster.programmed(policy);
    await createPod(namespace, 'bad', baselinePod({ add: ['NET_ADMIN'] }));
    const { object } = deployment('worse', baselinePod({ add: ['SYS_ADMIN'] }));
    const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    await violating(policy, 1);
    await cluster.api.create(deployments, object);
    await violating(policy, 2);
    await cluster.api.remove(`${NAMESPACES}/${namespace}/pods/bad`);
    await violating(policy, 1);
    await cluster.api.patch(`${deployments}/worse`, { spec: { template: { spec: podSpec(baselinePod()) } } });
    await violating(policy, 0);

    const onPolicy = await eventsAbout(cluster.api, 'CapabilityPolicy', policy);
    assert.deepEqual(
      onPolicy.map(({ type, reason, note }) => `${type} ${reason}: ${note}`.replace(/row \w+/, 'row R')),
      [
        'Normal InForce: row R is in force on 1 of 1 API servers',
        `Warning WorkloadViolates: Pod ${namespace}/bad violates the policy (mode Audit): capabilities: container "main" must not add capability NET_ADMIN (allowed: AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT)`,
        `Warning WorkloadViolates: Deployment ${namespace}/worse violates the policy (mode Audit): capabilities: container "main" must not add capability SYS_ADMIN (allowed: AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT)`,
        `Normal ViolationEnded: Pod ${namespace}/bad no longer violates the policy (mode Audit)`,
        `Normal ViolationEnded: Deployment ${namespace}/worse no longer violates the policy (mode Audit)`,
      ],
    );
    const reasons = async (kind: string, name: string) =>
      (await eventsAbout(cluster.api, kind, name, namespace)).map(({ reason }) => reason);
    assert.deepEqual(await reasons('Pod', 'bad'), ['WorkloadViolates']);
    assert.deepEqual(await reasons('Deployment', 'worse'), ['WorkloadViolates', 'ViolationEnded']);
    const [event] = await eventsAbout(cluster.api, 'Deployment', 'worse', namespace);
    assert.match(
      event.note,
      new RegExp(
        `^violates CapabilityPolicy ${policy} \\(mode Audit\\): capabilities: container "main" must not add capability SYS_ADMIN`,
      ),
    );
    assert.match(await kubectl('describe', 'deployment', 'worse', '-n', namespace), /WorkloadViolates.*SYS_ADMIN/);
    assert.match(await kubectl('describe', 'cappol', policy), /InForce/);

    // If a violation returns, the operator makes no further Event. The operator adds a repeated violation to the series
    // of the first Event.
    await cluster.api.patch(`${deployments}/worse`, { spec: { template: { spec: object.spec.template.spec } } });
    await violating(policy, 1);
    const [again] = await eventually('a series', async () => {
      const events = await eventsAbout(cluster.api, 'Deployment', 'worse', namespace);
      return events.some(({ series }) => series) && events;
    });
    assert.deepEqual([again.metadata.name, again.series.count], [event.metadata.name, 2]);
    assert.ok(again.series.lastObservedTime > event.eventTime);
    assert.deepEqual(await reasons('Deployment', 'worse'), ['WorkloadViolates', 'ViolationEnded']);
  });

  it('while an exception admits a workload, the workload gets no warning Event', async () => {
    const namespace = await cluster.namespace('excepted', { team: 'excepted' });
    const exception = await cluster.policy('exception', {
      ...select('excepted'),
      mode: 'Enforce',
      priority: 10,
      overrides: { capabilities: { allowedAdd: ['NET_ADMIN'] } },
    });
    const policy = await cluster.policy('excepted', select('excepted'));
    await cluster.programmed(policy, exception);
    const { object } = deployment('pinger', baselinePod({ add: ['NET_ADMIN'] }));
    await cluster.api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, object);
    await violating(policy, 1);
    const { violations = [] } = await statusOf(cluster.api, policy);
    assert.deepEqual(
      violations.map(({ admittedBy }) => admittedBy),
      [exception],
    );
    const told = async () =>
      (await eventsAbout(cluster.api, 'Deployment', 'pinger', namespace)).map(
        ({ type, reason }) => `${type} ${reason}`,
      );
    await eventually('the Event', async () => (await told()).length > 0);
    assert.deepEqual(await told(), ['Normal ExceptionAdmits']);
    await cluster.deletePolicy(exception);
    await eventually('a warning', async () => (await told()).length > 1);
    assert.deepEqual(await told(), ['Normal ExceptionAdmits', 'Warning WorkloadViolates']);
  });

  /** Waits until `sharesWith` and `namespaces` in the policy's status equal the wanted values. */
  async function shows(policy: string, wanted: object): Promise<void> {
    let last: unknown;
    const look = async () => {
      const { sharesWith, namespaces } = await statusOf(cluster.api, policy);
      last = { sharesWith, namespaces };
      return isDeepStrictEqual(last, wanted);
    };
    await eventually(`the status of ${policy}`, look).catch(() => assert.deepEqual(last, wanted));
  }

  async function table(...args: string[]): Promise<string[][]> {
    const lines = (await kubectl(...args)).trimEnd().split('\n');
    return lines.map((line) => line.split(/ {2,}/));
  }
});

function conditionStatus(status: Json, type: string): string | undefined {
  return status?.conditions?.find((one: Json) => one.type === type)?.status;
}

function podSpec(pod: object): Json {
  return (pod as Json).spec;
}

function deployment(name: string, pod: object): { object: Json } {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: podSpec(pod) };
  const spec = { replicas: 0, selector: { matchLabels: labels }, template };
  return { object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec } };
}
