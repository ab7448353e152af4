/** Attempts to act as a user with the right to write protected objects. */
import { signingRequest } from '../../hack/controlplane/certificates.ts';
import { podManifest, restrictedPod } from '../support/pod-manifests.ts';
import { OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, OPERATOR_USER } from '../support/rights.ts';
import {
  type Attempt,
  asAdministrator,
  CONTROLLER_TOKENS,
  CRD,
  create,
  GARBAGE_COLLECTOR,
  LEASE,
  OBJECT,
  OWN,
  patch,
  put,
  remove,
  SECRETS,
  STRATEGIC,
  TOKENS,
  VAP,
} from './protection-requests.ts';

const SYSTEM = '/api/v1/namespaces/kube-system';
const NODE = asAdministrator('system:node:n', 'system:nodes');
const IMPERSONATED = { admitted: 'admission sees only the impersonated user. The audit log has both user names' };
const ENCODED = {
  admitted:
    'no expression can read the user name in the encoded request. The audit log has the name of the user who approves the request',
};
const UPGRADED = {
  admitted:
    "the protection cannot distinguish the operator's pods from other pods, because every release changes the pods",
};

const OTHER_PROGRAM = { name: 'operator', image: 'registry.example/mine', args: ['--excluded-namespaces=*'] };
const TOKEN = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };

function tokenSecret(name: string, account: string) {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, annotations: { 'kubernetes.io/service-account.name': account } },
    type: 'kubernetes.io/service-account-token',
  };
}

/** @param signer the name of the signer of the client certificate, without the prefix `kubernetes.io/` */
function certificateFor(signer: string, commonName: string, ...organizations: readonly string[]): Attempt['run'] {
  const request = Buffer.from(signingRequest({ commonName, organizations })).toString('base64');
  return create(
    '/apis/certificates.k8s.io/v1/certificatesigningrequests',
    {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'mine' },
      spec: { request, signerName: `kubernetes.io/${signer}`, usages: ['client auth', 'digital signature'] },
    },
    { dryRun: true },
  );
}

function pod(name: string, serviceAccountName: string) {
  return { ...restrictedPod({ serviceAccountName }), metadata: { name } };
}

export const AS_THE_OPERATOR: readonly Attempt[] = [
  {
    attempt: "requests a token of the operator's service account",
    run: create(`${OWN}/serviceaccounts/${OPERATOR_ACCOUNT}/token`, TOKEN),
    expect: TOKENS,
  },
  {
    attempt: 'creates a Secret that is filled with such a token',
    run: create(`${OWN}/secrets`, tokenSecret('token', OPERATOR_ACCOUNT)),
    expect: SECRETS,
  },
  {
    attempt: 'has such a token filled into the Secret of another account',
    run: async (target) => {
      await target.cluster.api.create(`${OWN}/secrets`, tokenSecret('other', 'default'));
      const { metadata } = tokenSecret('other', OPERATOR_ACCOUNT);
      return patch(`${OWN}/secrets/other`, { metadata })(target);
    },
    expect: SECRETS,
  },
  {
    attempt: 'requests a token of the garbage collector, which may delete what is protected',
    run: create(`${SYSTEM}/serviceaccounts/generic-garbage-collector/token`, TOKEN),
    expect: CONTROLLER_TOKENS,
  },
  {
    attempt: 'requests a token of the namespace controller',
    run: create(`${SYSTEM}/serviceaccounts/namespace-controller/token`, TOKEN),
    expect: CONTROLLER_TOKENS,
  },
  {
    attempt: 'creates a Secret that is filled with a token of the garbage collector',
    run: create(`${SYSTEM}/secrets`, tokenSecret('token', 'generic-garbage-collector')),
    expect: SECRETS,
  },
  {
    attempt: "creates a pod with the garbage collector's service account",
    run: create(`${SYSTEM}/pods`, pod('mine', 'generic-garbage-collector'), { dryRun: true }),
    expect: { admitted: 'nodes cannot get a token of this account' },
  },
  {
    attempt: '(as the node of such a pod) requests a token of the garbage collector',
    run: create(`${SYSTEM}/serviceaccounts/generic-garbage-collector/token`, TOKEN, { as: NODE }),
    expect: CONTROLLER_TOKENS,
  },
  {
    attempt: "asks for a client certificate with the operator's user name",
    run: certificateFor('kube-apiserver-client', OPERATOR_USER),
    expect: ENCODED,
  },
  {
    attempt: "asks for a client certificate with the controller manager's user name",
    run: certificateFor('kube-apiserver-client', 'system:kube-controller-manager'),
    expect: ENCODED,
  },
  {
    attempt: 'asks for the client certificate of a node, because a node gets tokens for the pods on the node',
    run: certificateFor('kube-apiserver-client-kubelet', 'system:node:mine', 'system:nodes'),
    expect: ENCODED,
  },
  {
    attempt: 'impersonates the operator to delete an admission policy',
    run: remove(VAP, undefined, { as: { user: OPERATOR_USER }, dryRun: true }),
    expect: IMPERSONATED,
  },
  {
    attempt: 'impersonates the garbage collector to delete an admission policy',
    run: remove(VAP, undefined, { as: GARBAGE_COLLECTOR, dryRun: true }),
    expect: IMPERSONATED,
  },
  {
    attempt: 'impersonates the garbage collector to change an admission policy',
    run: patch(VAP, { spec: { failurePolicy: 'Ignore' } }, { as: GARBAGE_COLLECTOR }),
    expect: OBJECT,
  },
  {
    attempt: 'impersonates the controller manager to delete an admission policy',
    run: remove(VAP, undefined, { as: asAdministrator('system:kube-controller-manager'), dryRun: true }),
    expect: IMPERSONATED,
  },
  {
    attempt: 'impersonates the namespace controller to delete the Lease',
    run: remove(LEASE, undefined, {
      as: asAdministrator('system:serviceaccount:kube-system:namespace-controller'),
      dryRun: true,
    }),
    expect: IMPERSONATED,
  },
  {
    attempt: 'impersonates an API server to write the status of the CRD',
    run: put(`${CRD}/status`, () => {}, { as: asAdministrator('system:apiserver'), dryRun: true }),
    expect: IMPERSONATED,
  },
  {
    attempt: "impersonates a node to request a token of the operator's service account",
    run: create(`${OWN}/serviceaccounts/${OPERATOR_ACCOUNT}/token`, TOKEN, { as: NODE, dryRun: true }),
    expect: IMPERSONATED,
  },
  {
    attempt: "creates a pod with the operator's service account in its namespace",
    run: create(`${OWN}/pods`, pod('mine', OPERATOR_ACCOUNT), { dryRun: true }),
    expect: UPGRADED,
  },
  {
    attempt: "changes the image of the operator's Deployment, or its flags that exclude namespaces",
    run: patch(
      `/apis/apps/v1/namespaces/${OPERATOR_NAMESPACE}/deployments/${OPERATOR_ACCOUNT}`,
      { spec: { template: { spec: { containers: [OTHER_PROGRAM] } } } },
      { type: STRATEGIC, dryRun: true },
    ),
    expect: UPGRADED,
  },
  {
    attempt: "adds an ephemeral container to the operator's pod, so that the container can read the operator's token",
    run: async (target) => {
      await target.cluster.api.create(`${OWN}/pods`, pod('running', OPERATOR_ACCOUNT));
      const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
      const ephemeralContainers = [{ name: 'debugger', image: 'example.org/app', securityContext }];
      const sent = { type: STRATEGIC, dryRun: true } as const;
      return patch(`${OWN}/pods/running/ephemeralcontainers`, { spec: { ephemeralContainers } }, sent)(target);
    },
    expect: { admitted: "RBAC decides who may run commands and debug in the operator's pods" },
  },
  {
    attempt: 'creates a pod in kube-system that mounts the folder of the files',
    run: create(
      `${SYSTEM}/pods`,
      podManifest(
        { name: 'mounts' },
        {
          containers: [{ name: 'main', image: 'example.org/app', securityContext: { privileged: true } }],
          volumes: [{ name: 'files', hostPath: { path: '/etc/kubernetes' } }],
        },
      ),
      { dryRun: true },
    ),
    expect: {
      admitted:
        'the namespace kube-system is excluded from all policies. Pods in kube-system can have every right on their nodes',
    },
  },
];
