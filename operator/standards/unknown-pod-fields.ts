/** Compares the fields of pods and of API servers with the fields that this release knows. */
import { POD_FIELDS, WHOLE } from './pod-fields.ts';

/** The fields of an OpenAPI v3 schema as API servers publish it (k8s.io/kube-openapi/pkg/spec3). */
export interface PublishedSchema {
  readonly $ref?: string;
  readonly allOf?: readonly PublishedSchema[];
  readonly items?: PublishedSchema;
  readonly properties?: Readonly<Record<string, PublishedSchema>>;
  readonly additionalProperties?: PublishedSchema;
}

/** The path of the OpenAPI v3 document with the core types, on every API server since Kubernetes 1.27. */
export const CORE_OPENAPI = '/openapi/v3/api/v1';

const POD_SPEC = 'io.k8s.api.core.v1.PodSpec';

/**
 * The sorted paths of pod fields that this release does not know, such as `spec.containers.securityContext.ulimits`. In
 * a path, the name of a list stands for the items of the list. Several fields may have the same type, such as the type
 * of a container. In this case, each unknown field of the type gives one path.
 *
 * @param schemas the key is the name of a schema, such as `io.k8s.api.core.v1.PodSpec`
 * @param known the fields that this release knows. The first key is the type, the second key is the reason
 */
export function unknownPodFields(
  schemas: Readonly<Record<string, PublishedSchema>>,
  known: Readonly<Record<string, Readonly<Record<string, string>>>> = POD_FIELDS,
): string[] {
  const found: string[] = [];
  const visited = new Set<string>();
  const visit = (name: string, path: string) => {
    const type = name.slice(name.lastIndexOf('.') + 1);
    const { properties } = schemas[name] ?? {};
    if (!properties || visited.has(type) || WHOLE.includes(type)) return;
    visited.add(type);
    const fields = new Set(Object.values(known[type] ?? {}).flatMap((names) => names.split(' ')));
    for (const [field, schema] of Object.entries(properties)) {
      const below = `${path}.${field}`;
      if (!fields.has(field)) found.push(below);
      else for (const one of typesOf(schema)) visit(one, below);
    }
  };
  visit(POD_SPEC, 'spec');
  return found.sort();
}

/** The names of the types that the values of a field have. */
function typesOf({ $ref, allOf = [], items, additionalProperties }: PublishedSchema): string[] {
  const below = [...allOf, items, additionalProperties].flatMap((schema) => (schema ? typesOf(schema) : []));
  return $ref === undefined ? below : [$ref.slice($ref.lastIndexOf('/') + 1), ...below];
}
