/** Makes manifests of PodSecurityPolicies and related objects. */
import type { Identified } from '../../operator/cluster/paths.ts';
import type { Range, Strategy } from '../differential/reference/values.ts';

export interface PodSecurityPolicy {
  readonly apiVersion: 'policy/v1beta1';
  readonly kind: 'PodSecurityPolicy';
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: PspSpec;
}

export interface PspSpec {
  readonly privileged?: boolean;
  readonly defaultAddCapabilities?: readonly string[];
  readonly requiredDropCapabilities?: readonly string[];
  readonly allowedCapabilities?: readonly string[];
  readonly volumes?: readonly string[];
  readonly hostNetwork?: boolean;
  readonly hostPorts?: readonly Range[];
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly seLinux: { readonly rule: 'RunAsAny' | 'MustRunAs'; readonly seLinuxOptions?: object };
  readonly runAsUser: Strategy<'RunAsAny' | 'MustRunAs' | 'MustRunAsNonRoot'>;
  readonly runAsGroup?: Strategy<'RunAsAny' | 'MustRunAs' | 'MayRunAs'>;
  readonly supplementalGroups: Strategy<'RunAsAny' | 'MustRunAs' | 'MayRunAs'>;
  readonly fsGroup: Strategy<'RunAsAny' | 'MustRunAs' | 'MayRunAs'>;
  readonly readOnlyRootFilesystem?: boolean;
  readonly defaultAllowPrivilegeEscalation?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly allowedHostPaths?: readonly { readonly pathPrefix: string; readonly readOnly?: boolean }[];
  readonly allowedFlexVolumes?: readonly { readonly driver: string }[];
  readonly allowedCSIDrivers?: readonly { readonly name: string }[];
  readonly allowedUnsafeSysctls?: readonly string[];
  readonly forbiddenSysctls?: readonly string[];
  readonly allowedProcMountTypes?: readonly string[];
  readonly runtimeClass?: {
    readonly allowedRuntimeClassNames: readonly string[];
    readonly defaultRuntimeClassName?: string;
  };
}

/** A role or a binding. */
export interface RbacObject extends Identified {
  readonly [field: string]: unknown;
}

/** A set of policies that select the same namespaces, with the users of each policy. */
export interface PspSet {
  /** The ID of the set. All names contain the ID. */
  readonly id: string;
  readonly policies: readonly PodSecurityPolicy[];
  readonly rbac: readonly RbacObject[];
  readonly namespaces: readonly string[];
}

export const SECCOMP_ALLOWED = 'seccomp.security.alpha.kubernetes.io/allowedProfileNames';
export const SECCOMP_DEFAULT = 'seccomp.security.alpha.kubernetes.io/defaultProfileName';
export const APP_ARMOR_ALLOWED = 'apparmor.security.beta.kubernetes.io/allowedProfileNames';
export const APP_ARMOR_DEFAULT = 'apparmor.security.beta.kubernetes.io/defaultProfileName';
export const APP_ARMOR_OF_CONTAINER = 'container.apparmor.security.beta.kubernetes.io/';

const ANYTHING = { rule: 'RunAsAny' } as const;
/** The fields that the API requires of every policy. */
export const STRATEGIES = { seLinux: ANYTHING, runAsUser: ANYTHING, supplementalGroups: ANYTHING, fsGroup: ANYTHING };

/**
 * A PodSecurityPolicy that refuses as little as possible. An additional field never makes the policy admit more pods.
 */
export const OPEN_SPEC: PspSpec = {
  ...STRATEGIES,
  privileged: true,
  allowPrivilegeEscalation: true,
  allowedCapabilities: ['*'],
  volumes: ['*'],
  hostNetwork: true,
  hostPID: true,
  hostIPC: true,
  hostPorts: [{ min: 0, max: 65535 }],
  allowedProcMountTypes: ['Default', 'Unmasked'],
  allowedUnsafeSysctls: ['*'],
};

export function psp(
  name: string,
  spec: PspSpec,
  annotations: Readonly<Record<string, string>> = {},
): PodSecurityPolicy {
  const metadata = { name, ...(Object.keys(annotations).length > 0 && { annotations }) };
  return { apiVersion: 'policy/v1beta1', kind: 'PodSecurityPolicy', metadata, spec };
}

/**
 * A Role or ClusterRole that grants `use` on the named policies. Without names, the role grants `use` on all policies.
 */
export function role(name: string, names?: readonly string[], { namespace, rule = {} }: RoleOptions = {}): RbacObject {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: namespace === undefined ? 'ClusterRole' : 'Role',
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    rules: [
      {
        apiGroups: ['policy'],
        resources: ['podsecuritypolicies'],
        verbs: ['use'],
        ...(names && { resourceNames: names }),
        ...rule,
      },
    ],
  };
}

interface RoleOptions {
  readonly namespace?: string;
  /** Fields that replace the usual fields of the role's rule. */
  readonly rule?: object;
}

export interface RbacSubject {
  readonly kind: 'User' | 'Group' | 'ServiceAccount';
  readonly name: string;
  readonly namespace?: string;
}

/** A RoleBinding, or a ClusterRoleBinding if `namespace` is not set. */
export function binding(
  name: string,
  to: Pick<RbacObject, 'kind' | 'metadata'>,
  subjects: readonly RbacSubject[],
  namespace?: string,
): RbacObject {
  const apiGroup = 'rbac.authorization.k8s.io';
  return {
    apiVersion: `${apiGroup}/v1`,
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    roleRef: { apiGroup, kind: to.kind, name: to.metadata.name },
    subjects: subjects.map((one) => (one.kind === 'ServiceAccount' ? one : { ...one, apiGroup })),
  };
}
