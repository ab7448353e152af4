/** Describes the map in words, for a cell, for screen readers, and for a spreadsheet. */
import { perObject } from '../../operator/policy/memo.ts';
import type { Cells } from './capability-map.ts';
import { meaningText } from './capability-words.ts';
import { COLUMNS, HELD, type Runtime } from './holding.ts';
import type { FilteredMap, MapRow } from './map-rows.ts';

/** A cell in words, such as `SYS_ADMIN: added, not allowed`. */
export function cellText({ how, allowed, refused, unused }: Cells, column: number): string {
  const { name } = COLUMNS[column] as (typeof COLUMNS)[number];
  const words = [
    WAYS[how[column] as number] ?? '',
    refused[column] ? 'not allowed' : allowed[column] ? 'allowed' : '',
    unused?.[column] ? 'unused' : '',
  ];
  return `${name}: ${words.filter((word) => word !== '').join(', ')}`;
}

const WAYS = ['not held', 'given by the runtime', 'added', 'held as privileged'];

/** A whole row in words, such as `added: NET_ADMIN; given by the runtime: CHOWN, KILL; not allowed: NET_ADMIN`. */
export const rowText = perObject((cells: Cells): string => {
  const names = (wanted: (column: number) => boolean) =>
    COLUMNS.flatMap(({ name }, column) => (wanted(column) ? [name] : []));
  const text = [HELD.privileged, HELD.added, HELD.byDefault]
    .map((way) => [WAYS[way], names((column) => cells.how[column] === way)] as const)
    .concat([
      ['not allowed', names((column) => cells.refused[column] === 1)],
      ['unused', names((column) => cells.unused?.[column] === 1)],
    ])
    .filter(([, some]) => some.length > 0)
    .map(([word, some]) => `${word}: ${some.length === COLUMNS.length ? 'all' : some.join(', ')}`)
    .join('; ');
  return text === '' ? 'holds no capability' : text;
});

export interface CellWords {
  readonly capability: string;
  /** Whether and why the workload or container holds the capability. */
  readonly here: string;
  /** Whether the deciding policies allow the capability. */
  readonly policy: string;
  /** The meaning of the capability. The text is the same in every row. */
  readonly meaning: string;
}

export function cellWords(row: MapRow, column: number, runtime: Runtime): CellWords {
  const capability = COLUMNS[column] as (typeof COLUMNS)[number];
  return {
    capability: capability.name,
    here: `${WAYS_IN_FULL[row.cells.how[column] as number]?.(runtime, row.level)}.${usedWords(row, column)}`,
    policy: policyWords(row, column),
    meaning: meaningText(capability),
  };
}

const SOME = [
  '',
  'A container here holds the capability: ',
  'A container of this workload holds the capability: ',
  'The container holds the capability: ',
];

const WAYS_IN_FULL: readonly ((runtime: Runtime, level: number) => string)[] = [
  (_, level) => (level === 3 ? 'The container does not hold the capability' : 'No container here holds the capability'),
  (runtime, level) => `${SOME[level]}${runtime} gives it, and nothing drops it`,
  (_, level) => `${SOME[level]}its manifest adds it`,
  (_, level) => `${SOME[level]}it is privileged, and so holds all capabilities`,
];

function usedWords({ cells: { how, unused }, level }: MapRow, column: number): string {
  if (!unused || how[column] === HELD.no) return '';
  if (unused[column]) return ' In the evidence, no process uses the capability.';
  return level === 3
    ? ' A process uses the capability.'
    : ' A process uses the capability, or a container has no evidence.';
}

function policyWords({ cells, namespace: { namespace } }: MapRow, column: number): string {
  const { deciding, limited, mode } = namespace;
  if (deciding.length === 0 || mode === undefined) return 'No policy decides here.';
  const name = deciding.length === 1 ? `Policy ${deciding[0]}` : `Policies ${deciding.join(', ')}`;
  if (!cells.allowed[column] || cells.refused[column])
    return `${name} (${mode}) ${deciding.length === 1 ? 'does' : 'do'} not allow the capability.`;
  const verb = deciding.length === 1 ? 'allows' : 'allow';
  return `${name} (${mode}) ${verb} the capability${limitedWords(limited, deciding)}.`;
}

/**
 * The map shows the capabilities that the rules of a policy allow. The verdict on a pod also depends on whether the
 * users of the pod may use the policy.
 */
function limitedWords(limited: readonly string[], deciding: readonly string[]): string {
  if (limited.length === 0) return '';
  const users = `for pods whose users may use the ${limited.length === 1 ? 'policy' : 'policies'}`;
  if (limited.length === deciding.length) return `, but only ${users}`;
  return `; ${limited.join(', ')} ${limited.length === 1 ? 'does' : 'do'} so only ${users}`;
}

/** Yields a row for each container. Each capability has a column. */
export function* csvRows({ namespaces }: FilteredMap): Generator<readonly string[]> {
  yield [
    'namespace',
    'state',
    'policies',
    'kind',
    'workload',
    'pods',
    'verdict',
    'container',
    ...COLUMNS.map(({ name }) => name),
  ];
  for (const { namespace, workloads } of namespaces) {
    for (const { kind, name, pods, verdict = '', content } of workloads) {
      for (const container of content.containers) {
        const cells = COLUMNS.map((_, column) => csvCell(container, column));
        const of = [namespace.name, namespace.state, namespace.deciding.join(' '), kind, name, String(pods), verdict];
        yield [...of, container.name, ...cells];
      }
    }
  }
}

const CSV_WAYS = ['', 'default', 'added', 'privileged'];

function csvCell({ how, refused, unused }: Cells, column: number): string {
  if (how[column] === HELD.no) return '';
  return `${CSV_WAYS[how[column] as number]}${refused[column] ? ', not allowed' : ''}${unused?.[column] ? ', unused' : ''}`;
}
