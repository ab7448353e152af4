/** Words for people: messages of a bounded size, and lists that stop after the first few. */
import type { WorkloadName } from '../evaluate/workloads.ts';

/** Characters that control a terminal or end a line: C0 and C1 controls, bidirectional controls, separators. */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu;

/**
 * One line that is safe to print. Names and values in messages are untrusted: they may contain terminal escape
 * sequences, line breaks, bidirectional controls and lone surrogates.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, ' ').toWellFormed();
}

/** One printable line of at most `limit` UTF-16 units, cut with an ellipsis. */
export function bounded(text: string, limit: number): string {
  const line = printable(text);
  return line.length <= limit ? line : `${line.slice(0, limit - 1).toWellFormed()}…`;
}

/** `a, b, c and 2 more` */
export function firstOf(items: readonly string[], count: number, separator = ', '): string {
  const rest = items.length - count;
  return items.slice(0, count).join(separator) + (rest > 0 ? ` and ${rest} more` : '');
}

/** `Deployment net/pinger` */
export function workloadText({ kind, namespace, name }: WorkloadName): string {
  return `${kind} ${namespace}/${name}`;
}

/** `1 workload`, `2 workloads`, `2 policies` */
export function counted(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : `${noun.replace(/y$/, 'ie')}s`}`;
}
