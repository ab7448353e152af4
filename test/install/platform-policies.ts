/**
 * Admission policies in the words of this project that refuse what platforms are known to refuse. The facts come from
 * the documentation and the issues that docs/operations.md links under Platforms, and from
 * https://learn.microsoft.com/en-us/azure/aks/deployment-safeguards.
 */
import type { ForeignPolicy } from '../support/foreign-policy.ts';

const WRITES = ['CREATE', 'UPDATE', 'DELETE'];
const WORKLOADS = { apiGroups: ['apps'], resources: ['deployments', 'daemonsets', 'statefulsets'] };
const NAMESPACES = { apiGroups: [''], resources: ['namespaces'] };

/** Whether the request comes from Kubernetes or from the platform itself. */
const BY_PLATFORM =
  "request.userInfo.username.startsWith('system:') && !request.userInfo.username.startsWith('system:serviceaccount:') || request.userInfo.username.startsWith('system:serviceaccount:kube-')";

/** An expression about each pod spec of a workload. */
const POD = 'object.spec.template.spec';

/**
 * AKS, with Deployment Safeguards as on AKS Automatic. The first expression reads fields of rules without has(), as
 * https://github.com/Azure/AKS/issues/5640 reports, and so fails for a rule that has only nonResourceURLs.
 */
const AKS: readonly ForeignPolicy[] = [
  {
    name: 'aks-no-nodes-proxy',
    rule: {
      apiGroups: ['rbac.authorization.k8s.io'],
      resources: ['clusterroles', 'roles'],
      operations: ['CREATE', 'UPDATE'],
    },
    expression:
      "!has(object.rules) || !object.rules.exists(rule, rule.apiGroups.exists(group, group in ['', '*']) && rule.resources.exists(name, name in ['nodes/proxy', 'nodes/*']))",
    message: 'roles with nodes/proxy are refused',
  },
  {
    name: 'aks-managed-namespaces',
    rule: { ...NAMESPACES, operations: ['UPDATE', 'DELETE'] },
    expression: `(${BY_PLATFORM}) || !has(oldObject.metadata.labels) || !('kubernetes.azure.com/managedby' in oldObject.metadata.labels)`,
    message: 'nobody may change a namespace that AKS manages',
  },
  {
    name: 'aks-safeguards-probes',
    rule: { ...WORKLOADS, operations: ['CREATE', 'UPDATE'] },
    expression: `${POD}.containers.all(one, has(one.livenessProbe) && has(one.readinessProbe))`,
    message: 'each container needs a liveness and a readiness probe',
  },
  {
    name: 'aks-safeguards-resources',
    rule: { ...WORKLOADS, operations: ['CREATE', 'UPDATE'] },
    expression: `${POD}.containers.all(one, has(one.resources) && has(one.resources.requests) && 'cpu' in one.resources.requests && has(one.resources.limits) && 'memory' in one.resources.limits)`,
    message: 'each container needs requests and limits',
  },
  {
    name: 'aks-safeguards-spread',
    rule: { apiGroups: ['apps'], resources: ['deployments', 'statefulsets'], operations: ['CREATE', 'UPDATE'] },
    expression: `object.spec.replicas < 2 || has(${POD}.topologySpreadConstraints) || has(${POD}.affinity)`,
    message: 'replicas have to be spread over nodes',
  },
];

/** GKE Autopilot. */
const GKE: readonly ForeignPolicy[] = [
  {
    name: 'gke-kube-namespaces',
    rule: {
      apiGroups: ['', 'rbac.authorization.k8s.io'],
      resources: ['namespaces', 'serviceaccounts', 'roles', 'rolebindings'],
      operations: WRITES,
    },
    expression: `(${BY_PLATFORM}) || !(request.resource.resource == 'namespaces' ? request.name : request.namespace).startsWith('kube-')`,
    message: 'GKE manages the namespaces kube-*',
  },
  {
    name: 'gke-warden',
    rule: { ...WORKLOADS, operations: ['CREATE', 'UPDATE'] },
    expression: [
      `!(has(${POD}.hostNetwork) && ${POD}.hostNetwork)`,
      `!(has(${POD}.hostPID) && ${POD}.hostPID)`,
      `(!has(${POD}.volumes) || ${POD}.volumes.all(one, !has(one.hostPath) || one.hostPath.path.startsWith('/var/log')))`,
      `${POD}.containers.all(one, !has(one.securityContext) || !has(one.securityContext.privileged) || !one.securityContext.privileged)`,
      `${POD}.containers.all(one, !has(one.securityContext) || !has(one.securityContext.capabilities) || !has(one.securityContext.capabilities.add) || !('NET_RAW' in one.securityContext.capabilities.add))`,
    ].join(' && '),
    message: 'Autopilot admits no access to the host',
  },
];

/** Managed OpenShift. It protects its own namespaces, and two labels in all namespaces. */
const OPENSHIFT: readonly ForeignPolicy[] = [
  {
    name: 'openshift-namespaces',
    rule: { ...NAMESPACES, operations: WRITES },
    expression: `(${BY_PLATFORM}) || !request.name.matches('^(default|openshift|(openshift|kube|redhat)-.*)$')`,
    message: 'nobody may change a namespace of OpenShift',
  },
  {
    name: 'openshift-quota-labels',
    rule: { ...NAMESPACES, operations: ['CREATE', 'UPDATE'] },
    expression: `(${BY_PLATFORM}) || !has(object.metadata.labels) || !object.metadata.labels.exists(key, key.startsWith('managed.openshift.io/'))`,
    message: 'nobody may set a label managed.openshift.io/*',
  },
];

export const PLATFORM_POLICIES: readonly ForeignPolicy[] = [...AKS, ...GKE, ...OPENSHIFT];
