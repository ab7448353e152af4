/** Removes from a pod everything that is not needed to show a difference. */
import type { PodContent } from '../../operator/model/objects.ts';
import { objectOf } from '../../operator/model/raw.ts';
import { KUBERNETES_FIELDS } from '../manifests/kubernetes-schema.ts';
import { isAccepted, REQUIRED } from './kubernetes.ts';

/**
 * @param shows whether a pod still shows the difference
 * @param known the results for earlier pods with the same `shows`. The key is the pod as text. Similar pods soon become
 * equal
 */
export function smallest(
  pod: PodContent,
  shows: (pod: PodContent) => boolean,
  known = new Map<string, PodContent>(),
): PodContent {
  const passed: string[] = [];
  let current = pod;
  for (;;) {
    const text = JSON.stringify(current);
    const before = known.get(text);
    passed.push(text);
    const next = before ?? smallerThan(current).find((one) => hasContainers(one) && isAccepted(one) && shows(one));
    if (next) current = next;
    if (before || !next) break;
  }
  for (const text of passed) known.set(text, current);
  return current;
}

function hasContainers({ spec }: PodContent): boolean {
  return (spec.containers ?? []).length > 0;
}

/** Yields the pod without one of its fields or items. Large parts are removed first. */
function* smallerThan({ annotations, spec }: PodContent): Generator<PodContent> {
  for (const smaller of without(spec, 'PodSpec')) yield { annotations, spec: smaller as PodContent['spec'] };
  for (const key of Object.keys(annotations)) {
    const { [key]: _, ...rest } = annotations;
    yield { annotations: rest, spec };
  }
}

function* without(value: unknown, type: string): Generator<unknown> {
  if (Array.isArray(value)) yield* withoutItems(value, type.slice(1));
  else if (typeof value === 'object' && value !== null) yield* withoutFields(objectOf(value), type);
}

function* withoutItems(items: readonly unknown[], type: string): Generator<unknown> {
  // A long list is first reduced to half of its items.
  for (let length = Math.floor(items.length / 2); length >= 1; length = Math.floor(length / 2)) {
    if (length > 1) yield items.slice(length);
  }
  for (const [i, item] of items.slice(0, 50).entries()) {
    yield items.toSpliced(i, 1);
    for (const smaller of without(item, type)) yield items.with(i, smaller);
  }
}

function* withoutFields(object: Readonly<Record<string, unknown>>, type: string): Generator<unknown> {
  const required = REQUIRED[type] ?? {};
  for (const [field, value] of Object.entries(object)) {
    const { [field]: _, ...rest } = object;
    if (!(field in required)) yield rest;
    for (const smaller of without(value, KUBERNETES_FIELDS.types[type]?.[field] ?? '*')) {
      const isEmpty = typeof smaller === 'object' && Object.keys(smaller ?? {}).length === 0;
      if (!isEmpty) yield { ...object, [field]: smaller };
    }
  }
}
