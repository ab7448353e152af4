/** The order in which reports list violations. */
import { severityRank } from '../rules/severity.ts';

interface Broken {
  readonly rule?: string;
  readonly container?: string;
}

/**
 * Compares violations. Violations that give more access to the node come first. Violations of one rule are sorted by
 * container.
 */
export function worstFirst(a: Broken, b: Broken): number {
  const [left, right] = [a, b].map(({ rule = '', container = '' }) => `${rule}\n${container}`) as [string, string];
  return severityRank(a.rule ?? '') - severityRank(b.rule ?? '') || (left < right ? -1 : left > right ? 1 : 0);
}
