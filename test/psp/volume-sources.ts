/** Volumes of the kinds that PodSecurityPolicy distinguished in a special way, and some of each other kind. */

const NAMESPACE_FIELD = { apiVersion: 'v1', fieldPath: 'metadata.namespace' };
const token = (own: object = {}) => ({ serviceAccountToken: { path: 'token', expirationSeconds: 3607, ...own } });
const certificates = (name: string) => ({ configMap: { name, items: [{ key: 'ca.crt', path: 'ca.crt' }] } });
const namespaceFile = (path: string, fieldRef: object) => ({ downwardAPI: { items: [{ path, fieldRef }] } });
const projected = (...sources: object[]) => ({ projected: { sources } });

const TOKEN_VOLUMES = [
  projected(token(), certificates('kube-root-ca.crt'), namespaceFile('namespace', NAMESPACE_FIELD)),
  projected(token()),
  projected(token({ path: 'other' })),
  projected(token({ audience: 'somebody' })),
  projected(certificates('kube-root-ca.crt')),
  projected(token(), certificates('other')),
  projected(namespaceFile('name', NAMESPACE_FIELD)),
  projected(namespaceFile('namespace', { ...NAMESPACE_FIELD, fieldPath: 'metadata.name' })),
  projected(token(), { secret: { name: 'a' } }),
  projected({ secret: { name: 'a' } }),
  projected(),
];

export const SOURCES: readonly object[] = [
  ...TOKEN_VOLUMES,
  {},
  { emptyDir: {} },
  { secret: { secretName: 'a' } },
  { configMap: { name: 'a' } },
  { downwardAPI: { items: [] } },
  { persistentVolumeClaim: { claimName: 'a' } },
  { csi: { driver: 'csi.example.com' } },
  { flexVolume: { driver: 'example/driver' } },
  { hostPath: { path: '/var/log' } },
  { nfs: { server: 'nfs.example.com', path: '/' } },
  { storageos: { volumeName: 'a' } },
  { cephfs: { monitors: ['192.0.2.1'] } },
];
