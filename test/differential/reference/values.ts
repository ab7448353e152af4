/** The values of the rules, in the form of a policy in force. */
export interface Values {
  readonly capabilities: {
    readonly allowedAdd: readonly string[];
    readonly allowedAddInUserNamespace?: readonly string[];
    readonly requiredDrop: readonly string[];
    readonly defaultAdd: readonly string[];
    readonly dropByName?: true;
  };
  readonly 'capabilities.allowedBounding': {
    readonly allowed: readonly string[];
    readonly inUserNamespace: readonly string[];
  };
  readonly privileged: boolean;
  readonly allowPrivilegeEscalation: boolean;
  readonly defaultAllowPrivilegeEscalation?: boolean | undefined;
  readonly hostNetwork: boolean;
  readonly hostPID: boolean;
  readonly hostIPC: boolean;
  readonly hostProcess: boolean;
  readonly hostProbes: boolean;
  readonly hostPorts: readonly Range[];
  readonly volumes: {
    readonly allowed?: readonly string[];
    readonly tokens?: true;
    readonly forbidden?: readonly string[];
  };
  readonly serviceAccountToken: 'Allowed' | 'Forbidden';
  readonly hostPaths: readonly { readonly pathPrefix: string; readonly readOnly?: boolean }[] | undefined;
  readonly flexVolumeDrivers: readonly string[] | undefined;
  readonly csiDrivers: readonly string[] | undefined;
  readonly runAsNonRoot: boolean;
  readonly runAsUser: Strategy<'RunAsAny' | 'NotZero' | 'MustRunAs' | 'MustRunAsNonRoot'>;
  readonly runAsGroup: Strategy<'RunAsAny' | 'MustRunAs' | 'MayRunAs'>;
  readonly supplementalGroups: Strategy<'RunAsAny' | 'MustRunAs' | 'MayRunAs'>;
  readonly 'supplementalGroups.policy': 'Strict' | undefined;
  readonly fsGroup: Strategy<'RunAsAny' | 'MustRunAs' | 'MayRunAs'>;
  readonly seccomp: Profiles & {
    readonly annotations: boolean;
    /**
     * `onPod` is false while a single container is evaluated, because the pod's own profile is evaluated separately.
     */
    readonly onPod?: false;
  };
  readonly appArmor: Profiles;
  readonly seLinux: {
    readonly rule: 'PodSecurityStandard' | 'RunAsAny' | 'MustRunAs';
    readonly options?: {
      readonly user?: string;
      readonly role?: string;
      readonly type?: string;
      readonly level?: string;
    };
  };
  readonly procMount: { readonly types: readonly string[]; readonly unmaskedInUserNamespace: boolean };
  readonly sysctls: {
    readonly allowed: readonly string[];
    readonly forbidden: readonly string[];
  };
  readonly readOnlyRootFilesystem: boolean;
  readonly userNamespaces: 'Required' | 'Optional';
  readonly unknownFields: unknown;
  readonly runtimeClasses: { readonly allowed?: readonly string[]; readonly default?: string };
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface Strategy<Rule> {
  readonly rule: Rule;
  readonly ranges?: readonly Range[];
}

export interface Profiles {
  readonly types: readonly string[];
  readonly localhostProfiles?: readonly string[];
  readonly ociReferences?: readonly string[];
  readonly unset: 'Allowed' | 'Refused' | 'RefusedOnPod';
  readonly default?: { readonly type: string; readonly localhostProfile?: string };
}
