/**
 * Calculates the fields that a template's pods have after the API server has created the pods. Defaulting may have
 * filled in fields.
 */
import type { CelEngine } from '../../operator/evaluate/cel.ts';
import { type Candidate, type EvaluationContext, evaluate } from '../../operator/evaluate/verdict.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { Fill } from '../../operator/rules/rule.ts';
import { changed, changesBy } from '../fix/changed-fields.ts';

/**
 * Returns the candidate with the fields that defaulting adds to its pods. Defaulting fills in fields only if no policy
 * admits the template unchanged. The template is filled in by the first policy that would admit the filled template.
 *
 * @param policies the policies of mode Enforce that decide in the namespace
 */
export function afterDefaulting(
  candidate: Candidate,
  policies: readonly ResolvedPolicy[],
  evaluation: EvaluationContext,
  engine: CelEngine,
): Candidate {
  const asIs = { ...candidate, filled: false };
  if (!candidate.filled || policies.every(({ fills }) => fills.length === 0)) return asIs;
  if (evaluate(asIs, policies, evaluation).verdict === 'Compliant') return asIs;
  const { admittedBy } = evaluate(candidate, policies, evaluation);
  const filling = policies.find(({ name }) => name === admittedBy);
  return filling ? { ...asIs, content: filledIn(candidate.content, filling.fills, engine) } : asIs;
}

/** Each entry of `fills` reads the original pod, and not the changes by earlier entries. */
function filledIn(pod: PodContent, fills: readonly Fill[], engine: CelEngine): PodContent {
  const changes = fills.flatMap((fill) => changesBy(fill, pod, engine));
  const { spec } = changes.reduce((whole, { parent, field, value }) => changed(whole, parent, field, value), {
    spec: pod.spec,
  } as unknown) as Pick<PodContent, 'spec'>;
  return { ...pod, spec };
}
