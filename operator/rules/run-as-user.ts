import { ALL_CONTAINERS, and, effective, FOR_WINDOWS, takesFromPod, unlessInUserNamespace } from './cel.ts';
import { all, type Condition, concat } from './condition.ts';
import { exemptions, isOutsideUserNamespace } from './exemptions.ts';
import { firstOf, groupColumns, type IdRange, inRanges, strategies, THREE_RANGES, UNSET } from './id-ranges.ts';
import { defineRule, type Filling, type Fix, type Test } from './rule.ts';
import type { Values } from './values.ts';

interface RunAsUser {
  readonly rule: 'RunAsAny' | 'NotZero' | 'MustRunAs' | 'MustRunAsNonRoot';
  readonly ranges?: readonly IdRange[];
}

const PATH = 'securityContext.runAsUser';
const ZERO = '?securityContext.?runAsUser.orValue(1) == 0';
const USER = effective('runAsUser');
const NON_ROOT = effective('runAsNonRoot');

function isRule(values: Values, rule: RunAsUser['rule']): Condition {
  return values.includes('runAsUser', rule);
}

function isNotZero(values: Values): Condition {
  return all(isRule(values, 'NotZero'), isOutsideUserNamespace(values));
}

function notZeroTests(values: Values): Test[] {
  const test = { applies: isNotZero(values), message: `"must not set ${PATH}=0"`, path: PATH };
  return [
    { ...test, over: 'pod', violates: `variables.spec.${ZERO}`, reaches: takesFromPod('runAsUser') },
    { ...test, over: 'containers', violates: `c.${ZERO}` },
  ];
}

function notZeroTestOfContainer(values: Values): Test {
  return {
    applies: isNotZero(values),
    over: 'containers',
    violates: `${USER}.orValue(1) == 0`,
    message: `"must not run as user 0: set ${PATH} to another user on it or on the pod"`,
    path: PATH,
  };
}

function rangesTest(values: Values, filled: boolean): Test {
  const id = `${USER}.orValue(${filled ? values.firstOfRanges('runAsUserRanges') : UNSET})`;
  return {
    // The API server refuses runAsUser on pods for Windows.
    applies: all(isRule(values, 'MustRunAs'), `!(${FOR_WINDOWS})`),
    over: 'containers',
    violates: `!(${values.isInRanges(id, 'runAsUserRanges')})`,
    message: concat(
      `(${USER}.hasValue() ? "must not run as user " + string(int(${USER}.orValue(${UNSET}))) : "must set ${PATH} on it or on the pod")`,
      '" (allowed: "',
      values.listed('runAsUserRanges'),
      '")"',
    ),
    path: PATH,
  };
}

function nonRootTest(values: Values, filled: boolean): Test {
  const id = `${USER}.orValue(${UNSET})`;
  return {
    applies: isRule(values, 'MustRunAsNonRoot'),
    over: 'containers',
    violates: `${id} == 0 || !${NON_ROOT}.orValue(${filled ? 'true' : `${id} > 0`})`,
    message: `${id} == 0 ? "must not run as user 0" : "must run as non-root: set securityContext.runAsNonRoot=true, or leave it unset and set ${PATH} to another user than 0, on it or on the pod"`,
    path: PATH,
  };
}

/**
 * Returns the tests that check the user ID of a container. The ID comes from the container's own field, or from the
 * pod's field if the container's field is unset.
 */
function effectiveTests(values: Values, filled: boolean): Test[] {
  return [rangesTest(values, filled), nonRootTest(values, filled)];
}

function fillingsOf(values: Values): Filling[] {
  return [
    {
      applies: all(isRule(values, 'MustRunAs'), values.hasSome('runAsUserRanges'), `!(${FOR_WINDOWS})`),
      over: 'containers',
      path: ['securityContext', 'runAsUser'],
      when: `!${USER}.hasValue()`,
      value: values.firstOfRanges('runAsUserRanges'),
    },
    {
      applies: isRule(values, 'MustRunAsNonRoot'),
      over: 'containers',
      path: ['securityContext', 'runAsNonRoot'],
      when: and(`!${USER}.hasValue()`, `!${NON_ROOT}.hasValue()`),
      value: 'true',
    },
  ];
}

function fix(over: 'pod' | 'containers', field: 'runAsUser' | 'runAsNonRoot', when: string, value: string): Fix {
  const risk =
    value === 'null'
      ? "the container runs as the user of the image; if this user is root, the kubelet does not start the container: set runAsUser to a user that may use the image's files"
      : field === 'runAsUser'
        ? 'files that belong to another user may become unreadable or unwritable, and some images work only with their own user'
        : 'the kubelet does not start a container if the user of the image is root, or is a name and not a number';
  return { over, path: ['securityContext', field], when, value, class: 'check', risk };
}

function fixesOf({ rule, ranges = [] }: RunAsUser, minor: number): Fix[] {
  const zero = [
    fix('pod', 'runAsUser', and(`variables.spec.${ZERO}`, unlessInUserNamespace(minor)), 'null'),
    fix('containers', 'runAsUser', and(`c.${ZERO}`, unlessInUserNamespace(minor)), 'null'),
  ];
  switch (rule) {
    case 'NotZero':
      return zero;
    case 'MustRunAs': {
      const when = and(`!(${inRanges(`${USER}.orValue(${UNSET})`, ranges)})`, `!(${FOR_WINDOWS})`);
      return ranges.length > 0 ? [fix('containers', 'runAsUser', when, `${firstOf(ranges)}`)] : [];
    }
    case 'MustRunAsNonRoot':
      return [
        fix(
          'pod',
          'runAsUser',
          `variables.spec.${ZERO} && ${ALL_CONTAINERS}.exists(x, !x.?securityContext.?runAsUser.hasValue())`,
          'null',
        ),
        fix('containers', 'runAsUser', `c.${ZERO}`, 'null'),
        fix('containers', 'runAsNonRoot', `!${NON_ROOT}.orValue(${USER}.orValue(${UNSET}) > 0)`, 'true'),
      ];
    default:
      return [];
  }
}

export const runAsUser = defineRule<RunAsUser, number>({
  id: 'runAsUser',
  title: 'Which user IDs containers may run as.',
  words: 'Containers must not set runAsUser to 0 (v1.23+), unless the pod is in a user namespace (v1.35+).',
  sources: [
    'k8s.io/pod-security-admission/policy/check_runAsUser.go',
    'KEP-127',
    'PodSecurityPolicy runAsUser: MustRunAs, MustRunAsNonRoot',
  ],
  guides: { cis: ['5.2.7'], nsa: ['NonRoot', 'Root'] },
  severity: 'Privileges',
  reads: { spec: ['securityContext', 'hostUsers', 'os'], container: ['securityContext'] },
  examples: [
    {
      overrides: { runAsUser: { rule: 'MustRunAs', ranges: [{ min: 1000, max: 65535 }] } },
      admits: [
        { spec: { securityContext: { runAsUser: 1000 } } },
        { container: { securityContext: { runAsUser: 65535 } } },
      ],
      refuses: [{}, { container: { securityContext: { runAsUser: 999 } } }],
    },
    {
      overrides: { runAsUser: { rule: 'MustRunAs', ranges: THREE_RANGES } },
      admits: [{ container: { securityContext: { runAsUser: 9 } } }],
      refuses: [{ container: { securityContext: { runAsUser: 10 } } }],
    },
    {
      overrides: { runAsUser: { rule: 'MustRunAsNonRoot' } },
      admits: [{ container: { securityContext: { runAsNonRoot: true } } }],
      refuses: [{}, { container: { securityContext: { runAsUser: 0 } } }],
    },
    {
      overrides: { runAsUser: { rule: 'NotZero' } },
      admits: [{}],
      refuses: [{ container: { securityContext: { runAsUser: 0 } } }],
    },
  ],

  value: (overrides, { level, minor }) =>
    overrides.runAsUser ?? { rule: level === 'restricted' && minor >= 23 ? 'NotZero' : 'RunAsAny' },

  columns: ({ rule, ranges = [] }, standard) => ({
    ...groupColumns('runAsUser', rule, ranges),
    ...exemptions(standard),
  }),

  tests: (values, { filled }) => [...notZeroTests(values), ...effectiveTests(values, filled)],

  fillings: fillingsOf,

  fixes: (value, { minor }) => fixesOf(value, minor),
  unfixable:
    'the policy allows no user ID; or the container inherits user ID 0 from the pod, and other containers need user ID 0',

  ofContainer: {
    tests: (values, { filled }) => [notZeroTestOfContainer(values), ...effectiveTests(values, filled)],
    fillings: fillingsOf,
  },

  podSecurity: ({ rule }, { minor }, label) => {
    if (label < 23) return 'restricted';
    // PodSecurityPolicy's strategies check the effective IDs of containers. So if each container overrides the pod's
    // user, the strategies admit user 0 on the pod.
    if (rule !== 'NotZero') return 'baseline';
    return minor >= 35 && label < 35 ? 'baseline' : 'restricted';
  },

  fit: () => ({
    // Because `own` contains UNSET, the choices include no list of ranges. No list of ranges can contain all IDs that
    // the level's strategy NotZero admits.
    own: [UNSET],
    asks: [{ over: 'containers', for: `(${FOR_WINDOWS}) ? [] : [${USER}.orValue(${UNSET})]` }],
    choices: (ids) =>
      [{ rule: 'NotZero' }, { rule: 'MustRunAsNonRoot' }, ...strategies(ids, undefined)].map((value) => ({
        runAsUser: value,
      })),
  }),
});
