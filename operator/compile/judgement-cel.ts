/** One policy's judgement of a pod as CEL, from its checks' results for each part of the request. */
import { judgesFilled } from '../policy/parts.ts';
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
export function judgementOf(policy: ResolvedPolicy, index: number) {
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
  if (!judgesFilled(policy)) return { ...asIs, compliesFilled: 'false' };
  const filled = of('compliesFilled', 'OLD');
  const compliesFilled = ofPod(filled, ofAddition('compliesFilled'));
  const violationsFilled = ofPod(of('violationsFilled', 'OLD'), listed('violationsFilled'));
  // Nothing is filled in where the policy is pending, and a pod that will be needs no warning.
  if (policy.pendingFor) {
    const complies = ofPod(
      `(${complied} || ${filled})`,
      `(${ofAddition('complies')} || ${ofAddition('compliesFilled')})`,
    );
    return { complied, complies, compliesFilled, violations: violationsFilled };
  }
  // A template is judged as its pods will be, after filling. Filling does not change a pod that already complies.
  const isTemplate = `${RESOURCE} != "pods"`;
  return {
    complied,
    complies: ofPod(`(${complied} || ${isTemplate} && ${filled})`, ofAddition('complies')),
    compliesFilled,
    // Omits violations that defaulting fixes, unless defaulting could have made the pod comply and was not applied.
    violations: `(${compliesFilled} ? ${asIs.violations} : ${violationsFilled})`,
  };
}

/** The checks for an unchanged pod, and for a pod after filling. */
export function passes(policy: ResolvedPolicy): (readonly RuleChecks[])[] {
  const { checks, filledChecks } = policy;
  return judgesFilled(policy) ? [checks, filledChecks] : [checks];
}

/** @param judgements this policy's passes come next */
export function judgementVariables(policy: ResolvedPolicy, index: number, judgements: Iterator<Judgement>): Variable[] {
  const next = (suffix: string): Variable[] => {
    const { complies, violations } = judgements.next().value as Judgement;
    return [
      { name: `complies${suffix}${index}`, expression: complies },
      { name: `violations${suffix}${index}`, expression: violations },
    ];
  };
  return [...next(''), ...(judgesFilled(policy) ? next('Filled') : [])];
}
