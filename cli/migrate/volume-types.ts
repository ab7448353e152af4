/**
 * Types of volumes as PodSecurityPolicy and SecurityContextConstraints name them → the name of the field in a pod's
 * volume.
 */

/** policy/v1beta1 FSType of Kubernetes 1.24: all but one are the field's name. */
export const PSP_VOLUMES: ReadonlyMap<string, string> = new Map(
  [
    'awsElasticBlockStore',
    'azureDisk',
    'azureFile',
    'cephFS',
    'cinder',
    'configMap',
    'csi',
    'downwardAPI',
    'emptyDir',
    'ephemeral',
    'fc',
    'flexVolume',
    'flocker',
    'gcePersistentDisk',
    'gitRepo',
    'glusterfs',
    'hostPath',
    'iscsi',
    'nfs',
    'persistentVolumeClaim',
    'photonPersistentDisk',
    'portworxVolume',
    'projected',
    'quobyte',
    'rbd',
    'scaleIO',
    'secret',
    'storageos',
    'vsphereVolume',
  ].map((type) => [type, type === 'cephFS' ? 'cephfs' : type]),
);

/** security.openshift.io/v1 FSType. */
export const SCC_VOLUMES: ReadonlyMap<string, string> = new Map([...PSP_VOLUMES, ['image', 'image']]);
