/** Attempts that change no protected object. Some of the attempts write a protected object unchanged. */
import { OPERATOR_ACCOUNT, OPERATOR_NAMESPACE } from '../support/rights.ts';
import {
  ADMISSION,
  APPLY,
  type Attempt,
  create,
  GONE_OWNER,
  lookAlike,
  MUTATING,
  OWN,
  PINNED,
  POLICIES,
  patch,
  put,
  RBAC,
  remove,
  send,
  type Target,
  VAP,
} from './protection-requests.ts';

const STAYS = { admitted: 'programs in force stay in force' };

export const ROUNDABOUT: readonly Attempt[] = [
  {
    attempt: 'writes an admission policy back unchanged',
    run: put(VAP, () => {}, { dryRun: true }),
    expect: { admitted: 'the write changes nothing, and the re-encryption of etcd needs such writes' },
  },
  {
    attempt: 'changes the status of an admission policy',
    run: async (target) => {
      const object = await target.cluster.api.get(VAP(target));
      object.status = { observedGeneration: 7 };
      return send('PUT', `${VAP(target)}/status`, object, { dryRun: true })(target);
    },
    expect: { admitted: 'API servers do not read the status of an admission policy' },
  },
  {
    attempt: 'gives an admission policy a nonexistent owner by a write of its status',
    run: async (target) => {
      const object = await target.cluster.api.get(VAP(target));
      object.metadata.ownerReferences = [GONE_OWNER];
      return send('PUT', `${VAP(target)}/status`, object)(target);
    },
    expect: { admitted: 'a write of the status does not change owners' },
  },
  {
    attempt: 'removes the managed fields of an admission policy',
    run: put(
      VAP,
      ({ metadata }) => {
        metadata.managedFields = [{}];
      },
      { dryRun: true },
    ),
    expect: {
      admitted: 'the managed fields do not affect enforcement, and the operator compares the text of the object',
    },
  },
  {
    attempt: 'writes a status which says that a policy is not in force',
    run: patch((target) => `${PINNED(target)}/status`, { status: { conditions: [] } }, { dryRun: true }),
    expect: { admitted: 'the operator writes the status again, and no decision about pods depends on the status' },
  },
  {
    attempt: 'creates an admission policy that refuses what the operator writes',
    run: create(`${ADMISSION}/validatingadmissionpolicies`, lookAlike({ name: 'stops-the-operator' }), {
      dryRun: true,
    }),
    expect: {
      admitted: 'programs in force stay in force. Policies of the API do not see writes of admission policies',
    },
  },
  {
    attempt: 'creates a mutating admission policy that changes roles while the operator writes them',
    run: create(`${ADMISSION}/mutatingadmissionpolicies`, lookAlike({ name: 'changes-roles' }, 'Mutating'), {
      dryRun: true,
    }),
    expect: {
      admitted:
        'the mutating policy does not see writes of admission policies. A cluster administrator may also bind the roles directly',
    },
  },
  {
    attempt:
      'creates a mutating admission policy that changes namespaces, the Lease and ConfigMaps while the operator writes them',
    run: create(
      MUTATING,
      lookAlike({ name: 'changes-records' }, 'Mutating', {
        apiGroups: ['', 'coordination.k8s.io'],
        apiVersions: ['*'],
        operations: ['CREATE', 'UPDATE'],
        resources: ['namespaces', 'leases', 'configmaps'],
      }),
      { dryRun: true },
    ),
    expect: {
      admitted:
        'the protection cannot distinguish the fields that the operator sent from the fields that a mutating policy changed',
    },
  },
  {
    attempt: 'creates a webhook that refuses what the operator writes',
    run: create(
      `${ADMISSION}/validatingwebhookconfigurations`,
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: 'stops-the-operator' },
        webhooks: [
          {
            name: 'mine.example.org',
            clientConfig: { url: 'https://127.0.0.1:1' },
            rules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }],
            failurePolicy: 'Fail',
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
          },
        ],
      },
      { dryRun: true },
    ),
    expect: { admitted: 'programs in force stay in force. Webhooks do not see writes of admission policies' },
  },
  {
    attempt: "lets API Priority and Fairness reject the operator's requests",
    run: create(
      '/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations',
      {
        apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
        kind: 'PriorityLevelConfiguration',
        metadata: { name: 'stops-the-operator' },
        spec: { type: 'Limited', limited: { nominalConcurrencyShares: 0, limitResponse: { type: 'Reject' } } },
      },
      { dryRun: true },
    ),
    expect: STAYS,
  },
  {
    attempt: "lets a quota refuse the operator's pods and ConfigMaps",
    run: create(
      `${OWN}/resourcequotas`,
      {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'stops-the-operator' },
        spec: { hard: { pods: '0', 'count/configmaps': '0' } },
      },
      { dryRun: true },
    ),
    expect: STAYS,
  },
  {
    attempt: 'publishes wrong addresses of API servers for the operator',
    run: send(
      'PATCH',
      '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes',
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'kubernetes', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
        addressType: 'IPv4',
        endpoints: [{ addresses: ['192.0.2.1'] }],
      },
      { type: APPLY, dryRun: true },
    ),
    expect: {
      admitted: 'API servers write their addresses again. Until then, the operator sends probes to fewer API servers',
    },
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
    expect: STAYS,
  },
  {
    attempt: "deletes the operator's namespace",
    run: remove(OWN, undefined, { dryRun: true }),
    expect: { admitted: 'programs in force stay in force. Rollouts begin their soaks again' },
  },
  {
    attempt: "deletes the operator's service account",
    run: remove(`${OWN}/serviceaccounts/${OPERATOR_ACCOUNT}`, undefined, { dryRun: true }),
    expect: STAYS,
  },
  {
    attempt: 'deletes the service account of the garbage collector',
    run: remove('/api/v1/namespaces/kube-system/serviceaccounts/generic-garbage-collector', undefined, {
      dryRun: true,
    }),
    expect: { admitted: 'kube-controller-manager creates the service account again' },
  },
  {
    attempt: "deletes the binding of the operator's own role",
    run: remove(`${RBAC}/clusterrolebindings/${OPERATOR_ACCOUNT}`, undefined, { dryRun: true }),
    expect: STAYS,
  },
  {
    attempt: "deletes the operator's own role",
    run: remove(`${RBAC}/clusterroles/${OPERATOR_ACCOUNT}`, undefined, { dryRun: true }),
    expect: STAYS,
  },
  {
    attempt: 'deletes a policy',
    run: remove(`${POLICIES}/protected-granted`, undefined, { dryRun: true }),
    expect: {
      admitted:
        'RBAC decides who may delete policies. The flag --protect-policies prevents the deletion of the named policies',
    },
  },
];
