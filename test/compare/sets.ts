/** Sets of policies for comparisons, and verdicts of whole sets. */
import fc, { type Arbitrary } from 'fast-check';
import { dump } from 'js-yaml';
import { type Comparison, compare } from '../../analysis/compare/compare.ts';
import { DEFAULT_LIMIT } from '../../analysis/compare/limits.ts';
import type { PolicySet } from '../../analysis/compare/policy-set.ts';
import type { NamedSpec } from '../../hack/bench/topology-policies.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { partsOf } from '../../operator/policy/parts.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { LEVELS, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { OCI } from '../../operator/standards/oci-profiles.ts';
import { policyManifest, resolved } from '../support/policies.ts';
import { arbitraryOverrides } from '../support/random-policies.ts';

export type Spec = Partial<CapabilityPolicySpec>;
/** The policies of a set, by name. */
export type Specs = Readonly<Record<string, Spec>>;

/** @param serverDefaults the fields that API servers fill in, in the format of Standard */
export function setOf(specs: Specs, serverDefaults: readonly string[] = []): PolicySet {
  const policies = Object.entries(specs).flatMap(([name, spec]) =>
    partsOf(resolved(name, spec, NEWEST_KNOWN_MINOR, serverDefaults), { begun: true }),
  );
  return { policies, isExcluded: (namespace) => namespace.startsWith('kube-') };
}

/** The policies of a set of the bench, by name. */
export function specsOf(policies: readonly NamedSpec[]): Specs {
  return Object.fromEntries(policies.map(({ name, spec }) => [name, spec]));
}

/** The set as YAML. */
export function textOf(specs: Specs): string {
  return Object.entries(specs)
    .map(([name, spec]) => dump(policyManifest({ name }, spec)))
    .join('---\n');
}

export function compared(old: Specs, now: Specs, limit = DEFAULT_LIMIT): Comparison {
  return compare(setOf(old), setOf(now), { limit });
}

export const evaluator = new Evaluator();

/**
 * Whether one of the policies admits the pod. All of the policies decide, and everybody may use all of the policies.
 */
export function admits(policies: readonly ResolvedPolicy[], pod: PodContent): boolean {
  return policies.some(
    (policy) =>
      evaluator.violations(pod, policy).length === 0 ||
      (policy.defaulting && evaluator.violations(pod, policy, true).length === 0),
  );
}

/**
 * Whether the policy names seccomp profiles of type OCI. The comparison tries these profiles only if a policy names
 * them.
 */
export function namesOci(spec: Spec): boolean {
  return JSON.stringify(spec).includes(`"${OCI}"`);
}

/** Whether a seccomp profile of the pod has the type OCI. */
export function hasOci(pod: PodContent): boolean {
  return JSON.stringify(pod.spec).includes(`"type":"${OCI}"`);
}

/** A policy with a few random overrides. Two random policies often differ in only one rule. */
export const FEW_OVERRIDES: Arbitrary<Spec> = fc
  .record({
    level: fc.constantFrom(...LEVELS),
    levelVersion: fc.constantFrom('latest', 'latest', 'v1.18', 'v1.24', 'v1.34'),
    overrides: arbitraryOverrides,
    defaulting: fc.constantFrom('Disabled' as const, 'Disabled' as const, 'Enabled' as const),
    picked: fc.array(fc.nat(100), { minLength: 1, maxLength: 3 }),
  })
  .map(({ picked, overrides, ...spec }) => {
    const fields = Object.entries(overrides);
    const some = fields.length === 0 ? [] : picked.map((i) => fields[i % fields.length] as [string, unknown]);
    return { ...spec, overrides: Object.fromEntries(some) } as Spec;
  });

/** Two sets of one or two policies. The second set often contains one policy of the first set. */
export const PAIRS: Arbitrary<readonly [Specs, Specs]> = fc
  .tuple(
    fc.array(FEW_OVERRIDES, { minLength: 1, maxLength: 2 }),
    fc.array(FEW_OVERRIDES, { minLength: 1, maxLength: 2 }),
    fc.boolean(),
  )
  .map(([old, now, shares]) => {
    const named = (specs: readonly Spec[]) => Object.fromEntries(specs.map((spec, i) => [`policy-${i}`, spec]));
    return [named(old), named(shares ? [old[0] as Spec, ...now.slice(1)] : now)];
  });
