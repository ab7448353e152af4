import { offers } from '../standards/server-features.ts';
import { and, FOR_WINDOWS } from './cel.ts';
import { defineRule } from './rule.ts';

const PATH = 'securityContext.supplementalGroupsPolicy';
const POLICY = 'variables.spec.?securityContext.?supplementalGroupsPolicy';
/** CEL, bool: the pod exists, and its own fields cannot be filled any more. */
const EXISTS = 'variables.spec.?ephemeralContainers.orValue([]).size() > 0';
const STATED = 'supplementalGroups.policy';

export const supplementalGroupsPolicy = defineRule<'Strict' | undefined>({
  id: STATED,
  title: 'Whether containers may belong to groups that only the image names.',
  words:
    'No Standard has this. Merge, the default: the groups that /etc/group of the image gives to the primary user are ' +
    'merged into those of the pod. Strict: only the groups in fsGroup, supplementalGroups and runAsGroup are attached.',
  sources: ['KEP-3619'],
  guides: { cis: [], nsa: [] },
  reads: { spec: ['securityContext', 'os'] },

  value: ({ supplementalGroups }) => supplementalGroups?.policy,

  needs: ({ supplementalGroups }) =>
    supplementalGroups?.policy === undefined
      ? []
      : [
          {
            feature: 'supplementalGroupsPolicy',
            path: STATED,
            without: 'NotAccepted',
            because: 'an older one drops supplementalGroupsPolicy from pods, so every pod would be refused',
          },
          {
            feature: 'supplementalGroupsPolicyOnNodes',
            path: STATED,
            without: 'NodesMayIgnore',
            because:
              'a kubelet below v1.33 ignores supplementalGroupsPolicy and adds the groups of the image all the same',
          },
        ],

  checks: (policy, _standard, filled) =>
    policy === undefined
      ? []
      : [
          {
            over: 'pod',
            // The API server refuses the field on pods for Windows.
            violates: and(
              `${POLICY}.orValue(${filled ? `${EXISTS} ? "" : "Strict"` : '""'}) != "Strict"`,
              `!(${FOR_WINDOWS})`,
            ),
            message: `"must set ${PATH}=Strict"`,
            path: PATH,
          },
        ],

  fills: (policy) =>
    policy === undefined
      ? []
      : [
          {
            over: 'pod',
            path: ['securityContext', 'supplementalGroupsPolicy'],
            when: and(`!${POLICY}.hasValue()`, `!(${FOR_WINDOWS})`),
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
            risk: "the container loses the groups that the image's /etc/group gives to its user: state those that it needs in supplementalGroups",
          },
        ],

  podSecurity: () => 'restricted',

  fit: ({ server }) => ({
    choices: () => (offers(server, 'supplementalGroupsPolicy') ? [{ [STATED]: 'Strict' }, {}] : [{}]),
  }),
});
