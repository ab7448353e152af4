import { pod } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const volume = (type: string) => pod({ volumes: [{ name: 'data', [type]: {} }] });
const each = (types: readonly string[]) => Object.fromEntries(types.map((type) => [type, volume(type)]));

const RESTRICTED = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
];
const OTHERS = [
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephfs',
  'cinder',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'gitRepo',
  'glusterfs',
  'iscsi',
  'nfs',
  'photonPersistentDisk',
  'portworxVolume',
  'quobyte',
  'rbd',
  'scaleIO',
  'storageos',
  'vsphereVolume',
];
const HOST_PATH = {
  hostPath: [volume('hostPath'), 'volume "data" must not be of type hostPath (forbidden: hostPath)'],
} as const;

const TOKEN = { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } };
/**
 * The token volume that nearly every pod has (k8s.io/kubernetes/plugin/pkg/admission/serviceaccount TokenVolumeSource).
 */
const MOUNTED = [
  TOKEN,
  { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
  { downwardAPI: { items: [namespaceItem('metadata.namespace')] } },
];
/** The token volume of an API server with the feature gate KubeAPIServerWorkloadsTrust. */
const TRUSTED = [
  TOKEN,
  { clusterTrustBundle: { labelSelector: {}, path: 'ca.crt', signerName: 'kubernetes.io/kube-apiserver-serving' } },
  { downwardAPI: { items: [namespaceItem('metadata.namespace')] } },
];
const OTHER_SOURCES = {
  'another audience': { serviceAccountToken: { path: 'token', audience: 'vault' } },
  'another path': { serviceAccountToken: { path: 'vault' } },
  'another configMap': { configMap: { name: 'app' } },
  'another field': { downwardAPI: { items: [namespaceItem('metadata.labels')] } },
  'a resource': { downwardAPI: { items: [{ path: 'namespace', resourceFieldRef: { resource: 'limits.cpu' } }] } },
  'a secret': { secret: { name: 'app' } },
  "another signer's trust bundle": { clusterTrustBundle: { path: 'ca.crt', signerName: 'example.com/signer' } },
  'a trust bundle by its name': {
    clusterTrustBundle: { path: 'ca.crt', name: 'kubernetes.io:kube-apiserver-serving' },
  },
  'a certificate of the pod': {
    podCertificate: { signerName: 'kubernetes.io/kube-apiserver-serving', keyType: 'ED25519' },
  },
  'a future source': { future: { path: 'a' } },
};

function namespaceItem(fieldPath: string) {
  return { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath } };
}

function projected(...sources: object[]) {
  return pod({ volumes: [{ name: 'data', projected: { sources } }] });
}

function tokens() {
  return projected(...MOUNTED);
}

function refused(types: readonly string[], allowed: readonly string[]): Table['refuses'] {
  return Object.fromEntries(
    types.map((type) => [
      type,
      [volume(type), `volume "data" must not be of type ${type} (allowed: ${allowed.join(', ') || 'none'})`] as const,
    ]),
  );
}

describeRule('volumes', [
  { level: 'privileged', admits: each(['hostPath', 'emptyDir']) },
  {
    level: 'baseline',
    minor: 0,
    admits: { 'no volumes': pod(), ...each([...RESTRICTED, ...OTHERS, 'aTypeYetToCome']) },
    refuses: HOST_PATH,
  },
  {
    level: 'restricted',
    minor: 0,
    admits: { 'no volumes': pod(), ...each(RESTRICTED) },
    refuses: {
      ...refused(['hostPath', 'aTypeYetToCome', ...OTHERS], RESTRICTED),
      'one of two': [
        pod({
          volumes: [
            { name: 'good', emptyDir: {} },
            { name: 'bad', nfs: {} },
          ],
        }),
        `volume "bad" must not be of type nfs (allowed: ${RESTRICTED.join(', ')})`,
      ],
    },
  },
  {
    level: 'restricted',
    minor: 32,
    server: 32,
    admits: each(RESTRICTED.filter((type) => type !== 'image')),
    refuses: refused(
      ['image'],
      RESTRICTED.filter((type) => type !== 'image'),
    ),
  },
  {
    level: 'restricted',
    overrides: { volumes: ['secret', 'nfs'] },
    admits: each(['nfs', 'secret']),
    refuses: refused(['emptyDir', 'hostPath'], ['nfs', 'secret']),
  },
  { level: 'restricted', overrides: { volumes: [] }, admits: { none: pod() }, refuses: refused(['emptyDir'], []) },
  { level: 'restricted', overrides: { volumes: ['*'] }, admits: each(['hostPath', 'aTypeYetToCome']) },
  {
    level: 'privileged',
    overrides: { volumes: ['secret'], serviceAccountTokenVolumes: true },
    admits: {
      ...each(['secret']),
      "the API server's own volume": tokens(),
      "the API server's own volume with its trust bundle": projected(...TRUSTED),
      'a token alone': projected({ serviceAccountToken: { path: 'token' } }),
      'nothing at all': projected(),
    },
    refuses: {
      ...refused(['emptyDir'], ['secret']),
      ...Object.fromEntries(
        Object.entries(OTHER_SOURCES).map(([what, source]) => [
          what,
          [projected(TOKEN, source), 'volume "data" must not be of type projected (allowed: secret)'] as const,
        ]),
      ),
    },
  },
  {
    level: 'privileged',
    overrides: { volumes: ['secret'] },
    admits: each(['secret']),
    refuses: {
      "the API server's own volume": [tokens(), 'volume "data" must not be of type projected (allowed: secret)'],
      "the API server's own volume, by its name": [
        pod({ volumes: [{ name: 'kube-api-access-x7k2p', projected: { sources: MOUNTED } }] }),
        'volume "kube-api-access-x7k2p" must not be of type projected (allowed: secret); the API server adds it for the ' +
          "service account's token: set automountServiceAccountToken: false, or serviceAccountTokenVolumes: true in the policy",
      ],
    },
  },
]);
