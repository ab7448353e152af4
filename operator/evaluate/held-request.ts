/** The requests of a pod's containers, as far as they affect capabilities. */
import type { Container, PodSpec } from '../model/objects.ts';
import type { CapabilityRequest } from './held-by-runtime.ts';

export interface RequestingContainer extends CapabilityRequest {
  readonly name: string;
  /** From the PodSpec on: `initContainers[0]`. */
  readonly path: string;
  /** Absent when the image decides. */
  readonly uid?: number;
  /** It never runs as root: by its uid, or because the kubelet refuses to start it (runAsNonRoot). */
  readonly nonRoot: boolean;
  /** The kubelet's flag for allowPrivilegeEscalation: false. */
  readonly noNewPrivileges: boolean;
  /** hostUsers: false. Capabilities then apply only within the pod's own user namespace (KEP-127). */
  readonly inUserNamespace: boolean;
}

/** A JSON object whose fields may have any type, as files may. */
type Fields = Readonly<Record<string, unknown>>;

/** In the order in which violations name them; empty for a pod for Windows nodes, which have no capabilities. */
export function requests(spec: PodSpec): RequestingContainer[] {
  if (fields(spec.os).name === 'windows') return [];
  const ofPod = { securityContext: fields(spec.securityContext), inUserNamespace: spec.hostUsers === false };
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((field) =>
    (spec[field] ?? []).map((container, index) => request(container, `${field}[${index}]`, ofPod)),
  );
}

interface OfPod {
  readonly securityContext: Fields;
  readonly inUserNamespace: boolean;
}

function request(
  container: Container,
  path: string,
  { securityContext: ofPod, inUserNamespace }: OfPod,
): RequestingContainer {
  const own = fields(container.securityContext);
  const { add, drop } = fields(own.capabilities);
  const user = own.runAsUser ?? ofPod.runAsUser;
  const uid = typeof user === 'number' ? user : undefined;
  return {
    name: container.name,
    path,
    add: names(add),
    drop: names(drop),
    privileged: own.privileged === true,
    ...(uid === undefined ? {} : { uid }),
    nonRoot: uid === undefined ? (own.runAsNonRoot ?? ofPod.runAsNonRoot) === true : uid !== 0,
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    inUserNamespace,
  };
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function names(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
}
