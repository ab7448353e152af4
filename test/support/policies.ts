/** Makes policies for tests in three forms: written by users, complete with defaults, and resolved. */
import assert from 'node:assert/strict';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { completeSpec } from '../../operator/api/defaults.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../operator/policy/resolve.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';

type Spec = Partial<CapabilityPolicySpec>;
type NamedPolicy = CompletePolicy & { readonly metadata: { readonly name: string } };

const STRICT = { level: 'restricted', mode: 'Enforce' } as const;

/** A policy with the given metadata and spec, without defaults. */
export function policyManifest<Metadata, Body>(metadata: Metadata, spec: Body) {
  return {
    apiVersion: 'capabilitypolicy.dev/v1alpha1' as const,
    kind: 'CapabilityPolicy' as const,
    metadata,
    spec,
  };
}

/**
 * A policy with mode Enforce and the level restricted for all namespaces, in the form that a user writes. The fields of
 * `spec` replace fields of the policy.
 */
export function writtenPolicy(name: string, spec: object = {}) {
  return policyManifest({ name }, { namespaceSelector: {}, ...STRICT, ...spec });
}

/**
 * A policy with mode Enforce and the level restricted for all namespaces, with defaults. The fields of `spec` replace
 * fields of the policy.
 */
export function policy(name: string, spec: Spec = {}): NamedPolicy {
  return complete(name, { ...STRICT, ...spec });
}

/**
 * A policy with the level baseline for all namespaces, in the default mode. The fields of `spec` replace fields of the
 * policy.
 */
export function baselinePolicy(name: string, spec: Spec = {}): NamedPolicy {
  return complete(name, { level: 'baseline', ...spec });
}

export function resolved(
  name: string,
  spec: Spec = {},
  oldestServer = NEWEST_KNOWN_MINOR,
  serverDefaults: readonly string[] = [],
): ResolvedPolicy {
  return resolve(policy(name, spec), oldestServer, serverDefaults);
}

export function resolvedBaseline(name: string, spec: Spec = {}): ResolvedPolicy {
  return resolve(baselinePolicy(name, spec), NEWEST_KNOWN_MINOR);
}

function complete(name: string, spec: Spec & Pick<CapabilityPolicySpec, 'level'>): NamedPolicy {
  const metadata = { name, uid: `uid-of-${name}`, generation: 1 };
  return policyManifest(metadata, completeSpec({ namespaceSelector: {}, ...spec }));
}

function resolve(one: CompletePolicy, oldestServer: number, serverDefaults?: readonly string[]): ResolvedPolicy {
  const resolution = resolvePolicy(one, oldestServer, serverDefaults);
  assert.ok('policy' in resolution, JSON.stringify(resolution));
  return resolution.policy;
}
