/**
 * The fields of pods and workloads, and the types of these fields. The fields come from the OpenAPI documents of the
 * API servers that this release supports. test/integration/unknown-fields.test.ts compares the fields with a running
 * API server.
 */
import type { Schema } from '../../operator/api/schema.ts';
import fields from './kubernetes-fields.json' with { type: 'json' };

/**
 * A field's type is `s` for a string, `i` for an integer, `n` for a number, `b` for a boolean, `*` for any type, or the
 * name of a type. The prefix `[` means a list of the type, and the prefix `{` means a mapping whose values have the
 * type.
 */
export interface KubernetesFields {
  /** The type of each kind. A key consists of API version and kind, such as `apps/v1 Deployment`. */
  readonly roots: Readonly<Record<string, string>>;
  readonly types: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export const KUBERNETES_FIELDS: KubernetesFields = fields;

const SCALARS: Readonly<Record<string, Schema>> = {
  s: { type: 'string' },
  i: { type: 'integer' },
  n: { type: 'number' },
  b: { type: 'boolean' },
  '*': {},
};

/** The fields that the API server always writes. Rules expect these fields to be present. The key is the type. */
const NEVER_ABSENT: Readonly<Record<string, readonly string[]>> = {
  ContainerPort: ['containerPort'],
  Sysctl: ['name'],
  VolumeMount: ['name'],
};

/** The schemas of types. Each schema is built when it is used first. No type contains itself, so the recursion ends. */
const SCHEMAS = new Map<string, Schema>();

/** @param type a name of `types`, or another type code of a field */
export function schemaOf(type: string): Schema {
  if (type.startsWith('[')) return { type: 'array', items: schemaOf(type.slice(1)) };
  if (type.startsWith('{')) return { type: 'object', additionalProperties: schemaOf(type.slice(1)) };
  const known = SCALARS[type] ?? SCHEMAS.get(type);
  if (known) return known;
  const properties = Object.entries(KUBERNETES_FIELDS.types[type] ?? {}).map(([field, code]) => [
    field,
    schemaOf(code),
  ]);
  // The schema accepts unknown fields, because an unknown field is not a type error. unknown-fields.ts reports unknown
  // fields.
  const schema: Schema = {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(NEVER_ABSENT[type] && { neverAbsent: NEVER_ABSENT[type] }),
    'x-kubernetes-preserve-unknown-fields': true,
  };
  SCHEMAS.set(type, schema);
  return schema;
}
