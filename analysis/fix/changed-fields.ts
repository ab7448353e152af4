/** Finds the fields of a pod that a rule's fix changes. */
import { type CelEngine, celValue, celValueIn } from '../../operator/evaluate/cel.ts';
import { placedContainers } from '../../operator/model/containers.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { arrayOf, objectOf, valueAt } from '../../operator/model/raw.ts';
import type { Fix } from '../../operator/rules/rule.ts';
import { withTokenVolume } from '../manifests/token-volume.ts';

type Path = readonly (string | number)[];

export interface PodChange {
  /** The path of the object that has the field. The path starts at the pod: `['spec', 'containers', 0]`. */
  readonly parent: Path;
  /** The name of the container; absent if the parent is not a container. */
  readonly container?: string;
  /** The path of the field, starting at the parent. */
  readonly field: Path;
  /**
   * The new value of the whole field. The value undefined removes the field. Removing the field also removes each
   * mapping below the parent that becomes empty.
   */
  readonly value: unknown;
}

interface FixTarget {
  readonly path: Path;
  readonly container?: string;
  readonly field: Path;
  readonly context: Record<string, unknown>;
}

/**
 * The part of a fix that determines the changed fields. The type also describes the values that defaulting fills in.
 */
type FieldChange = Pick<Fix, 'over' | 'path' | 'when' | 'value'>;

export function changesBy(fix: FieldChange, pod: PodContent, engine: CelEngine): PodChange[] {
  return targetsFor(fix, pod).flatMap(({ path, container, field, context }) =>
    engine.run(fix.when, context) === true
      ? [
          {
            parent: path,
            ...(container !== undefined && { container }),
            field,
            value: written(engine.run(fix.value, context)),
          },
        ]
      : [],
  );
}

/** Whether both changes are about the same field. */
export function isSameField(a: PodChange, b: PodChange): boolean {
  return JSON.stringify([a.parent, a.field]) === JSON.stringify([b.parent, b.field]);
}

export function withChange({ annotations, spec }: PodContent, { parent, field, value }: PodChange): PodContent {
  const whole = changed({ metadata: { annotations }, spec }, parent, field, value) as {
    metadata: { annotations?: PodContent['annotations'] };
    spec: PodContent['spec'];
  };
  return withTokenVolume({ annotations: whole.metadata.annotations ?? {}, spec: whole.spec });
}

/**
 * A copy of a value with one field changed. The copy shares its unchanged parts with the original.
 *
 * @param parent the path of the object that has the field. If the object at the path is missing, the function creates
 * the object. If the object loses its only field, the function keeps the empty object
 * @param value the new value; undefined removes the field
 */
export function changed(whole: unknown, parent: Path, field: Path, value: unknown): unknown {
  const [step, ...below] = parent;
  if (step !== undefined) return withPart(whole, step, changed(valueAt(whole, [step]), below, field, value));
  const [name, ...inside] = field;
  if (name === undefined) return value;
  const inner = changed(valueAt(whole, [name]), [], inside, value);
  const isEmpty = inner === undefined || (inside.length > 0 && value === undefined && isEmptyMapping(inner));
  return withPart(whole, name, isEmpty ? undefined : inner);
}

function withPart(whole: unknown, step: string | number, value: unknown): unknown {
  if (Array.isArray(whole)) return whole.with(Number(step), value);
  const { [step]: _, ...others } = objectOf(whole);
  if (value === undefined) return others;
  return Object.hasOwn(objectOf(whole), step) ? { ...objectOf(whole), [step]: value } : { ...others, [step]: value };
}

function isEmptyMapping(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

function targetsFor({ over, path }: FieldChange, pod: PodContent): FixTarget[] {
  const cel = celValueIn(pod.spec);
  const variables = { spec: cel(pod.spec), annotations: celValue(pod.annotations) };
  switch (over) {
    case 'pod':
      return [{ path: ['spec'], field: path, context: { variables } }];
    case 'annotations':
      return Object.keys(pod.annotations).map((k) => ({
        path: ['metadata'],
        field: ['annotations', k],
        context: { variables, k },
      }));
    case 'containers':
      return placedContainers(pod.spec).flatMap(({ list, index, container: c }) => {
        const target = { c, container: c.name, path: ['spec', list, index], context: { variables, c: cel(c) } };
        return eachItem(target, path);
      });
  }
}

/** The objects and fields to which a fix applies. In a path, `*` stands for each item of a list. */
function eachItem(target: Omit<FixTarget, 'field'> & { readonly c: unknown }, path: readonly string[]): FixTarget[] {
  const { c, ...own } = target;
  const at = path.indexOf('*');
  if (at === -1) return [{ ...own, field: path }];
  const items = arrayOf(valueAt(c, path.slice(0, at)));
  return items.map((item, index) => ({
    ...own,
    field: [...path.slice(0, at), index, ...path.slice(at + 1)],
    context: { ...own.context, item: celValue(item) },
  }));
}

/** A CEL value as JSON. Null and an empty list mean that the field is absent. */
function written(value: unknown): unknown {
  if (value === null || (Array.isArray(value) && value.length === 0)) return undefined;
  return plain(value);
}

/** A CEL value as JSON. In CEL, whole numbers are bigints. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}
