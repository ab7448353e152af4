/** Single overrides by path, as rules state them → the API's form of them, and one rule's verdicts under them. */
import { type CapabilityPolicyOverrides, GROUP, KIND, type UsableBy, VERSION } from '../api/capability-policy.ts';
import { completeSpec } from '../api/defaults.ts';
import { type ResolvedPolicy, resolvePolicy } from '../policy/resolve.ts';
import type { Rule, Stated } from '../rules/rule.ts';
import { formatVersion, type Standard } from '../standards/level-version.ts';

/** In the API's form: `seccomp.types` below `seccomp`. */
export function overridesOf(stated: Stated): CapabilityPolicyOverrides {
  const overrides: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(stated)) {
    const [field = '', inner] = path.split('.');
    overrides[field] = inner === undefined ? value : { ...(overrides[field] as object), [inner]: value };
  }
  return overrides;
}

/** The policy with these overrides, for every namespace. */
export function resolvedBy(stated: Stated, standard: Standard, usableBy: UsableBy = 'Everyone'): ResolvedPolicy {
  const { level, minor, server } = standard;
  const overrides = overridesOf(stated);
  const levelVersion = formatVersion(minor);
  const spec = completeSpec({ namespaceSelector: {}, level, levelVersion, overrides, usableBy });
  const resolution = resolvePolicy({ apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: {}, spec }, server);
  if ('policy' in resolution) return resolution.policy;
  throw new Error(resolution.refusal.message);
}

/** The input with which an Evaluator applies this rule alone. */
export function judgingBy(
  rule: Rule,
  stated: Stated,
  standard: Standard,
): Pick<ResolvedPolicy, 'checks' | 'filledChecks'> {
  const checks = [{ rule: rule.id, checks: rule.checks(rule.value(overridesOf(stated), standard), standard) }];
  return { checks, filledChecks: checks };
}
