/**
 * Migrates seccomp and AppArmor profiles. For each kind of profile, the input has a list of the allowed profiles, and a
 * default profile that is filled in.
 */

import { distinct, inexact, known, type MigratedField, stated, statedOrUnset, withRoom } from './migrated-field.ts';
import type { Remark } from './migration.ts';

interface Profile {
  readonly type: 'RuntimeDefault' | 'Localhost' | 'Unconfined';
  readonly localhostProfile?: string;
}

const TYPES = ['RuntimeDefault', 'Localhost', 'Unconfined'] as const;
const LOCALHOST = 'localhost/';
const MOST = 32;
const LONGEST = 253;

interface ProfileLists {
  /**
   * The names of the allowed profiles; undefined if the input has no list. An empty list has another meaning than a
   * missing list.
   */
  readonly allowed?: readonly string[] | undefined;
  readonly default?: string | undefined;
  readonly allowedField: string;
  readonly defaultField: string;
}

/**
 * Migrates seccomp profiles. If the input lists no seccomp profile, a pod must not set a profile. If the input lists
 * seccomp profiles, the pod itself and each container must have a listed profile.
 */
export function seccompProfiles({ allowed = [], ...lists }: ProfileLists): MigratedField {
  const { default: filling, allowedField, defaultField } = lists;
  if (allowed.includes('*')) return anyProfile('seccomp', lists);
  const names = allowed.filter((name) => name !== '');
  if (names.length > 0) return listedProfiles('seccomp', 'RefusedOnPod', names, lists);
  if (filling !== undefined) {
    const text =
      'the profile was filled in and then refused, since no profile was allowed. Every other profile was refused, too, so the policy could never admit a pod';
    return { never: known(defaultField, filling, text) };
  }
  return {
    statements: [
      statedOrUnset('seccomp.types', [], allowedField, undefined),
      statedOrUnset('seccomp.unset', 'Allowed', allowedField, undefined),
    ],
  };
}

/**
 * Migrates AppArmor profiles. If the input has no list of AppArmor profiles, any profile is admitted. If the input
 * lists AppArmor profiles, each container must have a listed profile.
 */
export function appArmorProfiles({ allowed, ...lists }: ProfileLists): MigratedField {
  if (allowed === undefined) return lists.default === undefined ? {} : anyProfile('appArmor', lists);
  const names = allowed.filter((name) => name !== '');
  if (names.length > 0) return listedProfiles('appArmor', 'Refused', names, lists);
  const text =
    'the list is empty, so pods with a profile and pods without a profile were refused. The policy could never admit a pod';
  return { never: known(lists.allowedField, '', text) };
}

type Rule = 'seccomp' | 'appArmor';

function anyProfile(
  rule: Rule,
  { default: filling, allowedField, defaultField }: Omit<ProfileLists, 'allowed'>,
): MigratedField {
  const profile = filling === undefined ? undefined : profileOf(filling);
  const remark = profile && unfitDefault(defaultField, filling ?? '', profile);
  return {
    statements: [
      stated(`${rule}.types`, TYPES, allowedField),
      stated(`${rule}.unset`, 'Allowed', allowedField),
      ...(profile && !remark ? [stated(`${rule}.default`, profile, defaultField)] : []),
    ],
    remarks: remark ? [remark] : [],
  };
}

function listedProfiles(rule: Rule, unset: string, names: readonly string[], lists: ProfileLists): MigratedField {
  const { allowedField } = lists;
  const profiles = distinct(names.map(profileOf));
  const types = TYPES.filter((type) => profiles.some((profile) => profile.type === type));
  const unfit = profiles.flatMap((profile) => unfitRemark(allowedField, nameOf(profile), profile) ?? []);
  const fit = profiles.flatMap((profile) =>
    unfitRemark(allowedField, '', profile) ? [] : (profile.localhostProfile ?? []),
  );
  const { kept, remarks } = withRoom(allowedField, fit, MOST);
  const filling = fillingOf(rule, profiles, kept, lists);
  return {
    statements: [
      stated(`${rule}.types`, types, allowedField),
      ...(types.includes('Localhost') ? [stated(`${rule}.localhostProfiles`, kept, allowedField)] : []),
      stated(`${rule}.unset`, unset, allowedField),
      ...(filling.statements ?? []),
    ],
    remarks: [...unfit, ...remarks, ...(filling.remarks ?? [])],
  };
}

/**
 * The name of the profile that is filled in. A default profile that is not allowed is left out, because the filled pod
 * would be refused.
 */
function fillingOf(
  rule: Rule,
  profiles: readonly Profile[],
  kept: readonly string[],
  { default: filling, defaultField }: ProfileLists,
): MigratedField {
  if (filling === undefined) return {};
  const profile = profileOf(filling);
  const listed = profiles.some((one) => nameOf(one) === nameOf(profile));
  if (!listed) {
    const text =
      'left out: the profile is not among the allowed profiles, so pods without a profile were refused, and are still refused';
    return { remarks: [known(defaultField, filling, text)] };
  }
  const { localhostProfile } = profile;
  if (localhostProfile === undefined || kept.includes(localhostProfile))
    return { statements: [stated(`${rule}.default`, profile, defaultField)] };
  const text = 'left out: pods without a profile are refused instead of getting this profile';
  return { remarks: [inexact(defaultField, filling, text)] };
}

function profileOf(name: string): Profile {
  if (name.startsWith(LOCALHOST)) return { type: 'Localhost', localhostProfile: name.slice(LOCALHOST.length) };
  return { type: name === 'unconfined' ? 'Unconfined' : 'RuntimeDefault' };
}

function nameOf({ type, localhostProfile }: Profile): string {
  return localhostProfile === undefined ? type : `${LOCALHOST}${localhostProfile}`;
}

/**
 * The remark on a default profile, if pods can no longer have the profile. If the input allowed any profile, every
 * default profile was filled in, even a profile that named no file.
 */
function unfitDefault(field: string, name: string, profile: Profile): Remark | undefined {
  const remark = unfitRemark(field, name, profile);
  if (profile.localhostProfile !== '') return remark;
  const text =
    'left out: the profile names no file, and no container can start with this profile now. Before, pods without a profile got this profile. Now these pods get no profile';
  return inexact(field, name, text);
}

/**
 * The remark on a profile that a CapabilityPolicy cannot name exactly. In a CapabilityPolicy, `*` at the end of a
 * profile matches any ending.
 */
function unfitRemark(field: string, name: string, { localhostProfile }: Profile): Remark | undefined {
  if (localhostProfile === undefined) return undefined;
  const why = localhostProfile.includes('*')
    ? "the '*' in the profile was not a pattern, but would be a pattern now"
    : localhostProfile.length > LONGEST
      ? `the profile is longer than ${LONGEST} characters`
      : localhostProfile === ''
        ? 'the profile names no file, and no container can start with this profile'
        : undefined;
  if (why === undefined) return undefined;
  const said = localhostProfile === '' ? known : inexact;
  return said(field, name, `left out: ${why}. Pods with this profile are refused`);
}
