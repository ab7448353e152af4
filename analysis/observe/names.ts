/**
 * Finds the names of observed containers. The names of containers are in the containers' configuration on the node, or
 * in the pods that the API server lists.
 */
import { mergeEvidence } from '../evidence/merge.ts';
import type { Evidence, ObservedContainer, ObservedWorkload } from '../evidence/use.ts';
import type { ContainerGroup } from './cgroup-path.ts';
import type { Observed } from './observation.ts';

/**
 * The name of a container. The value 'sandbox' means the sandbox container of a pod. The sandbox holds the pod's Linux
 * namespaces, and runs no program of the workload.
 */
export type Name = ObservedContainer | 'sandbox';

/** The runtime's configuration of a container: config.json of the OCI runtime specification. */
interface OciConfig {
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * The name of the container. The annotations of containerd and CRI-O contain the name (pkg/cri/annotations,
 * pkg/annotations).
 */
export function nameInConfig({ annotations = {} }: OciConfig): Name | undefined {
  const type = annotations['io.kubernetes.cri.container-type'] ?? annotations['io.kubernetes.cri-o.ContainerType'];
  if (type === 'sandbox') return 'sandbox';
  const namespace = annotations['io.kubernetes.cri.sandbox-namespace'] ?? annotations['io.kubernetes.pod.namespace'];
  const pod = annotations['io.kubernetes.cri.sandbox-name'] ?? annotations['io.kubernetes.pod.name'];
  const container = annotations['io.kubernetes.cri.container-name'] ?? annotations['io.kubernetes.container.name'];
  if (namespace === undefined || pod === undefined || container === undefined) return undefined;
  return { namespace, pod, container };
}

/** The fields of a pod that name its containers. */
export interface NamedPod {
  readonly metadata?: {
    readonly namespace?: string;
    readonly name?: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly (ObservedWorkload & { readonly controller?: boolean })[];
  };
  readonly status?: Partial<Record<(typeof STATUSES)[number], readonly ContainerStatus[]>>;
}

interface ContainerStatus {
  readonly name: string;
  readonly containerID?: string;
  readonly lastState?: { readonly terminated?: { readonly containerID?: string } };
  readonly state?: { readonly terminated?: { readonly containerID?: string } };
}

const STATUSES = ['initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses'] as const;
/** The annotation that holds the UID of a static pod on its node (pkg/kubelet/types). */
const HASH = 'kubernetes.io/config.hash';

/**
 * The names of containers in the pods of a cluster. The name of a container stays known after the container's pod is
 * deleted. The ID of a container stays known after the container is restarted.
 */
export class PodNames {
  readonly #byInstance = new Map<string, ObservedContainer>();
  readonly #pods = new Set<string>();

  add({ metadata = {}, status = {} }: NamedPod): void {
    const { namespace = '', name: pod = '', uid = '', labels, annotations, ownerReferences = [] } = metadata;
    this.#pods.add(annotations?.[HASH] ?? uid);
    const owner = ownerReferences.find(({ controller }) => controller);
    for (const { name: container, ...state } of STATUSES.flatMap((statuses) => status[statuses] ?? [])) {
      for (const instance of instancesOf(state)) {
        this.#byInstance.set(instance, {
          namespace,
          pod,
          container,
          ...(owner && { workload: { kind: owner.kind, name: owner.name } }),
          ...(labels && { podLabels: labels }),
        });
      }
    }
  }

  /** The name of a container. If no status of the pod names a container, the container is the pod's sandbox. */
  nameOf({ pod, id }: ContainerGroup): Name | undefined {
    return this.#byInstance.get(id) ?? (pod !== undefined && this.#pods.has(pod) ? 'sandbox' : undefined);
  }
}

function instancesOf({ containerID, lastState, state }: Omit<ContainerStatus, 'name'>): string[] {
  return [containerID, lastState?.terminated?.containerID, state?.terminated?.containerID]
    .filter((id) => id !== undefined)
    .map((id) => id.replace(/^\w+:\/\//, ''));
}

/**
 * The name of a container that no kubelet started. The path of the container contains the name, in the form
 * NAMESPACE/POD/CONTAINER.
 */
export function nameInPath({ pod, id }: ContainerGroup): Name | undefined {
  if (pod !== undefined) return undefined;
  const [namespace = '', name = '', container = ''] = id.split('/');
  return { namespace, pod: name, container };
}

export interface NamedEvidence {
  readonly evidence: Evidence;
  /** The containers whose pods were deleted before cappol could read the containers' names. */
  readonly unnamed: readonly ContainerGroup[];
}

/**
 * The evidence with the names of the containers. Sandboxes are left out.
 *
 * @param only the only namespace to keep; undefined for all namespaces
 */
export function named(
  { uses, watches }: Pick<Observed, 'uses' | 'watches'>,
  nameOf: (group: ContainerGroup) => Name | undefined,
  only?: string,
): NamedEvidence {
  const unnamed = watches.map(({ group }) => group).filter((group) => nameOf(group) === undefined);
  const withName = <Record extends { readonly group: ContainerGroup }>(records: readonly Record[]) =>
    records.flatMap(({ group, ...record }) => {
      const name = nameOf(group);
      if (name === undefined || name === 'sandbox' || (only !== undefined && name.namespace !== only)) return [];
      return [{ ...name, ...record }];
    });
  return { evidence: mergeEvidence([{ uses: withName(uses), watches: withName(watches) }]), unnamed };
}
