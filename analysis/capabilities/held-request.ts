/** Reads from a pod's containers the fields that affect capabilities. */
import { placedContainers } from '../../operator/model/containers.ts';
import type { Container, PodSpec } from '../../operator/model/objects.ts';
import { arrayOf, isText, objectOf } from '../../operator/model/raw.ts';
import type { CapabilityRequest } from './held-by-runtime.ts';

export interface RequestingContainer extends CapabilityRequest {
  readonly name: string;
  /** The path of the container, starting at the PodSpec: `initContainers[0]`. */
  readonly path: string;
  /** The user ID of the container; absent if the image decides. */
  readonly uid?: number;
  /**
   * Whether the container never runs as root. Either the container has a user ID other than 0, or the kubelet refuses
   * to start the container as root (runAsNonRoot).
   */
  readonly nonRoot: boolean;
  /** Whether the kubelet sets the no_new_privs flag, because the container has `allowPrivilegeEscalation: false`. */
  readonly noNewPrivileges: boolean;
  /**
   * Whether the pod has `hostUsers: false`. With `hostUsers: false`, capabilities apply only within the pod's own user
   * namespace (KEP-127).
   */
  readonly inUserNamespace: boolean;
}

/**
 * The capability requests of the containers, in the order in which violations name containers. A pod for Windows nodes
 * has no requests, because Windows has no capabilities.
 */
export function requests(spec: PodSpec): RequestingContainer[] {
  if (objectOf(spec.os).name === 'windows') return [];
  const ofPod = { securityContext: objectOf(spec.securityContext), inUserNamespace: spec.hostUsers === false };
  return placedContainers(spec).map(({ list, index, container }) => request(container, `${list}[${index}]`, ofPod));
}

interface OfPod {
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly inUserNamespace: boolean;
}

function request(
  container: Container,
  path: string,
  { securityContext: ofPod, inUserNamespace }: OfPod,
): RequestingContainer {
  const own = objectOf(container.securityContext);
  const { add, drop } = objectOf(own.capabilities);
  const user = own.runAsUser ?? ofPod.runAsUser;
  const uid = typeof user === 'number' ? user : undefined;
  return {
    name: container.name,
    path,
    add: arrayOf(add).filter(isText),
    drop: arrayOf(drop).filter(isText),
    privileged: own.privileged === true,
    ...(uid === undefined ? {} : { uid }),
    nonRoot: uid === undefined ? (own.runAsNonRoot ?? ofPod.runAsNonRoot) === true : uid !== 0,
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    inUserNamespace,
  };
}
