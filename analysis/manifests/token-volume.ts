/**
 * Adds the volume with the token of the service account to a pod. The API server adds the token volume to nearly every
 * new pod, before policies evaluate the pod (k8s.io/kubernetes/plugin/pkg/admission/serviceaccount). Manifests and
 * templates therefore do not contain the token volume.
 */
import { frozen } from '../../operator/model/frozen.ts';
import type { Container, PodContent, PodSpec, Volume } from '../../operator/model/objects.ts';
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
 * Returns the pod with its token volume, in the form that policies will evaluate. Only a pod that gets the token volume
 * keeps the field `automountServiceAccountToken`.
 *
 * @param mounts the value of `automountServiceAccountToken` of the pod, or else of its service account. If the
 * parameter is missing and the pod leaves the field unset, the pod is not changed
 */
export function withTokenVolume(
  content: PodContent,
  mounts: unknown = content.spec.automountServiceAccountToken,
): PodContent {
  if (typeof mounts !== 'boolean') return content;
  const { automountServiceAccountToken: _, volumes = [], ...spec } = content.spec;
  const written = volumes.filter((volume) => volume !== ADDED);
  const added =
    mounts && isAdded(content.spec, written)
      ? { automountServiceAccountToken: true, volumes: [...written, ADDED] }
      : {};
  return { ...content, spec: { ...spec, ...(written.length > 0 && { volumes: written }), ...added } };
}

/**
 * The index in `volumes` of the token volume that was added. The result is -1 if the pod gets no token volume, or if
 * the manifest already contains the volume.
 */
export function tokenVolumeIndex({ volumes = [] }: PodSpec): number {
  return volumes.indexOf(ADDED);
}

/**
 * Whether the API server adds the token volume. The API server adds no token volume if the pod already has a token
 * volume. The API server also adds no token volume if every container mounts something at the volume's path. Ephemeral
 * containers are ignored, because they are added to the pod later.
 */
function isAdded({ initContainers = [], containers }: PodSpec, written: readonly Volume[]): boolean {
  return !written.some(isTokenVolume) && ![...initContainers, ...containers].every(hasMount);
}

/** Whether the volume is a token volume. In the operator's projection, the name of a token volume is shortened. */
function isTokenVolume({ name, projected }: Volume): boolean {
  return name.startsWith(`${TOKEN_VOLUME}-`) || (name === TOKEN_VOLUME && projected !== undefined);
}

function hasMount({ volumeMounts }: Container): boolean {
  return arrayOf(volumeMounts).some((mount) => objectOf(mount).mountPath === MOUNT_PATH);
}
