import type { Standard } from '../standards/level-version.ts';
import { offers } from '../standards/server-features.ts';
import { fixesOf } from './capability-fixes.ts';
import {
  ADD,
  allowedText,
  BASELINE,
  type Capabilities,
  capabilitiesOf,
  DROP,
  filledAdd,
  filledDrop,
  isMissing,
  isRefused,
  listColumns,
  MOST_NAMES,
  NAMES,
  namedInWords,
  RESTRICTED,
} from './capability-lists.ts';
import { FOR_WINDOWS, IN_USER_NAMESPACE } from './cel.ts';
import { all, type Condition, concat, not } from './condition.ts';
import { exemptions, isForLinux } from './exemptions.ts';
import { distinct } from './fit.ts';
import { defineRule, type Filling, type Stated, type Test } from './rule.ts';
import type { Values } from './values.ts';

function addTest(values: Values): Test {
  const outside = isRefused(values);
  return {
    applies: not(values.includes('allowedAdd', '*')),
    over: 'containers',
    violates: `${ADD}.exists(x, ${outside})`,
    message: concat(
      `"must not add capability " + ${ADD}.filter(x, ${outside}).join(", ")`,
      '" (allowed: "',
      allowedText(values, 'allowedAdd', 'allowedAddInUserNamespace'),
      '")"',
    ),
    path: 'securityContext.capabilities.add',
  };
}

/**
 * Defaulting adds the required drops to every container except containers for Windows. After defaulting, only
 * containers for Windows can lack a required drop.
 */
function dropTest(values: Values, filled: boolean): Test {
  const isLeft = filled ? all(not(values.includes('exempt', 'windows')), FOR_WINDOWS) : isForLinux(values);
  return {
    applies: all(values.hasSome('requiredDrop'), isLeft),
    over: 'containers',
    violates: `${isMissing(values)}`,
    message: concat(
      '"must drop capability "',
      values.listed('requiredDrop'),
      '" in securityContext.capabilities.drop"',
    ),
    path: 'securityContext.capabilities.drop',
  };
}

function fillingsOf(values: Values): Filling[] {
  const filling = (field: 'add' | 'drop', column: string, when: Condition, value: string): Filling => ({
    applies: all(values.hasSome(column), `!(${FOR_WINDOWS})`),
    over: 'containers',
    path: ['securityContext', 'capabilities', field],
    when: `${when}`,
    value,
  });
  const lacking = `${values.list('defaultAdd')}.exists(x, !(x in ${ADD}) && !(x in ${DROP}))`;
  // A list without room stays as it is. The filled list would be too long, so the pod would be refused (size.ts).
  const hasRoom = `${filledAdd(values)}.size() <= ${MOST_NAMES}`;
  return [
    filling('add', 'defaultAdd', all(lacking, hasRoom), filledAdd(values)),
    filling('drop', 'requiredDrop', isMissing(values), filledDrop(values)),
  ];
}

function within(names: readonly string[], set: readonly string[]): boolean {
  return names.every((name) => set.includes(name));
}

function stated(
  allowedAdd: readonly string[],
  requiredDrop: readonly string[],
  mapped: readonly string[] = [],
): Stated {
  return {
    'capabilities.allowedAdd': allowedAdd,
    ...(mapped.length > 0 && { 'capabilities.allowedAddInUserNamespace': mapped }),
    'capabilities.requiredDrop': requiredDrop,
  };
}

/** The names that every list contains. A list with ALL contains every name. */
function droppedByAll(lists: readonly (readonly string[])[]): string[] {
  return NAMES.filter((name) => lists.every((drop) => drop.includes(name) || drop.includes('ALL'))).sort();
}

/**
 * Three lists of capabilities. The first list has the capabilities that a container adds, and the second list has the
 * dropped capabilities. The third list has the capabilities that a container adds in a user namespace.
 */
type Asked = readonly [add: readonly string[], drop: readonly string[], mapped: readonly string[]];

function ownLists(standard: Standard): Asked {
  const { allowedAdd, requiredDrop } = capabilitiesOf({}, standard);
  return [allowedAdd, requiredDrop, []];
}

/**
 * A CEL expression of type list(list(list(string))): the capabilities that a container asks for. Containers for Windows
 * need no drops, so these containers count as containers that drop ALL.
 */
function question(standard: Standard): string {
  const drop = standard.minor >= 25 ? `(${FOR_WINDOWS}) ? ["ALL"] : ${DROP}` : DROP;
  const mapped = offers(standard.server, 'userNamespaces');
  const lists = mapped
    ? [`(${IN_USER_NAMESPACE}) ? [] : ${ADD}`, drop, `(${IN_USER_NAMESPACE}) ? ${ADD} : []`]
    : [ADD, drop, '[]'];
  return `[[${lists.join(', ')}]]`;
}

function choicesFor(asked: readonly Asked[]): Stated[] {
  const added = distinct(asked.flatMap(([add]) => add));
  // A policy cannot list an unknown capability. A policy that admits an unknown capability must admit any capability
  // and require no drop.
  if (!added.every((name) => NAMES.includes(name))) return [stated(['*'], [])];
  const others = distinct(asked.flatMap(([, , mapped]) => mapped)).filter((name) => !added.includes(name));
  const mapped = others.every((name) => NAMES.includes(name)) ? others : ['*'];
  const dropped = droppedByAll(asked.map(([, drop]) => drop));
  const required = mapped.includes('*') ? [] : dropped.filter((name) => ![...added, ...mapped].includes(name));
  return [stated(added, dropped.includes('ALL') ? ['ALL'] : required, mapped), stated(['*'], [])];
}

export const capabilities = defineRule<Capabilities, Asked>({
  id: 'capabilities',
  title: 'Which capabilities containers may add, and which they must drop.',
  words:
    'Adding additional capabilities beyond the default set must be disallowed (baseline). Containers must drop ALL ' +
    'capabilities, and are only permitted to add back NET_BIND_SERVICE (restricted, v1.22+).',
  sources: [
    'k8s.io/pod-security-admission/policy/check_capabilities_baseline.go',
    'k8s.io/pod-security-admission/policy/check_capabilities_restricted.go',
  ],
  guides: { cis: ['5.2.8', '5.2.9'], nsa: [] },
  severity: 'Capabilities',
  phrases: {
    'capabilities.allowedAdd': (names: readonly string[]) =>
      names.length > 0 ? `may add ${namedInWords(names)}` : 'may add no capability',
    'capabilities.allowedAddInUserNamespace': (names: readonly string[]) =>
      `may add ${namedInWords(names)} in a user namespace`,
    'capabilities.requiredDrop': (names: readonly string[]) =>
      names.length > 0 ? `must drop ${namedInWords(names)}` : 'need not drop capabilities',
    'capabilities.defaultAdd': (names: readonly string[]) => `${namedInWords(names)} added by default`,
  },
  reads: { spec: ['os', 'hostUsers'], container: ['securityContext'] },
  examples: [
    {
      overrides: {
        capabilities: {
          allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'],
          allowedAddInUserNamespace: ['SYS_PTRACE'],
          requiredDrop: ['ALL'],
          defaultAdd: ['NET_BIND_SERVICE'],
        },
      },
      admits: [
        { container: { securityContext: { capabilities: { add: ['NET_RAW'], drop: ['ALL'] } } } },
        {
          spec: { hostUsers: false },
          container: { securityContext: { capabilities: { add: ['SYS_PTRACE'], drop: ['ALL'] } } },
        },
      ],
      refuses: [
        {},
        { container: { securityContext: { capabilities: { add: ['CHOWN'], drop: ['ALL'] } } } },
        { container: { securityContext: { capabilities: { add: ['SYS_PTRACE'], drop: ['ALL'] } } } },
      ],
    },
    {
      overrides: {
        capabilities: {
          allowedAdd: ['CHOWN'],
          requiredDrop: ['NET_RAW', 'MKNOD'],
          defaultAdd: ['KILL'],
          dropByName: true,
        },
      },
      admits: [{ container: { securityContext: { capabilities: { add: ['KILL'], drop: ['MKNOD', 'NET_RAW'] } } } }],
      refuses: [{ container: { securityContext: { capabilities: { drop: ['ALL'] } } } }],
    },
    {
      overrides: { capabilities: { requiredDrop: ['NET_RAW', 'MKNOD'] } },
      admits: [{ container: { securityContext: { capabilities: { drop: ['ALL'] } } } }],
      refuses: [{ container: { securityContext: { capabilities: { drop: ['NET_RAW'] } } } }],
    },
    {
      overrides: { capabilities: { allowedAdd: [], allowedAddInUserNamespace: ['*'] } },
      admits: [
        {
          spec: { hostUsers: false },
          container: { securityContext: { capabilities: { add: ['SYS_ADMIN'], drop: ['ALL'] } } },
        },
      ],
      refuses: [{ container: { securityContext: { capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] } } } }],
    },
  ],

  value: capabilitiesOf,

  needs: ({ capabilities: lists }) =>
    (lists?.allowedAddInUserNamespace ?? []).length > 0
      ? [
          {
            feature: 'userNamespaces',
            path: 'capabilities.allowedAddInUserNamespace',
            without: 'NoEffect',
            because: 'with an older API server, a pod with hostUsers: false may run without a user namespace',
          },
        ]
      : [],

  columns: (lists, standard) => ({ ...listColumns(lists), ...exemptions(standard) }),

  tests: (values, { filled }) => [addTest(values), dropTest(values, filled)],

  fillings: fillingsOf,

  fixes: fixesOf,
  unfixable: 'the API server refuses capabilities on pods for Windows',

  byField: true,
  ofContainer: 'as-is',

  podSecurity: ({ allowedAdd: everywhere, allowedAddInUserNamespace = [], requiredDrop }, { minor }, label) => {
    // Pod Security Admission treats added capabilities in a user namespace like all other added capabilities.
    const allowedAdd = [...everywhere, ...allowedAddInUserNamespace];
    if (!within(allowedAdd, BASELINE)) return 'privileged';
    if (label < 22) return 'restricted';
    // From v1.25 on, the rule and the label admit pods for Windows. A label of an older version therefore refuses more
    // pods than the rule.
    const windows = minor >= 25 && label < 25;
    return within(allowedAdd, RESTRICTED) && requiredDrop.includes('ALL') && !windows ? 'restricted' : 'baseline';
  },

  fit: (standard) => ({
    own: [ownLists(standard)],
    asks: [{ over: 'containers', for: question(standard) }],
    // At the level restricted, containers already drop ALL. So a list of only the used capabilities would not make much
    // difference.
    narrowsToUse: standard.level !== 'restricted',
    // Overrides that require the drop of ALL are meant for all containers, because the level may require no drop.
    isForAll: ({ 'capabilities.requiredDrop': drop }) => Array.isArray(drop) && drop.includes('ALL'),
    choices: choicesFor,
  }),
});
