/**
 * The values of the fields that a policy leaves out.
 *
 * They are here and not in the CRD, because a default that the API server fills in belongs to no field manager: when a
 * field is removed from Git, Argo CD's server-side diff ignores the new value and reports Synced
 * (docs/decisions/0021-no-openapi-defaults.md). The rules of the CRD repeat them as `self.?mode.orValue('Audit')`.
 */
import type { ICapabilityPolicy } from './generated/capabilitypolicy.dev/v1alpha1/CapabilityPolicy.ts';

type Spec = ICapabilityPolicy['spec'];

export const SPEC_DEFAULTS = {
  levelVersion: 'latest',
  mode: 'Audit',
  priority: 0,
  usableBy: 'Everyone',
  defaulting: 'Disabled',
  podSecurityLabels: 'Managed',
} as const satisfies Partial<Spec>;

/** For a policy with `rollout`; `namespacesPerHour` has none, which means no limit. */
export const ROLLOUT_DEFAULTS = {
  meanwhile: 'Warn',
  soak: '24h',
  paused: false,
} as const satisfies Spec['rollout'];
