/** Prints a migration as JSON, or as a table with counts. */
import type { Migration, Note } from '../../../analysis/migrate/migrate.ts';
import { fieldPath } from '../../../analysis/schema/paths.ts';
import { jsonText } from '../../../analysis/text/printable-values.ts';
import { valueAt } from '../../../operator/model/raw.ts';
import { bounded } from '../../../operator/text/printable.ts';
import { counted } from '../../../operator/text/wording.ts';
import { tableText } from '../../output/table.ts';
import type { Terminal } from '../../output/terminal.ts';

/** The maximum length of a source field in a comment of the YAML, in characters. */
export const LONGEST = 200;
const LONGEST_VALUE = 80;
const LONGEST_NOTE = 1000;

/** A List that can be applied. kubectl ignores its two additional fields `notes` and `origins`. */
export function listText({ policies, rbac, notes, origins }: Migration): string {
  const list = { apiVersion: 'v1', kind: 'List', items: [...policies, ...rbac], notes, origins };
  return `${jsonText(list)}\n`;
}

/**
 * A table with each field of the policies and its source field. Below the table, the text has the notes on the source
 * fields.
 */
export function reportText(migration: Migration, terminal: Terminal): string {
  const { policies, origins } = migration;
  const lines = policies.flatMap(({ metadata, spec }) =>
    Object.entries(origins[metadata?.name ?? ''] ?? {}).map(([path, from]) => [
      metadata?.name ?? '',
      path.replace(/^spec\.(?:overrides\.)?/, ''),
      from,
      bounded(valueText(valueAt({ spec }, fieldPath(path))), LONGEST_VALUE),
    ]),
  );
  const notes = migration.notes.map(({ object, field, value, text, exact }) => [
    object,
    field,
    bounded(valueText(value), LONGEST_VALUE),
    exact ? 'yes' : 'no',
    text,
  ]);
  return [
    ...(lines.length > 0 ? [tableText(['POLICY', 'FIELD', 'FROM', 'VALUE'], lines, { terminal }), '\n'] : []),
    ...(notes.length > 0
      ? [tableText(['OBJECT', 'FIELD', 'VALUE', 'EXACT', 'WHAT HAPPENS'], notes, { terminal }), '\n']
      : []),
    countsText(migration),
  ].join('');
}

/** The counts of a migration as text: `1 policy, 2 bindings; 3 notes, 1 of them on what has no exact counterpart`. */
export function countsText({ policies, rbac, notes }: Migration): string {
  const inexact = notes.filter(({ exact }) => !exact).length;
  const what = `${counted(policies.length, 'policy')}, ${counted(rbac.length, 'binding')}`;
  return `${what}; ${counted(notes.length, 'note')}, ${inexact} of them on fields and values without an exact counterpart\n`;
}

/** A note as one line of text. */
export function noteText({ object, field, value, text }: Note): string {
  return bounded(`${object}: ${field}: ${bounded(valueText(value), LONGEST_VALUE)}: ${text}`, LONGEST_NOTE);
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
