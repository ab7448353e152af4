/** Evidence of several files or nodes → one. Neither the order of records nor how they are split matters. */
import type { CapabilityUse, ContainerWatch, Evidence, ObservedContainer, UseExample } from './use.ts';

/** Sums the counts of equal uses; sorted by container, capability, outcome and noise. */
export function mergeEvidence(parts: readonly Evidence[]): Evidence {
  const uses = new Map<string, CapabilityUse>();
  for (const use of parts.flatMap((part) => part.uses)) {
    const key = JSON.stringify([...keyOf(use), use.capability, use.outcome, use.noise ?? '']);
    const before = uses.get(key);
    uses.set(key, before ? mergedUse(before, use) : use);
  }
  const watches = new Map<string, ContainerWatch>();
  for (const watch of parts.flatMap((part) => part.watches)) {
    const key = JSON.stringify([
      ...keyOf(watch),
      watch.instance ?? '',
      watch.from,
      watch.to,
      watch.started,
      watch.lost ?? 0,
    ]);
    watches.set(key, watch);
  }
  return { uses: sortedByKey(uses), watches: sortedByKey(watches) };
}

/** Identifies the container. */
export function keyOf({ namespace, workload, pod = '', container }: ObservedContainer): string[] {
  return [namespace, workload?.kind ?? '', workload?.name ?? '', pod, container];
}

function mergedUse(a: CapabilityUse, b: CapabilityUse): CapabilityUse {
  const { first: _first, last: _last, example: _example, ...rest } = a;
  const first = least(a.first, b.first, (one) => one);
  const last = greatest(a.last, b.last);
  const example = least(a.example, b.example, exampleText);
  return {
    ...rest,
    count: a.count + b.count,
    ...(first !== undefined && { first }),
    ...(last !== undefined && { last }),
    ...(example && { example }),
  };
}

function exampleText({ command, callSite = '' }: UseExample): string {
  return JSON.stringify([command, callSite]);
}

function least<Value>(a: Value | undefined, b: Value | undefined, textOf: (value: Value) => string) {
  if (a === undefined || b === undefined) return a ?? b;
  return textOf(b) < textOf(a) ? b : a;
}

function greatest(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? b : a;
}

function sortedByKey<Value>(byKey: ReadonlyMap<string, Value>): Value[] {
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
