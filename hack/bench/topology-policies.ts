/**
 * Defines the sets of policies for part (n) of the bench. Each set has a policy for all namespaces, and exceptions to
 * this policy in several forms.
 */
import { type CapabilityPolicySpec, NAME_LABEL } from '../../operator/api/capability-policy.ts';

export interface NamedSpec {
  readonly name: string;
  readonly spec: CapabilityPolicySpec;
}

export interface BenchNamespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface PolicyTopology {
  /** Returns the policies of the set without the policy for all namespaces. */
  exceptions(count: number): readonly NamedSpec[];
  /** A namespace that the exception with the given index selects. The exception need not exist. */
  namespace(index: number): BenchNamespace;
  /**
   * Whether the set also has policies for tiers and for teams. The policies for tiers and teams select namespaces by
   * label.
   */
  readonly teams: boolean;
}

const TIERS = 3;
const TEAMS = 40;
/** A namespace where only the policy for all namespaces decides. */
export const FREE: BenchNamespace = { name: 'bench-free', labels: {} };
/** A namespace where the policies of a tier and a team decide. */
export const TEAM: BenchNamespace = { name: 'bench-team', labels: teamLabels(0) };
/** A capability that the exceptions admit. The policy for all namespaces refuses this capability. */
export const EXCEPTED = 'NET_RAW';
/** A capability that only edited exceptions admit. */
export const EDITED = 'SYS_TIME';

export const EVERYWHERE: NamedSpec = {
  name: 'everywhere',
  spec: { namespaceSelector: {}, level: 'restricted', mode: 'Enforce', podSecurityLabels: 'Off' },
};

export const TOPOLOGIES: Readonly<Record<string, PolicyTopology>> = {
  beside: named(0, false),
  above: named(10, false),
  'teams, beside': named(0, true),
  'teams, above': named(10, true),
  labels: {
    teams: false,
    exceptions: (count) => Array.from({ length: count }, (_, i) => exception(i, byLabel(i), 0)),
    namespace: (index) => ({ name: `tenant-${index}`, labels: { [keyOf(index)]: 'yes' } }),
  },
};

/**
 * Returns the exception after the given number of edits. After an odd number of edits, the exception also admits the
 * capability `EDITED`.
 */
export function edited({ name, spec }: NamedSpec, edit: number): NamedSpec {
  const allowedAdd = edit % 2 === 0 ? [EXCEPTED] : [EXCEPTED, EDITED];
  return { name, spec: { ...spec, overrides: { capabilities: { allowedAdd } } } as CapabilityPolicySpec };
}

function named(priority: number, teams: boolean): PolicyTopology {
  return {
    teams,
    exceptions: (count) => [
      ...(teams ? groups() : []),
      ...Array.from({ length: count }, (_, i) =>
        exception(i, { matchLabels: { [NAME_LABEL]: `tenant-${i}` } }, priority),
      ),
    ],
    namespace: (index) => ({ name: `tenant-${index}`, labels: teams ? teamLabels(index) : {} }),
  };
}

function groups(): NamedSpec[] {
  const group = (name: string, matchLabels: Record<string, string>): NamedSpec => ({
    name,
    spec: {
      namespaceSelector: { matchLabels },
      level: 'restricted',
      mode: 'Enforce',
      podSecurityLabels: 'Off',
      overrides: { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'KILL'] } },
    },
  });
  return [
    ...Array.from({ length: TIERS }, (_, i) => group(`tier-${i}`, { tier: `tier-${i}` })),
    ...Array.from({ length: TEAMS }, (_, i) => group(`team-${i}`, { team: `team-${i}` })),
  ];
}

function teamLabels(index: number): Record<string, string> {
  return { tier: `tier-${index % TIERS}`, team: `team-${index % TEAMS}` };
}

/**
 * A selector by a key that no other policy uses. If each key belongs to only one policy, an index by key does not help.
 */
function byLabel(index: number): CapabilityPolicySpec['namespaceSelector'] {
  const key = keyOf(index);
  return index % 2 === 0
    ? { matchExpressions: [{ key, operator: 'Exists' }] }
    : { matchExpressions: [{ key, operator: 'In', values: ['yes', 'true'] }] };
}

function keyOf(index: number): string {
  return `example.com/key-${index}`;
}

function exception(
  index: number,
  namespaceSelector: CapabilityPolicySpec['namespaceSelector'],
  priority: number,
): NamedSpec {
  return {
    name: `exception-${index}`,
    spec: {
      namespaceSelector,
      level: 'restricted',
      mode: 'Enforce',
      priority,
      podSecurityLabels: 'Off',
      overrides: { capabilities: { allowedAdd: [EXCEPTED] } },
    },
  };
}
