/** One policy's judgement of a pod as CEL, from its checks' results for each part of the request. */
import type { ResolvedPolicy, RuleChecks } from '../policy/resolve.ts';
import type { Variable } from './bound-variables.ts';
import { RESOURCE } from './match.ts';
import { PART } from './parts-cel.ts';
import type { Judgement } from './shared-violations.ts';

/**
 * A policy's judgement of a pod, as CEL over the results in `judgementVariables` for each part. An added container is
 * judged together with the whole pod. It is judged alone, with the fields that it inherits from the pod, only where the
 * pod complied with no policy before (docs/decisions/0008).
 */
export function judgementOf({ defaulting }: ResolvedPolicy, index: number) {
  const of = (variable: string, part: keyof typeof PART) => `variables.${variable}${index}[${PART[part]}]`;
  const ofAddition = (added: string) =>
    `${of(added, 'ADDED')} && (${of('complies', 'OLD')} || !variables.compliedBefore && ${of('complies', 'INHERITED')})`;
  // Violations that the request's author can fix come first, because a message describes only some.
  const listed = (added: string) =>
    `${of(added, 'ADDED')} + (variables.compliedBefore ? ${of('violations', 'OLD')} : ${of('violations', 'INHERITED')})`;
  const ofPod = (whole: string, addition: string) => `(variables.ephemeral ? ${addition} : ${whole})`;
  const complied = of('complies', 'OLD');
  const asIs = {
    complied,
    complies: ofPod(complied, ofAddition('complies')),
    violations: ofPod(of('violations', 'OLD'), listed('violations')),
  };
  // Unused without defaulting.
  if (!defaulting) return { ...asIs, compliesFilled: 'false' };
  // A template is judged as its pods will be, after filling. Filling does not change a pod that already complies.
  const isTemplate = `${RESOURCE} != "pods"`;
  const filled = of('compliesFilled', 'OLD');
  const compliesFilled = ofPod(filled, ofAddition('compliesFilled'));
  return {
    complied,
    complies: ofPod(`(${complied} || ${isTemplate} && ${filled})`, ofAddition('complies')),
    compliesFilled,
    // Omits violations that defaulting fixes, unless defaulting could have made the pod comply and was not applied.
    violations: `(${compliesFilled} ? ${asIs.violations} : ${ofPod(of('violationsFilled', 'OLD'), listed('violationsFilled'))})`,
  };
}

/** The checks for an unchanged pod, and for a pod after filling. */
export function passes({ checks, filledChecks, defaulting }: ResolvedPolicy): (readonly RuleChecks[])[] {
  return defaulting ? [checks, filledChecks] : [checks];
}

/** @param judgements this policy's passes come next */
export function judgementVariables(
  { defaulting }: ResolvedPolicy,
  index: number,
  judgements: Iterator<Judgement>,
): Variable[] {
  const next = (suffix: string): Variable[] => {
    const { complies, violations } = judgements.next().value as Judgement;
    return [
      { name: `complies${suffix}${index}`, expression: complies },
      { name: `violations${suffix}${index}`, expression: violations },
    ];
  };
  return [...next(''), ...(defaulting ? next('Filled') : [])];
}
