import type { Standard } from '../standards/level-version.ts';
import { VOLUME_TYPES } from '../standards/volume-types.ts';
import { and, literal } from './cel.ts';
import { all, any, type Condition, choose, concat, not } from './condition.ts';
import { distinct } from './fit.ts';
import { defineRule, type Fix, type Test } from './rule.ts';
import { SOURCES, TOKEN_VOLUME } from './token-volume.ts';
import type { Columns } from './values.ts';

/**
 * The allowed volume types. The value is a list of allowed types, or a list of forbidden types. A list of forbidden
 * types allows all other types. The level baseline admits even types that do not exist yet. So the value of the level
 * baseline is a list of forbidden types.
 */
type VolumeTypes =
  | {
      readonly allowed: readonly string[];
      /** Whether the rule admits the default service account volume that nearly every pod gets. */
      readonly tokens?: true;
    }
  | { readonly forbidden: readonly string[] };

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

/**
 * API servers from v1.33 on have the volume type `image` (KEP-4639). These API servers admit the type at every version
 * of the level restricted.
 */
function restrictedTypes({ server }: Standard): readonly string[] {
  return server >= 33 ? [...RESTRICTED, 'image'].sort() : RESTRICTED;
}

/**
 * The signer of the certificates of API servers. If the feature gate KubeAPIServerWorkloadsTrust (alpha in 1.38) is
 * enabled, the API server adds the trust bundle of this signer instead of the ConfigMap kube-root-ca.crt (KEP-6283).
 */
const TRUSTED_SIGNER = 'kubernetes.io/kube-apiserver-serving';

/**
 * A CEL expression of type bool: true if `v` is the volume that the API server itself adds to pods
 * (k8s.io/kubernetes/plugin/pkg/admission/serviceaccount). In Kubernetes, this projected volume replaced a volume of
 * type secret. So if a PodSecurityPolicy admitted the type secret, the PodSecurityPolicy also admitted this projected
 * volume.
 */
const IS_TOKEN = `v.?projected.hasValue() && ${SOURCES}.all(s, ${and(
  's.?serviceAccountToken.hasValue() || s.?configMap.hasValue() || s.?downwardAPI.hasValue() || s.?clusterTrustBundle.hasValue()',
  's.?serviceAccountToken.?path.orValue("token") == "token" && s.?serviceAccountToken.?audience.orValue("") == ""',
  's.?configMap.?name.orValue("kube-root-ca.crt") == "kube-root-ca.crt"',
  `!s.?clusterTrustBundle.hasValue() || s.?clusterTrustBundle.?signerName.orValue("") == "${TRUSTED_SIGNER}"`,
  's.?downwardAPI.?items.orValue([]).all(d, d.?path.orValue("") == "namespace" && d.?fieldRef.?fieldPath.orValue("") == "metadata.namespace" && d.?fieldRef.?apiVersion.orValue("v1") == "v1")',
)})`;

/** Whether the rule refuses the volume that the API server adds. */
function refusesTokens(types: VolumeTypes): boolean {
  return 'allowed' in types && !types.tokens && !types.allowed.includes('projected');
}

/**
 * A CEL expression of type string: a note in messages about the volume that the API server adds. The note explains
 * where the volume comes from and what to do.
 */
const TOKEN_ADVICE = `(v.name.startsWith("${TOKEN_VOLUME}") ? ${literal(
  "; the API server adds it for the service account's token: set automountServiceAccountToken: false, or serviceAccountTokenVolumes: true in the policy",
)} : "")`;

/**
 * The fix for the volume that the API server adds. No rule reads automountServiceAccountToken. So the projection keeps
 * automountServiceAccountToken of a pod if the API server will add the volume to the pod. For all other pods, the
 * projection drops the field.
 */
export const NO_TOKEN: Fix = {
  over: 'pod',
  path: ['automountServiceAccountToken'],
  when: `variables.spec.?automountServiceAccountToken.orValue(false) && variables.spec.?volumes.orValue([]).exists(v, v.name == "${TOKEN_VOLUME}")`,
  value: 'false',
  class: 'check',
  risk: 'the processes no longer have a token, which they need for calls to the API server',
};

function columnsOf(types: VolumeTypes): Columns {
  const isListed = 'allowed' in types;
  return {
    volumes: isListed ? types.allowed : ['*'],
    forbiddenVolumes: isListed ? [] : types.forbidden,
    serviceAccountTokenVolumes: isListed && types.tokens ? ['Allowed'] : [],
  };
}

export const volumes = defineRule<VolumeTypes, string>({
  id: 'volumes',
  alsoStatedBy: ['serviceAccountTokenVolumes'],
  title: 'Which types of volumes a pod may use.',
  words:
    'HostPath volumes must be forbidden. In addition, the restricted policy limits inline volume sources to configMap, ' +
    'csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected and secret.',
  sources: [
    'k8s.io/pod-security-admission/policy/check_hostPathVolumes.go',
    'k8s.io/pod-security-admission/policy/check_restrictedVolumes.go',
  ],
  guides: { cis: ['5.2.11'], nsa: ['Breakout'] },
  severity: 'NodeAccess',
  phrases: {
    volumes: (types: readonly string[]) => (types.includes('*') ? 'any volume' : `only volumes ${types.join(', ')}`),
  },
  reads: { spec: ['volumes'] },
  examples: [
    {
      overrides: { volumes: ['configMap', 'emptyDir', 'hostPath'] },
      admits: [{ spec: { volumes: [{ name: 'one', emptyDir: {} }] } }],
      refuses: [{ spec: { volumes: [{ name: 'one', secret: { secretName: 'one' } }] } }],
    },
    {
      overrides: { volumes: ['secret'], serviceAccountTokenVolumes: true },
      admits: [
        { spec: { volumes: [{ name: 'one', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }] } },
      ],
      refuses: [{ spec: { volumes: [{ name: 'one', projected: { sources: [{ secret: { name: 'one' } }] } }] } }],
    },
  ],

  value: (overrides, standard) => {
    const stated = overrides.volumes;
    if (stated?.includes('*')) return { forbidden: [] };
    const allowed = stated
      ? [...stated].sort()
      : standard.level === 'restricted'
        ? restrictedTypes(standard)
        : undefined;
    if (allowed) return { allowed, ...(overrides.serviceAccountTokenVolumes && { tokens: true }) };
    return { forbidden: standard.level === 'baseline' ? ['hostPath'] : [] };
  },

  columns: columnsOf,

  tests: (values) => {
    const test = (applies: Condition, refused: string, text: string, advice: Condition): Test => ({
      applies,
      // A volume has two keys: `name`, and a key for the volume's type.
      over: 'volumes',
      violates: `${all(
        `dyn(v).exists(k, ${refused})`,
        not(all(values.includes('serviceAccountTokenVolumes', 'Allowed'), IS_TOKEN)),
      )}`,
      message: concat(
        `"must not be of type " + dyn(v).filter(k, ${refused}).join(", ")`,
        text,
        choose(advice, TOKEN_ADVICE, '""'),
      ),
      path: '',
    });
    return [
      test(
        not(values.includes('volumes', '*')),
        `k != "name" && !(k in ${values.list('volumes')})`,
        concat('" (allowed: "', values.listed('volumes'), '")"'),
        not(any(values.includes('serviceAccountTokenVolumes', 'Allowed'), values.includes('volumes', 'projected'))),
      ),
      test(
        values.hasSome('forbiddenVolumes'),
        `k in ${values.list('forbiddenVolumes')}`,
        concat('" (forbidden: "', values.listed('forbiddenVolumes'), '")"'),
        false,
      ),
    ];
  },

  fixes: (types) => (refusesTokens(types) ? [NO_TOKEN] : []),
  unfixable:
    'the pod needs the data in its volumes: move the data to a volume of another type first, or write an exception for the pod (cappol suggest)',

  podSecurity: (types, standard) => {
    if ('forbidden' in types) return types.forbidden.includes('hostPath') ? 'baseline' : 'privileged';
    const restricted = restrictedTypes(standard);
    if (types.allowed.every((type) => restricted.includes(type))) return 'restricted';
    return types.allowed.includes('hostPath') ? 'privileged' : 'baseline';
  },

  fit: (standard) => ({
    asks: [{ over: 'volumes', for: 'dyn(v).filter(k, k != "name")' }],
    own:
      standard.level === 'restricted' ? restrictedTypes(standard) : VOLUME_TYPES.filter((type) => type !== 'hostPath'),
    choices: (types) => {
      const listable =
        types.every((type) => VOLUME_TYPES.includes(type)) && !VOLUME_TYPES.every((type) => types.includes(type));
      return [{ volumes: listable ? distinct(types) : ['*'] }];
    },
  }),
});
