/**
 * Checks the types of the fields of pods and workloads. The API server refuses a manifest with a wrong type, such as
 * `privileged: "true"`, and no rule could judge it.
 */
import type { Schema } from '../../operator/api/schema.ts';
import { templatePath } from '../../operator/model/workload-kinds.ts';
import type { FieldPath } from '../schema/paths.ts';
import { type Problem, typeProblems } from '../schema/problems.ts';
import { type Hinting, withTypeHints } from '../schema/type-hint.ts';
import { KUBERNETES_FIELDS, schemaOf } from './kubernetes-schema.ts';

/** The required fields without which there is no pod to judge; other required fields do not affect a verdict. */
const REQUIRED: FieldPath = ['spec', 'containers'];

const POD = requiring(schemaOf('PodTemplateSpec'), REQUIRED);

const OBJECT: Schema = {
  type: 'object',
  properties: { metadata: schemaOf('ObjectMeta') },
  'x-kubernetes-preserve-unknown-fields': true,
};

/** Schemas by kind, built on first use. */
const SCHEMAS = new Map<string, Schema>();

/**
 * Problems of the pod or pod template in an object of this kind.
 * @param textOf a scalar as its file has it
 */
export function podProblems(value: unknown, kind: string, textOf?: Hinting['textOf']): Problem[] {
  const schema = SCHEMAS.get(kind) ?? requiring(schemaOf(typeOf(kind)), [...templatePath(kind), ...REQUIRED]);
  SCHEMAS.set(kind, schema);
  return withTypeHints(typeProblems(value, schema), value, schema, { textOf });
}

/** The same for a pod that was found in an object of another kind. */
export function podProblemsIn(pod: unknown): Problem[] {
  return typeProblems(pod, POD);
}

/** Problems of an object that makes no pods and whose kind has known fields. */
export function objectProblems(value: unknown, kind: string, textOf?: Hinting['textOf']): Problem[] {
  const schema = schemaOf(typeOf(kind));
  return withTypeHints(typeProblems(value, schema), value, schema, { textOf });
}

/** Problems of the metadata of an object of any kind. */
export function metadataProblems(value: unknown, textOf?: Hinting['textOf']): Problem[] {
  return withTypeHints(typeProblems(value, OBJECT), value, OBJECT, { textOf });
}

function typeOf(kind: string): string {
  const [, type = '*'] = Object.entries(KUBERNETES_FIELDS.roots).find(([root]) => root.endsWith(` ${kind}`)) ?? [];
  return type;
}

/** The same schema, with each field of the path required in its parent. */
function requiring(schema: Schema, [field, ...below]: FieldPath): Schema {
  if (field === undefined) return schema;
  const properties = { ...schema.properties, [field]: requiring(schema.properties?.[field] ?? {}, below) };
  return { ...schema, properties, required: [String(field)] };
}
