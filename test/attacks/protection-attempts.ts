/** The attempts of a cluster administrator (group system:masters) against the protection, and the API server's answers. */
import type { Answer, Identity, Json, Method } from '../../hack/controlplane/api.ts';
import type { TestCluster } from '../support/harness.ts';
import { restrictedPod } from '../support/pod-manifests.ts';
import { OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, OPERATOR_USER } from '../support/rights.ts';

/** The objects that the rows name. */
export interface Target {
  readonly cluster: TestCluster;
  /** Full names of objects by their kind, and `guard` for the guard's admission policy. */
  readonly names: Readonly<Record<string, string>>;
  readonly namespace: string;
  /** Pinned by --protect-policies. */
  readonly pinned: string;
}

export interface Attempt {
  /** Completes the sentence "a cluster administrator …". */
  readonly attempt: string;
  run(target: Target): Promise<Answer>;
  /** A part of the refusal; or the reason why the API server admits it. */
  readonly expect: { readonly refused: RegExp } | { readonly admitted: string };
}

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const CRD = `${CRDS}/capabilitypolicies.capabilitypolicy.dev`;
const POLICIES = '/apis/capabilitypolicy.dev/v1alpha1/capabilitypolicies';
const SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices';
const OWN = `/api/v1/namespaces/${OPERATOR_NAMESPACE}`;
const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${OPERATOR_NAMESPACE}/leases/capabilitypolicy.dev`;
const MANAGED = { 'app.kubernetes.io/managed-by': 'capabilitypolicy.dev' };
const SELECTOR = 'app.kubernetes.io/managed-by=capabilitypolicy.dev';

/** May write policies, and holds no `exempt`. */
export const EDITOR: Identity = { user: 'policy-editor' };

const MERGE = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const APPLY = 'application/apply-patch+yaml';

type Path = string | ((target: Target) => string);

interface Sent {
  readonly type?: string;
  readonly as?: Identity;
  readonly dryRun?: true;
  readonly query?: Readonly<Record<string, string | boolean>>;
}

function send(method: Method, path: Path, body?: unknown, { type, as, dryRun, query }: Sent = {}): Attempt['run'] {
  return (target) =>
    target.cluster.api.ask(method, typeof path === 'string' ? path : path(target), {
      ...(body !== undefined && { body: typeof body === 'function' ? body(target) : body }),
      ...(type !== undefined && { contentType: type }),
      ...(as && { as }),
      query: { ...query, ...(dryRun && { dryRun: 'All' }), ...(type === APPLY && { fieldManager: 'me', force: true }) },
    });
}

const patch = (path: Path, body: unknown, sent: Sent = {}) => send('PATCH', path, body, { type: MERGE, ...sent });
const jsonPatch = (path: Path, ...operations: readonly object[]) =>
  send('PATCH', path, operations, { type: JSON_PATCH });
const remove = (path: Path, body?: unknown, sent?: Sent) => send('DELETE', path, body, sent);
const create = (path: Path, body: unknown, sent?: Sent) => send('POST', path, body, sent);

/** Reads the object and puts it back changed. */
function put(path: Path, alter: (object: Json) => void, sent: Sent = {}): Attempt['run'] {
  return async (target) => {
    const at = typeof path === 'string' ? path : path(target);
    const object = await target.cluster.api.get(at);
    alter(object);
    return send('PUT', at, object, sent)(target);
  };
}

function one(kind: string, plural: string, group = ADMISSION) {
  return ({ names }: Target) => `${group}/${plural}/${names[kind]}`;
}

const VAP = one('ValidatingAdmissionPolicy', 'validatingadmissionpolicies');
const BINDING = one('ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings');
const MAP = one('MutatingAdmissionPolicy', 'mutatingadmissionpolicies');
const MAP_BINDING = one('MutatingAdmissionPolicyBinding', 'mutatingadmissionpolicybindings');
const GUARD = one('guard', 'validatingadmissionpolicies');
const ROLE = one('ClusterRole', 'clusterroles', RBAC);
const ROLE_BINDING = one('ClusterRoleBinding', 'clusterrolebindings', RBAC);
const NAMESPACE = ({ namespace }: Target) => `/api/v1/namespaces/${namespace}`;
const PINNED = ({ pinned }: Target) => `${POLICIES}/${pinned}`;

const OBJECT = { refused: /only the operator \(\S+\) may write admission policies, bindings and roles/ };
const LEASES = { refused: /only the operator \(\S+\) may write its Lease/ };
const CHANGES_CRD = { refused: /this change of the CRD could alter or drop stored CapabilityPolicies/ };
const RECORDED = { refused: /may change the annotation capabilitypolicy\.dev\/labels/ };
const PINS = { refused: /changing or deleting this CapabilityPolicy needs the verb exempt/ };
const SERVED = { refused: /this APIService must not be deleted or served by another server/ };
const TOKENS = { refused: /only nodes may get tokens of the operator/ };

const GONE_OWNER = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: 'gone',
  uid: '00000000-0000-0000-0000-000000000000',
};

/** CEL, list(JSONPatch): it changes nothing. */
const NOTHING = '[JSONPatch{op: "test", path: "/kind", value: object.kind}]';

/** An admission policy that refuses nothing. */
export function lookAlike(metadata: object, kind: 'Validating' | 'Mutating' = 'Validating') {
  const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['limitranges'] }];
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

function binding(name: string, policyName: string) {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName, validationActions: ['Audit'] },
  };
}

const SPEC_SCHEMA = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties';

const ON_ADMISSION_POLICIES: readonly Attempt[] = [
  { attempt: 'deletes an admission policy', run: remove(VAP), expect: OBJECT },
  {
    attempt: 'deletes an admission policy in the foreground',
    run: remove(VAP, { propagationPolicy: 'Foreground' }),
    expect: OBJECT,
  },
  {
    attempt: 'deletes all admission policies at once',
    run: remove(`${ADMISSION}/validatingadmissionpolicies`),
    expect: OBJECT,
  },
  {
    attempt: 'deletes the admission policies with the label of the operator',
    run: remove(`${ADMISSION}/validatingadmissionpolicies`, undefined, { query: { labelSelector: SELECTOR } }),
    expect: OBJECT,
  },
  {
    attempt: 'replaces an admission policy by one with failurePolicy Ignore',
    run: put(VAP, ({ spec }) => {
      spec.failurePolicy = 'Ignore';
    }),
    expect: OBJECT,
  },
  {
    attempt: 'patches a match condition that is never true into an admission policy',
    run: patch(VAP, { spec: { matchConditions: [{ name: 'never', expression: 'false' }] } }),
    expect: OBJECT,
  },
  {
    attempt: 'replaces the validations of an admission policy by a JSON patch',
    run: jsonPatch(VAP, { op: 'replace', path: '/spec/validations', value: [{ expression: 'true' }] }),
    expect: OBJECT,
  },
  {
    attempt: 'narrows the match of an admission policy by a strategic merge patch',
    run: patch(
      VAP,
      { spec: { matchConstraints: { namespaceSelector: { matchLabels: { no: 'namespace' } } } } },
      { type: STRATEGIC },
    ),
    expect: OBJECT,
  },
  {
    attempt: 'applies other validations to an admission policy, by force',
    run: send('PATCH', VAP, (target: Target) => lookAlike({ name: target.names.ValidatingAdmissionPolicy }), {
      type: APPLY,
    }),
    expect: OBJECT,
  },
  {
    attempt: 'takes the label of the operator from an admission policy',
    run: patch(VAP, { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } }),
    expect: OBJECT,
  },
  {
    attempt: 'changes the record of the accepted text on an admission policy',
    run: patch(VAP, { metadata: { annotations: { 'capabilitypolicy.dev/spec': '{}' } } }),
    expect: OBJECT,
  },
  {
    attempt: 'gives an admission policy an owner that does not exist, so that the garbage collector deletes it',
    run: patch(VAP, { metadata: { ownerReferences: [GONE_OWNER] } }),
    expect: OBJECT,
  },
  {
    attempt: 'takes the owners from an admission policy, so that it outlives its policy',
    run: patch(VAP, { metadata: { ownerReferences: [] } }),
    expect: OBJECT,
  },
  {
    attempt: 'adds a finalizer to an admission policy, so that the operator cannot replace it',
    run: patch(VAP, { metadata: { finalizers: ['example.org/keep'] } }),
    expect: OBJECT,
  },
  { attempt: 'deletes a binding', run: remove(BINDING), expect: OBJECT },
  {
    attempt: 'deletes all bindings at once',
    run: remove(`${ADMISSION}/validatingadmissionpolicybindings`),
    expect: OBJECT,
  },
  {
    attempt: 'turns the action of a binding from Deny to Audit',
    run: patch(BINDING, { spec: { validationActions: ['Audit'] } }),
    expect: OBJECT,
  },
  {
    attempt: 'lets a binding select no namespace',
    run: patch(BINDING, { spec: { matchResources: { namespaceSelector: { matchLabels: { no: 'namespace' } } } } }),
    expect: OBJECT,
  },
  {
    attempt: 'binds an admission policy of the operator a second time',
    run: create(`${ADMISSION}/validatingadmissionpolicybindings`, ({ names }: Target) =>
      binding('second', names.ValidatingAdmissionPolicy ?? ''),
    ),
    expect: OBJECT,
  },
  { attempt: 'deletes the guard', run: remove(GUARD), expect: OBJECT },
  {
    attempt: 'lets the guard match nothing',
    run: jsonPatch(GUARD, {
      op: 'add',
      path: '/spec/matchConditions/-',
      value: { name: 'never', expression: 'false' },
    }),
    expect: OBJECT,
  },
  { attempt: 'deletes the admission policy of defaulting', run: remove(MAP), expect: OBJECT },
  {
    attempt: 'deletes all mutating admission policies at once',
    run: remove(`${ADMISSION}/mutatingadmissionpolicies`),
    expect: OBJECT,
  },
  {
    attempt: 'replaces the mutations of defaulting',
    run: patch(MAP, { spec: { mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: NOTHING } }] } }),
    expect: OBJECT,
  },
  { attempt: 'deletes the binding of defaulting', run: remove(MAP_BINDING), expect: OBJECT },
];

const LOOK_ALIKES: readonly Attempt[] = [
  {
    attempt: 'creates an admission policy named like one of the operator',
    run: create(
      `${ADMISSION}/validatingadmissionpolicies`,
      lookAlike({ name: 'capabilitypolicy-protected-base-000000000000' }),
    ),
    expect: OBJECT,
  },
  {
    attempt: 'has such a name generated',
    run: create(`${ADMISSION}/validatingadmissionpolicies`, lookAlike({ generateName: 'capabilitypolicy-' })),
    expect: OBJECT,
  },
  {
    attempt: 'creates an admission policy named like a guard',
    run: create(`${ADMISSION}/validatingadmissionpolicies`, lookAlike({ name: 'capabilitypolicy.guard-000000000000' })),
    expect: OBJECT,
  },
  {
    attempt: 'creates an admission policy with the label of the operator',
    run: create(`${ADMISSION}/validatingadmissionpolicies`, lookAlike({ name: 'other', labels: MANAGED })),
    expect: OBJECT,
  },
  {
    attempt: 'creates such an admission policy by server-side apply',
    run: send(
      'PATCH',
      `${ADMISSION}/validatingadmissionpolicies/other`,
      lookAlike({ name: 'other', labels: MANAGED }),
      { type: APPLY },
    ),
    expect: OBJECT,
  },
  {
    attempt: 'gives the label of the operator to an admission policy of their own',
    run: patch(`${ADMISSION}/validatingadmissionpolicies/own`, { metadata: { labels: MANAGED } }),
    expect: OBJECT,
  },
  {
    attempt: 'creates a mutating admission policy named like one of the operator',
    run: create(
      `${ADMISSION}/mutatingadmissionpolicies`,
      lookAlike({ name: 'capabilitypolicy-protected-base-000000000000' }, 'Mutating'),
    ),
    expect: OBJECT,
  },
  {
    attempt: 'creates a binding named like one of the operator, to an admission policy of their own',
    run: create(
      `${ADMISSION}/validatingadmissionpolicybindings`,
      binding('capabilitypolicy-protected-base-000000000000-pods', 'own'),
    ),
    expect: OBJECT,
  },
  {
    attempt: 'creates an admission policy with the name of the protection',
    run: create(
      `${ADMISSION}/validatingadmissionpolicies`,
      lookAlike({ name: 'protection.capabilitypolicy.dev.static.k8s.io' }),
    ),
    expect: { refused: /static\.k8s\.io/ },
  },
  {
    attempt: 'deletes the protection, which no object of the API is',
    run: remove(`${ADMISSION}/validatingadmissionpolicies/protection.capabilitypolicy.dev.static.k8s.io`),
    expect: { refused: /not found/ },
  },
  {
    attempt: 'asks whether the protection is in force',
    run: create(
      `${ADMISSION}/validatingadmissionpolicybindings`,
      {
        ...binding('probe', 'own'),
        metadata: { name: 'probe', labels: { 'capabilitypolicy.dev/protection-probe': '' } },
      },
      { dryRun: true },
    ),
    expect: { refused: /CapabilityPolicy protection in force: \S+ is refused to write what it protects/ },
  },
];

const ON_ROLES: readonly Attempt[] = [
  { attempt: 'deletes the role for the use of a policy', run: remove(ROLE), expect: OBJECT },
  {
    attempt: 'deletes the roles with the label of the operator',
    run: remove(`${RBAC}/clusterroles`, undefined, { query: { labelSelector: SELECTOR } }),
    expect: OBJECT,
  },
  {
    attempt: 'adds the use of every policy to such a role',
    run: patch(ROLE, {
      rules: [{ apiGroups: ['capabilitypolicy.dev'], resources: ['capabilitypolicies'], verbs: ['use'] }],
    }),
    expect: OBJECT,
  },
  {
    attempt: 'lets such a role aggregate others',
    run: patch(ROLE, { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { any: 'role' } }] } }),
    expect: OBJECT,
  },
  { attempt: 'deletes the binding of such a role', run: remove(ROLE_BINDING), expect: OBJECT },
  {
    attempt: 'adds everybody to the subjects of such a binding',
    run: patch(ROLE_BINDING, {
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:authenticated' }],
    }),
    expect: OBJECT,
  },
  {
    attempt: 'creates a role named like one of the operator',
    run: create(`${RBAC}/clusterroles`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'capabilitypolicy.dev:use:later' },
      rules: [],
    }),
    expect: OBJECT,
  },
];

const ON_THE_CRD: readonly Attempt[] = [
  { attempt: 'deletes the CRD', run: remove(CRD), expect: { refused: /nobody may delete the CRD/ } },
  { attempt: 'deletes all CRDs at once', run: remove(CRDS), expect: { refused: /nobody may delete the CRD/ } },
  {
    attempt: 'deletes the CRD as the garbage collector',
    run: remove(CRD, undefined, {
      as: { user: 'system:serviceaccount:kube-system:generic-garbage-collector', groups: ['system:masters'] },
    }),
    expect: { refused: /nobody may delete the CRD/ },
  },
  {
    attempt: 'gives the CRD an owner that does not exist',
    run: patch(CRD, { metadata: { ownerReferences: [GONE_OWNER] } }),
    expect: CHANGES_CRD,
  },
  {
    attempt: 'removes a field from the schema, so that it is dropped from stored policies',
    run: jsonPatch(CRD, { op: 'remove', path: `${SPEC_SCHEMA}/priority` }),
    expect: CHANGES_CRD,
  },
  {
    attempt: 'removes a field deep in the schema',
    run: jsonPatch(CRD, {
      op: 'remove',
      path: `${SPEC_SCHEMA}/overrides/properties/seLinux/properties/options/properties/user`,
    }),
    expect: CHANGES_CRD,
  },
  {
    attempt: 'changes the type of a field',
    run: jsonPatch(CRD, {
      op: 'replace',
      path: `${SPEC_SCHEMA}/overrides/properties/hostPorts`,
      value: { type: 'string' },
    }),
    expect: CHANGES_CRD,
  },
  {
    attempt: 'adds a default to a field, which policies that leave it out then have',
    run: jsonPatch(CRD, { op: 'add', path: `${SPEC_SCHEMA}/mode/default`, value: 'Audit' }),
    expect: CHANGES_CRD,
  },
  {
    attempt: 'stops serving the version',
    run: jsonPatch(CRD, { op: 'replace', path: '/spec/versions/0/served', value: false }),
    expect: CHANGES_CRD,
  },
  {
    attempt: 'stores policies in a version of their own',
    run: put(CRD, ({ spec }) => {
      const schema = { openAPIV3Schema: { type: 'object' } };
      spec.versions[0].storage = false;
      spec.versions.push({ name: 'v1', served: true, storage: true, schema });
    }),
    expect: CHANGES_CRD,
  },
  {
    attempt: 'has a webhook convert policies',
    run: patch(CRD, {
      spec: {
        conversion: {
          strategy: 'Webhook',
          webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: 'https://127.0.0.1:1' } },
        },
      },
    }),
    expect: CHANGES_CRD,
  },
  {
    attempt: 'removes the status subresource',
    run: jsonPatch(CRD, { op: 'remove', path: '/spec/versions/0/subresources' }),
    expect: CHANGES_CRD,
  },
  {
    attempt: 'renames the kind',
    run: patch(CRD, { spec: { names: { kind: 'Other', listKind: 'OtherList' } } }),
    expect: { refused: /field is immutable/ },
  },
  {
    attempt: 'says in the status of the CRD that it is not established',
    run: async (target) => {
      const object = await target.cluster.api.get(CRD);
      for (const condition of object.status.conditions) condition.status = 'False';
      return target.cluster.api.ask('PUT', `${CRD}/status`, { body: object });
    },
    expect: CHANGES_CRD,
  },
  {
    attempt: 'adds a field to the schema, as a newer release does',
    run: send('PATCH', CRD, [{ op: 'add', path: `${SPEC_SCHEMA}/later`, value: { type: 'string' } }], {
      type: JSON_PATCH,
      dryRun: true,
    }),
    expect: { admitted: 'an upgrade of the CRD drops nothing' },
  },
];

const ON_NAMESPACES: readonly Attempt[] = [
  {
    attempt: 'changes the record of the labels on a namespace',
    run: patch(NAMESPACE, { metadata: { annotations: { 'capabilitypolicy.dev/labels': '{}' } } }),
    expect: RECORDED,
  },
  {
    attempt: 'removes that record',
    run: patch(NAMESPACE, { metadata: { annotations: { 'capabilitypolicy.dev/labels': null } } }),
    expect: RECORDED,
  },
  {
    attempt: 'removes that record by way of the status',
    run: patch((target) => `${NAMESPACE(target)}/status`, {
      metadata: { annotations: { 'capabilitypolicy.dev/labels': null } },
    }),
    expect: RECORDED,
  },
  {
    attempt: 'removes the label enforce from a namespace',
    run: patch(NAMESPACE, { metadata: { labels: { 'pod-security.kubernetes.io/enforce': null } } }, { dryRun: true }),
    expect: { admitted: 'their wildcard verbs include exempt, which the guard asks for' },
  },
];

const ON_THE_LEASE: readonly Attempt[] = [
  {
    attempt: 'takes the Lease',
    run: patch(LEASE, { spec: { holderIdentity: 'me', leaseDurationSeconds: 100_000 } }),
    expect: LEASES,
  },
  {
    attempt: 'replaces the Lease',
    run: put(LEASE, ({ spec }) => {
      spec.holderIdentity = '';
    }),
    expect: LEASES,
  },
  { attempt: 'deletes the Lease', run: remove(LEASE), expect: LEASES },
  {
    attempt: "deletes all Leases of the operator's namespace",
    run: remove(LEASE.replace(/\/[^/]+$/, '')),
    expect: LEASES,
  },
];

function apiService(name: string, group: string, version: string) {
  const service = { name: 'mine', namespace: 'default' };
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name },
    spec: { group, version, groupPriorityMinimum: 1, versionPriority: 1, insecureSkipTLSVerify: true, service },
  };
}

const ON_APIS: readonly Attempt[] = [
  {
    attempt: 'has another server answer for the API of admission policies',
    run: patch(`${SERVICES}/v1.admissionregistration.k8s.io`, {
      spec: { service: { name: 'mine', namespace: 'default' }, insecureSkipTLSVerify: true },
    }),
    expect: SERVED,
  },
  {
    attempt: 'has another server answer for the core API',
    run: patch(`${SERVICES}/v1.`, {
      spec: { service: { name: 'mine', namespace: 'default' }, insecureSkipTLSVerify: true },
    }),
    expect: SERVED,
  },
  {
    attempt: 'deletes the registration of the API of policies',
    run: remove(`${SERVICES}/v1alpha1.capabilitypolicy.dev`),
    expect: SERVED,
  },
  {
    attempt: 'registers a server for a later version of the API of policies',
    run: create(SERVICES, apiService('v2.capabilitypolicy.dev', 'capabilitypolicy.dev', 'v2')),
    expect: SERVED,
  },
];

const AS_THE_OPERATOR: readonly Attempt[] = [
  {
    attempt: "requests a token of the operator's service account",
    run: create(`${OWN}/serviceaccounts/${OPERATOR_ACCOUNT}/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    }),
    expect: TOKENS,
  },
  {
    attempt: 'creates a Secret that is filled with such a token',
    run: create(`${OWN}/secrets`, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'token', annotations: { 'kubernetes.io/service-account.name': OPERATOR_ACCOUNT } },
      type: 'kubernetes.io/service-account-token',
    }),
    expect: TOKENS,
  },
  {
    attempt: 'impersonates the operator to delete an admission policy',
    run: remove(VAP, undefined, { as: { user: OPERATOR_USER }, dryRun: true }),
    expect: { admitted: 'admission sees the impersonated user only; the audit log has both' },
  },
  {
    attempt: 'impersonates the garbage collector to delete an admission policy',
    run: remove(VAP, undefined, {
      as: { user: 'system:serviceaccount:kube-system:generic-garbage-collector' },
      dryRun: true,
    }),
    expect: { admitted: 'admission sees the impersonated user only; the audit log has both' },
  },
  {
    attempt: 'impersonates the garbage collector to change an admission policy',
    run: patch(
      VAP,
      { spec: { failurePolicy: 'Ignore' } },
      { as: { user: 'system:serviceaccount:kube-system:generic-garbage-collector', groups: ['system:masters'] } },
    ),
    expect: OBJECT,
  },
  {
    attempt: "creates a pod with the operator's service account in its namespace",
    run: create(
      `${OWN}/pods`,
      { ...restrictedPod({ serviceAccountName: OPERATOR_ACCOUNT }), metadata: { name: 'mine' } },
      { dryRun: true },
    ),
    expect: { admitted: "no file can tell the operator's pods from others: the Deployment has to be upgraded" },
  },
];

const ON_PINNED_POLICIES: readonly Attempt[] = [
  {
    attempt: '(as an editor of policies) changes a pinned policy',
    run: patch(PINNED, { spec: { level: 'baseline' } }, { as: EDITOR }),
    expect: PINS,
  },
  {
    attempt: '(as an editor of policies) deletes a pinned policy',
    run: remove(PINNED, undefined, { as: EDITOR }),
    expect: PINS,
  },
  {
    attempt: '(as an editor of policies) deletes all policies at once',
    run: remove(POLICIES, undefined, { as: EDITOR, query: { fieldSelector: 'metadata.name=protected-base' } }),
    expect: PINS,
  },
  {
    attempt: '(as an editor of policies) gives a pinned policy an owner that does not exist',
    run: patch(PINNED, { metadata: { ownerReferences: [GONE_OWNER] } }, { as: EDITOR }),
    expect: PINS,
  },
  {
    attempt: 'changes a pinned policy',
    run: patch(PINNED, { spec: { level: 'baseline' } }, { dryRun: true }),
    expect: { admitted: 'their wildcard verbs include exempt' },
  },
  {
    attempt: '(as an editor of policies) creates a policy of higher priority that admits everything',
    run: create(
      POLICIES,
      {
        apiVersion: 'capabilitypolicy.dev/v1alpha1',
        kind: 'CapabilityPolicy',
        metadata: { name: 'open' },
        spec: { namespaceSelector: {}, level: 'privileged', mode: 'Enforce', priority: 1000 },
      },
      { as: EDITOR, dryRun: true },
    ),
    expect: { admitted: 'RBAC decides who may create policies' },
  },
];

const ROUNDABOUT: readonly Attempt[] = [
  {
    attempt: 'writes an admission policy back unchanged',
    run: put(VAP, () => {}, { dryRun: true }),
    expect: { admitted: 'it changes nothing, and re-encryption of etcd needs it' },
  },
  {
    attempt: 'changes the status of an admission policy',
    run: async (target) => {
      const object = await target.cluster.api.get(VAP(target));
      object.status = { observedGeneration: 7 };
      return send('PUT', `${VAP(target)}/status`, object, { dryRun: true })(target);
    },
    expect: { admitted: 'API servers do not read it' },
  },
  {
    attempt: 'creates an admission policy that refuses what the operator writes',
    run: create(`${ADMISSION}/validatingadmissionpolicies`, lookAlike({ name: 'stops-the-operator' }), {
      dryRun: true,
    }),
    expect: { admitted: 'what is in force stays in force; no policy of the API sees admission policies' },
  },
  {
    attempt: 'creates a mutating admission policy that changes roles while the operator writes them',
    run: create(`${ADMISSION}/mutatingadmissionpolicies`, lookAlike({ name: 'changes-roles' }, 'Mutating'), {
      dryRun: true,
    }),
    expect: { admitted: 'it sees no admission policies; they may also bind the roles themselves' },
  },
  {
    attempt: 'binds a role for the use of a policy to a user',
    run: create(
      `${RBAC}/clusterrolebindings`,
      ({ names }: Target) => ({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'mine' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: names.ClusterRole },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'me' }],
      }),
      { dryRun: true },
    ),
    expect: { admitted: 'RBAC decides who may grant the use of a policy' },
  },
  {
    attempt: "deletes the operator's Deployment",
    run: remove(`/apis/apps/v1/namespaces/${OPERATOR_NAMESPACE}/deployments/${OPERATOR_ACCOUNT}`, undefined, {
      dryRun: true,
    }),
    expect: { admitted: 'what is in force stays in force' },
  },
  {
    attempt: "deletes the operator's own role",
    run: remove(`${RBAC}/clusterroles/${OPERATOR_ACCOUNT}`, undefined, { dryRun: true }),
    expect: { admitted: 'what is in force stays in force' },
  },
  {
    attempt: 'deletes a policy',
    run: remove(`${POLICIES}/protected-granted`, undefined, { dryRun: true }),
    expect: { admitted: 'RBAC decides who may delete policies; --protect-policies pins them' },
  },
];

export const ATTEMPTS: Readonly<Record<string, readonly Attempt[]>> = {
  'on admission policies and their bindings': ON_ADMISSION_POLICIES,
  'by objects that look like those of the operator': LOOK_ALIKES,
  'on roles for the use of policies': ON_ROLES,
  'on the CRD': ON_THE_CRD,
  'on namespaces': ON_NAMESPACES,
  'on the Lease': ON_THE_LEASE,
  'on the registration of APIs': ON_APIS,
  'as the operator': AS_THE_OPERATOR,
  'on policies that --protect-policies names': ON_PINNED_POLICIES,
  'in a roundabout way': ROUNDABOUT,
};
