/**
 * Recognises the namespaces that carry the platform of a cluster: the network, the storage, or the tools of the
 * provider. If an Enforce policy refuses the pods of such a namespace, nodes may stop working.
 *
 * The evidence is what the platform itself writes: labels and annotations of the namespace, and privileged DaemonSets
 * that tolerate every taint. The name of a namespace is no evidence, because users choose it. The result is advice and
 * excludes nothing, because whoever may label a namespace may also write this evidence. The functions are pure.
 */
import type { NamespaceView, WorkloadView } from './objects.ts';

export interface PlatformNamespace {
  readonly name: string;
  /** The evidence for people, such as `label kubernetes.azure.com/managedby=aks (AKS)`. */
  readonly evidence: string;
}

type Agent = Pick<WorkloadView, 'name' | 'isNodeAgent'>;

interface Mark {
  readonly label: string;
  /** The values that count. If the field is absent, every value counts. */
  readonly values?: readonly string[];
  readonly platform: string;
  /** The label counts only in clusters that serve one of these API groups. */
  readonly groups?: readonly string[];
}

/** The API groups of OpenShift and MicroShift. Every such cluster serves one of them. */
export const OPENSHIFT_GROUPS: readonly string[] = ['config.openshift.io', 'security.openshift.io'];

/** The labels that platforms write on their own namespaces. docs/decisions/0063 names the sources. */
const MARKS: readonly Mark[] = [
  { label: 'kubernetes.azure.com/managedby', values: ['aks'], platform: 'AKS' },
  // AKS and its documentation for webhooks. The scaffold of kubebuilder uses the same key with another value.
  { label: 'control-plane', values: ['true'], platform: 'AKS' },
  { label: 'addonmanager.kubernetes.io/mode', platform: "the provider's add-on manager" },
  { label: 'openshift.io/run-level', platform: 'OpenShift', groups: OPENSHIFT_GROUPS },
  { label: 'openshift.io/cluster-monitoring', values: ['true'], platform: 'OpenShift', groups: OPENSHIFT_GROUPS },
];

/**
 * @param workloads the workloads of the namespace. Only privileged DaemonSets that tolerate every taint count
 * @param apiGroups the API groups that the cluster serves
 * @returns undefined if nothing shows that the namespace carries the platform
 */
export function platformNamespace(
  { name, labels, isSystemOfRancher }: Pick<NamespaceView, 'name' | 'labels' | 'isSystemOfRancher'>,
  workloads: Iterable<Agent>,
  apiGroups: readonly string[],
): PlatformNamespace | undefined {
  const evidence = [
    ...MARKS.flatMap(({ label, values, platform, groups }) => {
      const value = labels[label];
      const counts = value !== undefined && (values?.includes(value) ?? true);
      const isServed = groups?.some((group) => apiGroups.includes(group)) ?? true;
      return counts && isServed ? [`label ${label}=${value} (${platform})`] : [];
    }),
    ...(isSystemOfRancher ? ['annotation management.cattle.io/system-namespace=true (Rancher)'] : []),
    ...nodeAgents(workloads),
  ];
  const [first] = evidence;
  return first === undefined ? undefined : { name, evidence: first };
}

/** The flag that excludes the namespaces in addition to the namespaces that are excluded already. */
export function excludingFlag(excluded: readonly string[], found: readonly PlatformNamespace[]): string {
  return `--excluded-namespaces=${[...excluded, ...found.map(({ name }) => name)].join(',')}`;
}

/** The privileged DaemonSets that run on every node, whatever its taints, such as a network plug-in. */
function nodeAgents(workloads: Iterable<Agent>): string[] {
  const names = [...workloads].flatMap(({ name, isNodeAgent }) => (isNodeAgent ? [name] : [])).sort();
  return names.map((name) => `privileged DaemonSet ${name} tolerates every taint`);
}
