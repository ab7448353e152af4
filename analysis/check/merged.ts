/** Merges equal violations of several policies into one violation. The merged violation names all of these policies. */
import type { Mode } from '../../operator/api/capability-policy.ts';
import { MODES } from '../../operator/policy/deciding.ts';
import { severityRank } from '../../operator/rules/severity.ts';
import { effectOf } from './effect.ts';

/** The fields that the violations of a check and of a status share. */
interface PolicyViolation {
  readonly policy: string;
  /** The mode in which the policy decides about the pod. */
  readonly mode: Mode;
  readonly rule: string;
  readonly message: string;
  readonly container?: string | null;
  readonly path?: string;
}

export interface MergedViolation<One extends PolicyViolation> {
  /** The first of the merged violations. */
  readonly first: One;
  /**
   * The message of the violation. If the policies accept different values, the message lists the accepted values of
   * each policy.
   */
  readonly message: string;
  /** The strictest mode of the policies that report the violation. */
  readonly mode: Mode;
  /** The policies that report the violation, sorted by mode. The strictest mode comes first. */
  readonly policies: readonly { readonly name: string; readonly mode: Mode }[];
}

/** Merges equal violations. The result is sorted by mode, the strictest first, and then by severity. */
export function mergeViolations<One extends PolicyViolation>(violations: readonly One[]): MergedViolation<One>[] {
  const groups = Map.groupBy(violations, ({ rule, container, path, message }) =>
    [rule, container ?? '', path ?? '', splitMessage(message).wrong].join('\n'),
  );
  return [...groups.values()]
    .map((group) => merged(group as [One, ...One[]]))
    .sort(
      (a, b) =>
        MODES.indexOf(a.mode) - MODES.indexOf(b.mode) || severityRank(a.first.rule) - severityRank(b.first.rule),
    );
}

/**
 * The names of the policies, for example `ping, restricted`. The names of policies with a less strict mode follow. Each
 * of these names has the effect of its policy's mode: `all (audited)`.
 */
export function policiesText({ mode, policies }: Pick<MergedViolation<PolicyViolation>, 'mode' | 'policies'>): string {
  return policies
    .map((one) => (one.mode === mode ? one.name : `${one.name} (${effectOf(one.mode).toLowerCase()})`))
    .join(', ');
}

function merged<One extends PolicyViolation>(group: readonly [One, ...One[]]): MergedViolation<One> {
  const sorted = group.toSorted((a, b) => MODES.indexOf(a.mode) - MODES.indexOf(b.mode));
  const strictest = new Map<string, Mode>();
  for (const { policy, mode } of sorted) if (!strictest.has(policy)) strictest.set(policy, mode);
  const policies = [...strictest].map(([name, mode]) => ({ name, mode }));
  const [first] = group;
  return { first, message: mergedMessage(group), mode: sorted[0]?.mode ?? first.mode, policies };
}

function mergedMessage(group: readonly [PolicyViolation, ...PolicyViolation[]]): string {
  const [{ message }] = group;
  if (group.every((one) => one.message === message)) return message;
  const byAccepted = Map.groupBy(group, (one) => splitMessage(one.message).allowed);
  const accepted = [...byAccepted].flatMap(([allowed, ones]) =>
    allowed === undefined ? [] : [`allowed by ${ones.map(({ policy }) => policy).join(', ')}: ${allowed}`],
  );
  return `${splitMessage(message).wrong} (${accepted.join('; ')})`;
}

/**
 * The text at the beginning of the list of accepted values. The list of accepted values is at the end of a rule's
 * message (operator/rules/).
 */
const ALLOWED = ' (allowed: ';

function splitMessage(message: string): { readonly wrong: string; readonly allowed: string | undefined } {
  const at = message.endsWith(')') ? message.lastIndexOf(ALLOWED) : -1;
  if (at < 0) return { wrong: message, allowed: undefined };
  return { wrong: message.slice(0, at), allowed: message.slice(at + ALLOWED.length, -1) };
}
