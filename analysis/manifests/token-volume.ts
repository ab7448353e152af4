/**
 * The volume with the token of the service account. The API server adds it to nearly every pod that is created, before
 * policies evaluate the pod (k8s.io/kubernetes/plugin/pkg/admission/serviceaccount). So a manifest or a template does not
 * have it.
 */
import { frozen } from '../../operator/model/frozen.ts';
import type { Container, PodParts, PodSpec, Volume } from '../../operator/model/objects.ts';
import { arrayOf, objectOf } from '../../operator/model/raw.ts';
import { TOKEN_VOLUME } from '../../operator/rules/token-volume.ts';

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';

const ADDED: Volume = frozen({
  name: TOKEN_VOLUME,
  projected: {
    sources: [
      { serviceAccountToken: { path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt' } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
  },
});

/**
 * The pod as policies will evaluate it. Only a pod that gets the volume keeps the field.
 *
 * @param mounts automountServiceAccountToken of the pod; without it, that of its service account; by default, a pod
 * without the field is not changed
 */
export function withTokenVolume(parts: PodParts, mounts: unknown = parts.spec.automountServiceAccountToken): PodParts {
  if (typeof mounts !== 'boolean') return parts;
  const { automountServiceAccountToken: _, volumes = [], ...spec } = parts.spec;
  const written = volumes.filter((volume) => volume !== ADDED);
  const added =
    mounts && isAdded(parts.spec, written) ? { automountServiceAccountToken: true, volumes: [...written, ADDED] } : {};
  return { ...parts, spec: { ...spec, ...(written.length > 0 && { volumes: written }), ...added } };
}

/** The index of the volume in `volumes`; -1 if the pod does not get the volume, or was written with it. */
export function tokenVolumeIndex({ volumes = [] }: PodSpec): number {
  return volumes.indexOf(ADDED);
}

/**
 * No volume is added if there is one already, or if every container mounts something else at its path. Ephemeral
 * containers come later.
 */
function isAdded({ initContainers = [], containers }: PodSpec, written: readonly Volume[]): boolean {
  return !written.some(isTokenVolume) && ![...initContainers, ...containers].every(hasMount);
}

/** A projection shortens the name of the volume. */
function isTokenVolume({ name, projected }: Volume): boolean {
  return name.startsWith(`${TOKEN_VOLUME}-`) || (name === TOKEN_VOLUME && projected !== undefined);
}

function hasMount({ volumeMounts }: Container): boolean {
  return arrayOf(volumeMounts).some((mount) => objectOf(mount).mountPath === MOUNT_PATH);
}
