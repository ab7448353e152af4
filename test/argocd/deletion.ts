/**
 * Tests one Application with the operator, a policy and a namespace. Deleting the Application deletes all objects of
 * the Application.
 */
import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import type { AuditEvent } from '../support/audit.ts';
import { eventually } from '../support/harness.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { OPERATOR_ACCOUNT } from '../support/rights.ts';
import { APPLICATIONS, ARGO_OBJECTS, application } from './applications.ts';
import { projectFiles, ROOT_APPLICATION } from './documented.ts';
import { namespaceOf, policyOf, SERVER_SIDE } from './objects.ts';
import type { Stage } from './stage.ts';

const ALL = 'argo-all';
/**
 * The number of labelled namespaces outside the Application. The operator has to remove the labels of these namespaces.
 * At the operator's write rate, removing these labels takes seven seconds. If nothing delayed the deletion, Argo CD
 * would delete the operator a second after the policies.
 */
const NAMESPACES_ELSEWHERE = 80;
const SLOW_WRITES = ['--kube-api-qps=10', '--kube-api-burst=10'];

/** Keeps the operator, and deletes everything else that tests made with Argo CD. */
export async function forgetEverything(stage: Stage): Promise<void> {
  // The root Application is deleted before its objects, because the root Application would create deleted objects
  // again. If a sync of the root Application is running, the sync creates the objects once more.
  await stage.api.remove(`${APPLICATIONS}/${ROOT_APPLICATION}`);
  await eventually('all Applications to be deleted', async () => {
    const sets = await forgetAll(stage, `${ARGO_OBJECTS}/applicationsets`);
    return sets + (await forgetAll(stage, APPLICATIONS)) === 0;
  });
  // If this part of the test runs alone, the cluster has no CRD for policies.
  const policies = (await stage.api.find(POLICIES))?.items ?? [];
  for (const { metadata } of policies) await stage.api.remove(`${POLICIES}/${metadata.name}`);
}

/**
 * Deletes Applications but keeps the objects of the Applications.
 * @returns the number of Applications
 */
async function forgetAll({ api }: Stage, collection: string): Promise<number> {
  const all = await api.list(collection);
  for (const { metadata } of all) {
    const path = `${collection}/${metadata.name}`;
    if (metadata.finalizers) await api.patch(path, { metadata: { finalizers: null } });
    // Without `Orphan`, the garbage collector would also delete the Applications of an ApplicationSet.
    await api.remove(path, 'Orphan');
  }
  return all.length;
}

export async function syncAll(stage: Stage): Promise<void> {
  for (let index = 0; index < NAMESPACES_ELSEWHERE; index++) {
    const name = `${ALL}-elsewhere-${index}`;
    const namespace = namespaceOf(name, { environment: ALL });
    await stage.api.apply(`${NAMESPACES}/${name}`, namespace);
  }
  const repository = stage.repository();
  const commit = repository.commit({
    ...projectFiles(),
    'all/kustomization.yaml': JSON.stringify({
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: ['../config/argocd/operator', 'policy.yaml', 'namespace.yaml'],
      patches: [{ target: { kind: 'Deployment' }, patch: JSON.stringify(SLOW_WRITES.map(appendedFlag)) }],
    }),
    'all/policy.yaml': [policyOf(ALL, {}, { wave: 1 })],
    'all/namespace.yaml': [namespaceOf(ALL, { environment: ALL }, { wave: 2 })],
  });
  const finalizers = ['resources-finalizer.argocd.argoproj.io'];
  await stage.applications.create(
    application(ALL, { url: repository.url, path: 'all', options: [SERVER_SIDE], finalizers }),
  );
  await stage.applications.healthy(ALL, commit, 180_000);
  await stage.inForce(ALL);
  await eventually('all labels', async () => (await labelled(stage)).length === NAMESPACES_ELSEWHERE + 1);
}

/**
 * Waits until every object is deleted and no label remains. The objects must be deleted in the order of the sync waves.
 */
export async function assertDeletedInOrder(stage: Stage): Promise<void> {
  await stage.api.remove(`${APPLICATIONS}/${ALL}`);
  const gone = async () => (await stage.api.find(`${APPLICATIONS}/${ALL}`)) === undefined;
  await eventually('the Application to be deleted', gone, 180_000);
  assert.deepEqual(await labelled(stage), []);
  const deleted = (resource: string, name: string): string => {
    const events = stage.audit.events().filter((one) => isDeletionOf(one, resource, name));
    return events.at(-1)?.requestReceivedTimestamp ?? `no deletion of ${resource} ${name}`;
  };
  const moments = [
    deleted('namespaces', ALL),
    deleted('capabilitypolicies', ALL),
    deleted('clusterroles', 'capabilitypolicy-withdrawal'),
    deleted('deployments', OPERATOR_ACCOUNT),
    deleted('clusterroles', OPERATOR_ACCOUNT),
    deleted('customresourcedefinitions', 'capabilitypolicies.capabilitypolicy.dev'),
  ];
  assert.deepEqual(moments, moments.toSorted());
}

/** A JSON patch that adds a flag to the operator's Deployment. */
function appendedFlag(value: string): object {
  return { op: 'add', path: '/spec/template/spec/containers/0/args/-', value };
}

async function labelled(stage: Stage): Promise<string[]> {
  const namespaces = await stage.api.list(NAMESPACES);
  const isLabelled = ({ metadata }: Json) => {
    const { labels = {}, annotations = {} } = metadata;
    const own = Object.keys(labels).some((key) => key.startsWith('pod-security.kubernetes.io/'));
    return metadata.name.startsWith(ALL) && (own || 'capabilitypolicy.dev/labels' in annotations);
  };
  return namespaces.filter(isLabelled).map(({ metadata }) => metadata.name);
}

function isDeletionOf({ verb, objectRef, responseStatus }: AuditEvent, resource: string, name: string): boolean {
  return (
    verb === 'delete' &&
    objectRef?.resource === resource &&
    objectRef.name === name &&
    (responseStatus?.code ?? 500) < 300
  );
}
