/** Admission policies of somebody else that refuse writes, as Gatekeeper, Kyverno and cloud providers have them. */
import type { Api } from '../../hack/controlplane/api.ts';
import { eventually } from './harness.ts';

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const PROBED = '/api/v1/namespaces/default/configmaps';

interface ResourceRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly string[];
}

export interface ForeignPolicy {
  readonly name: string;
  readonly rule: ResourceRule;
  /** The CEL expression that a request has to satisfy. Without the expression, the policy refuses every request. */
  readonly expression?: string;
  /** The message of a refusal. The default is `frozen by NAME`. */
  readonly message?: string;
}

/**
 * Makes the API server refuse the requests that match the rule and do not satisfy the expression. The promise resolves
 * when the policy is in force: it also refuses a ConfigMap of its own name, so that a dry run can ask.
 *
 * @returns removes the policy, and waits until it is no longer in force
 */
export async function refuseWrites(api: Api, policy: ForeignPolicy): Promise<() => Promise<void>> {
  const { name, rule, expression = 'false', message = `frozen by ${name}` } = policy;
  const metadata = { name };
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const probe = { apiGroups: [''], resources: ['configmaps'], operations: ['CREATE'] };
  const isProbe = `request.resource.resource == 'configmaps' && object.metadata.name == '${name}'`;
  const refusesMaps = rule.resources.includes('configmaps');
  await api.create(`${ADMISSION}/validatingadmissionpolicies`, {
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata,
    spec: {
      matchConstraints: { resourceRules: [rule, probe].map((one) => ({ ...one, apiVersions: ['*'] })) },
      matchConditions: [
        { name: 'asked', expression: `${refusesMaps} || request.resource.resource != 'configmaps' || ${isProbe}` },
      ],
      validations: [{ expression: `!(${isProbe}) && (${expression})`, message }],
    },
  });
  await api.create(`${ADMISSION}/validatingadmissionpolicybindings`, {
    apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata,
    spec: { policyName: name, validationActions: ['Deny'] },
  });
  const isAdmitted = async () => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    return (await api.ask('POST', PROBED, { body, query: { dryRun: 'All' } })).status === 201;
  };
  await eventually(`${name} to refuse`, async () => !(await isAdmitted()));
  return async () => {
    await api.remove(`${ADMISSION}/validatingadmissionpolicybindings/${name}`);
    await api.remove(`${ADMISSION}/validatingadmissionpolicies/${name}`);
    await eventually(`${name} to be gone`, isAdmitted);
  };
}
