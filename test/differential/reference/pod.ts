/** Types of pods for the reference model of the rules. */
import type { Values } from './values.ts';

/** The fields of a pod that rules read, in the form that the API server writes. */
export interface StatedPod {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: StatedSpec;
}

interface StatedSpec {
  readonly [field: string]: unknown;
  readonly containers: readonly StatedContainer[];
  readonly initContainers?: readonly StatedContainer[];
  readonly ephemeralContainers?: readonly StatedContainer[];
  readonly volumes?: readonly StatedVolume[];
  readonly securityContext?: Secured;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly hostUsers?: boolean;
  readonly os?: { readonly name: string };
  readonly runtimeClassName?: string;
}

export interface StatedContainer {
  readonly name: string;
  readonly image?: string;
  readonly securityContext?: Secured;
  readonly ports?: readonly { readonly hostPort?: number }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly readOnly?: boolean }[];
  readonly volumeDevices?: readonly { readonly name: string }[];
  readonly livenessProbe?: Handler;
  readonly readinessProbe?: Handler;
  readonly startupProbe?: Handler;
  readonly lifecycle?: { readonly postStart?: Handler; readonly preStop?: Handler };
}

export interface Handler {
  readonly httpGet?: { readonly host?: string };
  readonly tcpSocket?: { readonly host?: string };
}

interface StatedVolume {
  readonly [source: string]: unknown;
  readonly name: string;
  readonly hostPath?: { readonly path: string };
  readonly flexVolume?: { readonly driver: string };
  readonly csi?: { readonly driver: string };
  readonly projected?: Projected;
}

export interface Projected {
  readonly sources?:
    | readonly {
        readonly serviceAccountToken?: { readonly path: string; readonly audience?: string };
        readonly configMap?: { readonly name?: string };
        readonly clusterTrustBundle?: { readonly signerName?: string };
        readonly downwardAPI?: {
          readonly items?: readonly { readonly path: string; readonly fieldRef?: { readonly fieldPath: string } }[];
        };
      }[]
    | null;
}

/** The fields of a securityContext that both a pod and a container may have. */
export interface Secured {
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly fsGroup?: number;
  readonly supplementalGroups?: readonly number[];
  readonly supplementalGroupsPolicy?: string;
  readonly readOnlyRootFilesystem?: boolean;
  readonly procMount?: string;
  readonly seccompProfile?: Profile;
  readonly appArmorProfile?: Profile;
  readonly seLinuxOptions?: Options;
  readonly windowsOptions?: { readonly hostProcess?: boolean };
  readonly sysctls?: readonly { readonly name: string }[];
}

export interface Profile {
  readonly type: string;
  readonly localhostProfile?: string;
  readonly oci?: { readonly ref?: string; readonly baseProfile?: Profile };
}

export interface Options {
  readonly user?: string;
  readonly role?: string;
  readonly type?: string;
  readonly level?: string;
}

/** The input of a rule of the reference model. */
export interface Question {
  readonly values: Values;
  /** The version of the Standard as a number: N for v1.N. */
  readonly minor: number;
  readonly pod: StatedPod;
}

/** The result for one rule: whether the pod's own fields break the rule, and which containers break the rule. */
export interface Breach {
  readonly pod?: boolean;
  readonly containers?: readonly string[];
}

export function containersOf({ spec }: StatedPod): StatedContainer[] {
  return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
}

/** The names of the containers that satisfy a condition. */
export function containersThat(pod: StatedPod, breaks: (container: StatedContainer) => boolean): string[] {
  return containersOf(pod)
    .filter(breaks)
    .map(({ name }) => name);
}

export function isForWindows({ spec }: StatedPod): boolean {
  return spec.os?.name === 'windows';
}

/** Whether the pod requests its own user namespace. */
export function hasOwnUsers({ spec }: StatedPod): boolean {
  return spec.hostUsers === false;
}

/** `*` at the end of a pattern matches any ending. */
export function matchesSome(text: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => (pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern));
}

/** Returns the container's own value. If the container does not set the field, the function returns the pod's value. */
export function effective<Field extends keyof Secured>(
  pod: StatedPod,
  c: StatedContainer,
  field: Field,
): Secured[Field] {
  return c.securityContext?.[field] ?? pod.spec.securityContext?.[field];
}
