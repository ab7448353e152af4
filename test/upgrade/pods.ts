/** The requests to the API servers, and the expected answers, by the version of the Standards in force. */
import type { Json } from '../../hack/controlplane/api.ts';
import { baselinePod, restrictedPod } from '../support/pod-manifests.ts';
import type { Probe } from './prober.ts';

/** Where sample restricted decides, with its Pod Security label. */
export const SHOP = 'shop';
/** Where sample ping decides, by an admission policy alone: it can have no label. */
export const NET = 'net';
/** Since then the Standards let pods in a user namespace run as root (KEP-127). */
const USER_NAMESPACES_SINCE = 35;

/** @param latest N of Kubernetes 1.N that `latest` means; undefined while it may be either */
export function pods(latest: () => number | undefined): Probe[] {
  const inUserNamespace = () => {
    const minor = latest();
    return minor === undefined ? undefined : minor < USER_NAMESPACES_SINCE ? 'refused' : 'admitted';
  };
  return [
    { title: 'a pod of level baseline', pod: baselinePod(), namespace: SHOP, expected: () => 'refused' },
    { title: 'a pod of level restricted', pod: restrictedPod(), namespace: SHOP, expected: () => 'admitted' },
    {
      title: 'a pod with NET_ADMIN',
      pod: restrictedPod({ add: ['NET_ADMIN'] }),
      namespace: NET,
      expected: () => 'refused',
    },
    {
      title: 'a pod with NET_RAW',
      pod: restrictedPod({ add: ['NET_RAW'] }),
      namespace: NET,
      expected: () => 'admitted',
    },
    ...[SHOP, NET].map((namespace) => ({
      title: `a root pod in a user namespace, in ${namespace}`,
      pod: userNamespacePod(),
      namespace,
      expected: inUserNamespace,
    })),
  ];
}

function userNamespacePod(): object {
  const pod = restrictedPod() as Json;
  const { runAsNonRoot: _, ...securityContext } = pod.spec.securityContext;
  return { ...pod, spec: { ...pod.spec, hostUsers: false, securityContext } };
}
