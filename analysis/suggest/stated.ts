/**
 * Makes a policy from single overrides and their paths. Also makes the part of a policy that an Evaluator reads to
 * check a single rule.
 */
import type { CapabilityPolicyOverrides, UsableBy } from '../../operator/api/capability-policy.ts';
import { completeSpec } from '../../operator/api/defaults.ts';
import { overridesOf } from '../../operator/api/overrides.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../operator/policy/resolve.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Rule, Stated } from '../../operator/rules/rule.ts';
import { formatVersion, type Standard } from '../../operator/standards/level-version.ts';

/** An entry for `spec.containers`. */
export interface StatedContainers {
  readonly names: readonly string[];
  /** The images that the containers must have. If the containers may have any image, the field is absent. */
  readonly images?: readonly string[];
  readonly stated: Stated;
}

/** A policy that selects every namespace and has the given overrides. */
export function resolvedBy(
  stated: Stated,
  standard: Standard,
  usableBy: UsableBy = 'Everyone',
  byContainer: readonly StatedContainers[] = [],
): ResolvedPolicy {
  const { level, minor, server } = standard;
  const containers = byContainer.map(({ names, images, stated: own }) => ({
    names: [...names],
    ...(images && { images: [...images] }),
    overrides: overridesOf(own),
  }));
  const overrides = overridesOf(stated);
  const levelVersion = formatVersion(minor);
  const spec = completeSpec({ namespaceSelector: {}, level, levelVersion, overrides, usableBy, containers });
  const resolution = resolvePolicy({ metadata: {}, spec }, server);
  if ('policy' in resolution) return resolution.policy;
  throw new Error(resolution.refusal.message);
}

/** Returns the part of a policy that an Evaluator reads to check a single rule. */
export function policyChecksFor(
  rule: Rule,
  stated: Stated,
  standard: Standard,
): Pick<ResolvedPolicy, 'checks' | 'filledChecks'> {
  const checks = [{ rule: rule.id, checks: rule.checks(rule.value(overridesOf(stated), standard), standard) }];
  return { checks, filledChecks: checks };
}

/** The single overrides of a policy. The key is the path. `statedBy` is the inverse of `overridesOf`. */
export function statedBy(overrides: CapabilityPolicyOverrides): Stated {
  const entries = Object.entries(overrides).flatMap(([id, value]): (readonly [string, unknown])[] => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[id, value]];
    const fields = Object.entries(value).map(([field, own]) => ({ path: `${id}.${field}`, field, own }));
    const single = fields.filter(({ path }) => isByField(id) || RULES.some((rule) => rule.id === path));
    const together = fields.filter((one) => !single.includes(one));
    return [
      ...(together.length > 0
        ? [[id, Object.fromEntries(together.map(({ field, own }) => [field, own]))] as const]
        : []),
      ...single.map(({ path, own }) => [path, own] as const),
    ];
  });
  return Object.fromEntries(entries);
}

/** Whether suggestions write each field of an override separately, such as `sysctls.allowed`. */
function isByField(id: string): boolean {
  return ['runtimeClasses', 'sysctls'].includes(id) || RULES.some((rule) => rule.id === id && rule.byField);
}
