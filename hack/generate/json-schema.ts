/**
 * Translates the CRD's schema of a policy into a JSON Schema for editors (`# yaml-language-server: $schema=…`). CEL
 * rules that JSON Schema can express, such as a required field, are translated. All other CEL rules are left out.
 */
import type { Crd } from './api-reference.ts';
import { schemaOfRule } from './cel-as-schema.ts';

interface Validation {
  readonly rule: string;
}

interface SchemaNode {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly Validation[];
}

/**
 * The keywords that have the same meaning in the CRD and in JSON Schema. The list does not contain `anyOf`, because in
 * the CRD `anyOf` only adds a hint to an error message.
 */
const KEPT = [
  'description',
  'enum',
  'maxItems',
  'maxLength',
  'maxProperties',
  'maximum',
  'minItems',
  'minLength',
  'minimum',
  'pattern',
  'type',
];

export function jsonSchema({ spec }: Crd): string {
  const { group, names, versions } = spec as unknown as {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: SchemaNode } }[];
  };
  const [{ name: version = '', schema: { openAPIV3Schema: root = {} } = {} } = {}] = versions;
  const { properties = {}, ...policy } = translated(root) as SchemaNode;
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: names.kind,
    ...policy,
    required: ['apiVersion', 'kind', 'metadata', ...(policy.required ?? [])],
    properties: {
      ...properties,
      apiVersion: { const: `${group}/${version}` },
      kind: { const: names.kind },
      metadata: { type: 'object', required: ['name'], properties: { name: { type: 'string', minLength: 1 } } },
    },
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

function translated(node: SchemaNode): SchemaNode {
  const { properties, items, additionalProperties } = node;
  const kept = Object.fromEntries(KEPT.filter((key) => key in node).map((key) => [key, node[key]]));
  const rules = (node['x-kubernetes-validations'] ?? []).flatMap(({ rule }) => schemaOfRule(rule) ?? []);
  return {
    ...kept,
    ...(node.required && { required: node.required }),
    ...(rules.length > 0 && { allOf: rules }),
    ...(node['x-kubernetes-list-type'] === 'set' && { uniqueItems: true }),
    ...(items !== undefined && { items: translated(items as SchemaNode) }),
    ...(typeof additionalProperties === 'object' && {
      additionalProperties: translated(additionalProperties as SchemaNode),
    }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, translated(value)])),
      // Unknown fields are refused. kubectl and the API server's strict decoding also refuse unknown fields.
      ...(!node['x-kubernetes-preserve-unknown-fields'] && { additionalProperties: false }),
    }),
  };
}
