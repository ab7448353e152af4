/**
 * Recognises rows in the live version of a program. After a restart, the operator does not know which rows an older
 * version has. The functions are pure.
 */
import { type Program, RULES_LABEL, TEXT_LABEL } from '../compile/program.ts';
import { PENDING } from '../compile/rows.ts';
import type { RenderedObject } from '../model/objects.ts';
import { arrayOf, objectOf } from '../model/raw.ts';
import { perObject } from '../policy/memo.ts';
import { pendingPartOf } from '../policy/parts.ts';
import { labelOf } from '../state/live.ts';
import { canonical } from './drift.ts';
import type { Text } from './in-force.ts';

/** The hash of a row that differs from the wanted row. No real row has this hash. */
const OTHER = 'other';

/**
 * The live version of a program with its rows. A row that equals the wanted row has the hash of the wanted row. The
 * result is undefined if the live version has other rules, or if its table cannot be read.
 */
export function liveTextOf({ name, kind, policy, rows, rulesHash }: Program, live: RenderedObject): Text | undefined {
  const hash = labelOf(live, TEXT_LABEL);
  const [wanted, found] = [tableIn(policy as unknown as RenderedObject), tableIn(live)];
  if (hash === undefined || labelOf(live, RULES_LABEL) !== rulesHash || wanted?.rules !== found?.rules)
    return undefined;
  if (!wanted || !found || ![...rows.keys()].every((id) => wanted.rows.has(id))) return undefined;
  const hashOf = (id: string, row: string) => (wanted.rows.get(id) === row && rows.get(id)) || OTHER;
  return { name, kind, hash, rulesHash, rows: new Map([...found.rows].map(([id, row]) => [id, hashOf(id, row)])) };
}

interface LiveTable {
  /** The spec without the table and without the hash, as canonical JSON. */
  readonly rules: string;
  /** All that the table says about a policy, as text. The key is the ID of the resolved policy. */
  readonly rows: ReadonlyMap<string, string>;
}

const TABLE = /^(levels|policies\d*|containerRows\d*|byName[a-z]?|byLabel\d+[a-z]?|bySelector\d*)$/;

const tableIn = perObject((object: RenderedObject): LiveTable | undefined => {
  try {
    return read(object);
  } catch {
    return undefined;
  }
});

function read({ spec, metadata }: RenderedObject): LiveTable | undefined {
  const { variables, ...rest } = objectOf(spec);
  const all = arrayOf(variables).map(objectOf) as { readonly name: string; readonly expression: string }[];
  const [table, others] = [all.filter(({ name }) => TABLE.test(name)), all.filter(({ name }) => !TABLE.test(name))];
  if (table.length === 0) return undefined;
  const named = (pattern: RegExp) => table.filter(({ name }) => pattern.test(name));
  const items = named(/^policies/).flatMap(({ expression }) => JSON.parse(expression) as Record<string, string[]>[]);
  const [levels = {}] = named(/^levels/).map(({ expression }) => JSON.parse(expression) as Record<string, unknown>);
  const entries = new Map(
    named(/^containerRows/).flatMap(({ expression }) =>
      expression.startsWith('[variables.')
        ? []
        : [JSON.parse(expression) as unknown].flat().flatMap((map) => Object.entries(objectOf(map))),
    ),
  );
  const selected = items.map((): string[] => []);
  for (const { name, expression } of named(/^by(Name|Label)/))
    for (const [value, positions] of Object.entries(JSON.parse(expression) as Record<string, number[]>))
      for (const position of positions) selected[position]?.push(`${name.replace(/[a-z]$/, '')} ${value}`);
  // The shape of the variables is part of the rules: the rest of the program reads the variables by their names.
  const shapes = table.map(({ name }) => name);
  for (const { name, expression } of named(/^bySelector/)) {
    const [, sets = '', lines = ''] =
      /^(\[[^\n]*\]\.map\(l, \[)\n(.*)\n\]\.filter\(i, i >= 0\)\)$/s.exec(expression) ?? [];
    if (lines === '') return undefined;
    shapes.push(`${name} ${sets}`);
    for (const line of lines.split(',\n')) {
      const [, condition = '', position = ''] = /^(?:(.*) \? )?(\d+)(?: : -1)?$/.exec(line) ?? [];
      if (position === '') return undefined;
      selected[Number(position)]?.push(`if ${condition}`);
    }
  }
  const hash = metadata.labels?.[TEXT_LABEL] ?? '';
  const rules = canonical({ ...rest, variables: others, shapes }).replaceAll(hash, '');
  const rows = items.map((row, i) => {
    const [name = ''] = row.name ?? [];
    const [level = ''] = row.level ?? [];
    const id = row.rollout?.[0] === PENDING ? pendingPartOf(name) : name;
    return [
      id,
      canonical([row, levels[level] ?? null, entries.get(name) ?? null, (selected[i] ?? []).sort()]),
    ] as const;
  });
  return { rules, rows: new Map(rows) };
}
