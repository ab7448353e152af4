/**
 * The types of the fields of pods and workloads: where a manifest has another type, the API server refuses it, and no rule
 * could say anything about it. `privileged: "true"` is no boolean.
 */
import type { FieldPath } from './document.ts';
import { templatePath } from './kinds.ts';
import { KUBERNETES_FIELDS, schemaOf } from './kubernetes-schema.ts';
import { type Problem, type Schema, schemaProblems } from './schema.ts';
import { type Hinting, withTypeHints } from './type-hint.ts';

/** What makes a pod; what else the API server requires is no matter for a verdict. */
const REQUIRED: FieldPath = ['spec', 'containers'];

const POD = requiring(schemaOf('PodTemplateSpec'), REQUIRED);

const OBJECT: Schema = {
  type: 'object',
  properties: { metadata: schemaOf('ObjectMeta') },
  'x-kubernetes-preserve-unknown-fields': true,
};

/** By kind, as they are met. */
const SCHEMAS = new Map<string, Schema>();

/**
 * What is wrong with the pod, or the template, in an object of this kind.
 * @param textOf a scalar as its file has it
 */
export function podProblems(value: unknown, kind: string, textOf?: Hinting['textOf']): Problem[] {
  const schema = SCHEMAS.get(kind) ?? requiring(schemaOf(typeOf(kind)), [...templatePath(kind), ...REQUIRED]);
  SCHEMAS.set(kind, schema);
  return withTypeHints(schemaProblems(value, schema), value, schema, { textOf });
}

/** The same of a pod that was found in an object of another kind. */
export function podProblemsIn(pod: unknown): Problem[] {
  return schemaProblems(pod, POD);
}

/** What is wrong with an object that makes no pods, of a kind whose fields are known. */
export function objectProblems(value: unknown, kind: string, textOf?: Hinting['textOf']): Problem[] {
  const schema = schemaOf(typeOf(kind));
  return withTypeHints(schemaProblems(value, schema), value, schema, { textOf });
}

/** What is wrong with the metadata of an object of any kind. */
export function metadataProblems(value: unknown, textOf?: Hinting['textOf']): Problem[] {
  return withTypeHints(schemaProblems(value, OBJECT), value, OBJECT, { textOf });
}

function typeOf(kind: string): string {
  const [, type = '*'] = Object.entries(KUBERNETES_FIELDS.roots).find(([root]) => root.endsWith(` ${kind}`)) ?? [];
  return type;
}

/** The same schema with each field of the path required in the one around it. */
function requiring(schema: Schema, [field, ...below]: FieldPath): Schema {
  if (field === undefined) return schema;
  const properties = { ...schema.properties, [field]: requiring(schema.properties?.[field] ?? {}, below) };
  return { ...schema, properties, required: [String(field)] };
}
