/**
 * Maps the volume types of PodSecurityPolicy and SecurityContextConstraints to the names of the fields in a pod's
 * volume.
 */
import { VOLUME_TYPES } from '../../operator/standards/volume-types.ts';

/**
 * The volume types of security.openshift.io/v1 FSType. Each type except `cephFS` is also the name of the field in a
 * pod's volume.
 */
export const SCC_VOLUMES: ReadonlyMap<string, string> = new Map(
  VOLUME_TYPES.map((field) => [field === 'cephfs' ? 'cephFS' : field, field]),
);

/** The volume types of policy/v1beta1 FSType in Kubernetes 1.24. Kubernetes 1.24 had no image volumes. */
export const PSP_VOLUMES: ReadonlyMap<string, string> = new Map(
  [...SCC_VOLUMES].filter(([, field]) => field !== 'image'),
);
