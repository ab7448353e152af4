/** Fields that PodSecurityPolicy and SecurityContextConstraints have in common. The prefix of their names is `spec.` or nothing. */
import { type Part, stated, statedOrUnset } from './part.ts';

interface Fields {
  readonly allowPrivilegeEscalation?: boolean;
  readonly defaultAllowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
}

/** Unset is false. */
export function flag(override: string, field: string, value: boolean | undefined): Part {
  return { statements: [statedOrUnset(override, value ?? false, field, value)] };
}

/** Unset is true: the field is younger than PodSecurityPolicy. */
export function escalation(prefix: string, fields: Fields): Part {
  const { allowPrivilegeEscalation: allowed, defaultAllowPrivilegeEscalation: filling } = fields;
  const field = 'defaultAllowPrivilegeEscalation';
  return {
    statements: [
      statedOrUnset('allowPrivilegeEscalation', allowed ?? true, `${prefix}allowPrivilegeEscalation`, allowed),
      // A value that is refused when true is filled in as false anyway.
      ...(filling !== undefined && allowed !== false ? [stated(field, filling, prefix + field)] : []),
    ],
  };
}

export function readOnlyRootFilesystem(prefix: string, { readOnlyRootFilesystem: required }: Fields): Part {
  const field = 'readOnlyRootFilesystem';
  return required ? { statements: [stated(field, true, prefix + field)] } : {};
}

/** SELinux options without empty texts, which count as absent. */
export function statedOptions(options: Readonly<Record<string, string | undefined>> = {}) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== ''));
}
