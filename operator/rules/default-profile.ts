/** The checks of profiles, and the one that defaulting fills in, shared by the rules about seccomp and AppArmor profiles. */
import { and, isMatch, listed, literal, matchesAny, or } from './cel.ts';
import type { Check } from './rule.ts';

export interface Profile {
  readonly type: string;
  readonly localhostProfile?: string;
}

interface Admitted {
  readonly types: readonly string[];
  /** `*` at the end matches any ending; undefined: any. */
  readonly localhostProfiles?: readonly string[] | undefined;
}

/** Undefined, too, if it would be refused once it is filled in: then it counts as none. */
export function admittedDefault(profile: Profile | undefined, { types, localhostProfiles }: Admitted) {
  if (!profile || !types.includes(profile.type)) return undefined;
  const { type, localhostProfile = '' } = profile;
  return type !== 'Localhost' || !localhostProfiles || isMatch(localhostProfile, localhostProfiles)
    ? profile
    : undefined;
}

/** CEL: the field's value. */
export function profileCel({ type, localhostProfile }: Profile): string {
  const named = localhostProfile === undefined ? '' : `, "localhostProfile": ${literal(localhostProfile)}`;
  return `{"type": ${literal(type)}${named}}`;
}

/**
 * The profile that replaces one which is not allowed; undefined if only the author of the pod knows which.
 * @param stated that defaulting fills in
 */
export function replacement({ types, localhostProfiles }: Admitted, stated: Profile | undefined): Profile | undefined {
  if (stated) return stated;
  if (types.includes('RuntimeDefault')) return { type: 'RuntimeDefault' };
  const [only, ...others] = localhostProfiles ?? [];
  const named = types.includes('Localhost') && only !== undefined && others.length === 0 && !only.endsWith('*');
  return named ? { type: 'Localhost', localhostProfile: only } : undefined;
}

export const NO_PROFILE_KNOWN =
  'the policy allows only profiles of type Localhost, and which one fits only the author of the pod knows';

/** CEL, bool: the profile is set, and is not allowed. @param profile CEL, optional */
export function isRefused({ types, localhostProfiles }: Admitted, profile: string): string {
  const [type, name] = [`${profile}.?type.orValue("")`, `${profile}.?localhostProfile.orValue("")`];
  const allowed = types.map((one) =>
    one === 'Localhost' && localhostProfiles
      ? and(`${type} == "Localhost"`, matchesAny(name, localhostProfiles))
      : `${type} == ${literal(one)}`,
  );
  return and(`${profile}.hasValue()`, allowed.length === 0 ? undefined : `!(${or(...allowed)})`);
}

/** A field with a profile. */
interface ProfileField {
  readonly over: 'pod' | 'containers';
  /** CEL, optional. */
  readonly profile: string;
  /** `securityContext.seccompProfile` */
  readonly path: string;
  /** Only a check of the pod has it. */
  readonly reaches: string;
}

export function typeCheck({ over, profile, path, reaches }: ProfileField, types: readonly string[]): Check {
  return {
    over,
    violates: `${profile}.hasValue() && !(${profile}.?type.orValue("") in ${literal(types)})`,
    ...(over === 'pod' && { reaches }),
    message: `"must not set ${path}.type to " + ${profile}.?type.orValue("") + ${literal(` (allowed: ${listed(types)})`)}`,
    path: `${path}.type`,
  };
}

export function localhostCheck({ over, profile, path, reaches }: ProfileField, profiles: readonly string[]): Check {
  const name = `${profile}.?localhostProfile.orValue("")`;
  return {
    over,
    violates: `${profile}.?type.orValue("") == "Localhost" && !(${matchesAny(name, profiles)})`,
    ...(over === 'pod' && { reaches }),
    message: `"must not set ${path}.localhostProfile to " + ${name} + ${literal(` (allowed: ${listed(profiles)})`)}`,
    path: `${path}.localhostProfile`,
  };
}
