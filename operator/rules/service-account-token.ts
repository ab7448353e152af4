import { literal } from './cel.ts';
import { choose, concat } from './condition.ts';
import { firstOfValues } from './fit.ts';
import { defineRule } from './rule.ts';
import { SOURCES, TOKEN_VOLUME } from './token-volume.ts';
import { NO_TOKEN } from './volumes.ts';

const ID = 'serviceAccountToken';

/**
 * A CEL expression of type bool: true if volume `v` has a token. The API server adds the default token volume before
 * policies evaluate the pod. A pod gets the volume if automountServiceAccountToken is true on the pod. If the pod
 * leaves the field unset, the field of the service account applies. If the service account's field is false, the pod
 * does not get the volume.
 */
const HAS_TOKEN = `${SOURCES}.exists(s, s.?serviceAccountToken.hasValue())`;

const ADVICE = '; the API server adds it: set automountServiceAccountToken: false on the pod or on its service account';

/**
 * The rule has no fillings. The admission plugin ServiceAccount adds the volume and its mounts, and API servers run
 * this plugin before MutatingAdmissionPolicy.
 */
export const serviceAccountToken = defineRule<'Allowed' | 'Forbidden'>({
  id: ID,
  title: 'Whether pods may have a token of their service account, in the default volume or in a volume of their own.',
  words:
    'The Pod Security Standards have no such rule. With the token, a process can call the API server with the rights of the service account. ' +
    'The API server adds a volume with a token to every pod, unless automountServiceAccountToken is false.',
  sources: ['k8s.io/kubernetes/plugin/pkg/admission/serviceaccount', 'KEP-1205'],
  guides: { cis: ['5.1.6'], nsa: ['ServiceAccountTokens'] },
  severity: 'Privileges',
  phrases: {
    [ID]: (value: string) => `${value === 'Forbidden' ? 'must not' : 'may'} get a token of its service account`,
  },
  reads: { spec: ['volumes'] },
  examples: [
    {
      overrides: { serviceAccountToken: 'Forbidden' },
      admits: [{}, { spec: { volumes: [{ name: 'one', projected: { sources: [{ configMap: { name: 'one' } }] } }] } }],
      refuses: [
        { spec: { volumes: [{ name: 'one', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }] } },
      ],
    },
  ],

  value: (overrides) => overrides.serviceAccountToken ?? 'Allowed',

  columns: (value) => ({ [ID]: [value] }),

  tests: (values) => [
    {
      applies: values.includes(ID, 'Forbidden'),
      over: 'volumes',
      violates: HAS_TOKEN,
      message: concat(
        `"must not have a token of the service account"`,
        choose(`v.name.startsWith("${TOKEN_VOLUME}")`, literal(ADVICE), '""'),
      ),
      path: 'projected.sources',
    },
  ],

  fixes: (value) => (value === 'Forbidden' ? [NO_TOKEN] : []),
  unfixable:
    'processes read the token from a projected volume that the pod itself declares: remove serviceAccountToken from the sources of the volume, or write an exception for the pod (cappol suggest)',

  podSecurity: () => 'restricted',

  fit: () => firstOfValues(ID, 'Forbidden', 'Allowed'),
});
