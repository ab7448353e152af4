/** Minimal policies, pods, workloads and RBAC objects, to be varied one field at a time. */
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { completeSpec } from '../../operator/api/defaults.ts';
import { useRoleName } from '../../operator/compile/rbac.ts';
import type {
  Cluster,
  Container,
  Owner,
  PodParts,
  PodView,
  RbacSubject,
  RoleBindingView,
  RoleView,
  WorkloadView,
} from '../../operator/model/objects.ts';
import type { WorkloadKind } from '../../operator/model/workload-kinds.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../operator/policy/resolve.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';

export const SERVER = NEWEST_KNOWN_MINOR;

export function policyObject(name: string, spec: Partial<CapabilityPolicySpec> = {}) {
  return {
    apiVersion: 'capabilitypolicy.dev/v1alpha1' as const,
    kind: 'CapabilityPolicy' as const,
    metadata: { name, uid: `uid-of-${name}`, generation: 1 },
    spec: completeSpec({ namespaceSelector: {}, level: 'baseline', ...spec }),
  };
}

export function policy(name: string, spec: Partial<CapabilityPolicySpec> = {}): ResolvedPolicy {
  const resolution = resolvePolicy(policyObject(name, spec), SERVER);
  if ('refusal' in resolution) throw new Error(resolution.refusal.message);
  return resolution.policy;
}

/** A pod's parts: one container that adds these capabilities. Baseline admits CHOWN, nothing admits SYS_ADMIN. */
export function parts(add: readonly string[] = [], spec: Record<string, unknown> = {}): PodParts {
  return { annotations: {}, spec: { containers: [container('app', add)], ...spec } };
}

export function container(name: string, add: readonly string[] = []): Container {
  return add.length === 0 ? { name } : { name, securityContext: { capabilities: { add } } };
}

export function pod(name: string, fields: Partial<PodView> = {}): PodView {
  const identity = { namespace: 'net', name, uid: `pod-${name}` };
  return { ...identity, serviceAccount: 'default', mirror: false, finished: false, ...parts(), ...fields };
}

export function workload(kind: WorkloadKind, name: string, fields: Partial<WorkloadView> = {}): WorkloadView {
  return { kind, namespace: 'net', name, uid: `${kind}-${name}`, finished: false, template: parts(), ...fields };
}

const GROUP_OF: Readonly<Record<string, string>> = {
  Job: 'batch/v1',
  CronJob: 'batch/v1',
  ReplicationController: 'v1',
};

/** The reference to a workload that `workload` made. */
export function ownedBy(kind: string, name: string, apiVersion = GROUP_OF[kind] ?? 'apps/v1'): { owner: Owner } {
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

/** The ClusterRole that a policy renders to. */
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
