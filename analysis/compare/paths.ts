/** Defines the paths of pod fields that the comparison uses, and the types of the fields. */
import { KUBERNETES_FIELDS } from '../manifests/kubernetes-schema.ts';

/**
 * The roots of paths, with the types of their objects. The roots are the PodSpec, the container that a check runs on,
 * any other container of the pod, and a volume.
 */
const ROOTS: Readonly<Record<string, string>> = { spec: 'PodSpec', c: 'Container', x: 'Container', v: 'Volume' };

/**
 * Maps a list to the root of its items, if paths can begin at the items. Ephemeral containers have no root, because a
 * pod that is created has no ephemeral containers.
 */
const ITEM_ROOTS: Readonly<Record<string, string | undefined>> = {
  'spec.containers': 'x',
  'spec.initContainers': 'x',
  'spec.ephemeralContainers': undefined,
  'spec.volumes': 'v',
};

/** The path of all annotations of a pod. */
export const ANNOTATIONS = 'annotations';
/** The path for the keys of an object or a mapping, or for the length of a list. */
export const keysOf = (path: string) => `${path}#keys`;
export const sizeOf = (path: string) => `${path}#size`;

/**
 * The path for the value of a field that this release does not know. Kubernetes has no type for this path. The path is
 * in the relations of a check, but not in the list of paths that the check reads.
 */
export const valueOfUnknown = (object: string, field: string) => `${object}#value ${field}`;
/**
 * The path inside a field that this release does not know. The path is for the items of a list, or for the fields of an
 * object.
 */
export const insideOf = (path: string) => `${path}/`;
export const isUnknownValue = (path: string) => path.includes('#value ');

/** The path of a pod's annotation. For a container's annotation, the key ends in the name of the container. */
export const podAnnotation = (key: string) => `spec@${key}`;
export const containerAnnotation = (prefix: string) => `c@${prefix}`;

export function rootOf(path: string): string {
  return /^[a-z]+/.exec(path)?.[0] ?? '';
}

/** Whether the path is an object that every pod has: the PodSpec, a container or a volume. */
export function isRoot(path: string): boolean {
  return path in ROOTS;
}

/** Whether the path is the name or the image of a container. */
export function isContainerName(path: string): boolean {
  return /^[cx]\.(?:name|image)$/.test(path);
}

/** The paths of the items of a list, or of the keys of an object. */
export function itemsOf(path: string): string[] {
  if (isUnknownValue(path)) return [insideOf(path)];
  if (path in ITEM_ROOTS) return [ITEM_ROOTS[path] ?? []].flat();
  const type = typeOf(path);
  if (type.startsWith('[')) return [`${path}[]`];
  return type.length > 1 || path === ANNOTATIONS ? [keysOf(path)] : [];
}

/**
 * The type of the field, as a type code of kubernetes-schema.ts.
 *
 * @throws UnknownField if Kubernetes has no field of this name
 */
export function typeOf(path: string): string {
  if (path === ANNOTATIONS) return '{s';
  if (path.endsWith('#size')) return 'i';
  if (path.includes('@') || path.endsWith('#keys')) return 's';
  const [root = '', ...steps] = path.split('.');
  let type = ROOTS[root];
  for (const step of steps) {
    const [field = '', ...items] = step.split('[]');
    type = KUBERNETES_FIELDS.types[type ?? '']?.[field];
    for (const _ of items) type = type?.slice(1);
  }
  if (type === undefined) throw new NotUnderstood(`field ${path}`);
  return type;
}

/**
 * Thrown for a CEL expression that the comparison does not understand. The comparison can prove nothing about a check
 * with such an expression.
 */
export class NotUnderstood extends Error {}

/**
 * Whether the path is the name, the image or an annotation of a container. The name, the image and the annotations
 * distinguish the containers of a pod.
 */
export function tellsContainersApart(path: string): boolean {
  return isContainerName(path) || path.startsWith('c@');
}
