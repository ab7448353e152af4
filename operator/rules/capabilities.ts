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
  type Drops,
  filledAdd,
  filledDrop,
  isMissing,
  isRefused,
  MOST_NAMES,
  NAMES,
  namesCheck,
  RESTRICTED,
  tooManyNames,
} from './capability-lists.ts';
import { and, FOR_WINDOWS, IN_USER_NAMESPACE, listed, literal, namedIn } from './cel.ts';
import { distinct } from './fit.ts';
import { type Check, defineRule, type Fill, type Stated } from './rule.ts';

function addCheck(lists: Capabilities): Check {
  const { allowedAdd, allowedAddInUserNamespace: mapped = [] } = lists;
  const outside = isRefused(lists);
  return {
    over: 'containers',
    violates: `${ADD}.exists(x, ${outside})`,
    message: `"must not add capability " + ${namedIn(ADD, `${ADD}.filter(x, ${outside}).join(", ")`)} + ${literal(` (allowed: ${allowedText(allowedAdd, mapped)})`)}`,
    path: 'securityContext.capabilities.add',
  };
}

/** @param judged CEL, bool: for which containers; undefined for all */
function dropCheck(drops: Drops, judged: string | undefined): Check {
  return {
    over: 'containers',
    violates: and(isMissing(drops), judged),
    message: literal(`must drop capability ${listed(drops.requiredDrop)} in securityContext.capabilities.drop`),
    path: 'securityContext.capabilities.drop',
  };
}

function dropChecks(drops: Drops, minor: number, filled: boolean): Check[] {
  if (drops.requiredDrop.length === 0) return [];
  const exempt = minor >= 25;
  if (!filled) return [dropCheck(drops, exempt ? `!(${FOR_WINDOWS})` : undefined)];
  return exempt ? [] : [dropCheck(drops, FOR_WINDOWS)];
}

function fillsOf(lists: Capabilities): Fill[] {
  const { requiredDrop, defaultAdd } = lists;
  const fill = (field: 'add' | 'drop', when: string, value: string): Fill => ({
    over: 'containers',
    path: ['securityContext', 'capabilities', field],
    when: and(when, `!(${FOR_WINDOWS})`),
    value,
  });
  const lacking = `${literal(defaultAdd)}.exists(x, !(x in ${ADD}) && !(x in ${DROP}))`;
  return [
    ...(defaultAdd.length > 0 ? [fill('add', lacking, filledAdd(defaultAdd))] : []),
    ...(requiredDrop.length > 0 ? [fill('drop', isMissing(lists), filledDrop(lists))] : []),
  ];
}

/** Checks the length first, because each required name is searched for in the whole list. */
function withBoundedNames(checks: readonly Check[], tooMany: string): Check[] {
  return [
    namesCheck(tooMany),
    ...checks.map((check) => ({ ...check, violates: and(`!(${tooMany})`, check.violates) })),
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

/** The names that each of the lists contains, itself or through ALL. */
function droppedByAll(lists: readonly (readonly string[])[]): string[] {
  return NAMES.filter((name) => lists.every((drop) => drop.includes(name) || drop.includes('ALL'))).sort();
}

/** The capabilities that a container adds, those that it drops, and those that it adds in a user namespace. */
type Asked = readonly [add: readonly string[], drop: readonly string[], mapped: readonly string[]];

function ownLists(standard: Standard): Asked {
  const { allowedAdd, requiredDrop } = capabilitiesOf({}, standard);
  return [allowedAdd, requiredDrop, []];
}

/** CEL, list(list(list(string))): what a container asks for. Those for Windows need not drop anything: they count as dropping all. */
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
  // The API can't list an unknown capability. It can only admit any capability, and then requires no drop.
  if (!added.every((name) => NAMES.includes(name))) return [stated(['*'], [])];
  const others = distinct(asked.flatMap(([, , mapped]) => mapped)).filter((name) => !added.includes(name));
  const mapped = others.every((name) => NAMES.includes(name)) ? others : ['*'];
  const dropped = droppedByAll(asked.map(([, drop]) => drop));
  const required = mapped.includes('*') ? [] : dropped.filter((name) => ![...added, ...mapped].includes(name));
  return [
    stated(added, dropped.includes('ALL') ? ['ALL'] : required, mapped),
    // Refuses lists that are longer than a list of all names.
    stated(['*'], []),
  ];
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
  guides: { cis: ['5.2.8', '5.2.9', '5.2.10'], nsa: [] },
  reads: { spec: ['os', 'hostUsers'], container: ['securityContext'] },

  value: capabilitiesOf,

  needs: ({ capabilities: lists }) =>
    (lists?.allowedAddInUserNamespace ?? []).length > 0
      ? [
          {
            feature: 'userNamespaces',
            path: 'capabilities.allowedAddInUserNamespace',
            without: 'NoEffect',
            because: 'where one is older, a pod with hostUsers: false may run without a user namespace',
          },
        ]
      : [],

  checks: (lists, { minor }, filled = false) => {
    const checks = [...(lists.allowedAdd.includes('*') ? [] : [addCheck(lists)]), ...dropChecks(lists, minor, filled)];
    if (!lists.boundedNames || checks.length === 0) return checks;
    return withBoundedNames(
      checks,
      filled ? tooManyNames(filledAdd(lists.defaultAdd), filledDrop(lists)) : tooManyNames(),
    );
  },

  fills: fillsOf,

  fixes: fixesOf,
  unfixable: `the API server refuses capabilities on pods for Windows, and nobody needs more than ${MOST_NAMES} names: shorten the list`,

  ofContainer: 'as-is',

  podSecurity: ({ allowedAdd: everywhere, allowedAddInUserNamespace = [], requiredDrop }, { minor }, label) => {
    // Pod Security Admission refuses an add whether or not the pod is in a user namespace.
    const allowedAdd = [...everywhere, ...allowedAddInUserNamespace];
    if (!within(allowedAdd, BASELINE)) return 'privileged';
    if (label < 22) return 'restricted';
    // The text and the label both admit Windows pods from v1.25 on.
    const windows = minor >= 25 && label < 25;
    return within(allowedAdd, RESTRICTED) && requiredDrop.includes('ALL') && !windows ? 'restricted' : 'baseline';
  },

  fit: (standard) => ({
    own: [ownLists(standard)],
    asks: [{ over: 'containers', for: question(standard) }],
    choices: choicesFor,
  }),
});
