import { offers } from '../standards/server-features.ts';
import { ALL_CONTAINERS, and, FOR_WINDOWS, IN_USER_NAMESPACE } from './cel.ts';
import { all, type Condition } from './condition.ts';
import { firstOfValues } from './fit.ts';
import { defineRule } from './rule.ts';
import type { Values } from './values.ts';

const ID = 'userNamespaces';

/**
 * A CEL expression of type bool: true if the pod has a field that the API server refuses together with hostUsers: false
 * (ValidateHostUsers).
 */
const IMPOSSIBLE = [
  ...['hostNetwork', 'hostPID', 'hostIPC'].map((field) => `variables.spec.?${field}.orValue(false)`),
  `${ALL_CONTAINERS}.exists(c, c.?volumeDevices.orValue([]).size() > 0)`,
].join(' || ');

/**
 * A CEL expression of type bool: true if the pod already exists. Defaulting cannot fill in the pod-level fields of an
 * existing pod.
 */
const EXISTS = 'variables.spec.?ephemeralContainers.orValue([]).size() > 0';

/**
 * A CEL expression of type bool: true if the policy requires the pod to have a user namespace. Pods for Windows are
 * exempt, because the API server refuses the field on such pods.
 */
function isRequired(values: Values): Condition {
  return all(values.includes(ID, 'Required'), `!(${FOR_WINDOWS})`);
}

export const userNamespaces = defineRule<'Required' | 'Optional'>({
  id: ID,
  title: "Whether each pod must have its own user namespace, in which root is not the node's root.",
  words:
    'The Pod Security Standards have no such rule. KEP-127: with hostUsers: false a process that escapes its container has no privileges on the ' +
    'node, nor in other pods. OpenShift: userNamespaceLevel RequirePodLevel.',
  sources: ['KEP-127', 'k8s.io/kubernetes/pkg/apis/core/validation (validateHostUsers)'],
  guides: { cis: [], nsa: [] },
  severity: 'Privileges',
  phrases: {
    [ID]: (value: string) => `${value === 'Required' ? 'must' : 'need not'} have a user namespace of its own`,
  },
  reads: { spec: ['hostUsers', 'hostNetwork', 'hostPID', 'hostIPC', 'os'], container: ['volumeDevices'] },
  examples: [
    {
      overrides: { userNamespaces: 'Required' },
      admits: [{ spec: { hostUsers: false } }, { spec: { os: { name: 'windows' } } }],
      refuses: [{}, { spec: { hostUsers: true } }],
    },
  ],

  value: (overrides) => overrides.userNamespaces ?? 'Optional',

  needs: (overrides) =>
    overrides.userNamespaces === 'Required'
      ? [
          {
            feature: 'userNamespaces',
            path: ID,
            without: 'NotAccepted',
            because: 'an older API server drops hostUsers from pods, so every pod would be refused',
          },
        ]
      : [],

  columns: (value) => ({ [ID]: [value] }),

  tests: (values) => [
    {
      applies: isRequired(values),
      over: 'pod',
      violates: `!(${IN_USER_NAMESPACE})`,
      message: '"must set hostUsers=false"',
      path: 'hostUsers',
    },
  ],

  fillings: (values) => [
    {
      applies: isRequired(values),
      over: 'pod',
      path: ['hostUsers'],
      when: and('!variables.spec.?hostUsers.hasValue()', `!(${IMPOSSIBLE})`, `!(${EXISTS})`),
      value: 'false',
      makes: IN_USER_NAMESPACE,
    },
  ],

  fixes: (value) =>
    value === 'Required'
      ? [
          {
            over: 'pod',
            path: ['hostUsers'],
            when: and(`!(${IN_USER_NAMESPACE})`, `!(${FOR_WINDOWS})`, `!(${IMPOSSIBLE})`),
            value: 'false',
            class: 'check',
            risk: 'the pod does not start if the node has no user namespaces (they need Linux 6.3, and containerd 2.0 or CRI-O 1.25), or if the file system of a volume cannot map IDs, such as NFS on older kernels',
          },
        ]
      : [],
  unfixable:
    "the API server refuses hostUsers: false on a pod that uses the node's network, processes or IPC, or raw block volumes; write an exception for the pod (cappol suggest)",

  podSecurity: () => 'restricted',

  fit: ({ server }) =>
    offers(server, 'userNamespaces') ? firstOfValues(ID, 'Required', 'Optional') : { choices: () => [{}] },
});
