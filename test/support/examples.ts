/** Values of policies that tests take from the examples of the rules. */
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import type { Example } from '../../operator/rules/example.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Rule } from '../../operator/rules/rule.ts';
import { offers } from '../../operator/standards/server-features.ts';

/**
 * The overrides in the examples of a rule. The CEL of a rule may differ between forms of overrides. In this case, the
 * examples contain each form once.
 */
export function overridesIn({ examples }: Rule): CapabilityPolicyOverrides[] {
  return examples.map(({ overrides }) => overrides);
}

/** The first example of a rule that refuses a pod. Users see the same example. */
export function restricting({ id, examples }: Rule): Example {
  const found = examples.find(({ refuses }) => refuses.length > 0);
  if (!found) throw new Error(`no example of ${id} refuses a pod`);
  return found;
}

/**
 * Whether API servers of v1.`server` accept the examples of the rule. Some API servers do not have all fields of the
 * examples.
 */
export function isAcceptedBy(server: number, { examples, needs }: Rule): boolean {
  const all = examples.flatMap(({ overrides }) => needs?.(overrides) ?? []);
  return all.every(({ feature, without }) => without !== 'NotAccepted' || offers(server, feature));
}

/** One value for each rule. With its value, each rule refuses at least one pod. */
export const EVERYTHING_RESTRICTED: CapabilityPolicyOverrides = merged(RULES.map((one) => restricting(one).overrides));

/**
 * Merges overrides. Two rules may share a field of `overrides`. If two rules share a field, each of the two rules sets
 * another part of the field.
 */
function merged(all: readonly CapabilityPolicyOverrides[]): CapabilityPolicyOverrides {
  const overrides: Record<string, unknown> = {};
  for (const [field, value] of all.flatMap((one) => Object.entries<unknown>(one))) {
    overrides[field] = isParts(value) ? { ...(overrides[field] as object | undefined), ...value } : value;
  }
  return overrides;
}

function isParts(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
