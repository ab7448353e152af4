/** Merges the same violation of several policies into one, with all policies that it violates. */
import type { Mode } from '../../operator/api/capability-policy.ts';
import { MODES } from '../../operator/policy/deciding.ts';
import { severityRank } from '../../operator/rules/severity.ts';
import { outcomeOf } from './outcome.ts';

/** The fields that the violations of a check and of a status share. */
interface PolicyViolation {
  readonly policy: string;
  readonly rule: string;
  readonly message: string;
  readonly container?: string | null;
  readonly path?: string;
}

export interface MergedViolation<One extends PolicyViolation> {
  /** The first policy's violation. */
  readonly first: One;
  /** The violation, and each policy's accepted values where they differ. */
  readonly message: string;
  /** The strictest mode of those policies. */
  readonly mode: Mode;
  /** Sorted by mode, the strictest first. */
  readonly policies: readonly { readonly name: string; readonly mode: Mode }[];
}

export type Modes = ReadonlyMap<string, Mode>;

export function modesOf(policies: readonly { readonly name: string; readonly mode: Mode }[]): Modes {
  return new Map(policies.map(({ name, mode }) => [name, mode]));
}

/** Sorts by mode, the strictest first, and then by severity. */
export function mergeViolations<One extends PolicyViolation>(
  violations: readonly One[],
  modes: Modes,
): MergedViolation<One>[] {
  const groups = Map.groupBy(violations, ({ rule, container, path, message }) =>
    [rule, container ?? '', path ?? '', splitMessage(message).wrong].join('\n'),
  );
  return [...groups.values()]
    .map((group) => merged(group as [One, ...One[]], modes))
    .sort(
      (a, b) =>
        MODES.indexOf(a.mode) - MODES.indexOf(b.mode) || severityRank(a.first.rule) - severityRank(b.first.rule),
    );
}

/** `ping, restricted`; and after those of the strictest mode `all (audited)`. */
export function policiesText({ mode, policies }: Pick<MergedViolation<PolicyViolation>, 'mode' | 'policies'>): string {
  return policies
    .map((one) => (one.mode === mode ? one.name : `${one.name} (${outcomeOf(one.mode).toLowerCase()})`))
    .join(', ');
}

function merged<One extends PolicyViolation>(group: readonly [One, ...One[]], modes: Modes): MergedViolation<One> {
  const [first] = group;
  const names = [...new Set(group.map(({ policy }) => policy))];
  const policies = names
    .map((name) => ({ name, mode: modes.get(name) ?? 'Enforce' }))
    .sort((a, b) => MODES.indexOf(a.mode) - MODES.indexOf(b.mode));
  return { first, message: mergedMessage(group), mode: policies[0]?.mode ?? 'Enforce', policies };
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

/** The end of each rule's message that lists accepted values: operator/rules/. */
const ALLOWED = ' (allowed: ';

function splitMessage(message: string): { readonly wrong: string; readonly allowed: string | undefined } {
  const at = message.endsWith(')') ? message.lastIndexOf(ALLOWED) : -1;
  if (at < 0) return { wrong: message, allowed: undefined };
  return { wrong: message.slice(0, at), allowed: message.slice(at + ALLOWED.length, -1) };
}
