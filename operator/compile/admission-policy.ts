/**
 * A policy → one ValidatingAdmissionPolicy with three bindings.
 *
 * One text serves pods, workload templates and the probe; what a binding binds it to and what happens then differs.
 * Names end in the hash of all of it, so that a changed ruleset is a new pair beside the old one.
 */
import { createHash } from 'node:crypto';
import { GROUP, type Mode } from '../api/capability-policy.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { decisionVariables, POD_VARIABLES } from './decision-cel.ts';
import { type Manifest, metadata, POLICY_LABEL, RULESET_LABEL } from './objects.ts';

/** On the probe's carrier: the hash of the ruleset that is asked for. */
export const PROBE_LABEL = `${GROUP}/probe`;
/** The refusal of a probe says this and the hash. */
export const PROBE_ANSWER = 'CapabilityPolicy ruleset in force:';

export interface AdmissionOptions {
  readonly operatorNamespace: string;
  /** Namespaces that no policy reaches: names, or prefixes that end in `*`. */
  readonly excludedNamespaces: readonly string[];
}

/** All that the API server needs to enforce one policy, in the order in which it has to be written. */
export interface AdmissionSet {
  readonly policy: string;
  readonly ruleset: string;
  readonly admissionPolicy: Manifest;
  /** Pods, templates, and last the probe: who sees the probe's binding has seen the others. */
  readonly bindings: readonly Manifest[];
}

const ADMISSION = 'admissionregistration.k8s.io/v1';
const PODS = [
  { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
  { apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods/ephemeralcontainers'] },
];
const WRITE = ['CREATE', 'UPDATE'];
const TEMPLATES = [
  { apiGroups: [''], apiVersions: ['v1'], operations: WRITE, resources: ['podtemplates', 'replicationcontrollers'] },
  {
    apiGroups: ['apps'],
    apiVersions: ['v1'],
    operations: WRITE,
    resources: ['daemonsets', 'deployments', 'replicasets', 'statefulsets'],
  },
  { apiGroups: ['batch'], apiVersions: ['v1'], operations: WRITE, resources: ['cronjobs', 'jobs'] },
];
const CARRIER = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['podtemplates'] }];

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

export function renderAdmission(
  policy: ResolvedPolicy,
  siblings: readonly ResolvedPolicy[],
  options: AdmissionOptions,
): AdmissionSet {
  const ruleset = createHash('sha256')
    .update(JSON.stringify([policy.uid, spec(policy, siblings, options, ''), bindingSpecs(policy, '', '', options)]))
    .digest('hex')
    .slice(0, 12);
  const name = `capabilitypolicy-${policy.name}-${ruleset}`;
  const labels = { [RULESET_LABEL]: ruleset };
  return {
    policy: policy.name,
    ruleset,
    admissionPolicy: {
      apiVersion: ADMISSION,
      kind: 'ValidatingAdmissionPolicy',
      metadata: metadata(policy, name, labels),
      spec: spec(policy, siblings, options, ruleset),
    },
    bindings: bindingSpecs(policy, name, ruleset, options).map(({ suffix, spec }) => ({
      apiVersion: ADMISSION,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: metadata(policy, `${name}-${suffix}`, labels),
      spec,
    })),
  };
}

function spec(policy: ResolvedPolicy, siblings: readonly ResolvedPolicy[], options: AdmissionOptions, ruleset: string) {
  return {
    failurePolicy: 'Fail',
    matchConstraints: { matchPolicy: 'Equivalent', resourceRules: [...PODS, ...TEMPLATES] },
    matchConditions: matchConditions(options),
    variables: [{ name: 'probe', expression: isProbe() }, ...POD_VARIABLES, ...decisionVariables(policy, siblings)],
    validations: [
      { expression: '!variables.probe', message: `${PROBE_ANSWER} ${ruleset}` },
      {
        expression: 'variables.probe || variables.allowed',
        message: `CapabilityPolicy ${policy.name} does not admit this pod`,
        messageExpression: 'variables.message',
        reason: 'Forbidden',
      },
    ],
  };
}

function isProbe(): string {
  return `request.resource.resource == "podtemplates" && "${PROBE_LABEL}" in dyn(object).metadata.?labels.orValue({})`;
}

/** namespaceObject is null here (tried): the namespace is only known by its name. */
function matchConditions({ operatorNamespace, excludedNamespaces }: AdmissionOptions) {
  const excluded = [operatorNamespace, ...excludedNamespaces].map((pattern) =>
    pattern.endsWith('*')
      ? `request.namespace.startsWith(${JSON.stringify(pattern.slice(0, -1))})`
      : `request.namespace == ${JSON.stringify(pattern)}`,
  );
  return [
    {
      name: 'namespace-not-excluded',
      expression: `(request.namespace == ${JSON.stringify(operatorNamespace)} && ${isProbe()}) || !(${excluded.join(' || ')})`,
    },
    {
      name: 'not-a-mirror-pod',
      expression:
        'request.resource.resource != "pods" || !("kubernetes.io/config.mirror" in dyn(object).metadata.?annotations.orValue({}))',
    },
  ];
}

function bindingSpecs(policy: ResolvedPolicy, policyName: string, ruleset: string, options: AdmissionOptions) {
  const namespaceSelector = policy.selector;
  return [
    {
      suffix: 'pods',
      spec: {
        policyName,
        validationActions: POD_ACTIONS[policy.mode],
        matchResources: { matchPolicy: 'Equivalent', namespaceSelector, resourceRules: PODS },
      },
    },
    {
      suffix: 'templates',
      spec: {
        policyName,
        validationActions: TEMPLATE_ACTIONS[policy.mode],
        matchResources: { matchPolicy: 'Equivalent', namespaceSelector, resourceRules: TEMPLATES },
      },
    },
    {
      suffix: 'probe',
      spec: {
        policyName,
        validationActions: ['Deny'],
        matchResources: {
          matchPolicy: 'Equivalent',
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': options.operatorNamespace } },
          objectSelector: { matchLabels: { [PROBE_LABEL]: ruleset, [POLICY_LABEL]: policy.name } },
          resourceRules: CARRIER,
        },
      },
    },
  ];
}

/** The PodTemplate that a probe asks the API server to create, by dry run. */
export function probeCarrier({ policy, ruleset }: Pick<AdmissionSet, 'policy' | 'ruleset'>, namespace: string) {
  return {
    apiVersion: 'v1',
    kind: 'PodTemplate',
    metadata: {
      generateName: 'capabilitypolicy-probe-',
      namespace,
      labels: { [PROBE_LABEL]: ruleset, [POLICY_LABEL]: policy },
    },
    template: { spec: { containers: [{ name: 'probe', image: 'probe' }] } },
  };
}
