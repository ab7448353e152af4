/** The value of the rule `seccomp`, and the profile that defaulting fills in. */
import { and, FOR_WINDOWS, IS_EPHEMERAL, isUnsetForSome, literal } from './cel.ts';
import { type Profile, profileCel } from './default-profile.ts';
import type { Fill } from './rule.ts';

export interface Seccomp {
  readonly types: readonly string[];
  /** RefusedOnPod: the pod must have a profile of its own. */
  readonly unset: 'Allowed' | 'Refused' | 'RefusedOnPod';
  /** The profile that defaulting fills in; undefined: the one in `types` that needs no name. */
  readonly default?: Profile;
  /** The profiles of type Localhost, with `*` at the end for any ending; undefined: any. */
  readonly localhostProfiles?: readonly string[];
  /** Before v1.19 the Standard read annotations, which current servers ignore. */
  readonly annotations: boolean;
}

export const POD_ANNOTATION = 'seccomp.security.alpha.kubernetes.io/pod';
export const CONTAINER_ANNOTATION = 'container.seccomp.security.alpha.kubernetes.io/';
/** CEL, string: the key of container `c`'s annotation. */
export const CONTAINER_KEY = `(${literal(CONTAINER_ANNOTATION)} + c.name)`;
export const PATH = 'securityContext.seccompProfile';
export const POD_PROFILE = 'variables.spec.?securityContext.?seccompProfile';
export const CONTAINER_PROFILE = 'c.?securityContext.?seccompProfile';

export const IS_UNSET = `!${CONTAINER_PROFILE}.hasValue() && !${POD_PROFILE}.hasValue()`;

/** The profile that defaulting fills in: Localhost would need a profile's name. */
export function filling({ types, unset, default: stated }: Seccomp): Profile | undefined {
  if (stated || unset !== 'Refused') return stated;
  const type = types.includes('RuntimeDefault') ? 'RuntimeDefault' : types[0];
  return type === undefined || type === 'Localhost' ? undefined : { type };
}

/** CEL, bool: the Standard before v1.19 allows the annotation. @param value CEL, string */
export function annotationAllowed(value: string): string {
  return `${value} in ["runtime/default", "docker/default"] || ${value}.startsWith("localhost/")`;
}

/**
 * CEL, bool: the pod has the historical annotation, and the API server would refuse a field that contradicts it.
 * @param key CEL, string: of the pod's annotation, or a container's
 */
export function contradicted({ type, localhostProfile }: Profile, key = literal(POD_ANNOTATION)): string {
  const agreeing =
    type === 'Localhost'
      ? [`localhost/${localhostProfile}`]
      : type === 'Unconfined'
        ? ['unconfined']
        : ['runtime/default', 'docker/default'];
  return `${key} in variables.annotations && !(variables.annotations[${key}] in ${literal(agreeing)})`;
}

export function fillsOf(value: Seccomp): Fill[] {
  const profile = filling(value);
  if (!profile) return [];
  // A stated default applies to the pod, as in PodSecurityPolicy, even if each container has its own.
  const isUnset = value.default ? `!${POD_PROFILE}.hasValue()` : isUnsetForSome('seccompProfile');
  const fill = (over: 'pod' | 'containers', ...when: string[]): Fill => ({
    over,
    path: ['securityContext', 'seccompProfile'],
    when: and(...when, `!(${FOR_WINDOWS})`),
    value: profileCel(profile),
  });
  return [fill('pod', isUnset, `!(${contradicted(profile)})`), fill('containers', IS_UNSET, IS_EPHEMERAL)];
}

/** The profile of one container goes to the container: the pod's would reach the others. */
export function fillsOfContainer(value: Seccomp): Fill[] {
  const profile = filling(value);
  if (!profile) return [];
  const when = and(IS_UNSET, `!(${FOR_WINDOWS})`, `!(${contradicted(profile, CONTAINER_KEY)})`);
  return [{ over: 'containers', path: ['securityContext', 'seccompProfile'], when, value: profileCel(profile) }];
}
