/** The value of the rule `seccomp`, and the profile that defaulting fills in. */
import { OCI } from '../standards/oci-profiles.ts';
import { and, FOR_WINDOWS, IS_EPHEMERAL, isUnsetForSome, literal } from './cel.ts';
import { all, choose } from './condition.ts';
import { type Profile, profileColumn, profileIn } from './default-profile.ts';
import type { Filling } from './rule.ts';
import { ociColumns } from './seccomp-oci.ts';
import type { Columns, Values } from './values.ts';

export interface Seccomp {
  readonly types: readonly string[];
  /** Whether a pod may leave its profile unset. With RefusedOnPod, the pod itself must have a profile. */
  readonly unset: 'Allowed' | 'Refused' | 'RefusedOnPod';
  /**
   * The profile that the overrides state for defaulting. If `default` is undefined, defaulting fills in a profile of
   * one of the `types`. Defaulting never fills in a profile of type Localhost or OCI, because these types need a name.
   */
  readonly default?: Profile;
  /**
   * The allowed profiles of type Localhost. A `*` at the end of an item matches any ending. If the field is undefined,
   * any profile is allowed.
   */
  readonly localhostProfiles?: readonly string[];
  /**
   * The allowed references of type OCI. A `*` at the end of an item matches any ending. If the field is undefined, any
   * reference is allowed.
   */
  readonly ociReferences?: readonly string[];
  /**
   * Whether the rule reads annotations, as the Standard did before v1.19. Current API servers ignore these annotations.
   */
  readonly annotations: boolean;
}

export const POD_ANNOTATION = 'seccomp.security.alpha.kubernetes.io/pod';
export const CONTAINER_ANNOTATION = 'container.seccomp.security.alpha.kubernetes.io/';
/** A CEL expression of type string: the key of container `c`'s annotation. */
export const CONTAINER_KEY = `(${literal(CONTAINER_ANNOTATION)} + c.name)`;
export const PATH = 'securityContext.seccompProfile';
export const POD_PROFILE = 'variables.spec.?securityContext.?seccompProfile';
export const CONTAINER_PROFILE = 'c.?securityContext.?seccompProfile';

export const IS_UNSET = `!${CONTAINER_PROFILE}.hasValue() && !${POD_PROFILE}.hasValue()`;

/** Chooses the profile that defaulting fills in. The function never chooses a type that needs the name of a profile. */
export function filling({ types, unset, default: stated }: Seccomp): Profile | undefined {
  if (stated || unset !== 'Refused') return stated;
  const nameless = types.filter((type) => type !== 'Localhost' && type !== OCI);
  const type = nameless.includes('RuntimeDefault') ? 'RuntimeDefault' : nameless[0];
  return type === undefined ? undefined : { type };
}

/**
 * A CEL expression of type bool: true if the Standard before v1.19 allows the annotation.
 * @param value CEL of type string: the value of the annotation
 */
export function annotationAllowed(value: string): string {
  return `${value} in ["runtime/default", "docker/default"] || ${value}.startsWith("localhost/")`;
}

/** Returns the values of the historical annotation that have the same meaning as the given profile in the field. */
function agreeing({ type, localhostProfile }: Profile): string[] {
  if (type === 'Localhost') return [`localhost/${localhostProfile}`];
  return type === 'Unconfined' ? ['unconfined'] : ['runtime/default', 'docker/default'];
}

export function seccompColumns(value: Seccomp): Columns {
  const profile = filling(value);
  return {
    seccompTypes: value.types,
    seccompProfiles: value.localhostProfiles ?? ['*'],
    ...ociColumns(value),
    seccompUnset: [value.unset],
    seccompAnnotations: value.annotations ? ['Checked'] : [],
    seccompFilling: profileColumn(profile),
    seccompFillingStated: value.default ? ['Yes'] : [],
    seccompFillingAgrees: profile ? agreeing(profile) : [],
  };
}

/**
 * A CEL expression of type bool: true if the historical annotation contradicts the profile. The API server would refuse
 * a profile in the field that contradicts the annotation.
 * @param key CEL of type string: the key of the pod's or of a container's annotation
 */
export function contradicted(values: Values, key = literal(POD_ANNOTATION)): string {
  return `${key} in variables.annotations && !(variables.annotations[${key}] in ${values.list('seccompFillingAgrees')})`;
}

export function fillingsOf(values: Values): Filling[] {
  // As in PodSecurityPolicy, defaulting sets the default of the overrides on the pod, even if each container has its
  // own profile.
  const isUnset = choose(
    values.hasSome('seccompFillingStated'),
    `!${POD_PROFILE}.hasValue()`,
    isUnsetForSome('seccompProfile'),
  );
  return [
    fill(values, 'pod', isUnset, `!(${contradicted(values)})`),
    fill(values, 'containers', IS_UNSET, IS_EPHEMERAL),
  ];
}

/**
 * If a profile is for a single container, defaulting sets the profile on the container itself. If defaulting set the
 * profile on the pod, the other containers would inherit the profile.
 */
export function fillingsOfContainer(values: Values): Filling[] {
  return [fill(values, 'containers', IS_UNSET, `!(${contradicted(values, CONTAINER_KEY)})`)];
}

function fill(values: Values, over: 'pod' | 'containers', ...when: string[]): Filling {
  return {
    applies: all(values.hasSome('seccompFilling'), `!(${FOR_WINDOWS})`),
    over,
    path: ['securityContext', 'seccompProfile'],
    when: and(...when),
    value: profileIn(values, 'seccompFilling'),
  };
}
