/** Objects that may make pods, but in which no pod can be evaluated, by kind. */
import { firstOf } from '../../operator/text/wording.ts';
import type { NotEvaluated } from './result.ts';

const NAMED = 20;

/** Counts objects that could not be evaluated, by kind. */
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

/** Sorts kinds that are known to make pods first, then by name. */
function podsFirst(a: NotEvaluated, b: NotEvaluated): number {
  if (a.makesPods !== b.makesPods) return a.makesPods ? -1 : 1;
  return a.kind < b.kind ? -1 : 1;
}

/** One line for people for each reason; empty if all objects were evaluated. */
export function notEvaluatedLines(notEvaluated: readonly NotEvaluated[]): string[] {
  const makePods = notEvaluated.filter(({ makesPods }) => makesPods);
  const unknown = notEvaluated.filter(({ makesPods }) => !makesPods);
  return [
    ...(makePods.length > 0 ? [`not evaluated, and their operators make pods: ${kindsText(makePods)}`] : []),
    ...(unknown.length > 0 ? [`not evaluated, no pod template found: ${kindsText(unknown)}`] : []),
  ];
}

/** The kinds with their numbers of objects: `Prometheus.monitoring.coreos.com 3, Widget.example.com 1` */
function kindsText(kinds: readonly NotEvaluated[]): string {
  return firstOf(
    kinds.map(({ kind, count }) => `${kind} ${count}`),
    NAMED,
  );
}
