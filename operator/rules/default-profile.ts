/**
 * The rules about seccomp and AppArmor share this file. The file has the checks of profiles, and chooses the profile
 * that defaulting fills in.
 */
import { OCI } from '../standards/oci-profiles.ts';
import { and, isMatch, literal, matchesAny, or } from './cel.ts';
import { all, type Condition, concat, not } from './condition.ts';
import type { Test } from './rule.ts';
import { ociAdmitted } from './seccomp-oci.ts';
import type { Values } from './values.ts';

export interface Profile {
  readonly type: string;
  readonly localhostProfile?: string;
}

interface Admitted {
  readonly types: readonly string[];
  /**
   * The allowed profiles of type Localhost. A `*` at the end of an item matches any ending. If the field is undefined,
   * any profile is allowed.
   */
  readonly localhostProfiles?: readonly string[] | undefined;
  /**
   * The allowed references of type OCI. If the field is undefined, any reference is allowed. AppArmor profiles never
   * have this type.
   */
  readonly ociReferences?: readonly string[] | undefined;
}

/** The default profile that defaulting fills in. If the policy would refuse the profile, the result is undefined. */
export function admittedDefault(profile: Profile | undefined, { types, localhostProfiles }: Admitted) {
  if (!profile || !types.includes(profile.type)) return undefined;
  const { type, localhostProfile = '' } = profile;
  return type !== 'Localhost' || !localhostProfiles || isMatch(localhostProfile, localhostProfiles)
    ? profile
    : undefined;
}

/** A profile in CEL, as the value of the field seccompProfile or appArmorProfile. */
export function profileCel({ type, localhostProfile }: Profile): string {
  const named = localhostProfile === undefined ? '' : `, "localhostProfile": ${literal(localhostProfile)}`;
  return `{"type": ${literal(type)}${named}}`;
}

/**
 * The profile that replaces a forbidden profile. If the author of the pod has to choose the new profile, the result is
 * undefined.
 * @param stated the profile that defaulting fills in
 */
export function replacement({ types, localhostProfiles }: Admitted, stated: Profile | undefined): Profile | undefined {
  if (stated) return stated;
  if (types.includes('RuntimeDefault')) return { type: 'RuntimeDefault' };
  const [only, ...others] = localhostProfiles ?? [];
  const named = types.includes('Localhost') && only !== undefined && others.length === 0 && !only.endsWith('*');
  return named ? { type: 'Localhost', localhostProfile: only } : undefined;
}

export const NO_PROFILE_KNOWN =
  'the policy does not allow type RuntimeDefault, and only the author of the pod knows which other profile fits';

/**
 * A CEL expression of type bool: true if a profile is set and the policy does not allow the profile.
 * @param profile CEL of type optional
 */
export function isRefused(admitted: Admitted, profile: string): string {
  const { types, localhostProfiles } = admitted;
  const [type, name] = [`${profile}.?type.orValue("")`, `${profile}.?localhostProfile.orValue("")`];
  const allowed = types.map((one) => {
    if (one === OCI) return ociAdmitted(admitted, profile);
    return one === 'Localhost' && localhostProfiles
      ? and(`${type} == "Localhost"`, matchesAny(name, localhostProfiles))
      : `${type} == ${literal(one)}`;
  });
  return and(`${profile}.hasValue()`, allowed.length === 0 ? undefined : `!(${or(...allowed)})`);
}

/**
 * Returns a profile in the form of a column of a policy's row. The first item is the profile's type. If the profile has
 * a name, the name is the second item.
 */
export function profileColumn(profile: Profile | undefined): string[] {
  if (!profile) return [];
  return [profile.type, ...(profile.localhostProfile === undefined ? [] : [profile.localhostProfile])];
}

/** A CEL expression with the profile of a column. The column must not be empty. */
export function profileIn(values: Values, column: string): string {
  return values.specialized(
    (columns) => {
      const [type = '', localhostProfile] = columns[column] ?? [];
      return profileCel({ type, ...(localhostProfile !== undefined && { localhostProfile }) });
    },
    () => {
      const list = values.list(column);
      return `{"type": ${list}[0], ?"localhostProfile": ${list}[?1]}`;
    },
  );
}

/** A field of a pod or container that has a profile, and the columns with the profiles that the policy allows. */
interface ProfileField {
  readonly over: 'pod' | 'containers';
  /** A CEL expression of type optional: the profile in the field. */
  readonly profile: string;
  /** The path of the field, such as `securityContext.seccompProfile`. */
  readonly path: string;
  /** The value of the field `reaches` in a check of the pod. Checks of containers do not use this value. */
  readonly reaches: string;
  /**
   * The names of two columns. `types` is the column with the allowed types. `profiles` is the column with the allowed
   * profiles of type Localhost, where `*` means any profile.
   */
  readonly types: string;
  readonly profiles: string;
  /** All types of profiles that the field may have. */
  readonly every: readonly string[];
}

/** Whether the column contains all types of profiles. */
export function hasAllTypes(values: Values, types: string, every: readonly string[]): Condition {
  return all(...every.map((type) => values.includes(types, type)));
}

/**
 * Whether the policy allows some profiles of type Localhost and refuses other profiles of this type. If the policy
 * allows only some Localhost profiles, the names of profiles have to be checked.
 */
export function namesMatter(values: Values, types: string, profiles: string): Condition {
  return all(values.includes(types, 'Localhost'), not(values.includes(profiles, '*')));
}

export function typeTest({ over, profile, path, reaches, types, every }: ProfileField, values: Values): Test {
  return {
    applies: not(hasAllTypes(values, types, every)),
    over,
    violates: `${profile}.hasValue() && !(${profile}.?type.orValue("") in ${values.list(types)})`,
    ...(over === 'pod' && { reaches }),
    message: concat(
      `"must not set ${path}.type to " + ${profile}.?type.orValue("")`,
      '" (allowed: "',
      values.listed(types),
      '")"',
    ),
    path: `${path}.type`,
  };
}

export function localhostTest({ over, profile, path, reaches, types, profiles }: ProfileField, values: Values): Test {
  const name = `${profile}.?localhostProfile.orValue("")`;
  return {
    applies: namesMatter(values, types, profiles),
    over,
    violates: `${profile}.?type.orValue("") == "Localhost" && !(${values.matches(name, profiles)})`,
    ...(over === 'pod' && { reaches }),
    message: concat(
      `"must not set ${path}.localhostProfile to " + ${name}`,
      '" (allowed: "',
      values.listed(profiles),
      '")"',
    ),
    path: `${path}.localhostProfile`,
  };
}
