/**
 * Migrates the fields that PodSecurityPolicy and SecurityContextConstraints share. The prefix of a field's name is
 * `spec.` or empty.
 */
import { type MigratedField, stated, statedOrUnset } from './migrated-field.ts';

interface Fields {
  readonly allowPrivilegeEscalation?: boolean;
  readonly defaultAllowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
}

/** Migrates a boolean field. An unset field means false. */
export function flag(override: string, field: string, value: boolean | undefined): MigratedField {
  return { statements: [statedOrUnset(override, value ?? false, field, value)] };
}

/**
 * Migrates `allowPrivilegeEscalation`. An unset field means true, because PodSecurityPolicies of older releases do not
 * have the field.
 */
export function escalation(prefix: string, fields: Fields): MigratedField {
  const { allowPrivilegeEscalation: allowed, defaultAllowPrivilegeEscalation: filling } = fields;
  const field = 'defaultAllowPrivilegeEscalation';
  return {
    statements: [
      statedOrUnset('allowPrivilegeEscalation', allowed ?? true, `${prefix}allowPrivilegeEscalation`, allowed),
      // If the policy refuses `true`, defaulting fills in `false`, even if the policy has no value for defaulting.
      ...(filling !== undefined && allowed !== false ? [stated(field, filling, prefix + field)] : []),
    ],
  };
}

export function readOnlyRootFilesystem(prefix: string, { readOnlyRootFilesystem: required }: Fields): MigratedField {
  const field = 'readOnlyRootFilesystem';
  return required ? { statements: [stated(field, true, prefix + field)] } : {};
}

/**
 * SELinux options of a CapabilityPolicy. Empty strings are left out, because an empty string means that the option is
 * absent.
 */
export function statedOptions(options: Readonly<Record<string, string | undefined>> = {}) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== ''));
}
