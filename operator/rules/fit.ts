/** Functions that find overrides for given pods. Several rules share these functions. */
import { OCI, PINNED_REFERENCE } from '../standards/oci-profiles.ts';
import type { Fit } from './rule.ts';

/**
 * The choices for a rule with a small number of values. The choices are all values of the rule, and do not depend on
 * the pods. The tightest value comes first.
 */
export function firstOfValues(path: string, ...values: readonly unknown[]): Fit {
  return { choices: () => values.map((value) => ({ [path]: value })) };
}

/**
 * The choices for a list of names. If the API accepts all names that the pods use, the list has exactly these names. If
 * the API does not accept some of the names, the list admits any name.
 *
 * @param any the value that admits every name. The value is undefined if no level restricts the names, because no
 * policy then needs this value
 */
export function namesUsed(
  path: string,
  names: readonly string[],
  { valid, most, any }: { readonly valid: RegExp; readonly most: number; readonly any?: unknown },
): Readonly<Record<string, unknown>>[] {
  const fits = names.length <= most && names.every((name) => valid.test(name) && name.length <= 253);
  return [...(fits ? [{ [path]: names }] : []), ...(any === undefined ? [] : [{ [path]: any }])];
}

/** A container without a profile asks for this value. */
export const NO_PROFILE = 'Unset';
const MOST_PROFILES = 32;
/**
 * Matches the name of a profile that a list of profiles can contain. A name with `*` does not match, because a `*` at
 * the end of an item matches any ending.
 */
const PROFILE = /^[^*]{1,253}$/;

/**
 * A CEL expression of type list(string): the profile that a pod or container asks for, as `Localhost/NAME` or `TYPE/`.
 * The list is empty if no profile is set.
 */
export function profileAsked(profile: string): string {
  return `${profile}.hasValue() ? [${profile}.?type.orValue("") + "/" + ${profile}.?localhostProfile.orValue("")] : []`;
}

/**
 * The possible results of `profileAsked` that a value of the rule admits. A profile of type Localhost is admitted with
 * any name.
 */
export function profilesAdmitted(value: { readonly types: readonly string[]; readonly unset: string }): string[] {
  return [...value.types.map((type) => `${type}/`), ...(value.unset === 'Allowed' ? [NO_PROFILE] : [])];
}

/**
 * The choices for a rule about seccomp or AppArmor profiles. A choice has the types, the names of Localhost profiles
 * and the references of OCI profiles. A choice also states whether a profile must be set.
 *
 * @param every all types of profiles
 * @param asked results of `profileAsked`, and NO_PROFILE
 */
export function profilesUsed(
  id: string,
  every: readonly string[],
  asked: readonly string[],
): Readonly<Record<string, unknown>>[] {
  const profiles = asked.filter((answer) => answer !== NO_PROFILE);
  const types = distinct(profiles.map((profile) => profile.slice(0, profile.indexOf('/'))));
  const isKnown = types.every((type) => every.includes(type));
  // A list of all types admits types that this release does not know. A list of references admits no unknown type.
  if (!isKnown && every.includes(OCI)) return [];
  const admitted = isKnown ? types : distinct(every);
  const names = isKnown ? namesOf('Localhost', profiles, PROFILE) : undefined;
  const unset = asked.includes(NO_PROFILE) || types.length === 0 ? 'Allowed' : 'Refused';
  return [
    {
      [`${id}.types`]: admitted,
      ...(names && { [`${id}.localhostProfiles`]: names }),
      ...(admitted.includes(OCI) && {
        [`${id}.ociReferences`]: namesOf(OCI, profiles, PINNED_REFERENCE) ?? ['*'],
      }),
      [`${id}.unset`]: unset,
    },
  ];
}

/**
 * The names of the profiles of a type. The result is undefined if no profile has the type, or if a list of the API
 * cannot contain the names.
 */
function namesOf(type: string, profiles: readonly string[], valid: RegExp): string[] | undefined {
  const names = distinct(
    profiles.filter((profile) => profile.startsWith(`${type}/`)).map((profile) => profile.slice(type.length + 1)),
  );
  const fits = names.length > 0 && names.length <= MOST_PROFILES && names.every((name) => valid.test(name));
  return fits ? names : undefined;
}

/** The texts in sorted order, without duplicates. */
export function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
