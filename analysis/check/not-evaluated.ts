/**
 * Counts and describes objects that may make pods, if these pods cannot be evaluated. The objects are grouped by kind.
 */
import { firstOf } from '../../operator/text/wording.ts';
import type { NotEvaluated } from './result.ts';

const NAMED = 20;

/** Counts, by kind, the objects that could not be evaluated. */
export class NotEvaluatedObjects {
  readonly #kinds = new Map<string, { count: number; makesPods: true | null }>();

  readonly add = ({ kind, makesPods }: Pick<NotEvaluated, 'kind' | 'makesPods'>): void => {
    const { count } = this.#kinds.get(kind) ?? { count: 0 };
    this.#kinds.set(kind, { count: count + 1, makesPods });
  };

  get all(): NotEvaluated[] {
    return [...this.#kinds].map(([kind, one]) => ({ kind, ...one })).sort(podsFirst);
  }
}

/** Sorts the kinds by name. The kinds that are known to make pods come before all other kinds. */
function podsFirst(a: NotEvaluated, b: NotEvaluated): number {
  if (a.makesPods !== b.makesPods) return a.makesPods ? -1 : 1;
  return a.kind < b.kind ? -1 : 1;
}

/**
 * The lines about objects that were not evaluated, as shown to users. Each reason has one line. The list is empty if
 * all objects were evaluated.
 */
export function notEvaluatedLines(notEvaluated: readonly NotEvaluated[]): string[] {
  const makePods = notEvaluated.filter(({ makesPods }) => makesPods);
  const unknown = notEvaluated.filter(({ makesPods }) => !makesPods);
  return [
    ...(makePods.length > 0 ? [`not evaluated, and their operators make pods: ${kindsText(makePods)}`] : []),
    ...(unknown.length > 0 ? [`not evaluated, no pod template found: ${kindsText(unknown)}`] : []),
  ];
}

/** The kinds, each with its number of objects: `Prometheus.monitoring.coreos.com 3, Widget.example.com 1`. */
function kindsText(kinds: readonly NotEvaluated[]): string {
  return firstOf(
    kinds.map(({ kind, count }) => `${kind} ${count}`),
    NAMED,
  );
}
