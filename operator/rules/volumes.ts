import type { Standard } from '../standards/level-version.ts';
import { listed, literal } from './cel.ts';
import { defineRule } from './rule.ts';

/** Volume types by name, or all but some: the Standard's baseline admits types that do not exist yet. */
type VolumeTypes = { readonly allowed: readonly string[] } | { readonly forbidden: readonly string[] };

const RESTRICTED = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** API servers know the `image` source since v1.33 (KEP-4639) and count it as restricted at every version. */
function restrictedTypes({ server }: Standard): readonly string[] {
  return server >= 33 ? [...RESTRICTED, 'image'].sort() : RESTRICTED;
}

function admitted(types: VolumeTypes): { readonly condition: string; readonly text: string } {
  return 'allowed' in types
    ? { condition: `k in ${literal(['name', ...types.allowed])}`, text: `allowed: ${listed(types.allowed)}` }
    : { condition: `!(k in ${literal(types.forbidden)})`, text: `forbidden: ${listed(types.forbidden)}` };
}

export const volumes = defineRule<VolumeTypes>({
  id: 'volumes',
  title: 'Which types of volumes a pod may use.',
  words:
    'HostPath volumes must be forbidden. In addition, the restricted policy limits inline volume sources to configMap, ' +
    'csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected and secret.',
  sources: [
    'k8s.io/pod-security-admission/policy/check_hostPathVolumes.go',
    'k8s.io/pod-security-admission/policy/check_restrictedVolumes.go',
  ],
  reads: { spec: ['volumes'] },

  value: (overrides, standard) => {
    const stated = overrides.volumes;
    if (stated) return stated.includes('*') ? { forbidden: [] } : { allowed: [...stated].sort() };
    if (standard.level === 'restricted') return { allowed: restrictedTypes(standard) };
    return { forbidden: standard.level === 'baseline' ? ['hostPath'] : [] };
  },

  checks: (types) => {
    if ('forbidden' in types && types.forbidden.length === 0) return [];
    const { condition, text } = admitted(types);
    return [
      {
        // A volume is its name and one key: its type.
        over: 'volumes',
        violates: `dyn(v).exists(k, !(${condition}))`,
        message: `"must not be of type " + dyn(v).filter(k, !(${condition})).join(", ") + ${literal(` (${text})`)}`,
        path: '',
      },
    ];
  },

  podSecurity: (types, standard) => {
    if ('forbidden' in types) return types.forbidden.includes('hostPath') ? 'baseline' : 'privileged';
    const restricted = restrictedTypes(standard);
    if (types.allowed.every((type) => restricted.includes(type))) return 'restricted';
    return types.allowed.includes('hostPath') ? 'privileged' : 'baseline';
  },
});
