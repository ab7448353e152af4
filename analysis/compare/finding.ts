/** The findings about a policy: mistakes that the policies of its set show. */

/** The kinds of findings, in the order in which those of one policy are listed. */
export const FINDING_KINDS = [
  /** The policy decides about no pod. */
  'decides-nowhere',
  /** The rules of the policy contradict each other. */
  'admits-nothing',
  /** The rules of the policy contradict each other for every pod that is not for Windows. */
  'admits-only-windows',
  /** Other policies admit the same pods, in the same namespaces, for the same users. */
  'same',
  /** Other policies of the same priority admit every pod that the policy admits. */
  'opens-nothing',
  /** Without the policy, policies of a lower priority admit the same pods. */
  'redundant',
  /** The rollout of the policy cannot end. */
  'endless-rollout',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** A statement about a policy that is proved. */
export interface Finding {
  readonly kind: FindingKind;
  readonly policy: string;
  /** The other policies that are the reason. */
  readonly others: readonly string[];
  /** The rules that contradict each other; only for `admits-nothing` and `admits-only-windows`. */
  readonly rules: readonly string[];
  /** One sentence about `this policy`: what is wrong, and what to do. */
  readonly message: string;
}

/** A question that was not decided. Nothing is claimed about the policy. */
export interface OpenQuestion {
  readonly policy: string;
  /** The finding that may be missing. */
  readonly kind: FindingKind;
  /** The reason, in one sentence. */
  readonly message: string;
}

/** The kind of a finding in words: `decides nowhere`. */
export function kindText(kind: FindingKind): string {
  return kind.replaceAll('-', ' ');
}

/** A finding in one sentence that names its policy. */
export function findingText({ policy, message }: Finding): string {
  return `CapabilityPolicy ${policy}: ${message}`;
}

/** A question that was not decided, in one sentence. */
export function openQuestionText({ policy, kind, message }: OpenQuestion): string {
  return `policy ${policy}, ${kindText(kind)}: ${message}`;
}

/** The names of policies in a sentence: `policy a`, or `policies a, b and c`. */
export function policiesText(names: readonly string[]): string {
  return names.length === 1 ? `policy ${names[0]}` : `policies ${listed(names)}`;
}

/** Names in a sentence: `a, b and c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
