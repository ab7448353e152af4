/** Objects that may make pods, but in which no pod can be judged, by kind. */
import { firstOf } from '../../operator/text/wording.ts';
import type { NotJudged } from './result.ts';

const NAMED = 20;

/** Counts them. */
export class NotJudgedObjects {
  readonly #kinds = new Map<string, { count: number; makesPods: true | null }>();

  readonly add = ({ kind, makesPods }: Pick<NotJudged, 'kind' | 'makesPods'>): void => {
    const { count } = this.#kinds.get(kind) ?? { count: 0 };
    this.#kinds.set(kind, { count: count + 1, makesPods });
  };

  get all(): NotJudged[] {
    return [...this.#kinds].map(([kind, one]) => ({ kind, ...one })).sort(podsFirst);
  }
}

/** Sorts kinds that are known to make pods first, then by name. */
function podsFirst(a: NotJudged, b: NotJudged): number {
  if (a.makesPods !== b.makesPods) return a.makesPods ? -1 : 1;
  return a.kind < b.kind ? -1 : 1;
}

/** A line for people for each reason; empty when there are none. */
export function notJudgedLines(notJudged: readonly NotJudged[]): string[] {
  const makePods = notJudged.filter(({ makesPods }) => makesPods);
  const unknown = notJudged.filter(({ makesPods }) => !makesPods);
  return [
    ...(makePods.length > 0 ? [`not judged, and their operators make pods: ${kindsText(makePods)}`] : []),
    ...(unknown.length > 0 ? [`not judged, no pod template found: ${kindsText(unknown)}`] : []),
  ];
}

/** `Prometheus.monitoring.coreos.com 3, Widget.example.com 1` */
function kindsText(kinds: readonly NotJudged[]): string {
  return firstOf(
    kinds.map(({ kind, count }) => `${kind} ${count}`),
    NAMED,
  );
}
