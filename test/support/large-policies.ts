/**
 * Makes the policies of a large cluster. There are four policies for all teams. Each team also has its own policies.
 * Some policies of a team are exceptions that expire, policies with restricted use, or policies with a rollout.
 */
import {
  type CapabilityPolicySpec,
  type CompletePolicy,
  ROLLOUT_LABEL_PREFIX,
  ROLLOUT_PENDING,
} from '../../operator/api/capability-policy.ts';
import type { RoleBindingView, RoleView } from '../../operator/model/objects.ts';
import { baselinePolicy } from './policies.ts';
import { binding, useRole } from './views.ts';

export interface LargePolicies {
  readonly policies: readonly CompletePolicy[];
  readonly roles: readonly RoleView[];
  readonly roleBindings: readonly RoleBindingView[];
  /**
   * The pending labels of a namespace, for the rollouts that have not promoted the namespace yet.
   * @param namespace the namespace's index
   */
  readonly pending: (namespace: number) => Readonly<Record<string, string>>;
}

type Spec = Partial<CapabilityPolicySpec>;

const OF_PLATFORM: readonly (readonly [name: string, spec: Spec])[] = [
  [
    'baseline-without-team',
    {
      // The operator limits the number of other policies with which a policy may overlap. A policy for all namespaces
      // would overlap with the policies of all teams.
      namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] },
      mode: 'Enforce',
      reason: 'No pod needs more without an exception.',
    },
  ],
  ['restricted-everywhere', { mode: 'Warn', level: 'restricted' }],
  ['restricted-audit', { mode: 'Audit', level: 'restricted', levelVersion: 'v1.30' }],
  ['refused', { mode: 'Enforce', levelVersion: 'v1.99', namespaceSelector: { matchLabels: { team: 'nobody' } } }],
];

const STAGES = ['production', 'staging', 'development'];
const TEAMS = 50;

/** The creation time of the policies. The creation time is fixed, so that equal sizes give equal clusters. */
const CREATED = '2026-01-01T00:00:00Z';

interface Own {
  readonly team: string;
  /** The name of one namespace of the team. */
  readonly namespace: string;
}

const ROLLED_OUT: Spec = { mode: 'Enforce', level: 'restricted', priority: 20 };

/** The policies of a team. Each entry has the last part of the policy's name, and the spec of the policy. */
const OF_TEAM: readonly (readonly [name: string, spec: (own: Own) => Spec])[] = [
  ['restricted', ofTeam({ mode: 'Enforce', level: 'restricted', priority: 10 })],
  [
    'network',
    ofTeam({ mode: 'Enforce', priority: 10, overrides: { capabilities: { allowedAdd: ['NET_BIND_SERVICE'] } } }),
  ],
  [
    'rollout',
    ({ team }) => ({ ...ROLLED_OUT, namespaceSelector: { matchLabels: { team } }, rollout: meanwhile(team) }),
  ],
  [
    'exception',
    ({ team, namespace }) => ({
      namespaceSelector: { matchLabels: { team, 'kubernetes.io/metadata.name': namespace } },
      mode: 'Enforce',
      priority: 50,
      expires: '2026-12-31T00:00:00Z',
      reason: 'TICKET-4711: the gateway still opens raw sockets',
      containers: [
        {
          images: ['registry.example.com/shop/gateway-*'],
          overrides: { capabilities: { allowedAdd: ['NET_ADMIN', 'NET_RAW'] } },
        },
      ],
    }),
  ],
  ['operators', ofTeam({ mode: 'Enforce', level: 'privileged', priority: 50, usableBy: 'Bindings' })],
  ['defaults', ofTeam({ mode: 'Enforce', level: 'restricted', priority: 10, defaulting: 'Enabled' }, 'development')],
];

/**
 * A rollout. In a pending namespace, half of the policies warn, and the other half audit. Two policies select all
 * namespaces. One policy warns, and the other policy audits. A pending policy overlaps with the policy of the same
 * mode. Each of the two policies for all namespaces may overlap with about thirty policies.
 */
function meanwhile(team: string): NonNullable<Spec['rollout']> {
  return { soak: '24h', meanwhile: Number(team.slice(-1)) % 2 === 0 ? 'Warn' : 'Audit' };
}

function ofTeam(spec: Spec, stage?: string): (own: Own) => Spec {
  return ({ team }) => ({ namespaceSelector: { matchLabels: { team, ...(stage && { stage }) } }, ...spec });
}

/**
 * The name of a namespace, and those labels of the namespace that the selectors of policies read. One namespace in 51
 * belongs to no team.
 */
export function labelsOf(index: number): { readonly name: string; readonly team?: string; readonly stage: string } {
  const place = index % (TEAMS + 1);
  const stage = STAGES[roundOf(index) % STAGES.length] as string;
  const team = teamOf(place);
  const number = String(index).padStart(4, '0');
  return place === TEAMS
    ? { name: `platform-${stage}-${number}`, stage }
    : { name: `${team}-${stage}-${number}`, team, stage };
}

function roundOf(index: number): number {
  return Math.floor(index / (TEAMS + 1));
}

function teamOf(place: number): string {
  return `team-${String(place).padStart(2, '0')}`;
}

export function largePolicies(count: number): LargePolicies {
  const policies = Array.from({ length: count }, (_, index) => largePolicy(index));
  const bound = policies.filter(({ spec }) => spec.usableBy === 'Bindings').map(nameOf);
  const rolledOut = policies.filter(({ spec }) => spec.rollout);
  return {
    policies: policies.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)),
    roles: bound.map((name) => useRole(name)),
    roleBindings: bound.map((name) =>
      binding(`capabilitypolicy.dev:use:${name}`, { kind: 'Group', name: `${name}-on-call` }),
    ),
    pending(namespace) {
      const { team } = labelsOf(namespace);
      // The rollouts have promoted half of the namespaces. The other half of the namespaces is pending.
      if (roundOf(namespace) % 2 === 0) return {};
      const here = rolledOut.filter(({ spec }) => spec.namespaceSelector.matchLabels?.team === team);
      return Object.fromEntries(here.map((policy) => [`${ROLLOUT_LABEL_PREFIX}${nameOf(policy)}`, ROLLOUT_PENDING]));
    },
  };
}

function largePolicy(index: number): CompletePolicy {
  const [name, spec] = OF_PLATFORM[index] ?? policyOfTeam(index - OF_PLATFORM.length);
  const made = baselinePolicy(name, spec);
  const creationTimestamp = CREATED as NonNullable<CompletePolicy['metadata']>['creationTimestamp'];
  return { ...made, metadata: { ...made.metadata, ...(creationTimestamp && { creationTimestamp }) } };
}

function policyOfTeam(index: number): [name: string, spec: Spec] {
  const [kind, spec] = OF_TEAM[index % OF_TEAM.length] as (typeof OF_TEAM)[number];
  const round = Math.floor(index / OF_TEAM.length);
  const { name: namespace, team = '' } = labelsOf(round % TEAMS);
  const again = round < TEAMS ? '' : `-${Math.floor(round / TEAMS)}`;
  return [`${team}-${kind}${again}`, spec({ team, namespace })];
}

function nameOf({ metadata }: CompletePolicy): string {
  return metadata?.name ?? '';
}
