/** The profile that defaulting fills in, shared by the rules about seccomp and AppArmor profiles. */
import { literal } from './cel.ts';

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
  const { localhostProfile = '' } = profile;
  const isListed = (pattern: string) =>
    pattern.endsWith('*') ? localhostProfile.startsWith(pattern.slice(0, -1)) : localhostProfile === pattern;
  return profile.type !== 'Localhost' || !localhostProfiles || localhostProfiles.some(isListed) ? profile : undefined;
}

/** CEL: the field's value. */
export function profileCel({ type, localhostProfile }: Profile): string {
  const named = localhostProfile === undefined ? '' : `, "localhostProfile": ${literal(localhostProfile)}`;
  return `{"type": ${literal(type)}${named}}`;
}
