/**
 * Types of volumes as PodSecurityPolicy and SecurityContextConstraints name them → the name of the field in a pod's
 * volume.
 */
import { VOLUME_TYPES } from '../../operator/standards/volume-types.ts';

/** security.openshift.io/v1 FSType: all values except one are the name of the field. */
export const SCC_VOLUMES: ReadonlyMap<string, string> = new Map(
  VOLUME_TYPES.map((field) => [field === 'cephfs' ? 'cephFS' : field, field]),
);

/** policy/v1beta1 FSType of Kubernetes 1.24, which is older than image volumes. */
export const PSP_VOLUMES: ReadonlyMap<string, string> = new Map(
  [...SCC_VOLUMES].filter(([, field]) => field !== 'image'),
);
