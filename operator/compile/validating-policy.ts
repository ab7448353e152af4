/**
 * A policy → a ValidatingAdmissionPolicy with three bindings.
 *
 * One text serves pods, workload templates and the probe; what a binding binds it to and what happens then differs.
 */
import type { Mode } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { type AdmissionSet, type Draft, PROBE_ANSWER, probeLabels } from './admission-set.ts';
import { decisionVariables, type Party, partyVariables } from './decision-cel.ts';
import { type AdmissionOptions, CARRIER, IS_PROBE, NOT_A_MIRROR_POD, notExcluded, PODS, TEMPLATES } from './match.ts';
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

const ADMITTED = 'variables.probe || variables.skipped || !variables.speaks || variables.allowed';
const MESSAGE = 'variables.quiet ? "" : variables.message';

export function validatingPolicy(policy: ResolvedPolicy, parties: readonly Party[], options: AdmissionOptions): Draft {
  const { mode, selector: namespaceSelector } = policy;
  const variables = [
    { name: 'probe', expression: IS_PROBE },
    // No match conditions: for them alone the API server would convert the pod once more (plugin/cel/activation.go),
    // which is most of what an admission policy costs.
    { name: 'skipped', expression: `!(${notExcluded(options, 'request.namespace')}) || !(${NOT_A_MIRROR_POD})` },
    ...POD_VARIABLES,
    ...partyVariables(parties),
    ...decisionVariables(parties),
    { name: 'speaks', expression: speaksCel(parties) },
    { name: 'quiet', expression: quietCel(parties) },
  ];
  return {
    kind: 'ValidatingAdmissionPolicy',
    spec: (ruleset) => ({
      failurePolicy: 'Fail',
      matchConstraints: { matchPolicy: 'Equivalent', resourceRules: [...PODS, ...TEMPLATES] },
      variables: needed(variables, [ADMITTED, MESSAGE]),
      validations: [
        probeValidation(ruleset),
        {
          expression: ADMITTED,
          message: `CapabilityPolicy ${policy.name} does not admit this pod`,
          messageExpression: MESSAGE,
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
      variables: [
        { name: 'probe', expression: IS_PROBE },
        { name: 'decidedBy', expression: JSON.stringify(`${by.policy} ${by.ruleset}`) },
      ],
      validations: [probeValidation(ruleset)],
    }),
    bindings: (ruleset) => [probeBinding({ policy: policy.name, ruleset }, options)],
  };
}

/**
 * CEL, bool: whether it is for this policy to say what the decision is. All that decide in a namespace refuse its pods,
 * so that none of them can go without the others; of warnings and audit annotations one is enough.
 */
function speaksCel(parties: readonly Party[]): string {
  const [{ policy, decides }] = parties as [Party];
  const first = parties
    .filter((other) => other.policy.priority === policy.priority && other.policy.name < policy.name)
    .map((other) => `!(${other.decides})`);
  const speaks = `(${[decides, ...first].join(' && ')})`;
  return policy.mode === 'Enforce' ? `variables.resource == "pods" || ${speaks}` : speaks;
}

/**
 * CEL, bool: nobody will read the message. The API server asks for it whatever the validation said, with variables that
 * are evaluated anew and without an authorizer (plugin/policy/validating/validator.go): only policies for everyone tell.
 */
function quietCel(parties: readonly Party[]): string {
  const admitting = parties
    .filter(({ policy }) => policy.usableBy === 'Everyone')
    .map(({ decides, admits }) => `(${decides} && ${admits})`);
  return ['variables.probe', 'variables.skipped', '!variables.speaks', ...admitting].join(' || ');
}

/** Refuses every probe, in the ruleset's name. */
export function probeValidation(ruleset: string) {
  return { expression: '!variables.probe', message: `${PROBE_ANSWER} ${ruleset}` };
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
