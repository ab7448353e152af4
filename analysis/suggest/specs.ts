/** Builds the specs of exceptions, and of policies that are in force together with exceptions. */
import {
  type CapabilityPolicyOverrides,
  type CapabilityPolicySpec,
  type CompleteSpec,
  type Mode,
  NAME_LABEL,
} from '../../operator/api/capability-policy.ts';
import { statedSpec } from '../../operator/api/defaults.ts';
import { SPEC_DEFAULTS } from '../../operator/api/spec-defaults.ts';
import type { Exception } from './exceptions.ts';
import { selectorOf } from './selectors.ts';
import type { Suggestion } from './suggest.ts';

/** The values of `spec.expires` and `spec.reason` of exceptions. */
export interface Terms {
  readonly expires?: string;
  readonly reason?: string;
}

const LATEST = SPEC_DEFAULTS.levelVersion;

/** @param mode the mode of the exception, if no policy decides in the namespace */
export function exceptionSpec(
  exception: Exception,
  { namespace, beside }: Suggestion,
  mode: Mode,
  { expires, reason }: Terms,
): CapabilityPolicySpec {
  const { level, byContainer, serviceAccounts } = exception;
  const { levelVersion = LATEST } = beside?.base ?? {};
  return {
    namespaceSelector: { matchLabels: { [NAME_LABEL]: namespace } },
    level,
    ...(levelVersion !== LATEST && { levelVersion }),
    mode: beside?.mode ?? mode,
    ...(beside && beside.priority !== 0 && { priority: beside.priority }),
    ...(expires !== undefined && { expires }),
    ...(reason !== undefined && { reason }),
    usableBy: 'Subjects',
    subjects: serviceAccounts.map((name) => ({ kind: 'ServiceAccount' as const, namespace, name })),
    ...overridden(byContainer?.overrides ?? exception.overrides),
    ...(byContainer && {
      containers: byContainer.containers.map(({ names, images, overrides }) => ({
        names: [...names],
        ...(images && { images: [...images] }),
        overrides,
      })),
    }),
  };
}

export function overridden(overrides: CapabilityPolicyOverrides): { overrides?: CapabilityPolicyOverrides } {
  return Object.keys(overrides).length > 0 ? { overrides } : {};
}

/** The spec with which a pending policy is enforced at once in some namespaces. */
export function enforcedSpec(spec: CompleteSpec, namespaces: readonly string[]): CapabilityPolicySpec {
  const { rollout: _, namespaceSelector: _selector, level, mode: _mode, ...others } = statedSpec(spec);
  return { namespaceSelector: selectorOf(namespaces), level, mode: 'Enforce', ...others };
}
