/** What would change, for people: as a table, and as Markdown for a pull request. */
import { tableText } from '../table.ts';
import type { Change, ChangeSummary, Changes, NamespaceChange } from './changes.ts';
import { itemName } from './reporter.ts';

/** GitHub refuses comments of more than 65,536 characters. */
const MARKDOWN_ROWS = 200;

export function changesTable({ candidates, changes, namespaces, summary }: Changes): string {
  const rows = changes.map((one) => [changeName(one), itemName(one), one.mode, why(one)]);
  const changed = rows.length === 0 ? '' : `${tableText(['CHANGE', 'WORKLOAD', 'MODE', 'WHY'], rows)}\n`;
  const spaces = namespaces.length === 0 ? '' : `${tableText(NAMESPACE_HEAD, namespaces.map(namespaceRow))}\n`;
  return `${changed}${spaces}${summaryLine(candidates, summary)}\n`;
}

export function changesMarkdown({ candidates, changes, namespaces, summary }: Changes): string {
  const shown = changes.slice(0, MARKDOWN_ROWS);
  const more = changes.length - shown.length;
  return [
    `### CapabilityPolicy: what would change`,
    summaryLine(
      candidates.map((name) => `\`${name}\``),
      summary,
    ),
    ...markdownTable(
      ['', 'Workload', 'Mode', 'Why'],
      shown.map((one) => [changeName(one), `\`${itemName(one)}\``, one.mode, why(one)]),
    ),
    ...(more > 0 ? [`… and ${more} more`] : []),
    ...details('Namespaces', markdownTable(NAMESPACE_HEAD, namespaces.slice(0, MARKDOWN_ROWS).map(namespaceRow))),
  ]
    .join('\n\n')
    .concat('\n');
}

const NAMESPACE_HEAD = ['NAMESPACE', 'NEWLY REFUSED', 'NEWLY ADMITTED', 'UNCHANGED', 'SAFE TO ENFORCE'];

function namespaceRow({ namespace, newlyRefused, newlyAdmitted, unchanged, safeToEnforce }: NamespaceChange): string[] {
  const safe = safeToEnforce === null ? '' : safeToEnforce ? 'yes' : 'no';
  return [namespace, String(newlyRefused), String(newlyAdmitted), String(unchanged), safe];
}

function changeName({ change }: Change): string {
  return change === 'NewlyRefused' ? 'newly refused' : 'newly admitted';
}

function why({ violations }: Change): string {
  return violations.map(({ policy, rule, message }) => `${policy}: ${rule}: ${message}`).join('; ');
}

function summaryLine(candidates: readonly string[], summary: ChangeSummary): string {
  const { newlyRefused, newlyAdmitted, unchanged, safeToEnforce, candidateNamespaces } = summary;
  const safe = `safe to enforce in ${safeToEnforce} of ${candidateNamespaces} namespaces`;
  return `${candidates.join(', ')}: ${newlyRefused} newly refused, ${newlyAdmitted} newly admitted, ${unchanged} unchanged; ${safe}`;
}

/** None for no rows. */
function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');
}

function details(title: string, contents: readonly string[]): string[] {
  return contents.length === 0 ? [] : [`<details><summary>${title}</summary>`, ...contents, '</details>'];
}
