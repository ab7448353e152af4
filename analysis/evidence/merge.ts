/**
 * Merges the evidence of several files or nodes. The result does not depend on the order of the records, or on how the
 * records are divided among the files.
 */
import { valuesByKey } from '../../operator/model/by-key.ts';
import type { CapabilityUse, ContainerWatch, Evidence, ObservedContainer, UseExample } from './use.ts';

/** Adds up records one by one. As a result, memory holds each distinct check only once. */
export class EvidenceSum {
  readonly #uses = new Map<string, CapabilityUse>();
  readonly #watches = new Map<string, ContainerWatch>();

  addUse(use: CapabilityUse): void {
    const key = JSON.stringify([...keyOf(use), use.capability, use.outcome, use.noise ?? '']);
    const before = this.#uses.get(key);
    this.#uses.set(key, before ? mergedUse(before, use) : use);
  }

  /** A watch that occurs in two files counts once. */
  addWatch(watch: ContainerWatch): void {
    const { instance = '', from, to, started, lost = 0 } = watch;
    this.#watches.set(JSON.stringify([...keyOf(watch), instance, from, to, started, lost]), watch);
  }

  add({ uses, watches }: Evidence): void {
    for (const use of uses) this.addUse(use);
    for (const watch of watches) this.addWatch(watch);
  }

  /** The sum of all records, sorted by container, capability, outcome and noise. */
  get total(): Evidence {
    return { uses: valuesByKey(this.#uses), watches: valuesByKey(this.#watches) };
  }
}

/** Sums the counts of equal uses. */
export function mergeEvidence(parts: readonly Evidence[]): Evidence {
  const sum = new EvidenceSum();
  for (const part of parts) sum.add(part);
  return sum.total;
}

/** A key that identifies the container. */
function keyOf({ namespace, workload, pod = '', container }: ObservedContainer): string[] {
  return [namespace, workload?.kind ?? '', workload?.name ?? '', pod, container];
}

function mergedUse(a: CapabilityUse, b: CapabilityUse): CapabilityUse {
  const { first: _first, last: _last, example: _example, ...rest } = a;
  return { ...rest, ...bothSeen(a, b) };
}

/** How often a check occurred, and when it occurred first and last. */
export type Seen = Pick<CapabilityUse, 'count' | 'first' | 'last' | 'example'>;

export function bothSeen(a: Seen, b: Seen): Seen {
  const first = least(a.first, b.first, (one) => one);
  const last = greatest(a.last, b.last);
  const example = least(a.example, b.example, exampleText);
  return {
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
