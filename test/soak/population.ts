/** Draws the objects of a soak's cluster at random. The objects are names, pods and policies. */
import type { CapabilityPolicyOverrides, CapabilityPolicySpec, Mode } from '../../operator/api/capability-policy.ts';
import { baselinePod, hostNetworkPod, privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import type { Random } from '../support/random.ts';

/** The prefix of all names of namespaces and policies. */
export const PREFIX = 'soak-';
/** The service accounts in each namespace. */
export const ACCOUNTS = ['default', 'one'] as const;

export interface Population {
  readonly namespaces: readonly string[];
  readonly policies: readonly string[];
  /**
   * The name of one of the `policies`. This policy never has the mode Enforce. The operator sometimes cannot compile
   * the spec of this policy.
   */
  readonly observer: string;
  readonly sentinel: Sentinel;
}

/**
 * A namespace with a separate policy. In this namespace, the policy decides together with the other policies. The
 * policy changes all the time and always refuses some pods. The policy's Pod Security label admits these pods. Probes
 * in the namespace detect moments without enforcement. Without enforcement, neither the old nor the new version of the
 * policy is in force.
 */
interface Sentinel {
  readonly namespace: string;
  readonly policy: string;
}

const TEAMS = ['net', 'web', 'ops'] as const;
const ADDED = ['NET_RAW', 'SYS_TIME', 'NET_BIND_SERVICE', 'CHOWN'] as const;

export function newPopulation(namespaces: number, policies: number): Population {
  const names = Array.from({ length: policies }, (_, index) => `${PREFIX}policy-${index}`);
  const observer = `${PREFIX}observer`;
  return {
    namespaces: Array.from({ length: namespaces }, (_, index) => `${PREFIX}${index}`),
    policies: [...names, observer],
    observer,
    sentinel: { namespace: `${PREFIX}sentinel`, policy: `${PREFIX}sentinel` },
  };
}

/**
 * Pods that the policies barely admit or barely refuse. The verdict on a borderline pod can change even after a
 * small change of a policy.
 */
export const PODS: readonly object[] = ACCOUNTS.flatMap((serviceAccountName) => [
  restrictedPod({ serviceAccountName }),
  restrictedPod({ serviceAccountName, add: ['NET_RAW'] }),
  restrictedPod({ serviceAccountName, add: ['SYS_TIME'] }),
  restrictedPod({ serviceAccountName, add: ['SYS_ADMIN'] }),
  baselinePod({ serviceAccountName }),
  baselinePod({ serviceAccountName, add: ['CHOWN'] }),
]).concat([privilegedPod(), hostNetworkPod()]);

export function drawLabels(random: Random): Record<string, string> {
  return { team: oneOf(TEAMS, random), ...(random.int(3) === 0 && { zone: 'a' }) };
}

export function drawPolicy(random: Random, { namespaces }: Population): CapabilityPolicySpec {
  const mode = oneOf<Mode>(['Enforce', 'Enforce', 'Enforce', 'Warn', 'Audit'], random);
  return {
    namespaceSelector: drawSelector(random),
    level: oneOf(['privileged', 'baseline', 'restricted'], random),
    mode,
    priority: oneOf([0, 0, 10], random),
    overrides: drawOverrides(random),
    ...drawUse(random, namespaces),
    ...(mode === 'Enforce' && random.int(4) === 0 && { defaulting: 'Enabled' }),
    ...(random.int(4) === 0 && { podSecurityLabels: 'Off' }),
  } as CapabilityPolicySpec;
}

export const SENTINEL_LABELS = { team: 'sentinel' };

/**
 * A random spec of the sentinel policy. No other policy has the priority of the sentinel policy. The sentinel policy
 * never admits SYS_ADMIN.
 */
export function drawSentinel(random: Random): CapabilityPolicySpec {
  return {
    namespaceSelector: { matchLabels: SENTINEL_LABELS },
    level: 'privileged',
    mode: 'Enforce',
    priority: 100,
    podSecurityLabels: 'Off',
    overrides: { privileged: false, capabilities: { allowedAdd: ADDED.filter(() => random.int(2) === 0) } },
  };
}

/**
 * A random spec of the observer policy. The observer policy always selects all namespaces. The policy's `levelVersion`
 * is sometimes newer than the API server.
 */
export function drawObserver(random: Random): CapabilityPolicySpec {
  const levelVersion = oneOf(['latest', 'v1.30', 'v1.99'], random);
  return { namespaceSelector: {}, level: oneOf(['baseline', 'restricted'], random), levelVersion, mode: 'Audit' };
}

export function oneOf<Item>(items: readonly Item[], random: Random): Item {
  return items[random.int(items.length)] as Item;
}

function drawSelector(random: Random): CapabilityPolicySpec['namespaceSelector'] {
  const team = oneOf(TEAMS, random);
  return oneOf<CapabilityPolicySpec['namespaceSelector']>(
    [
      {},
      { matchLabels: { team } },
      { matchLabels: { team, zone: 'a' } },
      { matchExpressions: [{ key: 'team', operator: 'NotIn', values: [team] }] },
    ],
    random,
  );
}

function drawOverrides(random: Random): CapabilityPolicyOverrides {
  const allowedAdd = ADDED.filter(() => random.int(2) === 0);
  return {
    privileged: false,
    capabilities: { allowedAdd },
    ...(random.int(3) === 0 && { hostNetwork: random.int(2) === 0 }),
  } as CapabilityPolicyOverrides;
}

function drawUse(random: Random, namespaces: readonly string[]): Partial<CapabilityPolicySpec> {
  const usableBy = oneOf(['Everyone', 'Everyone', 'Subjects', 'Bindings'] as const, random);
  if (usableBy !== 'Subjects') return { usableBy };
  const chosen = namespaces.filter(() => random.int(2) === 0);
  const subjects = [...chosen, ...namespaces.slice(0, 1)].map((namespace) => ({
    kind: 'ServiceAccount' as const,
    name: 'one',
    namespace,
  }));
  return { usableBy, subjects: [...new Map(subjects.map((one) => [one.namespace, one])).values()] };
}
