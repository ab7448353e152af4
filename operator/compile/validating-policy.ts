/**
 * A policy → a ValidatingAdmissionPolicy with three bindings.
 *
 * One text serves pods, workload templates and the probe; the bindings differ in what they match and in the action. The
 * policy has the namespace selector, so that an API server skips the bindings in other namespaces (docs/decisions/0024).
 */
import type { Mode } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { offers } from '../standards/server-features.ts';
import { type AdmissionSet, type Draft, PROBE_ANSWER, type Probed, probeLabels } from './admission-set.ts';
import type { CandidatePolicy } from './decision-cel.ts';
import { decisionOf } from './decision-forms.ts';
import { imageChanges } from './image-changes.ts';
import { type AdmissionOptions, excludedCel, IS_MIRROR_POD, IS_PROBE, PROBE_CARRIER, TEMPLATES } from './match.ts';

const POD_ACTIONS: Record<Mode, readonly string[]> = {
  Enforce: ['Deny'],
  Warn: ['Warn', 'Audit'],
  Audit: ['Audit'],
};
/** Templates are never refused, only their pods. */
const TEMPLATE_ACTIONS: Record<Mode, readonly string[]> = {
  Enforce: ['Warn', 'Audit'],
  Warn: ['Warn', 'Audit'],
  Audit: ['Audit'],
};

export function validatingPolicy(
  policy: ResolvedPolicy,
  candidates: readonly CandidatePolicy[],
  options: AdmissionOptions,
): Draft {
  const { mode, selector: namespaceSelector } = policy;
  const { pods, skipped: unchanged } = imageChanges(candidates);
  const skipped = [excludedCel(options, 'request.namespace'), IS_MIRROR_POD, ...unchanged];
  const { admitted, message, ...rest } = decisionOf(policy, candidates, skipped);
  return {
    kind: 'ValidatingAdmissionPolicy',
    spec: (ruleset) => ({
      failurePolicy: 'Fail',
      matchConstraints: {
        matchPolicy: 'Equivalent',
        namespaceSelector,
        resourceRules: [...pods, ...TEMPLATES, ...PROBE_CARRIER],
      },
      ...rest,
      validations: [
        probeValidation(ruleset),
        {
          expression: admitted,
          message: `CapabilityPolicy ${policy.name} does not admit this pod`,
          ...(message !== undefined && { messageExpression: message }),
          reason: 'Forbidden',
        },
      ],
    }),
    bindings: (ruleset) => [
      {
        suffix: 'pods',
        spec: {
          validationActions: POD_ACTIONS[mode],
          matchResources: { matchPolicy: 'Equivalent', resourceRules: pods },
        },
      },
      {
        suffix: 'templates',
        spec: {
          validationActions: TEMPLATE_ACTIONS[mode],
          matchResources: { matchPolicy: 'Equivalent', resourceRules: TEMPLATES },
        },
      },
      probeBinding({ policy: policy.name, ruleset }),
    ],
  };
}

/**
 * For a policy whose peer decides for it: answers the probe, and changes whenever the deciding set does. @param by the
 * deciding set
 */
export function deferringPolicy(policy: ResolvedPolicy, by: AdmissionSet): Draft {
  return {
    kind: 'ValidatingAdmissionPolicy',
    spec: (ruleset) => ({
      failurePolicy: 'Fail',
      matchConstraints: { matchPolicy: 'Equivalent', resourceRules: PROBE_CARRIER },
      ...decidedBy(policy, by),
      validations: [probeValidation(ruleset)],
    }),
    bindings: (ruleset) => [probeBinding({ policy: policy.name, ruleset })],
  };
}

/** Makes the text change whenever the decision changes. */
function decidedBy({ standard }: ResolvedPolicy, by: AdmissionSet) {
  const name = JSON.stringify(`${by.policy} ${by.ruleset}`);
  return offers(standard.server, 'admissionVariables')
    ? { variables: [{ name: 'decidedBy', expression: name }] }
    : { matchConditions: [{ name: 'decided-by', expression: `${name} != ""` }] };
}

/** Refuses every probe, and names the ruleset. */
export function probeValidation(ruleset: string) {
  return { expression: `!(${IS_PROBE})`, message: `${PROBE_ANSWER} ${ruleset}` };
}

export function probeBinding(set: Probed) {
  return {
    suffix: 'probe',
    spec: { validationActions: ['Deny'], matchResources: probeMatch(set, 'ValidatingAdmissionPolicy') },
  };
}

/** A probe's binding matches only its own carrier. */
export function probeMatch(set: Probed, kind: Draft['kind']) {
  return {
    matchPolicy: 'Equivalent',
    objectSelector: { matchLabels: probeLabels(set, kind) },
    resourceRules: PROBE_CARRIER,
  };
}
