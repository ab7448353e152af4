/** Finds the container that runs in a control group, by the group's path. */

/** Where a container runs. A node identifies a container only by the pod's UID and the container's ID. */
export interface ContainerGroup {
  /** The pod's UID; absent for a container that no kubelet started. */
  readonly pod?: string;
  /** The container's ID; for a container that no kubelet started, its path below the observed group. */
  readonly id: string;
}

/**
 * Matches the group names of the kubelet (pkg/kubelet/cm) for the drivers cgroupfs and systemd; systemd writes `_` for
 * `-` in a UID. A container may have groups below its own group, and may run containers itself. All groups below a
 * pod's group belong to the pod, so the first match counts.
 */
const POD = /(?:^|\/|-)pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?\/([^/]+)/;
/** Matches a container's group: `cri-containerd-ID.scope`, `crio-ID.scope`, or the ID alone. */
const CONTAINER = /^(?:[a-z-]+-)?([0-9a-f]{64})(?:\.scope)?$/;

/** @param below the path of a group; every group NAMESPACE/POD/CONTAINER below this path counts as a container, too */
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
 * The container of a process. /proc/PID/cgroup has a line for each hierarchy, and a container is in all hierarchies.
 */
export function containerOfProcess(lines: string, below?: string): ContainerGroup | undefined {
  for (const line of lines.split('\n')) {
    const found = containerIn(line.replace(/^\d+:[^:]*:/, ''), below);
    if (found) return found;
  }
  return undefined;
}
