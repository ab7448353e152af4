/** Lists objects of a pod. The fields of the listed objects are compared with the fields that this release knows. */

/** An object of a pod or container. The rule compares the object's keys with the fields that this release knows. */
export interface Place {
  /**
   * The path of the object below the PodSpec or the container. The path is empty for the PodSpec or container itself.
   */
  readonly path: readonly string[];
  /** The types of the object, as in pod-fields.ts. */
  readonly types: readonly string[];
  /** Whether the path leads to a list of objects. */
  readonly isList?: true;
}

/**
 * In these objects, every field is a privilege. The objects are the securityContexts, and the objects inside
 * securityContexts.
 */
export const PRIVILEGES = {
  pod: [
    { path: ['securityContext'], types: ['PodSecurityContext'] },
    ...inSecurityContext({
      appArmorProfile: 'AppArmorProfile',
      seLinuxOptions: 'SELinuxOptions',
      seccompProfile: 'SeccompProfile',
      'seccompProfile.oci': 'SecurityProfileOCI',
      'seccompProfile.oci.baseProfile': 'SecurityProfileOCIBase',
      windowsOptions: 'WindowsSecurityContextOptions',
    }),
    { path: ['securityContext', 'sysctls'], types: ['Sysctl'], isList: true },
  ],
  containers: [
    { path: ['securityContext'], types: ['SecurityContext'] },
    ...inSecurityContext({
      appArmorProfile: 'AppArmorProfile',
      capabilities: 'Capabilities',
      seLinuxOptions: 'SELinuxOptions',
      seccompProfile: 'SeccompProfile',
      'seccompProfile.oci': 'SecurityProfileOCI',
      'seccompProfile.oci.baseProfile': 'SecurityProfileOCIBase',
      windowsOptions: 'WindowsSecurityContextOptions',
    }),
  ],
} as const satisfies Record<string, readonly Place[]>;

/**
 * The objects in which some fields are privileges and other fields are not. Most new fields of these objects are
 * harmless, and API servers fill in some of these fields.
 */
export const OTHERS = {
  pod: [{ path: [], types: ['PodSpec'] }],
  containers: [
    { path: [], types: ['Container', 'EphemeralContainer'] },
    ...['livenessProbe', 'readinessProbe', 'startupProbe'].map((probe) => ({ path: [probe], types: ['Probe'] })),
    { path: ['lifecycle'], types: ['Lifecycle'] },
    ...['postStart', 'preStop'].map((hook) => ({ path: ['lifecycle', hook], types: ['LifecycleHandler'] })),
  ],
} as const satisfies Record<string, readonly Place[]>;

function inSecurityContext(types: Readonly<Record<string, string>>): Place[] {
  return Object.entries(types).map(([field, type]) => ({
    path: ['securityContext', ...field.split('.')],
    types: [type],
  }));
}

export type Over = 'pod' | 'containers';
export const OVER: readonly Over[] = ['pod', 'containers'];

/** All objects whose fields are compared. The key says whether a check runs on the pod or on its containers. */
export const PLACES: Readonly<Record<Over, readonly Place[]>> = {
  pod: [...PRIVILEGES.pod, ...OTHERS.pod],
  containers: [...PRIVILEGES.containers, ...OTHERS.containers],
};

/**
 * A full path begins with this text. The condition Accepted shows full paths in this form. In a path, the name of a
 * list stands for the items of the list.
 */
export const BASE: Readonly<Record<Over, string>> = { pod: 'spec', containers: 'spec.containers' };

/**
 * Whether the full path of a field leads into a securityContext. The levels refuse unknown fields in a securityContext.
 */
export function isInSecurityContext(path: string): boolean {
  return OVER.some((over) => path.startsWith(`${BASE[over]}.securityContext.`));
}
