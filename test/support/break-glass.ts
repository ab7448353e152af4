/** Runs the commands in the section Break glass of docs/operations.md on a policy, and the commands that undo them. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Tools } from '../../hack/tools.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMITTED, eventually, type TestCluster, useCluster } from './harness.ts';
import { documentedBlocks } from './page.ts';
import { baselinePod } from './pod-manifests.ts';
import { NAMESPACES, POLICIES } from './rendered.ts';
import { Traffic } from './traffic.ts';

export const [OPEN = '', BACK = '', BY_HAND = ''] = documentedBlocks('docs/operations.md', 'Break glass');
const SUBJECT = { kind: 'User', name: 'somebody' } as const;

/** Fields of a policy beside selector, level and mode, by the kind of the policy. */
export const KINDS: Readonly<Record<string, object>> = {
  plain: {},
  'rolling-out': { rollout: { soak: '24h' } },
  'rolling-out-and-expiring': { rollout: { soak: '24h' }, expires: '2099-01-01T00:00:00Z', reason: 'TICKET-1' },
  'rolling-out-with-defaulting': { rollout: { soak: '24h', meanwhile: 'Audit' }, defaulting: 'Enabled' },
  expiring: { expires: '2099-01-01T00:00:00Z', reason: 'TICKET-1' },
  defaulting: { defaulting: 'Enabled' },
  'as-psp': { defaulting: 'PodSecurityPolicy' },
  containers: {
    usableBy: 'Subjects',
    subjects: [SUBJECT],
    containers: [{ names: ['init'], images: ['example.org/init:*'], overrides: { runAsNonRoot: false } }],
  },
};

/** The kinds that break-glass.test.ts tests. */
export const CORE_KINDS: readonly string[] = ['plain', 'rolling-out-with-defaulting'];

export interface BreakGlass {
  readonly cluster: TestCluster;
  /**
   * Creates a policy that is enforced in the first namespace. If the policy has a rollout, the second namespace is
   * pending.
   */
  start(kind: string, team: string): Promise<{ policy: string; enforced: string; pending: string }>;
  /** Whether the API server admits a violating pod. */
  admits(namespace: string): Promise<boolean>;
  /** Runs a documented block for the policy, or the namespace, of the given name. */
  paste(block: string, name: string): Promise<unknown>;
  /** Declares the test that opens a policy of the kind, and then enforces the policy again. */
  itOpensAndRestores(kind: string): void;
}

export function useBreakGlass(prefix: string): BreakGlass {
  const cluster = useCluster(prefix);
  let tools: Tools;
  before(async () => {
    tools = await Tools.find(cluster.controlPlane.kubeconfig);
  });
  after(() => tools.end());

  /** A violating pod that defaulting cannot make compliant. */
  const pod = () => {
    const { spec, ...rest } = baselinePod() as { spec: object };
    return { ...rest, spec: { ...spec, hostPID: true } };
  };
  const admits = async (namespace: string) => (await cluster.admit(pod(), namespace)) === ADMITTED;
  const paste = (block: string, name: string) => {
    const first = /^(policy|namespace)=.+$/m;
    assert.match(block, first);
    return tools.shell(block.replace(first, `$1=${name}`));
  };
  const read = (policy: string) => cluster.api.get(`${POLICIES}/${policy}`);

  async function start(kind: string, team: string): Promise<{ policy: string; enforced: string; pending: string }> {
    const pending = await cluster.namespace(`${team}-pending`, { team });
    await cluster.api.create(`${NAMESPACES}/${pending}/pods`, { ...pod(), metadata: { name: 'bad' } });
    const common = { namespaceSelector: { matchLabels: { team } }, level: 'restricted', mode: 'Enforce' };
    const policy = await cluster.policy(team, { ...common, ...KINDS[kind] } as CapabilityPolicySpec);
    await cluster.programmed(policy);
    const enforced = await cluster.namespace(`${team}-new`, { team });
    await eventually('the pod to be refused', async () => !(await admits(enforced)));
    return { policy, enforced, pending };
  }

  function itOpensAndRestores(kind: string): void {
    const spec = KINDS[kind] ?? {};
    const rollsOut = 'rollout' in spec;

    it(`opens a policy of kind ${kind}, and it goes back to where it was`, async () => {
      const { policy, enforced, pending } = await start(kind, kind);
      const traffic = rollsOut && new Traffic(cluster, [{ pod: pod(), namespace: pending, expected: 'admitted' }]);
      await paste(OPEN, policy);
      assert.ok(await admits(enforced), 'opened');
      assert.equal((await read(policy)).status.rollout, undefined);
      await sleep(2_000);
      await paste(BACK, policy);
      if ('defaulting' in spec) {
        await cluster.api.patch(`${POLICIES}/${policy}`, { spec: { defaulting: spec.defaulting } });
        await cluster.programmed(policy);
      }
      assert.ok(!(await admits(enforced)), 'enforced again');
      if (rollsOut) {
        // The first status after the change may be older than the labels of the namespaces.
        await eventually('the progress', async () => (await read(policy)).status.rollout?.progress === '1/2');
      }
      await sleep(1_000);
      if (!traffic) return;
      await traffic.stop();
      assert.deepEqual(traffic.surprises, []);
    });
  }

  return { cluster, start, admits, paste, itOpensAndRestores };
}
