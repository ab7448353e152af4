/** Turns on alpha features of pods in tests, on API servers with all of the features. */
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import { offers } from '../../operator/standards/server-features.ts';

/**
 * The feature gates of alpha features of pods. Kubernetes versions with profiles of type OCI have these feature gates.
 */
const ALPHA = [
  'EmptyDirVolumeMode',
  'KubeAPIServerWorkloadsTrust',
  'SecurityProfileOCI',
  'UserNamespacesHostNetworkSupport',
  'VolumeBindMountOptions',
];

/**
 * The flags of kube-apiserver that turn on alpha features of pods. The list is empty with
 * CAPABILITYPOLICY_TEST_ALPHA=0. A run without these flags shows that nothing depends on the alpha features.
 */
export const ALPHA_FLAGS =
  offers(SERVER_MINOR, 'seccompFromOci') && process.env.CAPABILITYPOLICY_TEST_ALPHA !== '0'
    ? [`--feature-gates=${ALPHA.map((gate) => `${gate}=true`).join(',')}`]
    : [];
