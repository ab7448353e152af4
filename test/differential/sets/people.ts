/** The creators of the pods of random sets, and the RBAC objects that let the creators use policies. */
import { Api, type Json } from '../../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../../hack/controlplane/controlplane.ts';
import { useRoleName } from '../../../operator/compile/rbac.ts';
import { createUseIndex, type UseIndex } from '../../../operator/evaluate/use.ts';
import { type PolicyCluster, projection } from '../policies/cluster.ts';
import { ACCOUNTS, CREATORS, type PolicySet, TOOLS } from './arbitrary.ts';
import type { Grant, Person, Subject } from './reference-model.ts';

export interface Creator extends Person {
  /** An API client with the creator's credentials. */
  readonly api: Api;
}

const GROUP = 'rbac.authorization.k8s.io';
const RBAC = `/apis/${GROUP}/v1`;
const EVERY_POLICY = 'sets-every-policy';

export async function admitCreators(cluster: PolicyCluster, controlPlane: ControlPlane): Promise<readonly Creator[]> {
  const authenticated: Subject = { kind: 'Group', name: 'system:authenticated' };
  await role(cluster, 'sets-creator', [
    { apiGroups: [''], resources: ['pods'], verbs: ['create'] },
    { apiGroups: [''], resources: ['pods/ephemeralcontainers'], verbs: ['patch'] },
    { apiGroups: ['apps'], resources: ['deployments'], verbs: ['create'] },
  ]);
  await binding(cluster, 'sets-creator', 'sets-creator', authenticated);
  await role(cluster, EVERY_POLICY, [{ apiGroups: ['capabilitypolicy.dev'], resources: ['*'], verbs: ['*'] }]);
  await account(cluster, await cluster.namespace(TOOLS), 'builder');
  return CREATORS.map(({ name, groups }) => ({
    name,
    groups: [...groups, 'system:authenticated'],
    api: new Api(controlPlane.kubeconfigFor(name, groups)),
  }));
}

/** Creates a set's namespaces with their service accounts, and the set's grants. */
export async function populate(cluster: PolicyCluster, { namespaces, grants }: PolicySet): Promise<void> {
  for (const { name, labels } of namespaces) {
    await cluster.namespace(name, labels);
    for (const one of ACCOUNTS) await account(cluster, name, one);
  }
  for (const [index, { policy, subject, namespace }] of grants.entries()) {
    const name = `${namespaces[0]?.name}-${index}`;
    await binding(cluster, name, policy === '*' ? EVERY_POLICY : useRoleName(policy), subject, namespace);
  }
}

export async function withdraw(cluster: PolicyCluster, { namespaces, grants }: PolicySet): Promise<void> {
  for (const [index, { namespace }] of grants.entries()) {
    if (namespace === undefined) await cluster.api.remove(bindingPath(`${namespaces[0]?.name}-${index}`));
  }
}

/** The rights to use policies in the cluster, in the operator's form. */
export async function readUse(cluster: PolicyCluster): Promise<UseIndex> {
  const [roles, ofCluster, some, bindings] = (await Promise.all(
    ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'].map((kind) => cluster.api.list(`${RBAC}/${kind}`)),
  )) as [Json[], Json[], Json[], Json[]];
  return createUseIndex(
    [...roles, ...ofCluster].flatMap((raw) => projection.role(raw) ?? []),
    [...some, ...bindings].map((raw) => projection.roleBinding(raw)),
  );
}

/** Creates a ServiceAccount if the ServiceAccount is missing. */
async function account(cluster: PolicyCluster, namespace: string, name: string): Promise<void> {
  const metadata = { name, namespace };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`;
  await cluster.api.apply(path, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
}

async function role(cluster: PolicyCluster, name: string, rules: readonly object[]): Promise<void> {
  const body = { apiVersion: `${GROUP}/v1`, kind: 'ClusterRole', metadata: { name }, rules };
  await cluster.api.apply(`${RBAC}/clusterroles/${name}`, body);
}

async function binding(
  cluster: PolicyCluster,
  name: string,
  roleName: string,
  subject: Subject,
  namespace?: Grant['namespace'],
): Promise<void> {
  await cluster.api.apply(bindingPath(name, namespace), {
    apiVersion: `${GROUP}/v1`,
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: roleName },
    subjects: [subject.kind === 'ServiceAccount' ? subject : { ...subject, apiGroup: GROUP }],
  });
}

function bindingPath(name: string, namespace?: string): string {
  if (namespace === undefined) return `${RBAC}/clusterrolebindings/${name}`;
  return `${RBAC}/namespaces/${namespace}/rolebindings/${name}`;
}
