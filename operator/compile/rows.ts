/**
 * Turns a policy into a row of a program's table. The row has the columns in which the policy differs from its level.
 * The row therefore shows the policy's overrides. The values of the levels are constants of the program.
 */
import { formatTime, NEVER } from '../policy/expiry.ts';
import { perObject } from '../policy/memo.ts';
import { evaluatesFilled, isPendingPart, splitSelector } from '../policy/parts.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { RULES } from '../rules/index.ts';
import type { Columns } from '../rules/values.ts';
import { formatVersion, type Standard } from '../standards/level-version.ts';

/** A row of a table, of the CEL type map(string, list(string)). */
export type Row = Readonly<Record<string, readonly string[]>>;

/** The values of the column `rollout`, for the pending part and the enforced part of a policy. */
export const PENDING = 'pending';
export const ENFORCED = 'enforced';

interface Level {
  /** The level and version, such as `restricted:v1.25`. */
  readonly key: string;
  readonly columns: Columns;
}

/**
 * The key of a level and version in the table of levels. Many versions of a level have the same columns, so these
 * versions share one key. The key names the oldest of these versions. With a key for each version, the levels would be
 * longer than an API server accepts for one expression.
 */
export const levelKey = (standard: Standard): string => levelOf(standard).key;

/** The columns of a level without overrides: all columns that a rule reads. */
export const levelColumns = (standard: Standard): Columns => levelOf(standard).columns;

function levelOf(standard: Standard): Level {
  const known = JSON.stringify(standard);
  const found = LEVELS.get(known) ?? oldestLike(standard);
  LEVELS.set(known, found);
  return found;
}

const LEVELS = new Map<string, Level>();

/** The oldest version that has the same columns as the version of `standard`. */
function oldestLike(standard: Standard): Level {
  const columns = columnsAt(standard);
  const text = JSON.stringify(columns);
  const older = Array.from({ length: standard.minor }, (_, minor) => ({ ...standard, minor }));
  const like = older.find((one) => JSON.stringify(levelColumns(one)) === text);
  return like ? levelOf(like) : { key: `${standard.level}:${formatVersion(standard.minor)}`, columns };
}

function columnsAt(standard: Standard): Columns {
  return columnsOf(Object.fromEntries(RULES.map((r) => [r.id, r.value({}, standard)])), standard);
}

function columnsOf(values: Readonly<Record<string, unknown>>, standard: Standard): Columns {
  return Object.assign({}, ...RULES.map((rule) => rule.columns(values[rule.id], standard)));
}

export const rowOf: (policy: ResolvedPolicy) => Row = perObject((policy) => {
  const { name, standard, priority, usableBy, expires, defaulting, seccompChanges, id, selector } = policy;
  const { label } = splitSelector(selector);
  return {
    name: [name],
    level: [levelKey(standard)],
    ...(priority !== 0 && { priority: [`${priority}`] }),
    // The authorizer has to allow the use of the policy with this name.
    ...(usableBy !== 'Everyone' && { use: [name] }),
    ...(expires !== NEVER && { expires: [formatTime(expires)] }),
    ...(label !== undefined && { rollout: [isPendingPart(id) ? PENDING : ENFORCED] }),
    ...(evaluatesFilled(policy) && { defaulting: [defaulting ? 'Enabled' : 'Later'] }),
    ...(seccompChanges && { seccompChanges: ['Yes'] }),
    ...(policy.containers.length > 0 && { containers: [name] }),
    // The bounds for the size of a pod apply only to policies that restrict anything.
    ...(policy.checks.length === 0 && { unrestricted: ['Yes'] }),
    ...exceptions(columnsOf(policy.values, standard), standard),
  };
});

/**
 * The entries of `spec.containers`. Each entry is a row. The row has the names of the containers, the rules that get
 * another value from the entry, and the new values.
 */
export const entriesOf: (policy: ResolvedPolicy) => readonly Row[] = perObject(({ containers, values, standard }) =>
  containers.map((entry, index) => ({
    index: [`${index}`],
    names: entry.names,
    ...(entry.images && { images: entry.images }),
    rules: Object.keys(entry.values),
    ...exceptions(columnsOf({ ...values, ...entry.values }, standard), standard),
  })),
);

function exceptions(columns: Columns, standard: Standard): Row {
  const own = levelColumns(standard);
  return Object.fromEntries(
    Object.entries(columns).filter(([name, items]) => JSON.stringify(items) !== JSON.stringify(own[name])),
  );
}

/** The columns of rules that have the same value in all policies and all entries of `spec.containers`. */
export function commonColumns(policies: readonly ResolvedPolicy[]): Columns {
  const stated = new Set(policies.flatMap((policy) => [rowOf(policy), ...entriesOf(policy)].flatMap(Object.keys)));
  const levels = new Map(policies.map(({ standard }) => [levelKey(standard), levelColumns(standard)]));
  const [first = {}, ...others] = levels.values();
  return Object.fromEntries(
    Object.entries(first).filter(([name, items]) => {
      const text = JSON.stringify(items);
      return !stated.has(name) && others.every((one) => JSON.stringify(one[name]) === text);
    }),
  );
}
