/** Lists the policies of a snapshot as rows. The counts equal the counts of `cappol status`. */
import { GOOD_IF_TRUE, readiness } from '../../analysis/policies/condition-problems.ts';
import type { Snapshot, SnapshotPolicy } from '../../analysis/snapshot/document.ts';
import type { Condition, Mode } from '../../operator/api/capability-policy.ts';
import { exceptions } from './exceptions.ts';
import { isEvaluated } from './namespaces.ts';

export interface PolicyRow {
  readonly policy: SnapshotPolicy;
  /** The level and its version as text, such as `restricted v1.36`. */
  readonly level: string;
  /** The differences between the policy and its level, in words. */
  readonly exceptions: readonly string[];
  /** The number of namespaces in which the policy decides now, and the number of namespaces that the policy selects. */
  readonly namespaces: { readonly deciding: number; readonly selected: number };
  readonly workloads: { readonly evaluated: number; readonly violating: number; readonly unknown: number };
  readonly state: PolicyState;
}

/** The state of the policy in one word. If the policy is not in force, the word is the reason. */
export interface PolicyState {
  readonly word:
    | 'In force'
    | 'Expired'
    | 'Not accepted'
    | 'Coming into force'
    | 'Not in force'
    | 'Not seen by an operator';
  readonly tone: 'good' | 'critical' | 'warning' | 'quiet';
  /** The message of the condition that determines the word for the state. */
  readonly message: string;
}

/** The rows of the list, sorted by the name of the policy. */
export function policyRows(snapshot: Snapshot): PolicyRow[] {
  const counts = countsByPolicy(snapshot);
  const isLive = isEvaluated(snapshot);
  return snapshot.policies.map((policy) => {
    const { spec, status, name } = policy;
    const own = counts.get(name) ?? { deciding: 0, evaluated: 0, violating: 0, unknown: 0 };
    const { selected = 0, deciding = 0 } = status.namespaces ?? {};
    const { evaluated = 0, violating = 0, unknown = 0 } = status.workloads ?? {};
    return {
      policy,
      level: `${spec.level}${spec.levelVersion === 'latest' ? '' : ` ${spec.levelVersion}`}`,
      exceptions: exceptions(spec),
      // If the user may not read pods, the page knows only the numbers in the operator's last report.
      namespaces: { deciding: isLive ? own.deciding : deciding, selected: Math.max(selected, own.deciding) },
      workloads: isLive ? own : { evaluated, violating, unknown },
      state: stateOf(policy, Date.parse(snapshot.taken)),
    };
  });
}

/** If the address contains the value `not-ready`, the list of policies shows all policies that are not Ready. */
export const NOT_READY = 'not-ready';

/** @param wanted NOT_READY, or the word of a state. If `wanted` is empty, every policy matches */
export function isInState({ policy, state }: PolicyRow, wanted: string): boolean {
  if (wanted === NOT_READY) return readiness(policy.status) !== 'True';
  return wanted === '' || state.word === wanted;
}

interface Counts {
  deciding: number;
  evaluated: number;
  violating: number;
  unknown: number;
}

function countsByPolicy({ namespaces }: Snapshot): Map<string, Counts> {
  const counts = new Map<string, Counts>();
  for (const { deciding, verdicts } of namespaces) {
    for (const [mode, policies] of Object.entries(deciding) as [Mode, readonly string[]][]) {
      const ofMode = verdicts.filter((one) => one.mode === mode);
      const violating = ofMode.filter(({ verdict }) => verdict === 'Violating').length;
      const unknown = ofMode.filter(({ verdict }) => verdict === 'Unknown').length;
      for (const policy of policies) {
        const own = counts.get(policy) ?? { deciding: 0, evaluated: 0, violating: 0, unknown: 0 };
        counts.set(policy, own);
        own.deciding += 1;
        own.evaluated += ofMode.length;
        own.violating += violating;
        own.unknown += unknown;
      }
    }
  }
  return counts;
}

function stateOf({ spec, status, generation }: SnapshotPolicy, now: number): PolicyState {
  const { conditions = [], observedGeneration } = status;
  const condition = (type: string) => conditions.find((one) => one.type === type);
  const is = (type: string, wanted: Condition['status']) => condition(type)?.status === wanted;
  if (spec.expires !== undefined && Date.parse(spec.expires) <= now)
    return { word: 'Expired', tone: 'quiet', message: condition('Expired')?.message ?? '' };
  if (conditions.length === 0)
    return {
      word: 'Not seen by an operator',
      tone: 'warning',
      message: 'No operator has written the status of the policy.',
    };
  if (is('Accepted', 'False'))
    return { word: 'Not accepted', tone: 'critical', message: condition('Accepted')?.message ?? '' };
  if (is('Reconciling', 'True') || (observedGeneration ?? generation) < generation)
    return { word: 'Coming into force', tone: 'warning', message: condition('Reconciling')?.message ?? '' };
  const { message = '' } = condition('Ready') ?? {};
  return is('Ready', 'True')
    ? { word: 'In force', tone: 'good', message }
    : { word: 'Not in force', tone: 'critical', message };
}

/**
 * The types of conditions, in the order in which the page shows them. The condition types at the beginning are the
 * summaries for kstatus. After the summaries, a condition comes later than all conditions on which the condition
 * depends.
 */
const ORDER = [
  'Ready',
  'Reconciling',
  'Stalled',
  'Accepted',
  'Programmed',
  'Compliant',
  'LabelConflict',
  'LabelRefused',
  'UseLimitExceeded',
  'Expired',
  'Protected',
];
/** Conditions that are only observations. The policy works even if one of these conditions reports a problem. */
const OBSERVATIONS = ['Protected', 'Compliant', 'Expired', 'LabelConflict', 'LabelRefused', 'UseLimitExceeded'];

export interface ShownCondition extends Condition {
  readonly tone: 'good' | 'critical' | 'warning' | 'unknown';
}

export function shownConditions(conditions: readonly Condition[]): ShownCondition[] {
  const rank = ({ type }: Condition) => (ORDER.includes(type) ? ORDER.indexOf(type) : ORDER.length);
  return conditions
    .toSorted((a, b) => rank(a) - rank(b))
    .map((condition) => ({ ...condition, tone: toneOf(condition) }));
}

function toneOf({ type, status }: Condition): ShownCondition['tone'] {
  if (status === 'Unknown') return 'unknown';
  if ((status === 'True') === GOOD_IF_TRUE.includes(type)) return 'good';
  return OBSERVATIONS.includes(type) || type === 'Reconciling' ? 'warning' : 'critical';
}
