import { and, effective, isUnsetForSome, takesFromPod, unlessInUserNamespace } from './cel.ts';
import { all, type Condition } from './condition.ts';
import { exemptions, isOutsideUserNamespace } from './exemptions.ts';
import { firstOfValues } from './fit.ts';
import { defineRule, type Filling, type Fix, type Test } from './rule.ts';
import type { Values } from './values.ts';

const PATH = 'securityContext.runAsNonRoot';
const CONTAINER = 'c.?securityContext.?runAsNonRoot';
const POD = 'variables.spec.?securityContext.?runAsNonRoot';

/**
 * Defaulting does not set runAsNonRoot on a container whose user is root, because the kubelet would not start the
 * container.
 */
const MAY_PROMISE = `${effective('runAsUser')}.orValue(-1) != 0`;

export const runAsNonRoot = defineRule<boolean>({
  id: 'runAsNonRoot',
  title: 'Whether containers must state that they do not run as root.',
  words: 'Containers must be required to run as non-root users, unless the pod is in a user namespace (v1.35+).',
  sources: ['k8s.io/pod-security-admission/policy/check_runAsNonRoot.go', 'KEP-127'],
  guides: { cis: ['5.2.7'], nsa: ['NonRoot', 'Root'] },
  severity: 'Privileges',
  phrases: { runAsNonRoot: (required: boolean) => (required ? 'must not run as root' : 'may run as root') },
  reads: { spec: ['securityContext', 'hostUsers'], container: ['securityContext'] },
  examples: [
    {
      overrides: { runAsNonRoot: true },
      admits: [
        { spec: { securityContext: { runAsNonRoot: true } } },
        { container: { securityContext: { runAsNonRoot: true } } },
      ],
      refuses: [
        {},
        { spec: { securityContext: { runAsNonRoot: false } } },
        { container: { securityContext: { runAsNonRoot: false } } },
      ],
    },
  ],

  value: (overrides, { level }) => overrides.runAsNonRoot ?? level === 'restricted',

  columns: (required, standard) => ({
    runAsNonRoot: [required ? 'Required' : 'Optional'],
    ...exemptions(standard),
  }),

  tests: (values, { filled }) => [
    {
      applies: isRequired(values),
      over: 'pod',
      violates: `!${POD}.orValue(true)`,
      reaches: takesFromPod('runAsNonRoot'),
      message: `"must not set ${PATH}=false"`,
      path: PATH,
    },
    containerTest(values, filled),
  ],

  fillings: (values) => [containerFilling(values)],

  fixes: (required, { minor }) => (required ? fixesOf(minor) : []),

  // If the container's own field is unset, the check of a container reads the pod's field.
  ofContainer: {
    tests: (values, { filled }) => [containerTest(values, filled)],
    fillings: (values) => [containerFilling(values)],
  },

  podSecurity: (required, { minor }, label) => {
    if (!required) return 'baseline';
    // From v1.35 on, the rule and the label admit pods in a user namespace. A label of an older version therefore
    // refuses more pods than the rule.
    return minor >= 35 && label < 35 ? 'baseline' : 'restricted';
  },

  fit: () => firstOfValues('runAsNonRoot', true, false),
});

function isRequired(values: Values): Condition {
  return all(values.includes('runAsNonRoot', 'Required'), isOutsideUserNamespace(values));
}

function containerTest(values: Values, filled: boolean): Test {
  return {
    applies: isRequired(values),
    over: 'containers',
    violates: `!${CONTAINER}.orValue(${POD}.orValue(${filled ? MAY_PROMISE : 'false'}))`,
    message: `"must run as non-root: set ${PATH}=true on it or on the pod"`,
    path: PATH,
  };
}

function containerFilling(values: Values): Filling {
  return {
    applies: isRequired(values),
    over: 'containers',
    path: ['securityContext', 'runAsNonRoot'],
    when: and(`!${CONTAINER}.hasValue()`, `!${POD}.hasValue()`, MAY_PROMISE),
    value: 'true',
  };
}

/** A CEL expression of type bool: true if container `x` already runs as a user other than root. */
const X_IS_OTHER_USER = `x.?securityContext.?runAsUser.or(variables.spec.?securityContext.?runAsUser).orValue(0) != 0`;
const INHERITING = `(variables.spec.?initContainers.orValue([]) + variables.spec.containers).filter(x, !x.?securityContext.?runAsNonRoot.hasValue())`;

function fixesOf(minor: number): Fix[] {
  const fix = (over: 'pod' | 'containers', when: string, isOtherUser: string): Fix[] => {
    const own = { over, path: ['securityContext', 'runAsNonRoot'], value: 'true' } as const;
    return [
      {
        ...own,
        when: and(when, isOtherUser, unlessInUserNamespace(minor)),
        class: 'safe',
        risk: 'none: runAsUser already sets a user other than root',
      },
      {
        ...own,
        when: and(when, unlessInUserNamespace(minor)),
        class: 'check',
        risk: 'the kubelet does not start a container if the user of the image is root, or is a name and not a number: set runAsUser, too',
      },
    ];
  };
  return [
    ...fix('pod', isUnsetForSome('runAsNonRoot'), `${INHERITING}.all(x, ${X_IS_OTHER_USER})`).map((one) => ({
      ...one,
      inherited: true as const,
    })),
    ...fix('pod', `!${POD}.orValue(true)`, `${INHERITING}.all(x, ${X_IS_OTHER_USER})`),
    ...fix('containers', `!${CONTAINER}.orValue(${POD}.orValue(false))`, `${effective('runAsUser')}.orValue(0) != 0`),
  ];
}
