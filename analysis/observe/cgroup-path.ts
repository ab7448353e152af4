/** Finds the container that runs in a control group. The path of the group identifies the container. */

/** Identifies a container by its control group. A node knows only the UID of the pod and the ID of the container. */
export interface ContainerGroup {
  /** The UID of the pod; absent for a container that no kubelet started. */
  readonly pod?: string;
  /**
   * The ID of the container. For a container that no kubelet started, the value is the container's path below the
   * observed group.
   */
  readonly id: string;
}

/**
 * Matches the group names of the kubelet (pkg/kubelet/cm) for the drivers cgroupfs and systemd. systemd writes `_`
 * instead of `-` in a UID. A container may have groups below its own group, and may itself run containers. All groups
 * below a pod's group belong to the pod, so the first match counts.
 */
const POD = /(?:^|\/|-)pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?\/([^/]+)/;
/** Matches the group of a container: `cri-containerd-ID.scope`, `crio-ID.scope`, or just the ID. */
const CONTAINER = /^(?:[a-z-]+-)?([0-9a-f]{64})(?:\.scope)?$/;

/** @param below the path of a group. Every group NAMESPACE/POD/CONTAINER below this path counts as a container, too */
export function containerIn(path: string, below?: string): ContainerGroup | undefined {
  const [, pod, group = ''] = POD.exec(path) ?? [];
  if (pod !== undefined) {
    const id = CONTAINER.exec(group)?.[1];
    return id === undefined ? undefined : { pod: pod.replaceAll('_', '-'), id };
  }
  if (below === undefined || !path.startsWith(`${below}/`)) return undefined;
  const names = path.slice(below.length + 1).split('/');
  return names.length < 3 ? undefined : { id: names.slice(0, 3).join('/') };
}

/**
 * The container of a process. /proc/PID/cgroup has a line for each hierarchy, and a container has a group in every
 * hierarchy.
 */
export function containerOfProcess(lines: string, below?: string): ContainerGroup | undefined {
  for (const line of lines.split('\n')) {
    const found = containerIn(line.replace(/^\d+:[^:]*:/, ''), below);
    if (found) return found;
  }
  return undefined;
}
