/** A draft is a proposed exception for some workloads. If there are too many drafts, some drafts are merged. */
import type { Stated } from '../../operator/rules/rule.ts';
import type { Level } from '../../operator/standards/level-version.ts';
import type { Workload } from './workloads.ts';

export interface Draft {
  readonly level: Level;
  readonly stated: Stated;
  readonly workloads: readonly Workload[];
  readonly serviceAccounts: readonly string[];
  /** Whether the draft combines the needs of several workloads. */
  readonly merged: boolean;
}

interface Merging {
  /** Whether the API server accepts one policy for each of the drafts in one namespace. */
  haveRoom(drafts: readonly Draft[]): boolean;
  /** Combines two drafts into one draft that has the needs of both drafts. */
  join(a: Draft, b: Draft): Draft;
}

/** The API's limit for the number of subjects of a policy. */
const MOST_SUBJECTS = 20;

/**
 * Merges drafts until the API server accepts one policy for each remaining draft. Each step chooses two drafts, and
 * replaces them by one merged draft. A merged draft gives service accounts additional values. The step chooses the two
 * drafts with the fewest additional values in the merged draft.
 *
 * @returns the drafts, in the order of their first workloads. No draft has more service accounts than the API accepts
 */
export function merge(drafts: readonly Draft[], { haveRoom, join }: Merging): Draft[] {
  let left = [...drafts];
  const opens = remembered(opened);
  while (left.length > 1 && !haveRoom(left.flatMap(inParts))) {
    const [a, b] = cheapest(left, opens);
    left = [...left.filter((draft) => draft !== a && draft !== b), join(a, b)];
  }
  return left.flatMap(inParts).sort((a, b) => (firstOf(a) < firstOf(b) ? -1 : 1));
}

export function withOwnersOf(draft: Draft, other: Draft): Draft {
  return { ...draft, ...ownersOf([...draft.workloads, ...other.workloads]) };
}

export function ownersOf(workloads: readonly Workload[]): Pick<Draft, 'workloads' | 'serviceAccounts'> {
  const serviceAccounts = [...new Set(workloads.flatMap((workload) => workload.serviceAccounts))].sort();
  return { workloads: [...workloads].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)), serviceAccounts };
}

function inParts(draft: Draft): Draft[] {
  const { serviceAccounts, workloads } = draft;
  if (serviceAccounts.length <= MOST_SUBJECTS) return [draft];
  const parts = Array.from({ length: Math.ceil(serviceAccounts.length / MOST_SUBJECTS) }, (_, i) =>
    serviceAccounts.slice(i * MOST_SUBJECTS, (i + 1) * MOST_SUBJECTS),
  );
  return parts.map((part) => ({
    ...draft,
    serviceAccounts: part,
    workloads: workloads.filter((workload) => workload.serviceAccounts.some((account) => part.includes(account))),
  }));
}

function cheapest(drafts: readonly Draft[], opens: typeof opened): readonly [Draft, Draft] {
  const pairs = drafts.flatMap((a, i) => drafts.slice(i + 1).map((b) => [a, b] as const));
  return pairs.reduce((best, pair) => (opens(pair[0], pair[1]) < opens(best[0], best[1]) ? pair : best));
}

/** The number of values that service accounts may use only because the two drafts are merged. */
function opened(a: Draft, b: Draft): number {
  const accounts = new Set([...a.serviceAccounts, ...b.serviceAccounts]);
  const values = new Set([...valuesOf(a), ...valuesOf(b)]);
  const granted = [...accounts].map((account) => {
    const own = [a, b].filter(({ serviceAccounts }) => serviceAccounts.includes(account));
    return new Set(own.flatMap(valuesOf)).size;
  });
  return accounts.size * values.size - granted.reduce((sum, count) => sum + count, 0);
}

function valuesOf({ level, stated }: Draft): string[] {
  const values = Object.entries(stated).flatMap(([path, value]) =>
    (Array.isArray(value) ? value : [value]).map((entry) => `${path}: ${JSON.stringify(entry)}`),
  );
  return [`level: ${level}`, ...values];
}

function remembered(count: typeof opened): typeof opened {
  const known = new WeakMap<Draft, WeakMap<Draft, number>>();
  return (a, b) => {
    const ofA = known.get(a) ?? new WeakMap<Draft, number>();
    known.set(a, ofA);
    const number = ofA.get(b) ?? count(a, b);
    ofA.set(b, number);
    return number;
  };
}

function firstOf({ workloads, serviceAccounts }: Draft): string {
  return JSON.stringify([workloads.map(keyOf), serviceAccounts]);
}

function keyOf({ name: { kind, name } }: Workload): string {
  return `${kind}/${name}`;
}
