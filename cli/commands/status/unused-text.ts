/** Prints the grants that no workload needs. For each grant, the text says since when no workload needs the grant. */
import { WHOLE } from '../../../operator/evaluate/namespace-needs.ts';
import { bounded } from '../../../operator/text/printable.ts';
import { tableText } from '../../output/table.ts';
import type { Terminal } from '../../output/terminal.ts';
import type { PolicyView, UnusedView } from './view.ts';

const HEAD = ['POLICY', 'UNUSED GRANT', 'SINCE'];
/** The maximum number of grants that are printed for a policy. `-o json` has all grants. */
const MOST = 10;

export function unusedText(policies: readonly PolicyView[], terminal: Terminal): string {
  const rows = policies.flatMap(({ name, unusedGrants }) => {
    const shown = unusedGrants.slice(0, MOST).map((one) => [name, grantText(one), one.since ?? 'now']);
    const more = unusedGrants.length - shown.length;
    return more > 0 ? [...shown, [name, `and ${more} more`, '']] : shown;
  });
  return rows.length === 0 ? '' : tableText(HEAD, rows, { terminal });
}

/** @returns a text such as `spec.overrides.capabilities.allowedAdd: NET_RAW` */
export function grantText({ path, entry }: Pick<UnusedView, 'path' | 'entry'>): string {
  if (path === WHOLE) return 'the whole exception';
  return bounded(entry === undefined ? path : `${path}: ${entry}`, 512);
}
