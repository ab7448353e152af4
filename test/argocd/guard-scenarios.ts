/** Tests the guard with an Argo CD without administrator rights. */
import { readFileSync } from 'node:fs';
import type { Json } from '../../hack/controlplane/api.ts';
import { SERVERNAME } from '../../hack/controlplane/readiness.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { application, isSyncedTo } from './applications.ts';
import { ENFORCE, namespaceOf, policyOf, SERVER_SIDE } from './objects.ts';
import { ARGO_NAMESPACE } from './server.ts';
import type { Scenario } from './side-by-side.ts';
import type { Stage } from './stage.ts';

const LIMITED = 'argocd-limited';

export function guardScenarios(stage: () => Stage): Scenario[] {
  return [
    {
      title: 'the guard refuses changes that weaken a label until Argo CD has the verb exempt',
      run: () => guarded(stage()),
    },
  ];
}

async function guarded(stage: Stage): Promise<void> {
  const name = 'argo-guarded';
  const server = await limitedCluster(stage);
  await stage.api.apply(`${POLICIES}/${name}`, policyOf(name));
  await stage.inForce(name);
  const repository = stage.repository();
  const commit = (labels: Readonly<Record<string, string>>) =>
    repository.commit({ 'namespace.yaml': [namespaceOf(name, { environment: name, ...labels })] });
  const retry = { limit: -1, refresh: true, backoff: { duration: '5s', factor: 1, maxDuration: '5s' } };
  const options = { url: repository.url, options: [SERVER_SIDE], server, policy: { retry } };
  const first = commit({});
  await stage.applications.create(application(name, options));
  await stage.applications.healthy(name, first);
  await stage.labelsBecome(name, { enforce: 'restricted' });
  const second = commit({ [ENFORCE]: 'privileged' });
  await stage.applications.sees(name, second);
  const said = new RegExp(`exempt.*${name}|${name}.*exempt`, 's');
  await stage.applications.becomes(name, 'refused by the guard', (one) => said.test(JSON.stringify(one.status)));
  // If a comparison fails, the next comparison reports the commit as Synced although nothing was applied. See
  // refused.ts.
  await stage.applications.becomes(name, 'Synced', isSyncedTo(second));
  await stage.labelsBecome(name, { enforce: 'restricted' });
  await stage.api.apply('/apis/rbac.authorization.k8s.io/v1/clusterroles/argocd-exempt', {
    ...role('argocd-exempt'),
    rules: [
      {
        apiGroups: ['capabilitypolicy.dev'],
        resources: ['capabilitypolicies'],
        resourceNames: [name],
        verbs: ['exempt'],
      },
    ],
  });
  await stage.api.apply(
    '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/argocd-exempt',
    binding('argocd-exempt'),
  );
  // A change of Argo CD's rights starts no comparison, so the test waits for the next regular comparison.
  await stage.applications.compared(name);
  await stage.labelsBecome(name, { enforce: 'privileged' });
  await stage.applications.synced(name, second);
}

/**
 * Registers the cluster in Argo CD under a second name, with rights to read all objects and to write namespaces.
 * @returns the name
 */
async function limitedCluster({ api, controlPlane }: Stage): Promise<string> {
  const rules = [
    { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['namespaces'], verbs: ['create', 'update', 'patch', 'delete'] },
    { nonResourceURLs: ['*'], verbs: ['get'] },
  ];
  await api.apply(`/apis/rbac.authorization.k8s.io/v1/clusterroles/${LIMITED}`, { ...role(LIMITED), rules });
  await api.apply(`/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${LIMITED}`, binding(LIMITED));
  const { clusters, users } = JSON.parse(readFileSync(controlPlane.kubeconfigFor(LIMITED), 'utf8'));
  const server = clusters[0].cluster.server.replace('127.0.0.1', 'localhost');
  const tlsClientConfig = {
    caData: clusters[0].cluster['certificate-authority-data'],
    certData: users[0].user['client-certificate-data'],
    keyData: users[0].user['client-key-data'],
    serverName: SERVERNAME,
  };
  await api.apply(`${NAMESPACES}/${ARGO_NAMESPACE}/secrets/limited`, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'limited', labels: { 'argocd.argoproj.io/secret-type': 'cluster' } },
    stringData: { name: 'limited', server, config: JSON.stringify({ tlsClientConfig }) },
  });
  return server;
}

function role(name: string): Json {
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name } };
}

function binding(name: string): Json {
  const apiGroup = 'rbac.authorization.k8s.io';
  return {
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup, kind: 'ClusterRole', name },
    subjects: [{ apiGroup, kind: 'User', name: LIMITED }],
  };
}
