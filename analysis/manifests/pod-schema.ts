/**
 * Checks the fields of pods and workloads. The API server refuses a manifest with a wrong type, such as `privileged:
 * "true"`. No rule could evaluate such a manifest. unknown-fields.ts checks for fields that the API server does not
 * know.
 */
import type { Schema } from '../../operator/api/schema.ts';
import { templatePath } from '../../operator/model/workload-kinds.ts';
import type { FieldPath } from '../schema/paths.ts';
import { type EmptyField, mismatches, type Problem, typeProblems } from '../schema/problems.ts';
import { type Hinting, withTypeHints } from '../schema/type-hint.ts';
import { KUBERNETES_FIELDS, schemaOf } from './kubernetes-schema.ts';
import { type UnknownField, unknownFields } from './unknown-fields.ts';

/**
 * The required fields. A pod without a spec, or without containers in the spec, cannot be evaluated. No other required
 * field affects a verdict.
 */
const REQUIRED: FieldPath = ['spec', 'containers'];

const POD = requiring(schemaOf('PodTemplateSpec'), REQUIRED);

const OBJECT: Schema = {
  type: 'object',
  properties: { metadata: schemaOf('ObjectMeta') },
  'x-kubernetes-preserve-unknown-fields': true,
};

/** The schemas of kinds. Each schema is built when it is used first. */
const SCHEMAS = new Map<string, Schema>();

export interface CheckedFields {
  /** The values that have a wrong type, and the missing fields. */
  readonly wrong: readonly Problem[];
  readonly unknown: readonly UnknownField[];
  readonly empty: readonly EmptyField[];
}

/**
 * Checks the fields of an object of the given kind. The object is a pod or has a pod template.
 * @param textOf returns the text of a scalar as it is written in the file
 */
export function podFields(value: unknown, kind: string, textOf?: Hinting['textOf']): CheckedFields {
  const schema = SCHEMAS.get(kind) ?? requiring(schemaOf(typeOf(kind)), [...templatePath(kind), ...REQUIRED]);
  SCHEMAS.set(kind, schema);
  return checkedFields(value, schema, textOf);
}

/**
 * Checks the fields of a pod that was found in an object of another kind. The reported problems do not suggest what to
 * write instead.
 */
export function podFieldsIn(pod: unknown): CheckedFields {
  const { unknown, ...rest } = mismatches(pod, POD);
  return { ...rest, unknown: unknownFields(unknown) };
}

/** Checks the fields of an object. The kind of the object makes no pods, but the fields of the kind are known. */
export function objectFields(value: unknown, kind: string, textOf?: Hinting['textOf']): CheckedFields {
  return checkedFields(value, schemaOf(typeOf(kind)), textOf);
}

function checkedFields(value: unknown, schema: Schema, textOf: Hinting['textOf']): CheckedFields {
  const { wrong, unknown, empty } = mismatches(value, schema);
  return { wrong: withTypeHints(wrong, value, schema, { textOf }), unknown: unknownFields(unknown), empty };
}

/** The problems of an object's metadata. The object may have any kind. */
export function metadataProblems(value: unknown, textOf?: Hinting['textOf']): Problem[] {
  return withTypeHints(typeProblems(value, OBJECT), value, OBJECT, { textOf });
}

function typeOf(kind: string): string {
  const [, type = '*'] = Object.entries(KUBERNETES_FIELDS.roots).find(([root]) => root.endsWith(` ${kind}`)) ?? [];
  return type;
}

/** A copy of the schema. In the copy, each field of the path is a required field of its parent. */
function requiring(schema: Schema, [field, ...below]: FieldPath): Schema {
  if (field === undefined) return schema;
  const properties = { ...schema.properties, [field]: requiring(schema.properties?.[field] ?? {}, below) };
  return { ...schema, properties, required: [String(field)] };
}
