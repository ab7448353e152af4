/** Makes the CapabilityPolicy that expresses a policy of another engine. */
import { migrate } from '../../analysis/migrate/migrate.ts';
import type { CapabilityPolicyOverrides, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import type { EngineCase, Parameters } from './suites.ts';

/** A policy that restricts only the fields in its overrides. */
const ANYTHING = { namespaceSelector: {}, level: 'privileged', mode: 'Enforce' } as const;
/**
 * An override that admits privileged containers. Other engines' rules on capabilities check only capabilities, and
 * therefore admit privileged containers.
 */
const PRIVILEGED_TOO = { privileged: true };

export function policyFor({ suite, kindOfPolicy, parameters, psp }: EngineCase): CapabilityPolicySpec {
  if (psp) return migrated(psp);
  if (suite.startsWith('kyverno-')) return { ...ANYTHING, overrides: fromKyverno(parameters) };
  if (suite.startsWith('kubewarden/'))
    return { ...ANYTHING, defaulting: 'Enabled', overrides: fromKubewarden(parameters) };
  const overrides = kindOfPolicy === undefined ? undefined : GATEKEEPER[kindOfPolicy];
  if (!overrides) throw new Error(`${suite}: no policy is written for ${kindOfPolicy}`);
  return { ...ANYTHING, overrides: isForNoImage(parameters) ? {} : overrides(parameters) };
}

/** Migrates a PodSecurityPolicy. Everyone may use the result, because the cases have no RBAC. */
function migrated(psp: object): CapabilityPolicySpec {
  const [policy] = migrate([psp], { mode: 'Enforce' }).policies;
  if (!policy) throw new Error('no policy remains of the PodSecurityPolicy');
  return { ...policy.spec, usableBy: 'Everyone' };
}

function isForNoImage({ exemptImages = [] }: Parameters): boolean {
  return exemptImages.includes('*');
}

type Translation = (parameters: Parameters) => CapabilityPolicyOverrides;

const GATEKEEPER: Readonly<Record<string, Translation>> = {
  K8sPSPAllowPrivilegeEscalationContainer: () => ({ allowPrivilegeEscalation: false }),
  K8sPSPAppArmor: ({ allowedProfiles }) => ({ appArmor: { ...profiles(allowedProfiles), unset: 'Allowed' } }),
  K8sPSPCapabilities: ({ allowedCapabilities = [], requiredDropCapabilities = [] }) => ({
    ...PRIVILEGED_TOO,
    capabilities: { allowedAdd: allowedCapabilities, requiredDrop: requiredDropCapabilities },
  }),
  K8sPSPFlexVolumes: ({ allowedFlexVolumes }) => ({
    flexVolumeDrivers: allowedFlexVolumes.map(({ driver }: { driver: string }) => driver),
  }),
  K8sPSPForbiddenSysctls: ({ allowedSysctls = ['*'], forbiddenSysctls = [] }) => ({
    sysctls: {
      // The API refuses a policy with `*` in both lists. The forbidden list takes precedence.
      allowed: forbiddenSysctls.includes('*') ? [] : allowedSysctls,
      forbidden: forbiddenSysctls,
    },
  }),
  K8sPSPFSGroup: ({ rule = 'RunAsAny', ranges }) => ({ fsGroup: group(rule, ranges) }),
  K8sPSPHostFilesystem: ({ allowedHostPaths = [] }) => ({ hostPaths: allowedHostPaths }),
  K8sPSPHostNamespace: () => ({ hostPID: false, hostIPC: false }),
  K8sPSPHostNetworkingPorts: ({ hostNetwork, min, max }) => ({
    hostNetwork,
    ...(min === undefined ? {} : { hostPorts: [{ min, max }] }),
  }),
  K8sPSPHostProbesLifecycle: () => ({ hostProbes: false }),
  K8sPSPHostProcess: () => ({ hostProcess: false }),
  K8sPSPPrivilegedContainer: () => ({ privileged: false }),
  K8sPSPProcMount: ({ procMount }) => ({ procMount: { types: [procMount] } }),
  K8sPSPReadOnlyRootFilesystem: () => ({ readOnlyRootFilesystem: true }),
  K8sPSPSeccomp: ({ allowedProfiles }) => ({ seccomp: { ...profiles(allowedProfiles), unset: 'Refused' } }),
  K8sPSPSeccompV2: ({ allowedProfiles, allowedLocalhostFiles }) => ({
    seccomp: {
      types: allowedProfiles.filter((type: string) => type !== 'not configured'),
      localhostProfiles: allowedLocalhostFiles,
      unset: allowedProfiles.includes('not configured') ? 'Allowed' : 'Refused',
    },
  }),
  K8sPSPSELinuxV2: ({ allowedSELinuxOptions }) => ({ seLinux: seLinux(allowedSELinuxOptions) }),
  K8sPSPAllowedUsers: ({ runAsUser, runAsGroup, supplementalGroups, fsGroup }) => ({
    runAsUser,
    runAsGroup,
    supplementalGroups,
    fsGroup,
  }),
  K8sPSPVolumeTypes: ({ volumes }) => ({ volumes }),
};

/** Converts profile names in the form of annotations, such as `runtime/default` and `localhost/app-*`. */
function profiles(names: readonly string[]) {
  const localhost = names
    .filter((name) => name.startsWith('localhost/'))
    .map((name) => name.slice('localhost/'.length));
  return {
    types: [
      ...(names.includes('runtime/default') ? (['RuntimeDefault'] as const) : []),
      ...(localhost.length > 0 ? (['Localhost'] as const) : []),
    ],
    ...(localhost.length > 0 ? { localhostProfiles: localhost } : {}),
  };
}

/**
 * The override for a rule about groups. The API requires ranges. If the list of ranges is empty, the override therefore
 * has a range without any real group.
 */
function group(rule: 'RunAsAny' | 'MustRunAs' | 'MayRunAs', ranges: { min: number; max: number }[]) {
  const LAST = 2 ** 31 - 1;
  if (rule === 'RunAsAny') return { rule };
  return { rule, ranges: ranges.length > 0 ? ranges : [{ min: LAST, max: LAST }] };
}

/**
 * The override for a list of SELinux options. A policy can express only the list of types that the Standard admits.
 */
function seLinux(options: readonly Readonly<Record<string, string>>[]): CapabilityPolicyOverrides['seLinux'] {
  const types = options.map(({ type = '', ...others }) => (Object.keys(others).length > 0 ? '' : type));
  const standard = ['container_engine_t', 'container_init_t', 'container_kvm_t', 'container_t'];
  if (types.sort().join() !== standard.join()) throw new Error(`no policy says ${JSON.stringify(options)}`);
  return { rule: 'PodSecurityStandard' };
}

/**
 * The override for Kyverno's parameters. In Kyverno's parameters, `NET_RAW|CAP_NET_RAW` means either name. The API of
 * CapabilityPolicy accepts only names without CAP_.
 */
function fromKyverno({ allowedCapabilities = ['*'], requiredDropCapabilities = [] }: Parameters) {
  const isSpelled = (name: string) => !name.startsWith('CAP_');
  const requiredDrop = requiredDropCapabilities.flatMap((name: string) => name.split('|')).filter(isSpelled);
  return {
    ...PRIVILEGED_TOO,
    capabilities: {
      allowedAdd: allowedBeside(requiredDrop, allowedCapabilities.filter(isSpelled)),
      requiredDrop,
      ...(requiredDrop.length > 0 && !requiredDrop.includes('ALL') ? { dropByName: true } : {}),
    },
  };
}

function fromKubewarden({ allowedCapabilities = [], requiredDropCapabilities = [], ...filled }: Parameters) {
  return {
    ...PRIVILEGED_TOO,
    capabilities: {
      allowedAdd: allowedBeside(requiredDropCapabilities, allowedCapabilities),
      requiredDrop: requiredDropCapabilities,
      defaultAdd: filled.defaultAddCapabilities ?? [],
    },
  };
}

/**
 * Returns the capabilities to allow in a policy that also requires pods to drop capabilities. The API refuses `*`
 * together with required drops. The API also refuses a policy that both allows a capability and requires pods to drop
 * the capability.
 */
function allowedBeside(drops: readonly string[], allowed: readonly string[]): string[] {
  const named = allowed.includes('*') && drops.length > 0 ? CAPABILITIES : allowed;
  return named.filter((name) => !drops.includes(name));
}
