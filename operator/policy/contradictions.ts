/**
 * Finds settings of a policy that have no effect because of other settings of the policy. The condition Accepted
 * reports these settings. Each setting is valid by itself, so the API server does not report that two settings
 * contradict each other.
 */
import type { CapabilityPolicyOverrides, CompleteSpec, NamedContainers } from '../api/capability-policy.ts';
import { valueAt } from '../model/raw.ts';
import { isMatch } from '../rules/cel.ts';
import { RULES } from '../rules/index.ts';
import type { Standard } from '../standards/level-version.ts';
import { overridesOf } from './containers.ts';

/** The overrides of a policy, or of one of its entries for containers. */
interface Overrides {
  /** The path of the overrides in the spec, such as `overrides` or `containers[0].overrides`. */
  readonly path: string;
  readonly stated: CapabilityPolicyOverrides;
  /** The overrides of an entry. Values that the entry does not set come from the policy's overrides. */
  readonly all: CapabilityPolicyOverrides;
  /** The value that is in effect for a rule. */
  value(rule: string): unknown;
}

/** Returns one sentence for each setting without effect. The sentence begins with the path of the setting. */
export function contradictionsIn(spec: CompleteSpec, standard: Standard): string[] {
  const { overrides = {}, containers = [] } = spec;
  const parts = [
    partOf('overrides', overrides, overrides, standard),
    ...containers.map((entry: NamedContainers, index) =>
      partOf(`containers[${index}].overrides`, entry.overrides ?? {}, overridesOf(entry, spec), standard),
    ),
  ];
  const isFilling = spec.defaulting !== 'Disabled';
  const ofOverrides = parts.flatMap((part) => [
    ...privilegedInVain(part),
    ...hostProcessInVain(part),
    ...hostNamespacesInVain(part),
    ...tokensInVain(part),
    ...addsInVain(part),
    ...(isFilling ? defaultInVain(part) : defaultsInVain(part)),
    ...volumesInVain(part),
    ...sysctlsInVain(part),
  ]);
  return [...ofOverrides, ...guardInVain(spec)];
}

/** The guard contains only policies of mode Enforce. */
function guardInVain({ adminAccessLabel, mode }: CompleteSpec): string[] {
  if (adminAccessLabel !== 'Guarded' || mode === 'Enforce') return [];
  return [`adminAccessLabel: Guarded has no effect in mode ${mode}; set mode to Enforce, or remove adminAccessLabel`];
}

function partOf(
  path: string,
  stated: CapabilityPolicyOverrides,
  all: CapabilityPolicyOverrides,
  standard: Standard,
): Overrides {
  return { path, stated, all, value: (rule) => RULES.find(({ id }) => id === rule)?.value(all, standard) };
}

/**
 * The API server refuses `allowPrivilegeEscalation: false` together with `privileged: true` (ValidateSecurityContext).
 */
function privilegedInVain({ path, stated, all, value }: Overrides): string[] {
  if (!stated.privileged) return [];
  const what = `${path}.privileged: true admits no container`;
  if (value('allowPrivilegeEscalation') === false) {
    return [
      `${what}: the policy requires allowPrivilegeEscalation: false, which the API server refuses on a privileged container; also write allowPrivilegeEscalation: true`,
    ];
  }
  return boundOf(all)
    ? [`${what}: a privileged container holds every capability, and allowedBounding does not list all of them`]
    : [];
}

/** The API server requires `hostNetwork: true` on a HostProcess pod (validateWindowsHostProcessPod). */
function hostProcessInVain({ path, stated, value }: Overrides): string[] {
  if (!stated.hostProcess || value('hostNetwork') !== false) return [];
  return [
    `${path}.hostProcess: true admits no pod: a HostProcess pod needs hostNetwork: true, which the policy refuses; also write hostNetwork: true`,
  ];
}

/**
 * The API server refuses `hostUsers: false` together with `hostNetwork`, `hostPID` or `hostIPC` (validateHostUsers).
 * Pods for Windows can have `hostNetwork`, but neither `hostPID` nor `hostIPC`.
 */
function hostNamespacesInVain({ path, stated, value }: Overrides): string[] {
  if (value('userNamespaces') !== 'Required') return [];
  return (['hostNetwork', 'hostPID', 'hostIPC'] as const)
    .filter((field) => stated[field])
    .map(
      (field) =>
        `${path}.${field}: true admits no pod${field === 'hostNetwork' ? ' except pods for Windows' : ''}: userNamespaces: Required requires hostUsers: false, which the API server refuses together with ${field}: true; remove one of the two`,
    );
}

function tokensInVain({ path, stated, value }: Overrides): string[] {
  if (!stated.serviceAccountTokenVolumes || value('serviceAccountToken') !== 'Forbidden') return [];
  return [
    `${path}.serviceAccountTokenVolumes: true has no effect: serviceAccountToken: Forbidden refuses these volumes; remove one of the two`,
  ];
}

function addsInVain({ path, stated, all }: Overrides): string[] {
  const bound = boundOf(all);
  if (!bound) return [];
  return (['allowedAdd', 'defaultAdd'] as const).flatMap((field) => {
    const outside = (stated.capabilities?.[field] ?? []).filter((name) => name !== '*' && !bound.includes(name));
    return outside.length === 0
      ? []
      : [
          `${path}.capabilities.${field} admits no container that adds ${outside.join(', ')}: the container would hold capabilities that allowedBounding does not list`,
        ];
  });
}

/**
 * Returns the capabilities that a container may hold. The result is undefined if the container may hold any capability,
 * even if only in a user namespace.
 */
function boundOf({ capabilities = {} }: CapabilityPolicyOverrides): readonly string[] | undefined {
  const { allowedBounding: bound, allowedAddInUserNamespace: mapped = [] } = capabilities;
  const isAny = bound?.includes('*') || mapped.includes('*') || mapped.includes('ALL');
  return isAny ? undefined : bound;
}

/** The fields of `overrides` that only defaulting uses. */
const DEFAULTS = [
  ['capabilities', 'defaultAdd'],
  ['defaultAllowPrivilegeEscalation'],
  ['seccomp', 'default'],
  ['appArmor', 'default'],
  ['runtimeClasses', 'default'],
] as const;

function defaultsInVain({ path, stated }: Overrides): string[] {
  const vain = DEFAULTS.filter((field) => {
    const value = valueAt(stated, field);
    return Array.isArray(value) ? value.length > 0 : value !== undefined;
  });
  return vain.map(
    (field) =>
      `${path}.${field.join('.')} has no effect without defaulting: write spec.defaulting: Enabled, or remove the field`,
  );
}

function defaultInVain({ path, stated, value }: Overrides): string[] {
  if (!stated.defaultAllowPrivilegeEscalation || value('allowPrivilegeEscalation') !== false) return [];
  return [
    `${path}.defaultAllowPrivilegeEscalation has no effect: no container may have the value true; write allowPrivilegeEscalation: true, or remove the field`,
  ];
}

/**
 * The fields of `overrides` that restrict volumes of one type. The key is the field, and the value is the type of
 * volume.
 */
const NARROWING = { hostPaths: 'hostPath', flexVolumeDrivers: 'flexVolume', csiDrivers: 'csi' } as const;

function volumesInVain({ path, stated, value }: Overrides): string[] {
  // The rule about volumes has either a list of allowed types or a list of forbidden types.
  const { allowed, forbidden = [] } = value('volumes') as Partial<Record<'allowed' | 'forbidden', readonly string[]>>;
  const isAdmitted = (type: string) => allowed?.includes(type) ?? !forbidden.includes(type);
  return Object.entries(NARROWING).flatMap(([field, type]) => {
    const narrowed = stated[field as keyof typeof NARROWING];
    if (narrowed?.length === 0 && stated.volumes?.includes(type)) {
      return [
        `${path}.volumes admits no ${type} volume: ${path}.${field} is []; list values in this field, or remove ${type}`,
      ];
    }
    if (!narrowed || narrowed.length === 0 || isAdmitted(type)) return [];
    return [
      `${path}.${field} has no effect: the policy admits no ${type} volume; add ${type} to overrides.volumes, or remove the field`,
    ];
  });
}

/** The rule refuses a forbidden value, even if another list allows the value. */
function sysctlsInVain({ path, stated }: Overrides): string[] {
  const { allowed = [], forbidden = [] } = stated.sysctls ?? {};
  const vain = allowed.filter((name) =>
    name.endsWith('*')
      ? isMatch(
          name.slice(0, -1),
          forbidden.filter((one) => one.endsWith('*')),
        )
      : isMatch(name, forbidden),
  );
  if (vain.length === 0) return [];
  return [
    `${path}.sysctls.allowed admits no pod that sets ${vain.join(', ')}: the list forbidden has the same entries`,
  ];
}
