/** N of Kubernetes 1.N: the control plane that the tests start. */
import { kubernetesVersion } from './binaries.ts';

export const SERVER_MINOR = Number(kubernetesVersion().split('.')[1]);
/** As labels and messages have it: `v1.N`. */
export const SERVER_VERSION = `v1.${SERVER_MINOR}`;
