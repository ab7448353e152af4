import { and, effective, isUnsetForSome, takesFromPod, unlessInUserNamespace } from './cel.ts';
import { firstOfValues } from './fit.ts';
import { type Check, defineRule, type Fill, type Fix } from './rule.ts';

const PATH = 'securityContext.runAsNonRoot';
const CONTAINER = 'c.?securityContext.?runAsNonRoot';
const POD = 'variables.spec.?securityContext.?runAsNonRoot';

/** Defaulting does not set runAsNonRoot for a root user: the kubelet would not start it. */
const MAY_PROMISE = `${effective('runAsUser')}.orValue(-1) != 0`;

export const runAsNonRoot = defineRule<boolean>({
  id: 'runAsNonRoot',
  title: 'Whether containers must state that they do not run as root.',
  words: 'Containers must be required to run as non-root users, unless the pod is in a user namespace (v1.35+).',
  sources: ['k8s.io/pod-security-admission/policy/check_runAsNonRoot.go', 'KEP-127'],
  guides: { cis: ['5.2.7'], nsa: ['NonRoot', 'Root'] },
  reads: { spec: ['securityContext', 'hostUsers'], container: ['securityContext'] },

  value: (overrides, { level }) => overrides.runAsNonRoot ?? level === 'restricted',

  checks: (required, { minor }, filled) => {
    if (!required) return [];
    return [
      {
        over: 'pod',
        violates: and(`!${POD}.orValue(true)`, unlessInUserNamespace(minor)),
        reaches: takesFromPod('runAsNonRoot'),
        message: `"must not set ${PATH}=false"`,
        path: PATH,
      },
      containerCheck(minor, filled),
    ];
  },

  fills: (required, { minor }) => (required ? [containerFill(minor)] : []),

  fixes: (required, { minor }) => (required ? fixesOf(minor) : []),

  // The container's check reads the pod's field, too.
  ofContainer: {
    checks: (required, { minor }, filling) => (required ? [containerCheck(minor, filling !== undefined)] : []),
    fills: (required, { minor }) => (required ? [containerFill(minor)] : []),
  },

  podSecurity: (required, { minor }, label) => {
    if (!required) return 'baseline';
    // Pods in a user namespace pass this text from v1.35 on, and the label's from v1.35 on.
    return minor >= 35 && label < 35 ? 'baseline' : 'restricted';
  },

  fit: () => firstOfValues('runAsNonRoot', true, false),
});

function containerCheck(minor: number, filled: boolean | undefined): Check {
  return {
    over: 'containers',
    violates: and(
      `!${CONTAINER}.orValue(${POD}.orValue(${filled ? MAY_PROMISE : 'false'}))`,
      unlessInUserNamespace(minor),
    ),
    message: `"must run as non-root: set ${PATH}=true on it or on the pod"`,
    path: PATH,
  };
}

function containerFill(minor: number): Fill {
  return {
    over: 'containers',
    path: ['securityContext', 'runAsNonRoot'],
    when: and(`!${CONTAINER}.hasValue()`, `!${POD}.hasValue()`, MAY_PROMISE, unlessInUserNamespace(minor)),
    value: 'true',
  };
}

/** CEL, bool: container `x` runs as a user other than root already. */
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
        risk: 'none: runAsUser already says that it runs as another user than root',
      },
      {
        ...own,
        when: and(when, unlessInUserNamespace(minor)),
        class: 'check',
        risk: "the kubelet does not start a container whose image runs as root, or whose image names its user instead of giving the user's number: set runAsUser, too",
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
