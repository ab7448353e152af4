/**
 * Makes the requests to the API servers. Also states the expected answers for the version of the Standards in force.
 */
import type { Json } from '../../hack/controlplane/api.ts';
import { baselinePod, restrictedPod } from '../support/pod-manifests.ts';
import type { Probe } from './prober.ts';

/** The namespace in which the sample policy `restricted` decides. The namespace has the policy's Pod Security label. */
export const SHOP = 'shop';
/**
 * The namespace in which the sample policy `ping` decides. The namespace has no Pod Security label, because the labels
 * baseline and restricted would refuse pods that `ping` admits.
 */
export const NET = 'net';
/** From this minor version on, the Standards let pods in a user namespace run as root (KEP-127). */
const USER_NAMESPACES_SINCE = 35;

/**
 * @param latest the version that `latest` means, as N of Kubernetes 1.N. If both the old and the new version are
 * correct at the moment, the value is undefined.
 */
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
