/**
 * Tests the upgrade of the last API server below 1.36. Programs with variables replace programs without variables under
 * the same names. When an older API server joins, programs without variables replace programs with variables.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api, type Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicyOverrides, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import type { Programs } from '../../operator/apply/programs.ts';
import { type Compiled, compile } from '../../operator/compile/compile.ts';
import { useProgramCluster } from '../programs/program-cluster.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { CREATOR } from '../support/harness.ts';
import { allowEditor, change, EDITOR } from '../support/namespace-changes.ts';
import { describeIfOffered } from '../support/needs.ts';
import { privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { policy } from '../support/policies.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { verdictOf } from '../support/verdict.ts';

const [TEAM, BOUND] = ['upgraded-servers-team', 'upgraded-servers-bound'];
const [BASE, EXCEPTION, ABOVE] = ['upgraded-base', 'upgraded-exception', 'upgraded-above'];
/** Two policies with restricted use. Without variables, policies with restricted use have a separate program. */
const [TIME, RAW] = ['upgraded-bound-time', 'upgraded-bound-raw'];
const NAMES = [BASE, EXCEPTION, ABOVE, TIME, RAW];
const [OLDER, NEWER] = [35, 36];

const pinging = (add: readonly string[]) => restrictedPod({ add, serviceAccountName: 'pinger' });

/** The pods that the test tries. The expected answer about each pod is the same for both forms of programs. */
const PODS = [
  { title: 'a compliant pod', namespace: TEAM, pod: restrictedPod(), expected: 'admitted' },
  { title: 'a pod of the exception', namespace: TEAM, pod: pinging(['NET_RAW']), expected: 'admitted' },
  {
    title: 'the same pod of another service account',
    namespace: TEAM,
    pod: restrictedPod({ add: ['NET_RAW'] }),
    expected: 'refused',
  },
  { title: 'a pod beyond the exception', namespace: TEAM, pod: pinging(['SYS_TIME']), expected: 'refused' },
  {
    title: 'a pod that complies with a policy that its service account may use',
    namespace: BOUND,
    pod: pinging(['SYS_TIME']),
    expected: 'admitted',
  },
  {
    title: 'a pod that complies only with a policy that other users may use',
    namespace: BOUND,
    pod: pinging(['NET_RAW']),
    expected: 'refused',
  },
  { title: 'a pod beyond both', namespace: BOUND, pod: pinging(['SYS_ADMIN']), expected: 'refused' },
  { title: 'a violating pod under both', namespace: BOUND, pod: privilegedPod(), expected: 'refused' },
];

describeIfOffered('admissionVariables', 'when the last API server below 1.36 is upgraded', function () {
  this.timeout(400_000);
  const cluster = useProgramCluster([TEAM, BOUND], sharedControlPlane, { timeoutMs: 60_000 });
  const surprises: string[] = [];
  let api: Api;
  let programs: Programs;
  let tried = 0;
  let stopped = false;
  let clients: Promise<unknown> | undefined;

  before(async () => {
    api = new Api((await sharedControlPlane()).kubeconfig);
    for (const namespace of [TEAM, BOUND]) {
      await api.patch(`${NAMESPACES}/${namespace}`, { metadata: { labels: { team: namespace } } });
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'pinger' } };
      await api.apply(`${NAMESPACES}/${namespace}/serviceaccounts/pinger`, account);
    }
    await allowEditor(api);
    programs = cluster.programs();
  });

  after(async () => {
    stopped = true;
    await clients;
    await api.close();
  });

  it('every program gets variables and keeps its name, and every pod and every change of a namespace is still checked', async () => {
    await replaced(OLDER, NEWER);
    const existing = await admissionPolicies();
    assert.deepEqual(namesOf(existing), ['capabilitypolicy.enforce', 'capabilitypolicy.guard']);
    assert.deepEqual(await withVariables(), namesOf(existing));
  });

  it('every program loses its variables when an older API server joins, and every request is still checked', async () => {
    await replaced(NEWER, OLDER);
    const names = namesOf(await admissionPolicies());
    assert.equal(names.length, 3);
    assert.match(names[1] ?? '', /^capabilitypolicy[.]enforce-[0-9a-f]{8}$/);
    assert.deepEqual(await withVariables(), []);
  });

  async function replaced(before: number, after: number): Promise<void> {
    await settled(before);
    surprises.length = 0;
    stopped = false;
    const uids = await enforceUid();
    clients = Promise.all([...PODS.map(tryForever), leaveForever()]);
    try {
      await enough();
      await settled(after);
      await enough();
    } finally {
      stopped = true;
      await clients;
    }
    assert.deepEqual([...new Set(surprises)], []);
    assert.equal(await enforceUid(), uids);
  }

  async function settled(oldestServer: number): Promise<void> {
    const compiled = compiledFor(oldestServer);
    assert.equal(compiled.refusals.size, 0, JSON.stringify([...compiled.refusals]));
    await cluster.passUntil(
      programs,
      compiled,
      ({ outcomes }) => NAMES.every((name) => outcomes.get(name)?.state === 'InForce'),
      180_000,
    );
    await cluster.settled(programs, compiled);
  }

  async function enforceUid(): Promise<string | undefined> {
    const all: Json[] = await admissionPolicies();
    return all.find(({ metadata }) => metadata.name === 'capabilitypolicy.enforce')?.metadata.uid;
  }

  /** Waits until the test has tried each pod several more times. */
  async function enough(): Promise<void> {
    const until = tried + 10 * PODS.length;
    while (tried < until) await sleep(20);
  }

  async function tryForever({ title, namespace, pod, expected }: (typeof PODS)[number]): Promise<void> {
    const path = `${NAMESPACES}/${namespace}/pods`;
    while (!stopped) {
      const answer = await api.ask('POST', path, { body: pod, as: CREATOR, query: { dryRun: 'All' } });
      tried++;
      if (verdictOf(answer) !== expected) surprises.push(`${title}: ${answer.body.message ?? 'admitted'}`);
    }
  }

  /**
   * Tries forever to take namespaces out of their policies. The user may edit namespaces and does not hold `exempt`.
   */
  async function leaveForever(): Promise<void> {
    while (!stopped) {
      for (const namespace of [TEAM, BOUND]) {
        const { status } = await change(api, namespace, { labels: { team: null } }, EDITOR);
        if (status < 300) surprises.push(`${namespace} left its policy`);
      }
    }
  }

  async function admissionPolicies(): Promise<Json[]> {
    const objects: Json[] = await cluster.rendered();
    return objects.filter(
      ({ kind, metadata }) => kind === 'ValidatingAdmissionPolicy' && !metadata.name.endsWith('-canary'),
    );
  }

  async function withVariables(): Promise<string[]> {
    return namesOf((await admissionPolicies()).filter(({ spec }) => spec.variables));
  }
});

function namesOf(objects: readonly Json[]): string[] {
  return objects.map(({ metadata }) => metadata.name).sort();
}

function specs(): Record<string, Partial<CapabilityPolicySpec>> {
  const namespaceSelector = { matchLabels: { team: TEAM } };
  const level = { namespaceSelector, level: 'restricted', levelVersion: 'v1.30', mode: 'Enforce' } as const;
  const overrides = { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } } as CapabilityPolicyOverrides;
  const subjects = [{ kind: 'ServiceAccount' as const, namespace: TEAM, name: 'pinger' }];
  const bound = (capability: string, account: string) => ({
    ...level,
    namespaceSelector: { matchLabels: { team: BOUND } },
    overrides: { capabilities: { allowedAdd: [capability] } } as CapabilityPolicyOverrides,
    usableBy: 'Subjects' as const,
    subjects: [{ kind: 'ServiceAccount' as const, namespace: BOUND, name: account }],
  });
  return {
    [TIME]: bound('SYS_TIME', 'pinger'),
    [RAW]: bound('NET_RAW', 'default'),
    [BASE]: level,
    [EXCEPTION]: { ...level, overrides, usableBy: 'Subjects', subjects },
    // The policy ABOVE decides in other namespaces. The programs of the other policies therefore also contain ABOVE.
    [ABOVE]: { ...level, priority: 5, namespaceSelector: { matchLabels: { team: TEAM, tier: 'other' } } },
  };
}

function compiledFor(oldestServer: number): Compiled {
  const policies = Object.entries(specs()).map(([name, spec]) => policy(name, spec));
  return compile(policies, { oldestServer, operatorNamespace: 'upgraded-servers', excludedNamespaces: [] });
}
