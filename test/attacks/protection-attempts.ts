/**
 * The attempts of a cluster administrator (group system:masters) against the protection, and the API server's answers.
 */
import type { Json } from '../../hack/controlplane/api.ts';
import { AS_THE_OPERATOR } from './protection-identities.ts';
import {
  ADMISSION,
  APPLY,
  type Attempt,
  BINDING,
  binding,
  CHANGES_CRD,
  CRD,
  CRDS,
  create,
  EDITOR,
  GARBAGE_COLLECTOR,
  GONE_OWNER,
  GUARD,
  JSON_PATCH,
  jsonPatch,
  LEASE,
  LEASES,
  lookAlike,
  MANAGED,
  MAP,
  MAP_BINDING,
  MUTATING,
  NAMESPACE,
  NOTHING,
  OBJECT,
  OWN,
  PINNED,
  PINS,
  POLICIES,
  patch,
  put,
  RBAC,
  RECORDED,
  ROLE,
  ROLE_BINDING,
  ROLLOUT,
  remove,
  SELECTOR,
  SERVED,
  SERVICES,
  type Sent,
  STATES,
  STRATEGIC,
  send,
  type Target,
  VAP,
} from './protection-requests.ts';
import { ROUNDABOUT } from './protection-roundabout.ts';

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
    attempt: 'takes the owners from an admission policy, so that it outlives the CRD',
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
    attempt: 'creates an admission policy named like a program',
    run: create(`${ADMISSION}/validatingadmissionpolicies`, lookAlike({ name: 'capabilitypolicy.warn' })),
    expect: OBJECT,
  },
  {
    attempt: 'binds a program by a binding of their own',
    run: create(`${ADMISSION}/validatingadmissionpolicybindings`, binding('own', 'capabilitypolicy.enforce')),
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
    expect: { refused: /CapabilityPolicy protection in force: \S+ may not write the protected objects/ },
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

/** @param alter changes the new version. Before the change, the new version is a copy of the CRD's first version */
function addsVersion(alter: (version: Json) => void, sent: Sent = {}): Attempt['run'] {
  const add = ({ spec }: Json) => {
    const version = { ...structuredClone(spec.versions[0]), name: 'v1', storage: false };
    alter(version);
    spec.versions.push(version);
  };
  return put(CRD, add, sent);
}

const ON_THE_CRD: readonly Attempt[] = [
  { attempt: 'deletes the CRD', run: remove(CRD), expect: { refused: /nobody may delete the CRD/ } },
  { attempt: 'deletes all CRDs at once', run: remove(CRDS), expect: { refused: /nobody may delete the CRD/ } },
  {
    attempt: 'deletes the CRD as the garbage collector',
    run: remove(CRD, undefined, { as: GARBAGE_COLLECTOR }),
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
    attempt: 'serves an additional version with fewer fields: a write by it drops the others',
    run: addsVersion(({ schema }) => {
      delete schema.openAPIV3Schema.properties.spec.properties.priority;
    }),
    expect: CHANGES_CRD,
  },
  {
    attempt: 'serves an additional version that knows no field',
    run: addsVersion((version) => {
      version.schema = { openAPIV3Schema: { type: 'object' } };
    }),
    expect: CHANGES_CRD,
  },
  {
    attempt: 'adds such a version that is not served yet',
    run: addsVersion((version) => {
      version.schema = { openAPIV3Schema: { type: 'object' } };
      version.served = false;
    }),
    expect: CHANGES_CRD,
  },
  {
    attempt:
      'serves an additional version without the status subresource, by which a write of the spec changes the status',
    run: addsVersion((version) => {
      delete version.subresources;
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
    expect: { admitted: 'an upgrade of the CRD adds fields, and drops no stored field' },
  },
  {
    attempt: 'serves an additional version with all fields, as a newer release may',
    run: addsVersion(() => {}, { dryRun: true }),
    expect: { admitted: 'a write of an object in the additional version drops no field' },
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
    attempt: 'removes that record by way of the finalizers',
    run: async (target) => {
      const object = await target.cluster.api.get(NAMESPACE(target));
      delete object.metadata.annotations['capabilitypolicy.dev/labels'];
      return send('PUT', `${NAMESPACE(target)}/finalize`, object)(target);
    },
    expect: RECORDED,
  },
  {
    attempt: "creates a namespace that already has the operator's record",
    run: create(
      '/api/v1/namespaces',
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'restored', annotations: { 'capabilitypolicy.dev/labels': '{}' } },
      },
      { dryRun: true },
    ),
    expect: { admitted: 'the operator replaces the record, and a namespace from a backup may contain a record' },
  },
  {
    attempt: 'takes a namespace out of a policy by its label',
    run: patch(NAMESPACE, { metadata: { labels: { team: null } } }, { dryRun: true }),
    expect: {
      admitted: 'the wildcard verbs of cluster administrators include exempt, and the guard requires only exempt',
    },
  },
  {
    attempt: 'makes a namespace pending again for a rollout',
    run: patch(
      NAMESPACE,
      { metadata: { labels: { 'rollout.capabilitypolicy.dev/protected-rolled': 'pending' } } },
      { dryRun: true },
    ),
    expect: {
      admitted: 'the wildcard verbs of cluster administrators include exempt, and the guard requires only exempt',
    },
  },
  {
    attempt: 'removes the label enforce from a namespace',
    run: patch(NAMESPACE, { metadata: { labels: { 'pod-security.kubernetes.io/enforce': null } } }, { dryRun: true }),
    expect: {
      admitted: 'the wildcard verbs of cluster administrators include exempt, and the guard requires only exempt',
    },
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

const STATE = { apiVersion: 'v1', kind: 'ConfigMap', data: { team: '{"state":"Pending"}' } };

const ON_ROLLOUTS: readonly Attempt[] = [
  {
    attempt: 'changes the state of a rollout',
    run: patch(ROLLOUT, { data: { 'rollout.json': '{"begun":false}' } }),
    expect: STATES,
  },
  {
    attempt: 'replaces the state of a rollout',
    run: put(ROLLOUT, (object) => {
      object.data = {};
    }),
    expect: STATES,
  },
  {
    attempt: 'makes the state of a rollout immutable, so that it stays as it is',
    run: patch(ROLLOUT, { immutable: true }),
    expect: STATES,
  },
  {
    attempt: 'takes the label of the operator from the state of a rollout',
    run: patch(ROLLOUT, { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } }),
    expect: STATES,
  },
  {
    attempt: 'gives the state of a rollout an owner that does not exist',
    run: patch(ROLLOUT, { metadata: { ownerReferences: [GONE_OWNER] } }),
    expect: STATES,
  },
  {
    attempt: 'changes the state of a rollout as the garbage collector',
    run: patch(ROLLOUT, STATE, { as: GARBAGE_COLLECTOR }),
    expect: STATES,
  },
  { attempt: 'deletes the state of a rollout', run: remove(ROLLOUT), expect: STATES },
  {
    attempt: "deletes all ConfigMaps of the operator's namespace",
    run: remove(`${OWN}/configmaps`, undefined, { dryRun: true }),
    expect: STATES,
  },
  {
    attempt: 'deletes the ConfigMaps with the label of the operator',
    run: remove(`${OWN}/configmaps`, undefined, { query: { labelSelector: SELECTOR } }),
    expect: STATES,
  },
  {
    attempt: 'creates a ConfigMap with the label of the operator, which reads it as the state of a rollout',
    run: create(`${OWN}/configmaps`, { ...STATE, metadata: { name: 'mine', labels: MANAGED } }),
    expect: STATES,
  },
  {
    attempt: 'creates a ConfigMap named like the state of a later rollout, which keeps what is in it',
    run: create(`${OWN}/configmaps`, { ...STATE, metadata: { name: 'rollout-0.later' } }),
    expect: STATES,
  },
  {
    attempt: 'gives the label of the operator to another ConfigMap',
    run: patch(`${OWN}/configmaps/kube-root-ca.crt`, { metadata: { labels: MANAGED } }),
    expect: STATES,
  },
  {
    attempt: "creates another ConfigMap in the operator's namespace",
    run: create(`${OWN}/configmaps`, { ...STATE, metadata: { name: 'rollout-notes' } }, { dryRun: true }),
    expect: { admitted: 'the operator does not read this ConfigMap' },
  },
  {
    attempt: 'creates a ConfigMap with the label of the operator in another namespace',
    run: create(
      (target) => `${NAMESPACE(target)}/configmaps`,
      { ...STATE, metadata: { name: 'rollout-0.later', labels: MANAGED } },
      { dryRun: true },
    ),
    expect: { admitted: 'the operator does not read this ConfigMap' },
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
  {
    attempt: 'makes another server answer requests for Deployments',
    run: patch(
      `${SERVICES}/v1.apps`,
      { spec: { service: { name: 'mine', namespace: 'default' }, insecureSkipTLSVerify: true } },
      { dryRun: true },
    ),
    expect: {
      admitted:
        'API servers evaluate pods without the other server. Only statuses and warnings depend on the answers of the other server',
    },
  },
  {
    attempt: 'defines a custom resource in the group of admission policies',
    run: create(
      CRDS,
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: {
          name: 'validatingadmissionpolicies.admissionregistration.k8s.io',
          annotations: { 'api-approved.kubernetes.io': 'unapproved' },
        },
        spec: {
          group: 'admissionregistration.k8s.io',
          scope: 'Cluster',
          names: { plural: 'validatingadmissionpolicies', kind: 'ValidatingAdmissionPolicy' },
          versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
        },
      },
      { dryRun: true },
    ),
    expect: { admitted: 'API servers prefer their own API for this group' },
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
    expect: { admitted: 'the wildcard verbs of cluster administrators include exempt' },
  },
  {
    attempt: '(as an editor of policies) creates a policy of a higher priority that admits everything',
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
  {
    attempt: 'creates a mutating admission policy that changes pinned policies while holders of exempt write them',
    run: create(
      MUTATING,
      lookAlike({ name: 'changes-policies' }, 'Mutating', {
        apiGroups: ['capabilitypolicy.dev'],
        apiVersions: ['*'],
        operations: ['UPDATE'],
        resources: ['capabilitypolicies'],
      }),
      { dryRun: true },
    ),
    expect: {
      admitted:
        'the protection cannot distinguish the fields that a user sent from the fields that a mutating policy changed',
    },
  },
];

export const ATTEMPTS: Readonly<Record<string, readonly Attempt[]>> = {
  'on admission policies and their bindings': ON_ADMISSION_POLICIES,
  'by objects that look like those of the operator': LOOK_ALIKES,
  'on roles for the use of policies': ON_ROLES,
  'on the CRD': ON_THE_CRD,
  'on namespaces': ON_NAMESPACES,
  'on the Lease': ON_THE_LEASE,
  'on the states of rollouts': ON_ROLLOUTS,
  'on the registration of APIs': ON_APIS,
  'as the operator': AS_THE_OPERATOR,
  'on policies that --protect-policies names': ON_PINNED_POLICIES,
  'in a roundabout way': ROUNDABOUT,
};
