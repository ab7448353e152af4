/**
 * Translates OpenAPI v3 documents of an API server into the form of analysis/manifests/kubernetes-fields.json. This
 * file has the fields of pods, workloads and all other objects that affect an evaluation.
 */
import type { KubernetesFields } from '../../analysis/manifests/kubernetes-schema.ts';

interface OpenApiSchema {
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly allOf?: readonly OpenApiSchema[];
  readonly items?: OpenApiSchema;
  readonly properties?: Readonly<Record<string, OpenApiSchema>>;
  readonly additionalProperties?: OpenApiSchema;
}

export interface OpenApi {
  readonly components: { readonly schemas: Readonly<Record<string, OpenApiSchema>> };
}

/** The type of an object, by apiVersion and kind. */
const ROOTS = {
  'v1 Namespace': 'core.v1.Namespace',
  'v1 Pod': 'core.v1.Pod',
  'v1 PodTemplate': 'core.v1.PodTemplate',
  'v1 ReplicationController': 'core.v1.ReplicationController',
  'apps/v1 DaemonSet': 'apps.v1.DaemonSet',
  'apps/v1 Deployment': 'apps.v1.Deployment',
  'apps/v1 ReplicaSet': 'apps.v1.ReplicaSet',
  'apps/v1 StatefulSet': 'apps.v1.StatefulSet',
  'batch/v1 CronJob': 'batch.v1.CronJob',
  'batch/v1 Job': 'batch.v1.Job',
  'rbac.authorization.k8s.io/v1 ClusterRole': 'rbac.v1.ClusterRole',
  'rbac.authorization.k8s.io/v1 ClusterRoleBinding': 'rbac.v1.ClusterRoleBinding',
  'rbac.authorization.k8s.io/v1 Role': 'rbac.v1.Role',
  'rbac.authorization.k8s.io/v1 RoleBinding': 'rbac.v1.RoleBinding',
} as const;

const SCALARS: Readonly<Record<string, string>> = { string: 's', integer: 'i', number: 'n', boolean: 'b' };
/** Types whose values are texts or numbers. */
const EITHER = ['Quantity', 'IntOrString'];
/** Fields that only the API server writes. */
const NOT_WRITTEN = ['status', 'managedFields'];

export function fieldsOf(documents: readonly OpenApi[]): KubernetesFields {
  const schemas = new Map(documents.flatMap(({ components }) => Object.entries(components.schemas)));
  const types: Record<string, Record<string, string>> = {};
  const add = (name: string): string => {
    const short = name.split('.').at(-1) ?? '';
    const { type, properties } = schemas.get(name) ?? {};
    if (EITHER.includes(short)) return '*';
    if (!properties) return SCALARS[type ?? ''] ?? '*';
    if (Object.hasOwn(types, short)) return short;
    const fields: Record<string, string> = {};
    types[short] = fields;
    for (const [field, schema] of Object.entries(properties)) {
      fields[field] = NOT_WRITTEN.includes(field) ? '*' : codeOf(schema);
    }
    return short;
  };
  const codeOf = (schema: OpenApiSchema): string => {
    const ref = schema.$ref ?? schema.allOf?.[0]?.$ref;
    if (ref !== undefined) return add(ref.slice(ref.lastIndexOf('/') + 1));
    if (schema.format === 'int-or-string') return '*';
    if (schema.type === 'array') return `[${codeOf(schema.items ?? {})}`;
    if (schema.type === 'object') return `{${codeOf(schema.additionalProperties ?? {})}`;
    return SCALARS[schema.type ?? ''] ?? '*';
  };
  const roots = Object.entries(ROOTS).map(([kind, name]) => [kind, add(`io.k8s.api.${name}`)]);
  return { roots: Object.fromEntries(roots), types };
}

/**
 * Merges two lists of fields. API servers of different versions have different fields. The result has the fields of
 * `known` and the fields of `found`.
 */
export function merged(known: KubernetesFields, found: KubernetesFields): KubernetesFields {
  const names = [...new Set([...Object.keys(known.types), ...Object.keys(found.types)])].sort();
  const types = names.map((name) => {
    // API servers of different versions name some types differently. A known field keeps its type.
    const fields = { ...found.types[name], ...known.types[name] };
    return [name, Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)))];
  });
  return { roots: { ...known.roots, ...found.roots }, types: Object.fromEntries(types) };
}

/** The fields as JSON text, with a line for each type. */
export function fieldsText({ roots, types }: KubernetesFields): string {
  const lines = Object.entries(types).map(([name, fields]) => `    ${JSON.stringify(name)}: ${JSON.stringify(fields)}`);
  return `{\n  "roots": ${JSON.stringify(roots)},\n  "types": {\n${lines.join(',\n')}\n  }\n}\n`;
}
