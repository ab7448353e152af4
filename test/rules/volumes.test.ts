import { pod } from './pods.ts';
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
]);
