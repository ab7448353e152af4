/** Tests on a real API server that a rollout over namespaces where Pod Security already enforces says so, once. */
import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMITTED, eventually, useCluster } from '../support/harness.ts';
import { baselinePod } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

const ENFORCE = 'pod-security.kubernetes.io/enforce';

describe('a rollout begins over namespaces with a label enforce', function () {
  this.timeout(300_000);
  const cluster = useCluster('over-labels');

  const spec = (team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec => ({
    namespaceSelector: { matchLabels: { team } },
    level: 'restricted',
    mode: 'Enforce',
    rollout: { soak: '24h' },
    ...rest,
  });
  const label = (policy: string) => `rollout.capabilitypolicy.dev/${policy}`;
  const labelsOf = async (namespace: string) => (await cluster.api.get(`${NAMESPACES}/${namespace}`)).metadata.labels;
  const isPending = (policy: string) => async (namespace: string) =>
    (await labelsOf(namespace))[label(policy)] === 'pending';
  const isRefused = async (namespace: string) => (await cluster.admit(baselinePod(), namespace)) !== ADMITTED;

  async function notesOf(policy: string): Promise<string[]> {
    const { items } = await cluster.api.get('/apis/events.k8s.io/v1/namespaces/default/events');
    return items
      .filter(({ reason, regarding }: Json) => reason === 'RolloutOverLabels' && regarding.name === policy)
      .map(({ type, note, series }: Json) => `${type}${series ? ` (${series.count})` : ''}: ${note}`);
  }

  const noteOf = (policy: string, pending: string, labelled: string, first: string) =>
    `Warning: the rollout begins in ${pending}, of which ${labelled} the label ${ENFORCE}, such as ${first}. The policy ` +
    'refuses no pod there until it is promoted. If the policy was enforced there before, for example before a restore, ' +
    `set the label ${label(policy)} of these namespaces to enforced`;

  async function toldOnce(policy: string, note: string): Promise<void> {
    await eventually('the Event', async () => (await notesOf(policy)).length > 0);
    assert.deepEqual(await notesOf(policy), [note]);
  }

  // Nothing removes a label of another owner, so the cluster could not settle.
  afterEach(async () => {
    await cluster.deletePolicies();
    const namespaces = (await cluster.api.list(NAMESPACES)).map(({ metadata }) => metadata.name as string);
    for (const name of namespaces.filter((one) => one.startsWith(cluster.named(''))))
      await cluster.api.patch(`${NAMESPACES}/${name}`, { metadata: { labels: { [ENFORCE]: null } } });
  });

  it('a new policy says in how many, once, also after a restart of the operator, and a level privileged does not count', async () => {
    const levels = { a: 'restricted', b: 'baseline', c: 'privileged', d: undefined };
    const namespaces = await Promise.all(
      Object.entries(levels).map(([name, level]) =>
        cluster.namespace(`new-${name}`, { team: 'new', ...(level && { [ENFORCE]: level }) }),
      ),
    );
    const policy = await cluster.policy('new', spec('new'));
    await cluster.programmed(policy);
    await toldOnce(policy, noteOf(policy, '4 namespaces', '2 have', namespaces[0] ?? ''));
    await cluster.operator.stop();
    await cluster.operator.startAndWatch();
    await cluster.policy('new', spec('new', { rollout: { soak: '12h' } }));
    await cluster.programmed(policy);
    assert.equal((await notesOf(policy)).length, 1);
    for (const namespace of namespaces) assert.ok(await isPending(policy)(namespace));
  });

  it('a policy over namespaces without a label says nothing', async () => {
    const namespace = await cluster.namespace('bare', { team: 'bare' });
    const policy = await cluster.policy('bare', spec('bare'));
    await cluster.programmed(policy);
    await eventually('the label', () => isPending(policy)(namespace));
    assert.deepEqual(await notesOf(policy), []);
  });

  it('a policy that changes from mode Audit to Enforce with spec.rollout says so', async () => {
    const namespace = await cluster.namespace('rested', { team: 'rested', [ENFORCE]: 'baseline' });
    const { rollout: _, ...plain } = spec('rested');
    const policy = await cluster.policy('rested', { ...plain, mode: 'Audit' });
    await cluster.programmed(policy);
    await cluster.policy('rested', spec('rested'));
    await toldOnce(policy, noteOf(policy, '1 namespace', '1 has', namespace));
  });

  for (const [title, replace] of [
    ['spec.rollout that is added to an enforced policy', false],
    ['kubectl replace --force with spec.rollout', true],
  ] as const) {
    it(`${title} keeps the policy enforced, so it says nothing`, async () => {
      const team = replace ? 'replaced' : 'added';
      const namespace = await cluster.namespace(team, { team });
      const { rollout: _, ...plain } = spec(team);
      const policy = await cluster.policy(team, plain);
      await cluster.programmed(policy);
      await eventually('our label', async () => (await labelsOf(namespace))[ENFORCE] === 'restricted');
      if (replace) {
        const { metadata, ...rest } = await cluster.api.get(`${POLICIES}/${policy}`);
        await cluster.api.remove(`${POLICIES}/${policy}`);
        await cluster.api.create(POLICIES, { ...rest, spec: spec(team), metadata: { name: metadata.name } });
      } else await cluster.policy(team, spec(team));
      await cluster.programmed(policy);
      assert.ok(await isRefused(namespace));
      assert.ok(!(await isPending(policy)(namespace)));
      assert.deepEqual(await notesOf(policy), []);
    });
  }

  it('a policy that comes back with spec.rollout, after its rows are gone, says so', async () => {
    const namespace = await cluster.namespace('gone', { team: 'gone', [ENFORCE]: 'restricted' });
    const { rollout: _, ...plain } = spec('gone');
    const policy = await cluster.policy('gone', plain);
    await cluster.programmed(policy);
    await cluster.deletePolicy(policy);
    await eventually('no rows', async () => (await cluster.having(policy)).length === 0);
    await cluster.policy('gone', spec('gone'));
    await toldOnce(policy, noteOf(policy, '1 namespace', '1 has', namespace));
  });
});
