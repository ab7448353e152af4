/**
 * Makes the fields of a policy's status that are about workloads. The input has the verdicts in the namespaces where
 * the policy decides.
 */
import type { CapabilityPolicyStatus, Mode, Violation } from '../api/capability-policy.ts';
import { addedText } from '../evaluate/injected.ts';
import type { NamespaceVerdicts } from '../evaluate/namespace.ts';
import { violationsBy } from '../evaluate/verdict.ts';
import type { Violation as BrokenRule } from '../evaluate/violations.ts';
import { isTooExpensive, type WorkloadVerdict } from '../evaluate/workload-verdict.ts';
import { valuesByKey } from '../model/by-key.ts';
import type { Area } from '../policy/coverage.ts';
import { bounded } from '../text/printable.ts';

export interface NotAdmitted extends WorkloadVerdict {
  /**
   * The policy's mode in the workload's namespace. The mode differs from spec.mode in a namespace where the policy is
   * pending.
   */
  readonly mode: Mode;
}

export interface WorkloadReport {
  readonly counts: Required<NonNullable<CapabilityPolicyStatus['workloads']>>;
  /** The workloads that are not admitted. The workload with the worst violation comes first. */
  readonly notAdmitted: readonly NotAdmitted[];
  /**
   * Counts the workloads in `notAdmitted` that have the verdict Unknown because their evaluation is too expensive.
   */
  readonly tooExpensive: number;
  /** Counts the workloads in `notAdmitted` whose pods were refused before the policies changed. */
  readonly refusedEarlier: number;
  /** The first violations of the workloads in `notAdmitted`. The list has as many violations as fit into the status. */
  readonly violations: readonly Violation[];
}

const MOST_ENTRIES = 64;
const MOST_BYTES = 32 * 1024;
const MESSAGE_LENGTH = 512;
const ORIGIN_LENGTH = 256;
/**
 * The maximum size in bytes of one entry of the list. The size counts the names, the rule and the message, with JSON
 * escapes.
 */
const LARGEST_ENTRY = 4 * 1024;

/**
 * @param name the policy's name
 * @param areas the namespaces where the policy decides, with their verdicts
 * @returns undefined until every namespace has been evaluated with this policy among the deciding policies. In a
 * partial report, a workload that was not evaluated would look repaired
 */
export function reportWorkloads(
  name: string,
  areas: readonly Area[],
  verdicts: ReadonlyMap<string, NamespaceVerdicts>,
): WorkloadReport | undefined {
  const places = areas.flatMap(({ mode, namespaces }) => namespaces.map((namespace) => ({ mode, namespace })));
  const evaluated = places.flatMap(({ mode, namespace }) => {
    const result = verdicts.get(namespace);
    const ofMode = result?.modes[mode];
    return ofMode?.deciding.includes(name) ? [{ mode, ofMode }] : [];
  });
  if (evaluated.length < places.length) return undefined;
  const count = evaluated.reduce((sum, { ofMode }) => sum + ofMode.workloads.length, 0);
  const notAdmitted = evaluated
    .flatMap(({ mode, ofMode }) =>
      ofMode.workloads.flatMap((one): NotAdmitted[] => (one.verdict === 'Compliant' ? [] : [{ ...one, mode }])),
    )
    .sort(worstFirst);
  const violating = notAdmitted.filter(({ verdict }) => verdict === 'Violating').length;
  return {
    counts: { evaluated: count, violating, unknown: notAdmitted.length - violating },
    notAdmitted,
    tooExpensive: notAdmitted.filter(isTooExpensive).length,
    refusedEarlier: notAdmitted.filter(({ refused }) => refused === 'ByOthers').length,
    violations: entries(name, notAdmitted),
  };
}

/**
 * Returns as many violations as fit into the status. For each workload, each rule and each container, there is at most
 * one violation.
 */
function entries(policy: string, notAdmitted: readonly NotAdmitted[]): Violation[] {
  const kept: Violation[] = [];
  let bytes = 0;
  for (const workload of notAdmitted) {
    for (const broken of entriesOf(workload, violationsBy(policy, workload.violations))) {
      const entry = { ...broken, mode: workload.mode };
      bytes += Buffer.byteLength(JSON.stringify(entry)) + 1;
      if (kept.length === MOST_ENTRIES || bytes > MOST_BYTES) return kept;
      kept.push(entry);
    }
  }
  return kept;
}

/** Whether the list of violations in a status may be truncated. */
export function isCut(violations: readonly Violation[]): boolean {
  const bytes = Buffer.byteLength(JSON.stringify(violations));
  return violations.length >= MOST_ENTRIES || bytes > MOST_BYTES - LARGEST_ENTRY;
}

/**
 * The violations of a workload, sorted by rule and container. There is one violation for each rule and container. The
 * length of messages is limited.
 */
export function entriesOf(workload: WorkloadVerdict, broken: readonly BrokenRule[]): Violation[] {
  const groups = Map.groupBy(broken, ({ rule, container }) => `${rule}\n${container ?? ''}`);
  return valuesByKey(groups).map((group) => {
    const [{ rule, container }] = group as [BrokenRule];
    const messages = [...new Set(group.map(({ message }) => message))].sort();
    const origin = originText(workload, container);
    return {
      kind: bounded(workload.kind, 63),
      namespace: bounded(workload.namespace, 63),
      name: bounded(workload.name, 253),
      verdict: workload.verdict === 'Unknown' ? 'Unknown' : 'Violating',
      ...(workload.admittedBy === undefined ? {} : { admittedBy: bounded(workload.admittedBy, 253) }),
      pods: workload.pods,
      rule: bounded(rule, 128),
      ...(container === undefined ? {} : { container: bounded(container, 63) }),
      message: bounded(messages.join('; '), MESSAGE_LENGTH - origin.length) + origin,
    };
  });
}

/** Says that the workload's template lacks the container of a violation. Otherwise, the text is empty. */
export function originText(workload: WorkloadVerdict, container: string | undefined): string {
  const added = workload.added?.filter(({ name }) => name === container) ?? [];
  return added.length === 0 ? '' : bounded(`; ${addedText(added, workload)}`, ORIGIN_LENGTH);
}

function worstFirst(a: WorkloadVerdict, b: WorkloadVerdict): number {
  if (a.verdict !== b.verdict) return a.verdict === 'Violating' ? -1 : 1;
  // Workloads that lack pods now come first, because they may be down.
  if (a.refused !== b.refused) return a.refused ? -1 : 1;
  if (a.pods !== b.pods) return b.pods - a.pods;
  const [left, right] = [a, b].map(({ kind, namespace, name }) => `${kind}\n${namespace}\n${name}`) as [string, string];
  return left < right ? -1 : left > right ? 1 : 0;
}
