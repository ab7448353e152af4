/** Functions, shared by several rules, that find the overrides that admit given pods. */
import type { Fit } from './rule.ts';

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

const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];
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
 * The choices for a rule about seccomp or AppArmor profiles: the types, the names of Localhost profiles, and whether a
 * profile must be set.
 *
 * @param asked answers of `profileAsked`, and NO_PROFILE
 */
export function profilesUsed(id: string, asked: readonly string[]): Readonly<Record<string, unknown>>[] {
  const profiles = asked.filter((answer) => answer !== NO_PROFILE);
  const types = distinct(profiles.map((profile) => profile.slice(0, profile.indexOf('/'))));
  const names = distinct(
    profiles.filter((profile) => profile.startsWith('Localhost/')).map((profile) => profile.slice('Localhost/'.length)),
  );
  const known = types.every((type) => PROFILE_TYPES.includes(type));
  const named = names.length > 0 && names.length <= MOST_PROFILES && names.every((name) => PROFILE.test(name));
  const unset = asked.includes(NO_PROFILE) || types.length === 0 ? 'Allowed' : 'Refused';
  return [
    {
      [`${id}.types`]: known ? types : PROFILE_TYPES,
      ...(known && named && { [`${id}.localhostProfiles`]: names }),
      [`${id}.unset`]: unset,
    },
  ];
}

/** The texts in sorted order, without duplicates. */
export function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
