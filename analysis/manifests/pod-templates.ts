/**
 * Finds pod templates in custom resources by their shape. Each kind has its template in a different field, and a
 * manifest does not say in which field.
 */
import { arrayOf, objectOf } from '../../operator/model/raw.ts';
import type { FieldPath } from '../schema/paths.ts';

export interface PodTemplate {
  /**
   * The path of the PodTemplateSpec. If the object has no PodTemplateSpec, the value is the path of the PodSpec, or of
   * the mapping that holds a single container.
   */
  readonly path: FieldPath;
  /** The pod, with the fields that the object defines. */
  readonly pod: { readonly metadata?: unknown; readonly spec: Readonly<Record<string, unknown>> };
  /** Maps a path in the pod, such as `['spec', 'containers', 0]`, to a path in the object. */
  fieldOf(inPod: FieldPath): FieldPath;
}

/**
 * The pod templates in an object, in the order in which the document contains them. A template inside another template
 * is not returned.
 */
export function podTemplatesIn(object: Readonly<Record<string, unknown>>): PodTemplate[] {
  const { apiVersion: _, kind: __, metadata: ___, status: ____, ...body } = object;
  const found: PodTemplate[] = [];
  search(body, [], [], found);
  return found;
}

type Mapping = Readonly<Record<string, unknown>>;

/** A mapping that contains the mapping that the search currently visits. */
interface Surrounding {
  readonly path: FieldPath;
  readonly fields: Mapping;
}

function search(value: unknown, path: FieldPath, around: readonly Surrounding[], found: PodTemplate[]): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) search(item, [...path, index], around, found);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const fields = value as Mapping;
  const here = podTemplateSpec(fields, path) ?? podSpec(fields, path) ?? singleContainer(fields, path, around);
  if (here) {
    found.push(here);
    return;
  }
  const inside = [...around, { path, fields }];
  for (const key of Object.keys(fields)) search(fields[key], [...path, key], inside, found);
}

/**
 * A template is a mapping with `metadata` and with a `spec` whose containers have names. A container may lack an image,
 * because the operator of the kind may choose the image.
 */
function podTemplateSpec(fields: Mapping, path: FieldPath): PodTemplate | undefined {
  // The `spec` of the object itself never counts as a template. For example, Prometheus uses `spec.containers` to patch
  // containers that the operator of Prometheus creates.
  if (
    path.length === 0 ||
    (!isTemplateKey(path.at(-1)) && !Object.keys(fields).every((key) => TEMPLATE_FIELDS.has(key)))
  )
    return undefined;
  if (fields.kind !== undefined && fields.kind !== 'Pod') return undefined;
  const spec = objectOf(fields.spec);
  if (!isContainerList(spec.containers, false)) return undefined;
  const pod = { ...(fields.metadata !== undefined && { metadata: fields.metadata }), spec };
  return { path, pod, fieldOf: (inPod) => [...path, ...inPod] };
}

const TEMPLATE_FIELDS = new Set(['apiVersion', 'kind', 'metadata', 'spec']);

function isTemplateKey(key: string | number | undefined): boolean {
  return typeof key === 'string' && /template$/i.test(key);
}

/**
 * A PodSpec without a template is a mapping with `containers`, in which every container has an image. A list of names
 * without images is not necessarily a list of containers.
 */
function podSpec(fields: Mapping, path: FieldPath): PodTemplate | undefined {
  if (!isContainerList(fields.containers, true)) return undefined;
  return {
    path,
    pod: { spec: fields },
    fieldOf: ([first, ...inSpec]) => (first === 'spec' ? [...path, ...inSpec] : path),
  };
}

/**
 * The form of a container's name (k8s.io/apimachinery IsDNS1123Label). A pattern of names, as in a policy, does not
 * match.
 */
const NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** The form of a field's name. Keys of Kyverno's patterns, such as `(name)`, do not match. */
const FIELD = /^\w+$/;

function isContainerList(value: unknown, withImages: boolean): boolean {
  const list = arrayOf(value)
    .filter((container) => container !== null)
    .map(objectOf);
  return (
    list.length > 0 &&
    list.every((container) => {
      const { name, image } = container;
      if (!Object.keys(container).every((key) => FIELD.test(key))) return false;
      const named = typeof name === 'string' && NAME.test(name);
      // A single container may lack a name. Knative allows this.
      const known = isImage(image) && (named || (name === undefined && list.length === 1));
      return withImages ? known : known || (named && image === undefined);
    })
  );
}

/** Whether the value is an image reference. Wildcards occur only in policies, never in an image reference. */
function isImage(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !/[*?]/.test(value);
}

/** The fields of a pod that a workflow sets for all its templates. Each template may override these fields. */
const POD_FIELDS = [
  'securityContext',
  'serviceAccountName',
  'automountServiceAccountToken',
  'hostNetwork',
  'hostPID',
  'hostIPC',
  'hostUsers',
  'runtimeClassName',
  'initContainers',
];

/**
 * A template of an Argo Workflow has one `container` or `script`, and may have `sidecars`. The pod's fields are set
 * next to the container, and in the workflow that contains the template (argo-workflows pkg/apis/workflow/v1alpha1
 * Template, workflow/controller/workflowpod.go).
 */
function singleContainer(fields: Mapping, path: FieldPath, around: readonly Surrounding[]): PodTemplate | undefined {
  const key = ['container', 'script'].find((one) => isImage(objectOf(fields[one]).image));
  if (key === undefined) return undefined;
  const places: [inPod: FieldPath, inObject: FieldPath][] = [[[], path]];
  const place = (inSpec: FieldPath, inObject: FieldPath) => places.push([['spec', ...inSpec], inObject]);
  place([], path);
  const main = { name: 'main', ...objectOf(fields[key]) };
  place(['containers', 0], [...path, key]);
  const sidecars = arrayOf(fields.sidecars);
  for (const index of sidecars.keys()) place(['containers', index + 1], [...path, 'sidecars', index]);
  const spec: Record<string, unknown> = { containers: [main, ...sidecars] };
  const levels = [{ path, fields }, ...around.toReversed()];
  for (const field of POD_FIELDS) {
    const stating = levels.find((level) => (level.fields[field] ?? null) !== null);
    if (!stating) continue;
    spec[field] = stating.fields[field];
    place([field], [...stating.path, field]);
  }
  const volumes = levels.flatMap((level) =>
    arrayOf(level.fields.volumes).map((volume, index) => ({ volume, at: [...level.path, 'volumes', index] })),
  );
  if (volumes.length > 0) spec.volumes = volumes.map(({ volume }) => volume);
  for (const [index, { at }] of volumes.entries()) place(['volumes', index], at);
  const pod = { ...(fields.metadata !== undefined && { metadata: fields.metadata }), spec };
  return { path, pod, fieldOf: (inPod) => placed(inPod, places) };
}

/** Maps a path in the pod to a path in the object. If several prefixes match the path, the longest prefix counts. */
function placed(inPod: FieldPath, places: readonly (readonly [inPod: FieldPath, inObject: FieldPath])[]): FieldPath {
  const begins = places.filter(([start]) => start.every((step, index) => step === inPod[index]));
  const [start, place] = begins.reduce((best, one) => (one[0].length > best[0].length ? one : best));
  return [...place, ...inPod.slice(start.length)];
}
