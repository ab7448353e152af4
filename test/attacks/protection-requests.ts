/** The target objects of the attempts against the protection, and the requests to change these objects. */
import type { Answer, Identity, Json, Method } from '../../hack/controlplane/api.ts';
import type { TestCluster } from '../support/harness.ts';
import { OPERATOR_NAMESPACE } from '../support/rights.ts';

/** The objects that the attempts try to change. */
export interface Target {
  readonly cluster: TestCluster;
  /** The full name of the object of each kind. The key `guard` has the name of the guard's admission policy. */
  readonly names: Readonly<Record<string, string>>;
  readonly namespace: string;
  /** The name of the policy that the flag --protect-policies protects. */
  readonly pinned: string;
}

export interface Attempt {
  /** Completes the sentence "a cluster administrator …". */
  readonly attempt: string;
  run(target: Target): Promise<Answer>;
  /**
   * The expected answer. For a refused request, the value is a part of the message. For an admitted request, the value
   * is the reason why the request does no harm.
   */
  readonly expect: { readonly refused: RegExp } | { readonly admitted: string };
}

export const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
export const RBAC = '/apis/rbac.authorization.k8s.io/v1';
export const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const CRD = `${CRDS}/capabilitypolicies.capabilitypolicy.dev`;
export const POLICIES = '/apis/capabilitypolicy.dev/v1alpha1/capabilitypolicies';
export const SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices';
export const OWN = `/api/v1/namespaces/${OPERATOR_NAMESPACE}`;
/** The path of the first ConfigMap with the state of the policy's rollout. */
export const ROLLOUT = `${OWN}/configmaps/rollout-0.protected-rolled`;
export const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${OPERATOR_NAMESPACE}/leases/capabilitypolicy.dev`;
export const MANAGED = { 'app.kubernetes.io/managed-by': 'capabilitypolicy.dev' };
export const SELECTOR = 'app.kubernetes.io/managed-by=capabilitypolicy.dev';

/** A user who may write policies, and does not hold the verb `exempt`. */
export const EDITOR: Identity = { user: 'policy-editor' };

export const MERGE = 'application/merge-patch+json';
export const STRATEGIC = 'application/strategic-merge-patch+json';
export const JSON_PATCH = 'application/json-patch+json';
export const APPLY = 'application/apply-patch+yaml';

export type Path = string | ((target: Target) => string);

export interface Sent {
  readonly type?: string;
  readonly as?: Identity;
  readonly dryRun?: true;
  readonly query?: Readonly<Record<string, string | boolean>>;
}

export function send(
  method: Method,
  path: Path,
  body?: unknown,
  { type, as, dryRun, query }: Sent = {},
): Attempt['run'] {
  return (target) =>
    target.cluster.api.ask(method, typeof path === 'string' ? path : path(target), {
      ...(body !== undefined && { body: typeof body === 'function' ? body(target) : body }),
      ...(type !== undefined && { contentType: type }),
      ...(as && { as }),
      query: { ...query, ...(dryRun && { dryRun: 'All' }), ...(type === APPLY && { fieldManager: 'me', force: true }) },
    });
}

export const patch = (path: Path, body: unknown, sent: Sent = {}) =>
  send('PATCH', path, body, { type: MERGE, ...sent });
export const jsonPatch = (path: Path, ...operations: readonly object[]) =>
  send('PATCH', path, operations, { type: JSON_PATCH });
export const remove = (path: Path, body?: unknown, sent?: Sent) => send('DELETE', path, body, sent);
export const create = (path: Path, body: unknown, sent?: Sent) => send('POST', path, body, sent);

const CONFLICT = /the object has been modified/;

/** Reads the object, changes it, and writes the whole object back. If the object has changed meanwhile, tries again. */
export function put(path: Path, alter: (object: Json) => void, sent: Sent = {}): Attempt['run'] {
  return async (target) => {
    const at = typeof path === 'string' ? path : path(target);
    let answer: Answer;
    do {
      const object = await target.cluster.api.get(at);
      alter(object);
      answer = await send('PUT', at, object, sent)(target);
    } while (answer.status === 409 && CONFLICT.test(answer.body.message));
    return answer;
  };
}

export function one(kind: string, plural: string, group = ADMISSION) {
  return ({ names }: Target) => `${group}/${plural}/${names[kind]}`;
}

export const VAP = one('ValidatingAdmissionPolicy', 'validatingadmissionpolicies');
export const BINDING = one('ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings');
export const MAP = one('MutatingAdmissionPolicy', 'mutatingadmissionpolicies');
export const MAP_BINDING = one('MutatingAdmissionPolicyBinding', 'mutatingadmissionpolicybindings');
export const GUARD = one('guard', 'validatingadmissionpolicies');
export const ROLE = one('ClusterRole', 'clusterroles', RBAC);
export const ROLE_BINDING = one('ClusterRoleBinding', 'clusterrolebindings', RBAC);
export const MUTATING = `${ADMISSION}/mutatingadmissionpolicies`;
export const NAMESPACE = ({ namespace }: Target) => `/api/v1/namespaces/${namespace}`;
export const PINNED = ({ pinned }: Target) => `${POLICIES}/${pinned}`;

export const OBJECT = { refused: /only the operator \(\S+\) may write admission policies, bindings and roles/ };
export const LEASES = { refused: /only the operator \(\S+\) may write its Lease/ };
export const CHANGES_CRD = { refused: /this change of the CRD could alter or drop stored CapabilityPolicies/ };
export const RECORDED = { refused: /may change the annotation capabilitypolicy\.dev\/labels/ };
export const PINS = { refused: /only holders of the verb "exempt" on this CapabilityPolicy may change or delete it/ };
export const SERVED = { refused: /this APIService must not be deleted, and no other server may serve its API/ };
export const TOKENS = { refused: /only nodes may get tokens of the operator/ };
export const CONTROLLER_TOKENS = { refused: /only kube-controller-manager may get tokens of its controllers/ };
export const SECRETS = { refused: /no Secret may have a token of the operator or of the controllers/ };
export const STATES = { refused: /only the operator \(\S+\) may write the ConfigMaps with the states of rollouts/ };

/** A user with the rights of a cluster administrator. Only admission can refuse requests of this user. */
export function asAdministrator(user: string, ...groups: readonly string[]): Identity {
  return { user, groups: [...groups, 'system:masters'] };
}

export const GARBAGE_COLLECTOR = asAdministrator('system:serviceaccount:kube-system:generic-garbage-collector');

export const GONE_OWNER = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: 'gone',
  uid: '00000000-0000-0000-0000-000000000000',
};

/** A CEL expression of type list(JSONPatch) that changes nothing. */
export const NOTHING = '[JSONPatch{op: "test", path: "/kind", value: object.kind}]';

const LIMIT_RANGES = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['limitranges'] };

/**
 * An admission policy that refuses nothing and changes nothing.
 * @param rule the requests that the admission policy matches
 */
export function lookAlike(
  metadata: object,
  kind: 'Validating' | 'Mutating' = 'Validating',
  rule: object = LIMIT_RANGES,
) {
  const resourceRules = [rule];
  const mutations = [{ patchType: 'JSONPatch', jsonPatch: { expression: NOTHING } }];
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}AdmissionPolicy`,
    metadata,
    spec: {
      matchConstraints: { resourceRules },
      ...(kind === 'Validating'
        ? { validations: [{ expression: 'true' }] }
        : { mutations, reinvocationPolicy: 'Never' }),
    },
  };
}

export function binding(name: string, policyName: string) {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName, validationActions: ['Audit'] },
  };
}
