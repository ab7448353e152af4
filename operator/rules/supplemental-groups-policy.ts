import { offers } from '../standards/server-features.ts';
import { and, FOR_WINDOWS } from './cel.ts';
import { all, type Condition } from './condition.ts';
import { defineRule } from './rule.ts';
import type { Values } from './values.ts';

const PATH = 'securityContext.supplementalGroupsPolicy';
const POLICY = 'variables.spec.?securityContext.?supplementalGroupsPolicy';
/**
 * A CEL expression of type bool: true if the pod already exists. Defaulting cannot fill in the pod-level fields of an
 * existing pod.
 */
const EXISTS = 'variables.spec.?ephemeralContainers.orValue([]).size() > 0';
const STATED = 'supplementalGroups.policy';

/**
 * A CEL expression of type bool: true if the pod's supplementalGroupsPolicy must be Strict. Pods for Windows are
 * exempt, because the API server refuses the field on such pods.
 */
function isStrict(values: Values): Condition {
  return all(values.includes('supplementalGroupsPolicy', 'Strict'), `!(${FOR_WINDOWS})`);
}

export const supplementalGroupsPolicy = defineRule<'Strict' | undefined>({
  id: STATED,
  title: 'Whether containers may belong to groups that only their image gives them.',
  words:
    'The Pod Security Standards have no such rule. Merge, the default, adds the groups that /etc/group of the image gives to the primary user. ' +
    'Strict attaches only the groups in fsGroup, supplementalGroups and runAsGroup.',
  sources: ['KEP-3619'],
  guides: { cis: [], nsa: [] },
  severity: 'Identity',
  reads: { spec: ['securityContext', 'os'] },
  examples: [
    {
      overrides: { supplementalGroups: { policy: 'Strict' } },
      admits: [{ spec: { securityContext: { supplementalGroupsPolicy: 'Strict' } } }],
      refuses: [{}, { spec: { securityContext: { supplementalGroupsPolicy: 'Merge' } } }],
    },
  ],

  value: ({ supplementalGroups }) => supplementalGroups?.policy,

  needs: ({ supplementalGroups }) =>
    supplementalGroups?.policy === undefined
      ? []
      : [
          {
            feature: 'supplementalGroupsPolicy',
            path: STATED,
            without: 'NotAccepted',
            because: 'an older API server drops supplementalGroupsPolicy from pods, so every pod would be refused',
          },
          {
            feature: 'supplementalGroupsPolicyOnNodes',
            path: STATED,
            without: 'NodesMayIgnore',
            because: 'a kubelet below v1.33 ignores supplementalGroupsPolicy and still adds the groups of the image',
          },
        ],

  columns: (policy) => ({ supplementalGroupsPolicy: policy === undefined ? [] : [policy] }),

  tests: (values, { filled }) => [
    {
      applies: isStrict(values),
      over: 'pod',
      violates: `${POLICY}.orValue(${filled ? `${EXISTS} ? "" : "Strict"` : '""'}) != "Strict"`,
      message: `"must set ${PATH}=Strict"`,
      path: PATH,
    },
  ],

  fillings: (values) => [
    {
      applies: isStrict(values),
      over: 'pod',
      path: ['securityContext', 'supplementalGroupsPolicy'],
      when: `!${POLICY}.hasValue()`,
      value: '"Strict"',
    },
  ],

  fixes: (policy) =>
    policy === undefined
      ? []
      : [
          {
            over: 'pod',
            path: ['securityContext', 'supplementalGroupsPolicy'],
            when: and(`${POLICY}.orValue("") != "Strict"`, `!(${FOR_WINDOWS})`),
            value: '"Strict"',
            class: 'check',
            risk: 'the container loses the groups that /etc/group of the image gives to the user: list the required groups in supplementalGroups',
          },
        ],

  podSecurity: () => 'restricted',

  fit: ({ server }) => ({
    choices: () => (offers(server, 'supplementalGroupsPolicy') ? [{ [STATED]: 'Strict' }, {}] : [{}]),
  }),
});
