/**
 * Compares an old and a new status of a policy. Makes Events about workloads that begin to violate the policy, or that
 * no longer violate the policy.
 */
import type { CapabilityPolicyStatus, Mode, Violation } from '../api/capability-policy.ts';
import { worstFirst } from '../evaluate/severity.ts';
import { type WorkloadName, workloadText } from '../evaluate/workloads.ts';
import { counted, firstOf } from '../text/wording.ts';
import { type Happening, type Identity, type Regarding, regardingWorkload } from './events.ts';
import * as reasons from './reasons.ts';
import { isCut } from './violations.ts';

/** Finds the uid of a workload or pod. `kubectl describe` does not show an Event without the uid. */
export type FindIdentity = (workload: WorkloadName) => Identity | undefined;

/** The policy that the Events are about. */
interface Subject {
  readonly regarding: Regarding;
  /** The `spec.mode` of the policy. If a violation has no mode, the mode in the spec applies. */
  readonly mode: Mode;
}

const NAMED = 3;

/**
 * Makes the Events. A workload may violate an Audit or Warn policy although an exception of mode Enforce admits the
 * workload. If an exception admits the workload, the Event is not a warning. The exception would still admit the
 * workload if somebody enforced the Audit or Warn policy (docs/decisions/0014).
 */
export function violationHappenings(
  policy: Subject,
  before: CapabilityPolicyStatus,
  next: CapabilityPolicyStatus,
  findIdentity: FindIdentity,
): Happening[] {
  const [old, now] = [offendersOf(before), offendersOf(next)];
  const isNew = ({ name, admittedBy }: Offender) => {
    const known = old.get(workloadText(name));
    return known === undefined || (known.admittedBy === undefined) !== (admittedBy === undefined);
  };
  // If a workload is missing from a truncated list, or was not evaluated, the workload may still violate the policy.
  const begun = isWhole(before) ? [...now.values()].filter(isNew) : [];
  // A verdict Unknown does not end a violation. A workload whose evaluation has become too expensive does not count as
  // repaired.
  const left = new Set((next.violations ?? []).map(workloadText));
  const ended =
    isWhole(next) && isEvaluated(next) ? [...old].flatMap(([key, one]) => (left.has(key) ? [] : [one])) : [];
  const groups: [Turn, Offender[]][] = [
    [BEGUN, begun.filter(({ admittedBy }) => admittedBy === undefined)],
    [EXCEPTED, begun.filter(({ admittedBy }) => admittedBy !== undefined)],
    [ENDED, ended],
  ];
  return groups.flatMap(([turn, offenders]) =>
    [...Map.groupBy(offenders, ({ mode = policy.mode }) => mode)].flatMap(([mode, ofMode]) =>
      happeningsOf({ ...policy, mode }, ofMode, findIdentity, turn),
    ),
  );
}

/** A workload that a status lists as violating. */
interface Offender {
  readonly name: WorkloadName;
  /** The worst violation, and the number of violations that the status lists. */
  readonly worst: Violation;
  readonly count: number;
  /**
   * Whether the status may lack some violations of the workload, because the status had no room for more violations.
   */
  readonly cut: boolean;
  readonly admittedBy: string | undefined;
  /**
   * The policy's mode in the workload's namespace. A status that an earlier release wrote does not contain the mode.
   */
  readonly mode: Mode | undefined;
}

interface Turn {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  /** Returns the verb phrase of the Event's note. The phrase is for one workload or for several workloads. */
  readonly does: (policy: string, offenders: readonly Offender[]) => string;
  readonly tellsViolations: boolean;
}

const BEGUN: Turn = {
  type: 'Warning',
  reason: reasons.WORKLOAD_VIOLATES,
  does: (policy) => `violates ${policy}`,
  tellsViolations: true,
};
const EXCEPTED: Turn = {
  type: 'Normal',
  reason: reasons.EXCEPTION_ADMITS,
  does: (policy, offenders) => {
    const names = [...new Set(offenders.map(({ admittedBy = '' }) => `CapabilityPolicy ${admittedBy}`))].sort();
    return `violates ${policy} and is admitted by ${firstOf(names, NAMED)} (mode Enforce)`;
  },
  tellsViolations: true,
};
const ENDED: Turn = {
  type: 'Normal',
  reason: reasons.VIOLATION_ENDED,
  does: (policy) => `no longer violates ${policy}`,
  tellsViolations: false,
};

/**
 * Makes one Event about each workload that still exists, and one Event about the policy. The Event about the policy
 * lists the first few workloads. The policy has the same mode in the namespaces of all given workloads.
 */
function happeningsOf(
  { regarding: policy, mode }: Subject,
  offenders: readonly Offender[],
  findIdentity: FindIdentity,
  { type, reason, does, tellsViolations }: Turn,
): Happening[] {
  if (offenders.length === 0) return [];
  const common = { type, reason, action: 'Evaluate' };
  const names = firstOf(
    offenders.map(({ name }) => workloadText(name)),
    NAMED,
  );
  const subject = offenders.length === 1 ? names : `each of ${counted(offenders.length, 'workload')} (${names})`;
  const details = (of: readonly Offender[]) => (tellsViolations ? `: ${violationsText(of)}` : '');
  const ofWorkloads = offenders.flatMap((offender): Happening[] => {
    const identity = findIdentity(offender.name);
    const note = `${does(`CapabilityPolicy ${policy.name} (mode ${mode})`, [offender])}${details([offender])}`;
    if (!identity?.uid) return [];
    return [{ ...common, regarding: regardingWorkload(offender.name, identity), related: policy, note }];
  });
  const note = `${subject} ${does(`the policy (mode ${mode})`, offenders)}${details(offenders)}`;
  return [{ ...common, regarding: policy, note }, ...ofWorkloads];
}

/**
 * The violations as text, such as `capabilities: container "app" must not add capability SYS_ADMIN (allowed: none); 2
 * more violations`.
 */
function violationsText(offenders: readonly Offender[]): string {
  const [{ worst, name }] = [...offenders].sort((a, b) => worstFirst(a.worst, b.worst)) as [Offender];
  const where = offenders.length === 1 ? '' : `${workloadText(name)}: `;
  const more = offenders.reduce((sum, { count }) => sum + count, 0) - 1;
  const cut = offenders.some((one) => one.cut);
  const rest =
    more === 0
      ? cut
        ? '; more violations'
        : ''
      : `; ${cut ? 'at least ' : ''}${more} more ${more === 1 ? 'violation' : 'violations'}`;
  return `${where}${worst.rule ?? ''}: ${worst.message ?? ''}${rest}`;
}

/** The workloads that a status lists as violating. The key is the text of the workload's name. */
function offendersOf(status: CapabilityPolicyStatus): Map<string, Offender> {
  const violating = (status.violations ?? []).filter(({ verdict }) => verdict === 'Violating');
  const cut = isCut(status.violations ?? []);
  const last = status.violations?.at(-1);
  const offenders = [...Map.groupBy(violating, workloadText)].map(([key, all]): [string, Offender] => {
    const [worst] = [...all].sort(worstFirst) as [Violation];
    const { kind, namespace, name, admittedBy, mode } = worst;
    // The last workload may have more violations than the status lists. The other workloads do not have more violations
    // than the status lists.
    return [
      key,
      { name: { kind, namespace, name }, worst, count: all.length, cut: cut && all.at(-1) === last, admittedBy, mode },
    ];
  });
  return new Map(offenders);
}

function isWhole({ violations = [], violationsTotal = 0 }: CapabilityPolicyStatus): boolean {
  return new Set(violations.map(workloadText)).size === violationsTotal;
}

function isEvaluated({ conditions = [] }: CapabilityPolicyStatus): boolean {
  return conditions.find(({ type }) => type === 'Compliant')?.reason !== reasons.NOT_EVALUATED;
}
