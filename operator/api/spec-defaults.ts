/**
 * The values of the fields that a policy leaves out.
 *
 * The CRD has no defaults, because a default that the API server fills in belongs to no field manager. If a user
 * removed a field from Git, Argo CD's server-side diff would ignore the default value of the field. Argo CD would
 * therefore report the state Synced (docs/decisions/0021-no-openapi-defaults.md). The rules of the CRD repeat the
 * defaults as `self.?mode.orValue('Audit')`.
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

/**
 * The defaults of `rollout`. `namespacesPerHour` has no default. If a rollout has no `namespacesPerHour`, the number of
 * namespaces per hour is not limited.
 */
export const ROLLOUT_DEFAULTS = {
  meanwhile: 'Warn',
  soak: '24h',
  paused: false,
} as const satisfies Spec['rollout'];
