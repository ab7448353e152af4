/** Functions, shared by several rules, that find the overrides that admit given pods. */
import type { Fit } from './rule.ts';
import { OCI, PINNED_REFERENCE } from './seccomp-oci.ts';

/** The choices for a rule with few values: all values, beginning with the tightest, no matter what pods ask for. */
export function firstOfValues(path: string, ...values: readonly unknown[]): Fit {
  return { choices: () => values.map((value) => ({ [path]: value })) };
}

/**
 * The choices for a list of names: exactly the names that the pods use, if the API accepts these names; otherwise any
 * name.
 *
 * @param any the value that admits every name; undefined if it is not needed, because no level restricts the names
 */
export function namesUsed(
  path: string,
  names: readonly string[],
  { valid, most, any }: { readonly valid: RegExp; readonly most: number; readonly any?: unknown },
): Readonly<Record<string, unknown>>[] {
  const fits = names.length <= most && names.every((name) => valid.test(name) && name.length <= 253);
  return [...(fits ? [{ [path]: names }] : []), ...(any === undefined ? [] : [{ [path]: any }])];
}

/** The answer for a container without a profile. */
export const NO_PROFILE = 'Unset';
const MOST_PROFILES = 32;
/**
 * A profile's name that a list of profiles can contain. A name with `*` is excluded, because `*` at the end would match
 * any ending.
 */
const PROFILE = /^[^*]{1,253}$/;

/**
 * CEL, list(string): the profile that a pod or container asks for, as `Localhost/NAME` or `TYPE/`; empty if no profile
 * is set.
 */
export function profileAsked(profile: string): string {
  return `${profile}.hasValue() ? [${profile}.?type.orValue("") + "/" + ${profile}.?localhostProfile.orValue("")] : []`;
}

/** The answers that a value of the rule admits. A profile of type Localhost is admitted with any name. */
export function profilesAdmitted(value: { readonly types: readonly string[]; readonly unset: string }): string[] {
  return [...value.types.map((type) => `${type}/`), ...(value.unset === 'Allowed' ? [NO_PROFILE] : [])];
}

/**
 * The choices for a rule about seccomp or AppArmor profiles: the types, the names of Localhost profiles, the references
 * of OCI profiles, and whether a profile must be set.
 *
 * @param every all types of profiles
 * @param asked answers of `profileAsked`, and NO_PROFILE
 */
export function profilesUsed(
  id: string,
  every: readonly string[],
  asked: readonly string[],
): Readonly<Record<string, unknown>>[] {
  const profiles = asked.filter((answer) => answer !== NO_PROFILE);
  const types = distinct(profiles.map((profile) => profile.slice(0, profile.indexOf('/'))));
  const isKnown = types.every((type) => every.includes(type));
  // A list with every type admits types that this release does not know, but no list of references does.
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

/** The names of the profiles of a type; undefined if there are none, or if a list of the API cannot have the names. */
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
