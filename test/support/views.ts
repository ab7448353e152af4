/**
 * Makes minimal pods, workloads and RBAC objects in the form that is read from the cluster. Tests vary one field at a
 * time.
 */
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import { useRoleName } from '../../operator/compile/rbac.ts';
import type {
  Cluster,
  NamespaceView,
  Owner,
  PodView,
  RbacSubject,
  RoleBindingView,
  RoleView,
  WorkloadView,
} from '../../operator/model/objects.ts';
import { type WorkloadKind, workloadKind } from '../../operator/model/workload-kinds.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { pod } from './pods.ts';

export const SERVER = NEWEST_KNOWN_MINOR;

export function podView(name: string, fields: Partial<PodView> = {}): PodView {
  const identity = { namespace: 'net', name, uid: `pod-${name}` };
  return { ...identity, serviceAccount: 'default', mirror: false, finished: false, ...pod(), ...fields };
}

export function workloadView(kind: WorkloadKind, name: string, fields: Partial<WorkloadView> = {}): WorkloadView {
  return { kind, namespace: 'net', name, uid: `${kind}-${name}`, finished: false, template: pod(), ...fields };
}

/** The owner reference to a workload of `workloadView`. */
export function ownedBy(
  kind: string,
  name: string,
  apiVersion = workloadKind(kind)?.apiVersion ?? 'apps/v1',
): { owner: Owner } {
  return { owner: { apiVersion, kind, name, uid: `${kind}-${name}` } };
}

export function clusterOf(
  workloads: readonly WorkloadView[],
  pods: readonly PodView[] = [],
): Pick<Cluster, 'pods' | 'workloads' | 'workload'> {
  return {
    pods: (namespace) => pods.filter((one) => one.namespace === namespace),
    workloads: (namespace) => workloads.filter((one) => one.namespace === namespace),
    workload: (namespace, kind, name) =>
      workloads.find((one) => one.namespace === namespace && one.kind === kind && one.name === name),
  };
}

/** A cluster without other objects. The cluster has no RBAC objects, and the operator has written nothing. */
export function wholeCluster(
  objects: ReturnType<typeof clusterOf>,
  policies: readonly CompletePolicy[],
  namespaces: readonly NamespaceView[],
): Cluster {
  return {
    ...objects,
    policies: () => policies,
    policy: (name) => policies.find(({ metadata }) => metadata?.name === name),
    namespaces: () => namespaces,
    namespace: (name) => namespaces.find((one) => one.name === name),
    roles: () => [],
    roleBindings: () => [],
    rendered: () => [],
    oldestServer: SERVER,
  };
}

/** The ClusterRole that is rendered for a policy. */
export function useRole(policyName: string, fields: Partial<RoleView['rules'][number]> = {}): RoleView {
  const rule = { verbs: ['use'], apiGroups: ['capabilitypolicy.dev'], resources: ['capabilitypolicies'] };
  return { name: useRoleName(policyName), rules: [{ ...rule, resourceNames: [policyName], ...fields }] };
}

export function binding(role: string, subject: RbacSubject, namespace?: string): RoleBindingView {
  return {
    ...(namespace && { namespace }),
    name: 'binding',
    role: { kind: 'ClusterRole', name: role },
    subjects: [subject],
  };
}
