/**
 * Asks the policies that decide in a namespace whether they admit a use. The use is about a capability, or about the
 * subject of a rule.
 */
import type { Mode } from '../../operator/api/capability-policy.ts';
import { type Candidate, type EvaluationContext, evaluate, violationsBy } from '../../operator/evaluate/verdict.ts';
import type { NamespaceView, PodContent } from '../../operator/model/objects.ts';
import { deciding, MODES } from '../../operator/policy/deciding.ts';
import { formatTime, NEVER } from '../../operator/policy/expiry.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { PolicyState } from '../../operator/state/policy-state.ts';
import type { Use } from './uses.ts';

/** The decision of the policies in mode Enforce. NoPolicy: no policy in mode Enforce decides. */
export type Admission = 'Admitted' | 'Refused' | 'Unknown' | 'NoPolicy';

export interface PolicyAnswer {
  readonly policy: string;
  /** The mode in which the policy decides in the namespace. */
  readonly mode: Mode;
  /**
   * Admits: the policy admits the pod. Refuses: the policy refuses the pod because of this use. RefusesOtherwise: the
   * policy would admit this use, but refuses the pod because of other rules. Unknown: the decision depends on whether
   * the pod's creator may use the policy, and the creator is not known.
   */
  readonly answer: 'Admits' | 'Refuses' | 'RefusesOtherwise' | 'Unknown';
  /** The time at which the policy expires; absent for a policy that does not expire. */
  readonly expires?: string;
  /** `spec.reason` of the policy. The text says why the policy exists. */
  readonly reason?: string;
  /** The messages of the policy about this use. The field exists only for the answer Refuses. */
  readonly messages?: readonly string[];
  /** The IDs of the rules that the pod breaks. The field exists only for the answer RefusesOtherwise. */
  readonly rules?: readonly string[];
}

/** The policies that decide in a namespace. The policies of mode Enforce come first. */
export type Deciders = readonly ResolvedPolicy[];

export function decidersIn(namespace: NamespaceView, state: PolicyState): Deciders {
  if (!state.isReached(namespace)) return [];
  const selecting = state.selecting(namespace.name);
  return MODES.flatMap((mode) => deciding(selecting, mode, state.effectiveLabels(namespace)));
}

export function admissionOf(candidate: Candidate, deciders: Deciders, evaluation: EvaluationContext): Admission {
  const enforcing = deciders.filter(({ mode }) => mode === 'Enforce');
  if (enforcing.length === 0) return 'NoPolicy';
  const { verdict } = evaluate(candidate, enforcing, evaluation);
  return ADMISSIONS[verdict];
}

const ADMISSIONS = { Compliant: 'Admitted', Violating: 'Refused', Unknown: 'Unknown' } as const;

/** @param reasonOf returns `spec.reason` of a policy */
export function answerOf(
  policy: ResolvedPolicy,
  asked: { readonly use: Use; readonly candidate: Candidate },
  evaluation: EvaluationContext,
  reasonOf: (policy: string) => string | undefined,
): PolicyAnswer {
  const reason = reasonOf(policy.name);
  return {
    policy: policy.name,
    mode: policy.mode,
    ...saidOf(policy, asked, evaluation),
    ...(policy.expires !== NEVER && { expires: formatTime(policy.expires) }),
    ...(reason !== undefined && { reason }),
  };
}

function saidOf(
  policy: ResolvedPolicy,
  { use, candidate }: { readonly use: Use; readonly candidate: Candidate },
  evaluation: EvaluationContext,
): Pick<PolicyAnswer, 'answer' | 'messages' | 'rules'> {
  const { verdict, violations } = evaluate(candidate, [policy], evaluation);
  if (verdict === 'Compliant') return { answer: 'Admits' };
  const broken = violationsBy(policy.name, violations);
  const of = (content: PodContent) =>
    violationsBy(policy.name, evaluate({ ...candidate, content }, [policy], evaluation).violations);
  const messages = use.refusals(broken, of).map(({ message }) => message);
  if (messages.length > 0) return { answer: 'Refuses', messages };
  if (verdict === 'Unknown') return { answer: 'Unknown' };
  return { answer: 'RefusesOtherwise', rules: [...new Set(broken.map(({ rule }) => rule))] };
}
