import assert from 'node:assert/strict';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { completeSpec } from '../../operator/api/defaults.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../operator/policy/resolve.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';

/** An Enforce policy at level restricted for all namespaces, with the changes in `spec`. */
export function policy(name: string, spec: Partial<CapabilityPolicySpec> = {}): CompletePolicy {
  return {
    apiVersion: 'capabilitypolicy.dev/v1alpha1',
    kind: 'CapabilityPolicy',
    metadata: { name, uid: `uid-of-${name}` },
    spec: completeSpec({ namespaceSelector: {}, level: 'restricted', mode: 'Enforce', ...spec }),
  };
}

export function resolved(
  name: string,
  spec: Partial<CapabilityPolicySpec> = {},
  oldestServer = NEWEST_KNOWN_MINOR,
): ResolvedPolicy {
  const resolution = resolvePolicy(policy(name, spec), oldestServer);
  assert.ok('policy' in resolution, JSON.stringify(resolution));
  return resolution.policy;
}
