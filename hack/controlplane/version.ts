/** The minor version of Kubernetes on the control plane that the tests start: the N of 1.N. */
import { kubernetesVersion } from './binaries.ts';

export const SERVER_MINOR = Number(kubernetesVersion().split('.')[1]);
/** The version in the form of labels and messages, `v1.N`. */
export const SERVER_VERSION = `v1.${SERVER_MINOR}`;
