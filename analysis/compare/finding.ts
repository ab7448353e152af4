/** The findings about a policy. A finding is a mistake that is visible in the policies of one set. */

/** The kinds of findings. The findings about one policy are listed in this order. */
export const FINDING_KINDS = [
  /** The policy decides about no pod in any namespace. */
  'decides-nowhere',
  /** The rules of the policy contradict each other. */
  'admits-nothing',
  /** The rules of the policy contradict each other for every pod that is not for Windows. */
  'admits-only-windows',
  /** Other policies admit the same pods, in the same namespaces and for the same users. */
  'same',
  /** Other policies of the same priority admit every pod that the policy admits. */
  'opens-nothing',
  /** Without the policy, policies of a lower priority admit the same pods. */
  'redundant',
  /** The rollout of the policy cannot end. */
  'endless-rollout',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** A proven statement about a policy. */
export interface Finding {
  readonly kind: FindingKind;
  readonly policy: string;
  /** The names of the other policies that are the reason for the finding. */
  readonly others: readonly string[];
  /**
   * The IDs of the rules that contradict each other. Only `admits-nothing` and `admits-only-windows` have IDs of
   * contradicting rules.
   */
  readonly rules: readonly string[];
  /** One sentence about `this policy`. The sentence names the mistake and the remedy. */
  readonly message: string;
}

/**
 * An undecided question about a policy, or about all policies. An undecided question is not a finding, because an
 * undecided question makes no claim about the policies.
 */
export interface OpenQuestion {
  /** If absent, the question is about all policies. */
  readonly policy?: string;
  /** The kind of the finding that may be missing. If absent, findings of all kinds may be missing. */
  readonly kind?: FindingKind;
  /** The reason why the question was not decided, in one sentence. */
  readonly message: string;
}

/** The kind of a finding in words, such as `decides nowhere`. */
export function kindText(kind: FindingKind): string {
  return kind.replaceAll('-', ' ');
}

/** A finding in one sentence. The sentence names the policy. */
export function findingText({ policy, message }: Finding): string {
  return `CapabilityPolicy ${policy}: ${message}`;
}

/** Describes an undecided question in one sentence. */
export function openQuestionText({ policy, kind, message }: OpenQuestion): string {
  return policy === undefined || kind === undefined ? message : `policy ${policy}, ${kindText(kind)}: ${message}`;
}

/** The names of policies as a part of a sentence, such as `policy a`, or `policies a, b and c`. */
export function policiesText(names: readonly string[]): string {
  return names.length === 1 ? `policy ${names[0]}` : `policies ${listed(names)}`;
}

/** Names as a part of a sentence, such as `a, b and c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
