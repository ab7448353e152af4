/** The changes for running workloads if the candidate policies were applied beside or in place of the live ones. */
import type { NamespaceJudgement } from '../../../operator/evaluate/namespace.ts';
import type { WorkloadJudgement } from '../../../operator/evaluate/workload-judgement.ts';
import { MODES } from '../../../operator/policy/deciding.ts';
import { matches } from '../../../operator/policy/selector.ts';
import { isWorse, OUTCOMES, type Outcome, outcomeOf } from '../../output/outcome.ts';
import type { PolicyContext } from '../../policies/context.ts';
import type {
  ChangeCounts,
  ChangeKind,
  ChangeSummary,
  Changes,
  NamespaceChange,
  OutcomeCounts,
  RefusedIfEnforced,
  WorkloadChange,
} from './changes-result.ts';
import { checkedPolicies } from './checked.ts';
import type { CheckedViolation } from './result.ts';
import { violationsOf } from './running.ts';

interface ChangeInput {
  readonly candidates: readonly string[];
  /** The live policies; the live policies with the candidates; and the same with every candidate in mode Enforce. */
  readonly before: PolicyContext;
  readonly after: PolicyContext;
  readonly enforced: PolicyContext;
  /** The only namespace whose pods and workloads were read; undefined for all. */
  readonly namespace?: string | undefined;
}

export function changesOf({ candidates, before, after, enforced, namespace: only }: ChangeInput): Changes {
  const was = byNamespace(before.judgeCluster());
  const ifEnforced = byNamespace(enforced.judgeCluster());
  const all = [...after.judgeCluster(only)].map((now) => {
    const compared = compare(outcomesIn(was.get(now.namespace)), outcomesIn(now));
    const isFor = isCandidates(now.namespace, enforced, candidates);
    const refused = isFor ? refusedIn(ifEnforced.get(now.namespace)) : [];
    return { namespace: namespaceChange(now.namespace, compared, isFor, refused), compared };
  });
  const namespaces = all.map(({ namespace }) => namespace);
  return {
    policies: checkedPolicies(after),
    candidates,
    namespaces: namespaces.filter(isWorthTelling),
    changes: all.flatMap(({ compared }) => compared.flatMap(({ change }) => change ?? [])),
    summary: summaryOf(namespaces),
  };
}

function byNamespace(all: Iterable<NamespaceJudgement>): Map<string, NamespaceJudgement> {
  return new Map([...all].map((one) => [one.namespace, one]));
}

/** A workload in one cluster state. */
interface WorkloadOutcome {
  readonly workload: Pick<WorkloadJudgement, 'namespace' | 'kind' | 'name'>;
  readonly outcome: Outcome;
  /** The violations of the mode that has this outcome. */
  readonly violations: readonly CheckedViolation[];
}

/** By kind and name. Each mode is judged separately; the creator of the pod sees the worst outcome. */
function outcomesIn(judgement: NamespaceJudgement | undefined): Map<string, WorkloadOutcome> {
  const outcomes = new Map<string, WorkloadOutcome>();
  for (const mode of MODES) {
    for (const workload of judgement?.modes[mode]?.workloads ?? []) {
      const key = `${workload.kind}/${workload.name}`;
      const outcome = outcomeIn(mode, workload);
      const known = outcomes.get(key);
      if (known && !isWorse(outcome, known.outcome)) continue;
      outcomes.set(key, { workload, outcome, violations: outcome === 'Admitted' ? [] : violationsOf(workload) });
    }
  }
  return outcomes;
}

/** Only a refusal is marked with "perhaps". */
function outcomeIn(mode: (typeof MODES)[number], { verdict }: WorkloadJudgement): Outcome {
  if (verdict === 'Violating') return outcomeOf(mode);
  return verdict === 'Unknown' && mode === 'Enforce' ? 'Unknown' : 'Admitted';
}

/** A workload before and after. */
interface Compared {
  readonly before: Outcome;
  readonly after: Outcome;
  /** Null if nothing changes. */
  readonly change: WorkloadChange | null;
}

function compare(
  before: ReadonlyMap<string, WorkloadOutcome>,
  after: ReadonlyMap<string, WorkloadOutcome>,
): Compared[] {
  const workloads = new Map([...before, ...after].map(([key, { workload }]) => [key, workload]));
  return [...workloads.keys()].sort().map((key) => {
    const [then, now] = [before.get(key), after.get(key)];
    const { namespace, kind, name } = workloads.get(key) as WorkloadOutcome['workload'];
    const [was, is] = [then?.outcome ?? 'Admitted', now?.outcome ?? 'Admitted'];
    const fields = { namespace, kind, name, before: was, after: is, violations: now?.violations ?? [] };
    return { before: was, after: is, change: was === is ? null : { ...fields, change: changeKind(was, is) } };
  });
}

function changeKind(before: Outcome, after: Outcome): ChangeKind {
  if (after === 'Refused') return 'NewlyRefused';
  if (after === 'Unknown') return 'PerhapsRefused';
  return before === 'Refused' || before === 'Unknown' ? 'NewlyAdmitted' : 'ReportedOtherwise';
}

function refusedIn(judgement: NamespaceJudgement | undefined): RefusedIfEnforced[] {
  return (judgement?.modes.Enforce?.workloads ?? []).flatMap((workload) => {
    const outcome = outcomeIn('Enforce', workload);
    if (outcome !== 'Refused' && outcome !== 'Unknown') return [];
    const { kind, name } = workload;
    return [{ kind, name, outcome, violations: violationsOf(workload) }];
  });
}

function isCandidates(namespace: string, context: PolicyContext, candidates: readonly string[]): boolean {
  return context.compiled.policies.some(
    ({ name, selector }) => candidates.includes(name) && matches(selector, context.labelsOf(namespace)),
  );
}

function namespaceChange(
  namespace: string,
  compared: readonly Compared[],
  isFor: boolean,
  refusedIfEnforced: readonly RefusedIfEnforced[],
): NamespaceChange {
  const count = (kind: ChangeKind) => compared.filter(({ change }) => change?.change === kind).length;
  return {
    namespace,
    workloads: compared.length,
    newlyRefused: count('NewlyRefused'),
    perhapsRefused: count('PerhapsRefused'),
    newlyAdmitted: count('NewlyAdmitted'),
    reportedOtherwise: count('ReportedOtherwise'),
    unchanged: compared.filter(({ change }) => change === null).length,
    before: countsOf(compared.map(({ before }) => before)),
    after: countsOf(compared.map(({ after }) => after)),
    safeToEnforce: isFor ? refusedIfEnforced.length === 0 : null,
    refusedIfEnforced,
  };
}

function countsOf(outcomes: readonly Outcome[]): OutcomeCounts {
  const counts = OUTCOMES.map((outcome) => [outcome.toLowerCase(), outcomes.filter((one) => one === outcome).length]);
  return Object.fromEntries(counts) as OutcomeCounts;
}

function isWorthTelling({ workloads, unchanged, safeToEnforce }: NamespaceChange): boolean {
  return safeToEnforce !== null || unchanged < workloads;
}

function summaryOf(namespaces: readonly NamespaceChange[]): ChangeSummary {
  const sum = (field: keyof ChangeCounts) => namespaces.reduce((total, one) => total + one[field], 0);
  return {
    workloads: sum('workloads'),
    newlyRefused: sum('newlyRefused'),
    perhapsRefused: sum('perhapsRefused'),
    newlyAdmitted: sum('newlyAdmitted'),
    reportedOtherwise: sum('reportedOtherwise'),
    unchanged: sum('unchanged'),
    namespaces: namespaces.length,
    safeToEnforce: namespaces.filter(({ safeToEnforce }) => safeToEnforce === true).length,
    candidateNamespaces: namespaces.filter(({ safeToEnforce }) => safeToEnforce !== null).length,
  };
}
