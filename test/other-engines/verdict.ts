/** Computes the operator's verdict on a case of another engine. */
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { PODS } from '../../operator/compile/match.ts';
import { createUseIndex } from '../../operator/evaluate/use.ts';
import { evaluate } from '../../operator/evaluate/verdict.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { createContentProjection } from '../../operator/projection/content-projection.ts';
import { RULES } from '../../operator/rules/index.ts';
import { resolved } from '../support/policies.ts';
import type { EngineCase } from './suites.ts';

export interface OurVerdict {
  readonly verdict: 'allow' | 'deny';
  /** Whether the pod is admitted only after defaulting. */
  readonly mutated: boolean;
}

const projection = createContentProjection(RULES);
const evaluation = { evaluator: new Evaluator(), use: createUseIndex([], []) };

export function verdictOn({ operation, pod }: EngineCase, spec: CapabilityPolicySpec): OurVerdict {
  // Policies do not evaluate UPDATE requests for pods. A request that adds an ephemeral container goes through a
  // subresource, and is evaluated.
  const evaluated = PODS.some(
    ({ operations, resources }) => operations.includes(operation) && resources.includes('pods'),
  );
  if (!evaluated) return { verdict: 'allow', mutated: false };
  const policy = resolved('other-engine', spec);
  const content = projection.content(pod);
  const result = (filled: boolean) => {
    const candidate = { namespace: 'other-engines', content, users: [], filled, unknownUser: false };
    return evaluate(candidate, [policy], evaluation).verdict === 'Compliant';
  };
  if (result(false)) return { verdict: 'allow', mutated: false };
  const mutated = policy.defaulting && result(true);
  return { verdict: mutated ? 'allow' : 'deny', mutated };
}
