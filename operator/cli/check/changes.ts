/** What would change for what runs, if candidates stood beside or in place of the live policies. */
import type { Mode } from '../../api/capability-policy.ts';
import type { Cluster } from '../../cluster/objects.ts';
import type { ModeJudgement, NamespaceJudgement, WorkloadJudgement } from '../../evaluate/namespace.ts';
import { MODES } from '../../policy/deciding.ts';
import { matches } from '../../policy/selector.ts';
import type { Grounds } from './grounds.ts';
import type { CheckedPolicy, CheckedViolation, ItemVerdict } from './result.ts';
import { judgements, violationsOf } from './running.ts';

/** As `-o json` prints it. */
export interface Changes {
  /** The candidates, and the live policies that stay. */
  readonly policies: readonly CheckedPolicy[];
  readonly candidates: readonly string[];
  /** Those that a candidate selects, and those with changes. */
  readonly namespaces: readonly NamespaceChange[];
  /** What is refused or admitted otherwise than now; by namespace, kind and name. */
  readonly changes: readonly Change[];
  readonly summary: ChangeSummary;
}

export interface NamespaceChange {
  readonly namespace: string;
  readonly newlyRefused: number;
  readonly newlyAdmitted: number;
  readonly unchanged: number;
  /** With the candidates in mode Enforce, nothing that runs there would be refused; null where no candidate is for it. */
  readonly safeToEnforce: boolean | null;
}

export interface Change {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  /** In mode Enforce pods are refused; in Warn and Audit it is only said. */
  readonly mode: Mode;
  readonly change: 'NewlyRefused' | 'NewlyAdmitted';
  readonly before: ItemVerdict;
  readonly after: ItemVerdict;
  /** Of what is refused, why. */
  readonly violations: readonly CheckedViolation[];
}

export interface ChangeSummary {
  readonly newlyRefused: number;
  readonly newlyAdmitted: number;
  readonly unchanged: number;
  readonly namespaces: number;
  /** Of the namespaces that a candidate is for. */
  readonly safeToEnforce: number;
  readonly candidateNamespaces: number;
}

export interface ChangeInput {
  readonly cluster: Cluster;
  readonly candidates: readonly string[];
  /** The live policies; the same with the candidates; and that with every candidate in mode Enforce. */
  readonly before: Grounds;
  readonly after: Grounds;
  readonly enforced: Grounds;
}

export function changesOf({ cluster, candidates, before, after, enforced }: ChangeInput): Changes {
  const was = byNamespace(judgements(cluster, before));
  const ifEnforced = byNamespace(judgements(cluster, enforced));
  const all = [...judgements(cluster, after)].map((now) => {
    const then = was.get(now.namespace);
    const compared = MODES.flatMap((mode) => compareModes(mode, then?.modes[mode], now.modes[mode]));
    const safe = isCandidates(now.namespace, enforced, candidates)
      ? !(ifEnforced.get(now.namespace)?.modes.Enforce?.workloads ?? []).some(isViolating)
      : null;
    return {
      namespace: summarise(now.namespace, compared, safe),
      changes: compared.flatMap(({ change }) => change ?? []),
    };
  });
  const namespaces = all.map(({ namespace }) => namespace).filter(isWorthTelling);
  return {
    policies: after.policies,
    candidates,
    namespaces,
    changes: all.flatMap(({ changes }) => changes),
    summary: summaryOf(all.map(({ namespace }) => namespace)),
  };
}

function byNamespace(all: Iterable<NamespaceJudgement>): Map<string, NamespaceJudgement> {
  return new Map([...all].map((one) => [one.namespace, one]));
}

/** A workload as it was and as it would be, in one mode. */
interface Compared {
  readonly workload: string;
  /** Null where nothing changes. */
  readonly change: Change | null;
}

function compareModes(mode: Mode, before: ModeJudgement | undefined, after: ModeJudgement | undefined): Compared[] {
  const workloads = new Map(
    [...(before?.workloads ?? []), ...(after?.workloads ?? [])].map((one) => [keyOf(one), one]),
  );
  const then = new Map((before?.workloads ?? []).map((one) => [keyOf(one), one]));
  const now = new Map((after?.workloads ?? []).map((one) => [keyOf(one), one]));
  return [...workloads].map(([key, workload]) => ({
    workload: key,
    change: compare(mode, workload, then.get(key), now.get(key)),
  }));
}

function compare(
  mode: Mode,
  { namespace, kind, name }: WorkloadJudgement,
  before: WorkloadJudgement | undefined,
  after: WorkloadJudgement | undefined,
): Change | null {
  const was = before ? isViolating(before) : false;
  const is = after ? isViolating(after) : false;
  if (was === is) return null;
  return {
    namespace,
    kind,
    name,
    mode,
    change: is ? 'NewlyRefused' : 'NewlyAdmitted',
    before: before?.verdict ?? 'NotSelected',
    after: after?.verdict ?? 'NotSelected',
    violations: is && after ? violationsOf(after) : [],
  };
}

function keyOf({ kind, name }: WorkloadJudgement): string {
  return `${kind}/${name}`;
}

function isViolating({ verdict }: WorkloadJudgement): boolean {
  return verdict === 'Violating';
}

function isCandidates(namespace: string, grounds: Grounds, candidates: readonly string[]): boolean {
  return grounds.compiled.policies.some(
    ({ name, selector }) => candidates.includes(name) && matches(selector, grounds.labelsOf(namespace)),
  );
}

/** Each workload once, whatever the modes. */
function summarise(namespace: string, all: readonly Compared[], safeToEnforce: boolean | null): NamespaceChange {
  const changes = [...Map.groupBy(all, ({ workload }) => workload).values()].map((ofModes) =>
    ofModes.flatMap(({ change }) => change?.change ?? []),
  );
  const count = (change: Change['change']) => changes.filter((ofModes) => ofModes.includes(change)).length;
  return {
    namespace,
    newlyRefused: count('NewlyRefused'),
    newlyAdmitted: count('NewlyAdmitted'),
    unchanged: changes.filter((ofModes) => ofModes.length === 0).length,
    safeToEnforce,
  };
}

function isWorthTelling({ newlyRefused, newlyAdmitted, safeToEnforce }: NamespaceChange): boolean {
  return safeToEnforce !== null || newlyRefused + newlyAdmitted > 0;
}

function summaryOf(namespaces: readonly NamespaceChange[]): ChangeSummary {
  const sum = (field: 'newlyRefused' | 'newlyAdmitted' | 'unchanged') =>
    namespaces.reduce((total, one) => total + one[field], 0);
  return {
    newlyRefused: sum('newlyRefused'),
    newlyAdmitted: sum('newlyAdmitted'),
    unchanged: sum('unchanged'),
    namespaces: namespaces.length,
    safeToEnforce: namespaces.filter(({ safeToEnforce }) => safeToEnforce === true).length,
    candidateNamespaces: namespaces.filter(({ safeToEnforce }) => safeToEnforce !== null).length,
  };
}
