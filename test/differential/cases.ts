/** Policies whose verdicts are compared. Each policy has the Pod Security label for the comparison. */

import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { completeSpec } from '../../operator/api/defaults.ts';
import { type LevelVersion, tightest } from '../../operator/compile/labels.ts';
import { levelColumns } from '../../operator/compile/rows.ts';
import { resolvePolicy } from '../../operator/policy/resolve.ts';
import { RULES } from '../../operator/rules/index.ts';
import { formatVersion, LEVELS, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { isAcceptedBy, restricting } from '../support/examples.ts';
import { LATEST_MINOR } from '../support/latest.ts';
import { policyManifest } from '../support/policies.ts';

export interface DifferentialCase {
  /** The name of the case. The name can be a part of a namespace's name. */
  readonly name: string;
  /**
   * The policy of the case. The policy has the name of the case. The policy selects namespaces by the label CASE_LABEL.
   * The value of the label is the name of the case.
   */
  readonly policy: CompletePolicy;
  /**
   * The Pod Security label to compare with. The label is undefined if every level refuses a pod that the policy admits.
   */
  readonly podSecurity: LevelVersion | undefined;
  /**
   * Whether the label has to refuse exactly the pods that the policy refuses. If the value is false, the label may
   * refuse fewer pods than the policy.
   */
  readonly exact: boolean;
}

export const CASE_LABEL = 'differential';

/** The versions of the Standards that changed a check. */
const CHANGED_AT = Array.from({ length: NEWEST_KNOWN_MINOR + 1 }, (_, minor) => minor).filter(
  (minor) => minor === 0 || valuesAt(minor) !== valuesAt(minor - 1),
);

/**
 * The newest version of the Standards that the API server supports, and the earlier versions that changed a check.
 */
export const VERSIONS: readonly number[] = [...CHANGED_AT.filter((minor) => minor < LATEST_MINOR), LATEST_MINOR];

/**
 * A case for a level without overrides. The verdicts of the case have to equal the verdicts of Pod Security Admission.
 */
export function plain(level: LevelVersion['level'], minor: number): DifferentialCase {
  const name = `${level}-1-${minor}`;
  const policy = policyOf(name, { level, levelVersion: formatVersion(minor) });
  return { name, policy, podSecurity: { level, minor }, exact: true };
}

/** Levels with overrides, and the labels that the operator would set. */
const STATED: readonly DifferentialCase[] = [
  overridden('ping', {
    level: 'restricted',
    overrides: { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } },
  }),
  overridden('no-net-raw', {
    level: 'baseline',
    overrides: { capabilities: { allowedBounding: ['CHOWN', 'KILL', 'NET_BIND_SERVICE', 'SYS_CHROOT'] } },
  }),
  overridden('nothing-held', {
    level: 'privileged',
    overrides: { privileged: true, capabilities: { allowedBounding: [] } },
  }),
  overridden('some-dropped', {
    level: 'baseline',
    overrides: { capabilities: { requiredDrop: ['NET_RAW', 'KILL'] }, runAsNonRoot: true },
  }),
  overridden('host-ports', {
    level: 'restricted',
    overrides: {
      hostNetwork: true,
      hostPorts: [
        { min: 80, max: 80 },
        { min: 9000, max: 9100 },
      ],
    },
  }),
  overridden('volumes', { level: 'restricted', overrides: { volumes: ['emptyDir', 'hostPath', 'nfs', 'projected'] } }),
  overridden('probes', { level: 'restricted', overrides: { hostProbes: true } }),
  overridden('profiles', {
    level: 'restricted',
    overrides: { seccomp: { types: ['RuntimeDefault', 'Unconfined'], unset: 'Allowed' } },
  }),
  overridden('app-armor', {
    level: 'privileged',
    overrides: { appArmor: { types: ['Localhost', 'Unconfined'], localhostProfiles: ['pro*'], unset: 'Refused' } },
  }),
  overridden('kernel', {
    level: 'privileged',
    overrides: {
      sysctls: { forbidden: ['net.ipv4.tcp_syncookies', 'kernel.msgmax'] },
      procMount: { types: ['Default', 'Unmasked'] },
      seLinux: { rule: 'PodSecurityStandard' },
    },
  }),
  overridden('users', {
    level: 'restricted',
    levelVersion: formatVersion(Math.min(34, SERVER_MINOR)),
    overrides: { runAsUser: { rule: 'RunAsAny' }, allowPrivilegeEscalation: true },
  }),
  overridden('ids', {
    level: 'baseline',
    overrides: {
      runAsUser: { rule: 'MustRunAs', ranges: [{ min: 1, max: 999 }] },
      runAsGroup: { rule: 'MayRunAs', ranges: [{ min: 1, max: 1000 }] },
      supplementalGroups: { rule: 'MustRunAs', ranges: [{ min: 0, max: 1 }] },
      fsGroup: { rule: 'MayRunAs', ranges: [{ min: 1000, max: 1000 }] },
    },
  }),
  overridden('drivers', {
    level: 'privileged',
    overrides: {
      privileged: false,
      hostPaths: [{ pathPrefix: '/var/log', readOnly: true }],
      flexVolumeDrivers: [],
      csiDrivers: ['ebs.csi.example.com'],
      readOnlyRootFilesystem: true,
    },
  }),
  overridden('labels', {
    level: 'baseline',
    overrides: {
      runAsUser: { rule: 'MustRunAsNonRoot' },
      seLinux: { rule: 'MustRunAs', options: { type: 'container_t' } },
      seccomp: { types: ['Localhost'], localhostProfiles: ['pro*'], unset: 'Allowed' },
      sysctls: { allowed: ['net.ipv4.*'], forbidden: ['net.ipv4.tcp_syncookies'] },
    },
  }),
  overridden('old-and-tight', {
    level: 'baseline',
    levelVersion: 'v1.0',
    overrides: { hostProbes: false, seccomp: { unset: 'Refused' }, capabilities: { allowedAdd: [] } },
  }),
  overridden('loose-containers', {
    level: 'restricted',
    containers: [
      {
        names: ['init', 'debug', 'later'],
        overrides: {
          capabilities: { allowedAdd: ['SYS_ADMIN', 'NET_RAW'], requiredDrop: [] },
          runAsNonRoot: false,
          runAsUser: { rule: 'RunAsAny' },
        },
      },
      { names: ['second'], images: ['second'], overrides: { privileged: true, allowPrivilegeEscalation: true } },
    ],
  }),
  overridden('unconfined-containers', {
    level: 'baseline',
    overrides: { appArmor: { unset: 'Refused' } },
    containers: [
      {
        names: ['app', 'debug'],
        overrides: {
          seccomp: { types: ['RuntimeDefault', 'Unconfined'], unset: 'Allowed' },
          appArmor: { types: ['Unconfined'], unset: 'Allowed' },
          seLinux: { rule: 'RunAsAny' },
        },
      },
    ],
  }),
  overridden('tight-containers', {
    level: 'baseline',
    containers: [
      {
        names: ['app', 'later'],
        overrides: {
          runAsNonRoot: true,
          runAsUser: { rule: 'NotZero' },
          seccomp: { types: ['RuntimeDefault'], unset: 'Refused' },
          appArmor: { types: ['RuntimeDefault'] },
        },
      },
      { names: ['init', 'debug'], overrides: { runAsUser: { rule: 'MustRunAsNonRoot' } } },
    ],
  }),
];

/** The overrides in the examples of rules. A rule is left out if a case in STATED overrides the rule. */
const OTHERS = RULES.filter(
  ({ id }) => !STATED.some(({ policy }) => (id.split('.')[0] ?? '') in (policy.spec.overrides ?? {})),
)
  .filter((rule) => isAcceptedBy(SERVER_MINOR, rule))
  .map((rule) => restricting(rule).overrides);

export const OVERRIDDEN: readonly DifferentialCase[] = [
  ...STATED,
  overridden('other-rules', { level: 'baseline', overrides: Object.assign({}, ...OTHERS) }),
];

/** The values of every rule at a version of the Standards, as text. */
function valuesAt(minor: number): string {
  return JSON.stringify(LEVELS.map((level) => levelColumns({ level, minor, server: NEWEST_KNOWN_MINOR })));
}

function overridden(name: string, spec: Omit<CapabilityPolicySpec, 'namespaceSelector' | 'mode'>): DifferentialCase {
  const policy = policyOf(name, spec);
  const resolution = resolvePolicy(policy, SERVER_MINOR);
  if ('refusal' in resolution) throw new Error(`${name}: ${resolution.refusal.message}`);
  return { name, policy, podSecurity: tightest([resolution.policy], SERVER_MINOR), exact: false };
}

function policyOf(name: string, spec: Omit<CapabilityPolicySpec, 'namespaceSelector' | 'mode'>): CompletePolicy {
  return policyManifest(
    { name },
    completeSpec({ ...spec, namespaceSelector: { matchLabels: { [CASE_LABEL]: name } }, mode: 'Enforce' }),
  );
}
