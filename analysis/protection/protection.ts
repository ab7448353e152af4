/**
 * The protection is an admission policy that API servers read from a file (KEP-5793). Nobody can remove the protection
 * through the API. The protection also checks writes of admission policies. An admission policy that is created through
 * the API does not see writes of admission policies (apiserver/pkg/admission/plugin/policy/generic/plugin.go,
 * Dispatch).
 *
 * Only the operator may write the objects that enforce CapabilityPolicies. The API server refuses writes of these
 * objects by all other users, including cluster administrators.
 */
import { GROUP, PLURAL, RECORD } from '../../operator/api/capability-policy.ts';
import { RBAC } from '../../operator/compile/objects.ts';
import { MAY_WRITE, PROTECTION_ANSWER } from '../../operator/compile/protection-probe.ts';
import type { Explained, ServiceAccount } from './protection-cel.ts';
import * as cel from './protection-cel.ts';

/** API servers accept names that end in `.static.k8s.io` only in files (pkg/apis/admissionregistration/validation). */
export const STATIC_SUFFIX = '.static.k8s.io';
export const PROTECTION = `protection.${GROUP}${STATIC_SUFFIX}`;

export interface ProtectionOptions {
  /**
   * The service accounts that the operators use. Normally the list has one account. While the operator changes to an
   * account with another name, the list has two accounts.
   */
  readonly operators: readonly ServiceAccount[];
  /** The names of the CapabilityPolicies that only holders of the verb `exempt` may change or delete. */
  readonly pinned: readonly string[];
}

export interface Protection {
  readonly rules: readonly Explained[];
  readonly variables: readonly Explained[];
  readonly validations: readonly Explained[];
}

const MUST_NOT_WRITE = 'may not write the protected objects';

export function protection(options: ProtectionOptions): Protection {
  const { operators, pinned } = options;
  return {
    rules: rulesOf(operators, pinned),
    variables: cel.variablesOf(operators.map(cel.userName)),
    validations: [
      {
        why: 'Refuses a probe. The refusal shows that this policy is in force. This rule protects no object.',
        entry: {
          expression: `!(${cel.PROBES})`,
          messageExpression: `"${PROTECTION_ANSWER} " + request.userInfo.username + " " + (variables.operates ? "${MAY_WRITE}" : "${MUST_NOT_WRITE}")`,
        },
      },
      ...validationsOf(options).map(({ why, expression, message }) => ({
        why,
        entry: { expression, message: `CapabilityPolicy protection: ${message}`, reason: 'Forbidden' },
      })),
    ],
  };
}

interface Validation {
  readonly why: string;
  readonly expression: string;
  readonly message: string;
}

function usersOf(accounts: readonly ServiceAccount[]): string {
  return accounts.map(cel.userName).join(', ');
}

function validationsOf({ operators, pinned }: ProtectionOptions): Validation[] {
  const users = usersOf(operators);
  const controllers = usersOf(cel.DELETING_CONTROLLERS);
  return [
    {
      why: 'Admission policies, bindings and roles that the operator renders, and objects that look like rendered objects.',
      expression: `!variables.ours || variables.operates || variables.unchanged || variables.collects`,
      message: `only the operator (${users}) may write admission policies, bindings and roles with a name or label of CapabilityPolicies`,
    },
    {
      why: 'The Lease of the operator. The replicas use the Lease to agree on the replica that writes.',
      expression: `!(${cel.isLease(operators)}) || variables.operates || variables.unchanged || ${cel.EMPTIES_NAMESPACE}`,
      message: `only the operator (${users}) may write its Lease`,
    },
    {
      why: 'The ConfigMaps with the states of rollouts.',
      expression: `!(${cel.isRolloutState(operators)}) || variables.operates || variables.unchanged || variables.collects || ${cel.EMPTIES_NAMESPACE}`,
      message: `only the operator (${users}) may write the ConfigMaps with the states of rollouts`,
    },
    {
      why: 'The CRD. A deletion of the CRD deletes all policies, and the garbage collector then deletes the objects that were rendered for the policies.',
      expression: `!(${cel.IS_CRD}) || !variables.deletes`,
      message: `nobody may delete the CRD of CapabilityPolicies`,
    },
    {
      why: 'The CRD. A change must not remove fields, versions or the status. A change must not add a version without the fields or the status, convert objects or add defaults.',
      expression: `!(${cel.IS_CRD}) || request.operation != "UPDATE" || (request.?subResource.orValue("") == "status" ? ${cel.API_SERVER} : ${cel.KEEPS_CRD})`,
      message: `this change of the CRD could alter or drop stored CapabilityPolicies`,
    },
    {
      why: 'The annotation of namespaces. The annotation records which Pod Security labels the operator set.',
      expression: `variables.resource != "namespaces" || ${cel.KEEPS_RECORD} || variables.operates`,
      message: `only the operator (${users}) may change the annotation ${RECORD} of a namespace`,
    },
    {
      why: 'The APIs that enforcement uses. No APIService may send requests for these APIs to another server.',
      expression: `variables.resource != "apiservices" || !(${cel.IS_BUILT_IN_API}) || (variables.deletes ? ${cel.API_SERVER} : !has(object.spec.service))`,
      message: `this APIService must not be deleted, and no other server may serve its API`,
    },
    {
      why: "Tokens of the operator's service account. Only nodes get these tokens, and only for the operator's pods.",
      expression: `!(${cel.requestsToken(operators)}) || "system:nodes" in request.userInfo.?groups.orValue([])`,
      message: `only nodes may get tokens of the operator (${users})`,
    },
    {
      why: 'Tokens of the controllers that may delete protected objects. Pods with the service accounts of these controllers get no token.',
      expression: `!(${cel.requestsToken(cel.DELETING_CONTROLLERS)}) || ${cel.IS_MANAGER}`,
      message: `only kube-controller-manager may get tokens of its controllers (${controllers})`,
    },
    {
      why: 'Secrets into which the controller manager writes a token of the operator or of these controllers.',
      expression: `!(${cel.isFilledWithToken([...operators, ...cel.DELETING_CONTROLLERS])})`,
      message: `no Secret may have a token of the operator or of the controllers (${users}, ${controllers})`,
    },
    ...(pinned.length > 0
      ? [
          {
            why: `The policies that --protect-policies names. Only holders of the verb "exempt" may change or delete these policies.`,
            expression: `variables.resource != "${PLURAL}" || !(variables.name in ${JSON.stringify(pinned)}) || variables.unchanged || ${cel.FINISHES_DELETION} || ${cel.EXEMPT}`,
            message: `only holders of the verb "exempt" on this CapabilityPolicy may change or delete it`,
          },
        ]
      : []),
  ];
}

const ALL = ['*'];

function namesOf(accounts: readonly ServiceAccount[]): string[] {
  return [...new Set(accounts.map(({ name }) => name))];
}

/**
 * The rules that select the requests to check. A request to delete a collection has no name. A rule about deletions
 * must therefore not select requests by name.
 */
function rulesOf(operators: readonly ServiceAccount[], pinned: readonly string[]): Explained[] {
  const rule = (
    group: string,
    operations: readonly string[],
    resources: readonly string[],
    names?: readonly string[],
  ) => ({
    apiGroups: [group],
    apiVersions: ALL,
    operations,
    resources,
    ...(names && { resourceNames: names }),
  });
  return [
    {
      why: 'Admission policies and their bindings.',
      entry: rule('admissionregistration.k8s.io', ALL, [
        'validatingadmissionpolicies',
        'validatingadmissionpolicybindings',
        'mutatingadmissionpolicies',
        'mutatingadmissionpolicybindings',
      ]),
    },
    {
      why: 'The roles that grant the use of policies.',
      entry: rule(RBAC, ALL, ['clusterroles', 'clusterrolebindings']),
    },
    {
      why: 'The CRD.',
      entry: rule(
        'apiextensions.k8s.io',
        ['UPDATE'],
        ['customresourcedefinitions', 'customresourcedefinitions/status'],
        [cel.CRD],
      ),
    },
    { why: 'The CRD.', entry: rule('apiextensions.k8s.io', ['DELETE'], ['customresourcedefinitions']) },
    {
      why: 'The record of the Pod Security labels.',
      entry: rule('', ['UPDATE'], ['namespaces', 'namespaces/finalize', 'namespaces/status']),
    },
    {
      why: "The operator's Lease. The rule selects by name, so that the Leases of nodes cost nothing.",
      entry: rule('coordination.k8s.io', ['CREATE', 'UPDATE'], ['leases'], [cel.LEASE]),
    },
    { why: "The operator's Lease.", entry: rule('coordination.k8s.io', ['DELETE'], ['leases']) },
    { why: 'The states of rollouts.', entry: rule('', ALL, ['configmaps']) },
    { why: 'The APIs that enforcement uses.', entry: rule('apiregistration.k8s.io', ALL, ['apiservices']) },
    {
      why: "Tokens of the operator's service account, and of the controllers that may delete protected objects.",
      entry: rule('', ['CREATE'], ['serviceaccounts/token'], namesOf([...operators, ...cel.DELETING_CONTROLLERS])),
    },
    { why: 'Secrets with such a token.', entry: rule('', ['CREATE', 'UPDATE'], ['secrets']) },
    ...(pinned.length > 0
      ? [
          { why: 'The policies of --protect-policies.', entry: rule(GROUP, ['UPDATE'], [PLURAL], pinned) },
          { why: 'The policies of --protect-policies.', entry: rule(GROUP, ['DELETE'], [PLURAL]) },
        ]
      : []),
  ];
}

/** The admission policy and its binding, in the form that an API server reads from a file. */
export function protectionObjects({ rules, variables, validations }: Protection): readonly [object, object] {
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: PROTECTION },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { matchPolicy: 'Equivalent', resourceRules: rules.map(({ entry }) => entry) },
        variables: variables.map(({ entry }) => entry),
        validations: validations.map(({ entry }) => entry),
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: PROTECTION },
      spec: { policyName: PROTECTION, validationActions: ['Deny'] },
    },
  ];
}
