/**
 * A policy → a ValidatingAdmissionPolicy with three bindings.
 *
 * One text serves pods, workload templates and the probe; what a binding binds it to and what happens then differs.
 */
import type { Mode } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { or } from '../rules/cel.ts';
import { type AdmissionSet, type Draft, PROBE_ANSWER, probeLabels } from './admission-set.ts';
import { ALWAYS, decisionVariables, type Party, partyVariables, settles } from './decision-cel.ts';
import {
  type AdmissionOptions,
  CARRIER,
  excludedCel,
  IS_MIRROR_POD,
  IS_PROBE,
  PODS,
  RESOURCE,
  TEMPLATES,
} from './match.ts';
import { matchConditions } from './match-conditions.ts';
import { needed, POD_VARIABLES } from './pod-cel.ts';

const POD_ACTIONS: Record<Mode, readonly string[]> = {
  Enforce: ['Deny'],
  Warn: ['Warn', 'Audit'],
  Audit: ['Audit'],
};
/** Templates are never refused: their pods are. */
const TEMPLATE_ACTIONS: Record<Mode, readonly string[]> = {
  Enforce: ['Warn', 'Audit'],
  Warn: ['Warn', 'Audit'],
  Audit: ['Audit'],
};

export function validatingPolicy(policy: ResolvedPolicy, parties: readonly Party[], options: AdmissionOptions): Draft {
  const { mode, selector: namespaceSelector } = policy;
  const skipped = [excludedCel(options, 'request.namespace'), IS_MIRROR_POD];
  // Few variables: each costs a pod something, once for the validations and once for the message (plugin/cel/composition.go).
  const variables = [
    { name: 'skipped', expression: or(IS_PROBE, ...skipped) },
    ...POD_VARIABLES,
    ...partyVariables(parties),
    ...decisionVariables(parties),
  ];
  const admitted = ['variables.skipped', ...silent(parties), 'variables.allowed'].join(' || ');
  const quiet = ['variables.skipped', ...silent(parties), ...admitting(parties)].join(' || ');
  const message = `${quiet} ? "" : variables.message`;
  return {
    kind: 'ValidatingAdmissionPolicy',
    spec: (ruleset) => ({
      failurePolicy: 'Fail',
      matchConstraints: { matchPolicy: 'Equivalent', resourceRules: [...PODS, ...TEMPLATES] },
      ...matchConditions(parties, skipped),
      variables: needed(variables, [admitted, message]),
      validations: [
        probeValidation(ruleset),
        {
          expression: admitted,
          message: `CapabilityPolicy ${policy.name} does not admit this pod`,
          messageExpression: message,
          reason: 'Forbidden',
        },
      ],
    }),
    bindings: (ruleset) => [
      {
        suffix: 'pods',
        spec: {
          validationActions: POD_ACTIONS[mode],
          matchResources: { matchPolicy: 'Equivalent', namespaceSelector, resourceRules: PODS },
        },
      },
      {
        suffix: 'templates',
        spec: {
          validationActions: TEMPLATE_ACTIONS[mode],
          matchResources: { matchPolicy: 'Equivalent', namespaceSelector, resourceRules: TEMPLATES },
        },
      },
      probeBinding({ policy: policy.name, ruleset }, options),
    ],
  };
}

/**
 * For a policy whose peer decides for it: answers the probe, and changes whenever what decides does.
 * @param by the set that decides
 */
export function deferringPolicy(policy: ResolvedPolicy, by: AdmissionSet, options: AdmissionOptions): Draft {
  return {
    kind: 'ValidatingAdmissionPolicy',
    spec: (ruleset) => ({
      failurePolicy: 'Fail',
      matchConstraints: { matchPolicy: 'Equivalent', resourceRules: CARRIER },
      variables: [{ name: 'decidedBy', expression: JSON.stringify(`${by.policy} ${by.ruleset}`) }],
      validations: [probeValidation(ruleset)],
    }),
    bindings: (ruleset) => [probeBinding({ policy: policy.name, ruleset }, options)],
  };
}

/**
 * CEL, bools: why it is not for this policy to say what the decision is. All that decide in a namespace refuse its pods,
 * so that none of them can go without the others; of warnings and audit annotations one is enough.
 */
function silent(parties: readonly Party[]): string[] {
  const [{ policy, decides }] = parties as [Party];
  const earlier = parties
    .filter((other) => other.policy.priority === policy.priority && other.policy.name < policy.name)
    .map((other) => other.decides);
  const silent = [...(decides === ALWAYS ? [] : [`!(${decides})`]), ...earlier].join(' || ');
  if (silent === '') return [];
  return policy.mode === 'Enforce' ? [`(${RESOURCE} != "pods" && (${silent}))`] : [silent];
}

/**
 * CEL, bools: nobody will read the message. The API server asks for it whatever the validation said, with variables that
 * are evaluated anew and without an authorizer (plugin/policy/validating/validator.go): only policies for everyone tell.
 */
function admitting(parties: readonly Party[]): string[] {
  return parties.filter(({ policy }) => policy.usableBy === 'Everyone').map(settles);
}

/** Refuses every probe, in the ruleset's name. */
export function probeValidation(ruleset: string) {
  return { expression: `!(${IS_PROBE})`, message: `${PROBE_ANSWER} ${ruleset}` };
}

export function probeBinding(set: { policy: string; ruleset: string }, { operatorNamespace }: AdmissionOptions) {
  return {
    suffix: 'probe',
    spec: {
      validationActions: ['Deny'],
      matchResources: carrierOf(set, operatorNamespace, 'ValidatingAdmissionPolicy'),
    },
  };
}

/** What a probe's binding matches: its own carrier and nothing else. */
export function carrierOf(set: { policy: string; ruleset: string }, namespace: string, kind: Draft['kind']) {
  return {
    matchPolicy: 'Equivalent',
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    objectSelector: { matchLabels: probeLabels(set, kind) },
    resourceRules: CARRIER,
  };
}
