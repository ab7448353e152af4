/**
 * Tests on a real API server that a policy with a rollout stays enforced, whatever a restore brings back, and in which
 * order: policies, namespaces, ConfigMaps and programs, all with new uids.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../hack/controlplane/api.ts';
import { COLLECTIONS, renderedObjects } from '../../hack/controlplane/rendered.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMITTED, eventually, OPERATOR_NAMESPACE, useCluster } from '../support/harness.ts';
import { baselinePod, workloads } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

const CONFIG_MAPS = `/api/v1/namespaces/${OPERATOR_NAMESPACE}/configmaps`;
const WATCHED_SECONDS = 4;
/** The time in ms between two steps of a restore, so that a running operator acts in between. */
const BETWEEN_STEPS_MS = 1_500;

type Part = 'policy' | 'namespaces' | 'ConfigMaps' | 'programs';

/** The orders of the policy, its namespaces and its ConfigMaps. All policies share the programs. */
const ORDERS: readonly (readonly Part[])[] = [
  ['policy', 'namespaces', 'ConfigMaps'],
  ['policy', 'ConfigMaps', 'namespaces'],
  ['namespaces', 'policy', 'ConfigMaps'],
  ['namespaces', 'ConfigMaps', 'policy'],
  ['ConfigMaps', 'policy', 'namespaces'],
  ['ConfigMaps', 'namespaces', 'policy'],
];

describe('enforced namespaces stay enforced in every order of a restore', function () {
  this.timeout(600_000);
  const cluster = useCluster('orders');

  const label = (policy: string) => `rollout.capabilitypolicy.dev/${policy}`;
  const labelsOf = async (namespace: string) => (await cluster.api.get(`${NAMESPACES}/${namespace}`)).metadata.labels;
  const statesOf = async (policy: string) =>
    (await cluster.api.list(CONFIG_MAPS)).filter(
      ({ metadata }) => metadata.labels?.['capabilitypolicy.dev/rollout'] === policy,
    );
  const spec = (team: string, soak: string): CapabilityPolicySpec => ({
    namespaceSelector: { matchLabels: { team } },
    level: 'restricted',
    mode: 'Enforce',
    rollout: { soak },
    // No Pod Security label fits this policy, so the admission policy alone refuses pods.
    overrides: { capabilities: { allowedAdd: ['NET_ADMIN'] } },
  });

  /** A policy that is enforced in one namespace, and pending in another one, and what a backup has of it. */
  class RolledOut {
    readonly team: string;
    readonly order: readonly Part[];
    policy = '';
    enforced = '';
    pending = '';
    readonly backup = new Map<Part, readonly (readonly [path: string, object: Json])[]>();
    readonly restored = new Set<Part>();

    constructor(team: string, order: readonly Part[]) {
      this.team = team;
      this.order = order;
    }

    async rollOut(): Promise<void> {
      const { team } = this;
      this.enforced = await cluster.namespace(`${team}-enforced`, { team });
      this.pending = await cluster.namespace(`${team}-pending`, { team });
      const [deployment] = workloads(baselinePod()).filter(({ path }) => path.endsWith('deployments'));
      assert.ok(deployment);
      await cluster.api.create(deployment.path.replace('*', `namespaces/${this.pending}`), deployment.object);
      this.policy = await cluster.policy(team, spec(team, '1s'));
      await eventually('the promotion', async () => {
        const isLabelled = Object.hasOwn(await labelsOf(this.enforced), label(this.policy));
        return !isLabelled && (await this.isRefused());
      });
      assert.equal((await labelsOf(this.pending))[label(this.policy)], 'pending');
      // A rollout that begins from the start would leave the namespace open for a day.
      await cluster.policy(team, spec(team, '24h'));
      await cluster.programmed(this.policy);
    }

    async isRefused(): Promise<boolean> {
      return (await cluster.admit(baselinePod(), this.enforced)) !== ADMITTED;
    }

    get paths(): string[] {
      return [this.enforced, this.pending].map((name) => `${NAMESPACES}/${name}`);
    }

    async save(): Promise<void> {
      const namespaces = await Promise.all(this.paths.map((path) => cluster.api.get(path)));
      this.backup.set('policy', [[POLICIES, await cluster.api.get(`${POLICIES}/${this.policy}`)]]);
      this.backup.set(
        'namespaces',
        namespaces.map((one) => [NAMESPACES, one]),
      );
      this.backup.set(
        'ConfigMaps',
        (await statesOf(this.policy)).map((one) => [CONFIG_MAPS, one]),
      );
    }

    async lose(): Promise<void> {
      await Promise.all([`${POLICIES}/${this.policy}`, ...this.paths].map((path) => cluster.api.remove(path)));
      for (const path of [`${POLICIES}/${this.policy}`, ...this.paths])
        await eventually('nothing', async () => (await cluster.api.ask('GET', path)).status === 404);
    }

    async loseStates(): Promise<void> {
      for (const { metadata } of await statesOf(this.policy))
        await cluster.api.remove(`${CONFIG_MAPS}/${metadata.name}`);
    }

    async restore(part: Part | undefined): Promise<void> {
      if (!part) return;
      for (const [path, object] of this.backup.get(part) ?? []) await create(path, object);
      if (part === 'namespaces')
        for (const name of [this.enforced, this.pending]) await cluster.serviceAccount(name, 'default');
      this.restored.add(part);
    }

    async staysRefused(when: string): Promise<void> {
      if (!this.restored.has('policy') || !this.restored.has('namespaces')) return;
      await cluster.programmed(this.policy);
      assert.ok(await this.isRefused(), `${this.order.join(', ')}: a violating pod is admitted ${when}`);
      const found = (await labelsOf(this.enforced))[label(this.policy)];
      assert.equal(found, undefined, `${this.order.join(', ')}: pending again ${when}`);
    }
  }

  /** Creates an object as Velero does: without the fields that the API server writes. Existing objects stay. */
  async function create(path: string, { metadata, status: _, ...rest }: Json): Promise<void> {
    const { uid: __, resourceVersion: ___, managedFields: ____, ownerReferences: _____, ...kept } = metadata;
    const { status, body } = await cluster.byHand.ask('POST', path, { body: { ...rest, metadata: kept } });
    assert.ok(status === 201 || status === 409, body.message);
  }

  const rendered = async () =>
    (await renderedObjects(cluster.byHand)).map((one) => [COLLECTIONS[one.kind] as string, one] as const);

  const all = ORDERS.map((order, index) => new RolledOut(`team-${index}`, order));
  let programs: Awaited<ReturnType<typeof rendered>> = [];

  before(async () => {
    await Promise.all(all.map((one) => one.rollOut()));
    await Promise.all(all.map((one) => one.save()));
    programs = await rendered();
  });

  const cases = [true, false].flatMap((isRunning) =>
    ([0, 1, 2, 3, undefined] as const).map((programsAfter) => {
      const what =
        programsAfter === undefined
          ? 'the ConfigMaps and the programs are lost'
          : `the programs come back after ${programsAfter} of 3 steps`;
      return {
        title: `${isRunning ? 'the operator runs' : 'the operator is stopped'}, ${what}`,
        isRunning,
        programsAfter,
      };
    }),
  );

  for (const { title, isRunning, programsAfter } of cases) {
    it(title, async () => {
      for (const one of all) one.restored.clear();
      if (!isRunning) await cluster.operator.stop();
      await Promise.all(all.map((one) => one.lose()));
      // A running operator removes the rows of the policies, and then keeps the states of their rollouts.
      if (isRunning)
        for (const { policy } of all)
          await eventually('no rows', async () => (await cluster.having(policy)).length === 0);
      await eventually('no states', async () => {
        await Promise.all(all.map((one) => one.loseStates()));
        await sleep(isRunning ? 500 : 0);
        return (await Promise.all(all.map(({ policy }) => statesOf(policy)))).flat().length === 0;
      });
      if (!isRunning)
        for (const [path, { metadata }] of await rendered()) await cluster.byHand.remove(`${path}/${metadata.name}`);
      for (let step = 0; step <= 3; step++) {
        for (const one of all) {
          const part = step === 0 ? undefined : one.order[step - 1];
          if (part !== 'ConfigMaps' || programsAfter !== undefined) await one.restore(part);
        }
        if (programsAfter === step) for (const [path, object] of programs) await create(path, object);
        if (!isRunning) continue;
        await sleep(BETWEEN_STEPS_MS);
        await Promise.all(all.map((one) => one.staysRefused(`after step ${step}`)));
      }
      if (!isRunning) await cluster.operator.startAndWatch();
      for (let second = 0; second < WATCHED_SECONDS; second++) {
        await Promise.all(all.map((one) => one.staysRefused(`after ${second} s`)));
        await sleep(1_000);
      }
    });
  }
});
