/**
 * Makes a policy from single overrides, as rules state them by path, and gives the verdicts of one rule under this
 * policy.
 */
import { GROUP, KIND, type UsableBy, VERSION } from '../../operator/api/capability-policy.ts';
import { completeSpec } from '../../operator/api/defaults.ts';
import { overridesOf } from '../../operator/api/overrides.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../operator/policy/resolve.ts';
import type { Rule, Stated } from '../../operator/rules/rule.ts';
import { formatVersion, type Standard } from '../../operator/standards/level-version.ts';

/** A policy for every namespace, with the given overrides. */
export function resolvedBy(
  stated: Stated,
  standard: Standard,
  usableBy: UsableBy = 'Everyone',
  byContainer: readonly { readonly names: readonly string[]; readonly stated: Stated }[] = [],
): ResolvedPolicy {
  const { level, minor, server } = standard;
  const containers = byContainer.map((entry) => ({ names: [...entry.names], overrides: overridesOf(entry.stated) }));
  const overrides = overridesOf(stated);
  const levelVersion = formatVersion(minor);
  const spec = completeSpec({ namespaceSelector: {}, level, levelVersion, overrides, usableBy, containers });
  const resolution = resolvePolicy({ apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: {}, spec }, server);
  if ('policy' in resolution) return resolution.policy;
  throw new Error(resolution.refusal.message);
}

/** The part of a policy with which an Evaluator applies only one rule. */
export function policyChecksFor(
  rule: Rule,
  stated: Stated,
  standard: Standard,
): Pick<ResolvedPolicy, 'checks' | 'filledChecks'> {
  const checks = [{ rule: rule.id, checks: rule.checks(rule.value(overridesOf(stated), standard), standard) }];
  return { checks, filledChecks: checks };
}
