/**
 * The pairs of policy sets for part (p) of the bench. The sets look like the policies of real clusters, and some
 * policies differ between the two sets.
 */
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import type { NamedSpec } from './topology-policies.ts';

export interface ComparedSets {
  readonly old: readonly NamedSpec[];
  readonly new: readonly NamedSpec[];
}

type Overrides = NonNullable<CapabilityPolicySpec['overrides']>;

/** The overrides of exceptions. Each entry sets one rule, or sets several rules together. */
const GRANTS: readonly Overrides[] = [
  { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } },
  { hostNetwork: true },
  { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_ADMIN', 'SYS_TIME'] } },
  { volumes: ['configMap', 'emptyDir', 'projected', 'secret', 'hostPath'], hostPaths: [{ pathPrefix: '/var/log' }] },
  { hostPID: true },
  { runAsUser: { rule: 'RunAsAny' } },
  { seccomp: { types: ['RuntimeDefault', 'Localhost', 'Unconfined'] } },
  {
    volumes: ['configMap', 'emptyDir', 'secret', 'hostPath'],
    hostPaths: [{ pathPrefix: '/dev' }, { pathPrefix: '/etc', readOnly: true }],
  },
  { capabilities: { allowedAdd: ['SYS_PTRACE'] }, hostPID: true },
  { sysctls: { allowed: ['net.*'] } },
  { hostPorts: [{ min: 8000, max: 8099 }] },
  { allowPrivilegeEscalation: true },
  { capabilities: { allowedAdd: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID'] } },
  { privileged: true },
];
/** The overrides that a change adds to a policy. */
const LOOSENED: readonly Overrides[] = [
  { hostIPC: true },
  { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'SYS_ADMIN'] } },
  { procMount: { types: ['Default', 'Unmasked'] } },
  { hostPorts: [{ min: 9000, max: 9010 }] },
  { hostNetwork: true },
];
const LEVELS = ['restricted', 'baseline', 'privileged'] as const;
/**
 * The number of exceptions that decide together for a team. At most this number of policies with restricted use may
 * decide together.
 */
const EXCEPTIONS_OF_TEAM = 7;
/** The number of policies in each group. In each group, one policy changes. */
const CHANGED = 10;

/** The name of the pair in which both sets are equal. */
export const SAME = 'the same';

export const COMPARED: Readonly<Record<string, (policies: number) => ComparedSets>> = {
  [SAME]: (policies) => changed(tenants(policies), 0),
  'exceptions for teams': (policies) => changed(ofTeams(policies), CHANGED),
  'exceptions for everybody': (policies) => changed(everywhere(policies), CHANGED),
  'exceptions for everybody, all loosened': (policies) => changed(everywhere(policies), 1),
  tenants: (policies) => changed(tenants(policies), CHANGED),
  'tenants, all loosened': (policies) => changed(tenants(policies), 1),
  'tenants with a base': (policies) => changed(beside(policies), CHANGED),
};

const BASE: NamedSpec = {
  name: 'everywhere',
  spec: { namespaceSelector: {}, level: 'restricted', mode: 'Enforce' },
};

/** A base policy, and exceptions with restricted use. Each team has a few exceptions. */
function ofTeams(policies: number): readonly NamedSpec[] {
  const exceptions = Array.from({ length: policies - 1 }, (_, i): NamedSpec => {
    const team = `team-${Math.floor(i / EXCEPTIONS_OF_TEAM)}`;
    const use: Partial<CapabilityPolicySpec> =
      i % 2 === 0 ? { usableBy: 'Bindings' } : { usableBy: 'Subjects', subjects: [{ kind: 'Group', name: team }] };
    return exception(`exception-${i}`, i, { ...use, namespaceSelector: { matchLabels: { team } } });
  });
  return [BASE, ...exceptions];
}

/**
 * A base policy, and exceptions that everybody may use in every namespace. The base policy and all exceptions decide
 * together.
 */
function everywhere(policies: number): readonly NamedSpec[] {
  return [BASE, ...Array.from({ length: policies - 1 }, (_, i) => exception(`exception-${i}`, i, {}))];
}

/** A policy for each tenant. */
function tenants(policies: number): readonly NamedSpec[] {
  return Array.from({ length: policies }, (_, i) =>
    exception(`tenant-${i}`, i, {
      level: LEVELS[i % LEVELS.length] ?? 'restricted',
      namespaceSelector: { matchLabels: { tenant: `tenant-${i}` } },
    }),
  );
}

/** A base policy, and a policy of a higher priority for each tenant. */
function beside(policies: number): readonly NamedSpec[] {
  const above = tenants(policies - 1).map(({ name, spec }) => ({ name, spec: { ...spec, priority: 10 } }));
  return [BASE, ...above];
}

function exception(name: string, index: number, spec: Partial<CapabilityPolicySpec>): NamedSpec {
  // If two policies have the same grant, they differ in another field.
  const round = Math.floor(index / GRANTS.length);
  const more = round === 0 ? {} : GRANTS[(index + round) % GRANTS.length];
  // If a policy of level privileged has lists of capabilities, the policy must say whether containers may be
  // privileged.
  const privileged = spec.level === 'privileged' ? { privileged: false } : {};
  const overrides = { ...privileged, ...more, ...GRANTS[index % GRANTS.length] };
  return { name, spec: { namespaceSelector: {}, level: 'restricted', mode: 'Enforce', overrides, ...spec } };
}

/**
 * @param every the number of policies in each group. In each group, one policy is loosened. 0 means that no policy is
 * loosened
 */
function changed(policies: readonly NamedSpec[], every: number): ComparedSets {
  const loosened = policies.map((one, i): NamedSpec => {
    if (one === BASE || every === 0 || i % every !== 0) return one;
    const { name, spec } = one;
    const overrides = { ...spec.overrides, ...LOOSENED[Math.floor(i / every) % LOOSENED.length] };
    return { name, spec: { ...spec, overrides } };
  });
  return { old: policies, new: loosened };
}
