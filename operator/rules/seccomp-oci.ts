/**
 * Seccomp profiles of type OCI, which the container runtime pulls from a registry (KEP-6061). The runtime merges the
 * profile with a base profile. The merged profile permits a system call if both profiles permit the system call.
 */
import { OCI } from '../standards/oci-profiles.ts';
import { and, matchesAny, or } from './cel.ts';
import { all, choose, concat, not } from './condition.ts';
import type { Test } from './rule.ts';
import type { Columns, Values } from './values.ts';

/** The fields of the rule's value that concern profiles of type OCI. */
interface Admitted {
  readonly types: readonly string[];
  /**
   * The allowed references. A `*` at the end of an item matches any ending. If the field is undefined, any reference is
   * allowed. The CRD accepts `*` only after `@` and `/`. So an item matches only references in the registry or
   * repository that the item names.
   */
  readonly ociReferences?: readonly string[];
  /** The allowed base profiles of type Localhost. If the field is undefined, any base profile is allowed. */
  readonly localhostProfiles?: readonly string[];
}

const ANY = ['*'];

/**
 * The columns of the allowed references and base profiles. If the policy allows no OCI profile, the two columns allow
 * any value.
 */
export function ociColumns({ types, ociReferences = ANY, localhostProfiles = ANY }: Admitted): Columns {
  const isAdmitted = types.includes(OCI);
  const bases = types.includes('Localhost') ? localhostProfiles : [];
  return { seccompReferences: isAdmitted ? ociReferences : ANY, seccompBases: isAdmitted ? bases : ANY };
}

/**
 * Returns one CEL expression of type string for each field of a profile of type OCI. The string is empty if the field
 * is unset.
 * @param profile CEL of type optional: the profile
 */
function fieldsOf(profile: string) {
  const base = `${profile}.?oci.?baseProfile`;
  return {
    isOci: `${profile}.?type.orValue("") == "${OCI}"`,
    reference: `${profile}.?oci.?ref.orValue("")`,
    baseType: `${base}.?type.orValue("")`,
    baseName: `${base}.?localhostProfile.orValue("")`,
  };
}

/**
 * A CEL expression of type bool: true if the reference has a digest. Nobody can replace the profile behind a digest.
 */
function isPinned(reference: string): string {
  return `${reference}.contains("@")`;
}

/** A field that contains a seccomp profile. `refused` builds the message about a refused value in the profile. */
interface ProfileField extends Pick<Test, 'over' | 'reaches' | 'path'> {
  /** A CEL expression of type optional: the profile. */
  readonly profile: string;
  /**
   * A CEL expression of type string: the message about a refused field inside the profile.
   * @param got CEL of type string: the refused value
   * @param allowed CEL of type string: the allowed values
   */
  readonly refused: (field: string, got: string, allowed: string) => string;
}

/** For a profile of type OCI, the tests check the reference and the base profile. */
export function ociTests({ profile, refused, path, ...where }: ProfileField, values: Values): Test[] {
  const { isOci, reference, baseType, baseName } = fieldsOf(profile);
  const isAdmitted = values.includes('seccompTypes', OCI);
  const named = concat('"RuntimeDefault, Localhost with "', values.listed('seccompBases'));
  return [
    {
      ...where,
      applies: all(isAdmitted, not(values.includes('seccompReferences', '*'))),
      violates: and(isOci, `!(${and(isPinned(reference), values.matches(reference, 'seccompReferences'))})`),
      message: refused('oci.ref', reference, values.listed('seccompReferences')),
      path: `${path}.oci.ref`,
    },
    {
      ...where,
      applies: all(isAdmitted, not(values.includes('seccompBases', '*'))),
      violates: and(
        isOci,
        `!(${baseType} in ["", "RuntimeDefault"])`,
        `!(${and(`${baseType} == "Localhost"`, values.matches(baseName, 'seccompBases'))})`,
      ),
      message: refused(
        'oci.baseProfile',
        `${baseType} + (${baseName} == "" ? "" : " with " + ${baseName})`,
        choose(values.hasSome('seccompBases'), named, '"RuntimeDefault"'),
      ),
      path: `${path}.oci.baseProfile`,
    },
  ];
}

/**
 * A CEL expression of type bool: true if the profile is of type OCI and the policy allows its reference and base
 * profile.
 * @param profile CEL of type optional
 */
export function ociAdmitted(value: Admitted, profile: string): string {
  const { isOci, reference, baseType, baseName } = fieldsOf(profile);
  const { seccompReferences: references = [], seccompBases: bases = [] } = ociColumns(value);
  const isListed = references.includes('*') ? [] : [isPinned(reference), matchesAny(reference, references)];
  const base = or(
    `${baseType} in ["", "RuntimeDefault"]`,
    and(`${baseType} == "Localhost"`, matchesAny(baseName, bases)),
  );
  return and(isOci, ...isListed, ...(bases.includes('*') ? [] : [base]));
}

/**
 * A CEL expression of type list(string) about a profile of type OCI. The list has the reference and the base profile,
 * in the form of `profileAsked`.
 *
 * @param profile CEL of type optional
 * @param otherwise CEL of type list(string): the result for a profile that is not of type OCI
 */
export function ociAsked(profile: string, otherwise: string): string {
  const { isOci, reference, baseType, baseName } = fieldsOf(profile);
  const base = `(${baseType} == "Localhost" ? ["Localhost/" + ${baseName}] : [])`;
  return `${isOci} ? ["${OCI}/" + ${reference}] + ${base} : (${otherwise})`;
}
