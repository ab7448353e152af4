import type { CapabilityPolicyOverrides } from '../api/capability-policy.ts';
import { CAPABILITIES, CAPABILITY_TABLE } from '../standards/capabilities.ts';
import { LEVELS, type Level, type Standard } from '../standards/level-version.ts';
import { offers } from '../standards/server-features.ts';
import { and, FOR_WINDOWS, IN_USER_NAMESPACE, listed, literal, namedIn } from './cel.ts';
import { distinct } from './fit.ts';
import { type Check, defineRule, type Fill, type Fix, type Stated } from './rule.ts';

export interface Capabilities {
  /** With those that defaulting adds. */
  readonly allowedAdd: readonly string[];
  /** Those that allowedAdd lacks, for pods with hostUsers: false. Absent if there are none. */
  readonly allowedAddInUserNamespace?: readonly string[];
  readonly requiredDrop: readonly string[];
  readonly defaultAdd: readonly string[];
  /** A drop of ALL does not cover the required ones. */
  readonly dropByName?: true;
  /** Refuses lists longer than the number of names; absent at a level's own value, which is the Standard's check. */
  readonly boundedNames?: true;
}

/** The capabilities that the baseline level may add: the historical default set of the runtimes, without NET_RAW. */
const BASELINE = addable('baseline', 'restricted');
const RESTRICTED = addable('restricted');
/** The values that the API accepts in its lists. */
const NAMES = ['ALL', ...CAPABILITIES];

/** CEL, list(string): the capabilities that the container adds. */
export const ADD = 'c.?securityContext.?capabilities.?add.orValue([])';
/** CEL, list(string): the capabilities that the container drops. */
export const DROP = 'c.?securityContext.?capabilities.?drop.orValue([])';

/** Each known name with and without CAP_. A longer list only serves to make evaluation expensive. */
const MOST_NAMES = 2 * NAMES.length;

function addable(...levels: readonly Level[]): string[] {
  const names = CAPABILITY_TABLE.filter(({ addableAt }) => levels.includes(addableAt)).map(({ name }) => name);
  return names.sort();
}

/** CEL, bool: reads only the length of the lists. */
export function tooManyNames(add = ADD, drop = DROP): string {
  return [...new Set([ADD, DROP, add, drop])].map((list) => `${list}.size() > ${MOST_NAMES}`).join(' || ');
}

/** @param tooMany CEL, bool */
export function namesCheck(tooMany: string): Check {
  return {
    over: 'containers',
    violates: tooMany,
    message: `"must not list more than ${MOST_NAMES} names in securityContext.capabilities.add or drop"`,
    path: 'securityContext.capabilities',
  };
}

/** CEL, bool, over a name `x`: it may not be added. */
function isRefused({ allowedAdd, allowedAddInUserNamespace: mapped = [] }: Capabilities): string {
  const everywhere = `!(x in ${literal(allowedAdd)})`;
  return mapped.length > 0 ? and(everywhere, `!(${isMapped(mapped)})`) : everywhere;
}

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

/** CEL, bool: `x` is one of the capabilities that are admitted in a user namespace, and the pod has one. */
function isMapped(mapped: readonly string[]): string {
  return mapped.includes('*') ? IN_USER_NAMESPACE : and(`x in ${literal(mapped)}`, IN_USER_NAMESPACE);
}

/** For messages: `CHOWN, and with hostUsers: false NET_ADMIN`. */
export function allowedText(allowed: readonly string[], mapped: readonly string[]): string {
  if (mapped.length === 0) return listed(allowed);
  return `${listed(allowed)}, and with hostUsers: false ${mapped.includes('*') ? 'any' : listed(mapped)}`;
}

type Drops = Pick<Capabilities, 'requiredDrop' | 'dropByName'>;

/** A drop of ALL contains each other one, unless names are asked for. */
function isMissing({ requiredDrop: required, dropByName }: Drops): string {
  if (dropByName) return `!${literal(required)}.all(x, x in ${DROP})`;
  return required.includes('ALL')
    ? `!("ALL" in ${DROP})`
    : `!("ALL" in ${DROP}) && !${literal(required)}.all(x, x in ${DROP})`;
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

/**
 * CEL, list(string): what the container will add after defaulting. A drop of the capability itself prevents the add; a
 * drop of ALL does not.
 */
export function filledAdd(defaultAdd: readonly string[]): string {
  return `(${ADD} + ${literal(defaultAdd)}.filter(x, !(x in ${ADD}) && !(x in ${DROP})))`;
}

/** CEL, list(string): what the container will drop after defaulting. */
export function filledDrop(drops: Drops): string {
  return `(${isMissing(drops)} ? ${DROP} + ${literal(drops.requiredDrop)}.filter(x, !(x in ${DROP})) : ${DROP})`;
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

/** CEL, string: the name as Kubernetes spells it. */
const SPELT = '[x.upperAscii()].map(n, n.startsWith("CAP_") ? n.substring(4) : n)[0]';
/** CEL, bool, over a name `x`. */
const IS_MISSPELT = `!(x in ${literal(NAMES)}) && ${SPELT} in ${literal(NAMES)}`;

const MISSPELT: Readonly<Record<'add' | 'drop', string>> = {
  add: 'containerd gives nothing for the name as it is spelt; now the container holds the capability on every runtime',
  drop: 'containerd drops nothing for the name as it is spelt; now the container lacks the capability on every runtime',
};

/** Names beside a drop of ALL do not matter. */
export function spellingFixes(): Fix[] {
  const fix = (list: 'add' | 'drop', names: string, ...when: string[]): Fix => ({
    over: 'containers',
    path: ['securityContext', 'capabilities', list],
    when: and(`${names}.size() <= ${MOST_NAMES}`, `${names}.exists(x, ${IS_MISSPELT})`, ...when),
    value: `${names}.map(x, ${IS_MISSPELT} ? ${SPELT} : x)`,
    class: 'spelling',
    risk: MISSPELT[list],
  });
  return [fix('add', ADD), fix('drop', DROP, `!("ALL" in ${DROP})`)];
}

/** @param refused CEL, bool, over a name `x` */
export function removeAdds(refused: string): Fix {
  return {
    over: 'containers',
    path: ['securityContext', 'capabilities', 'add'],
    when: and(`${ADD}.size() <= ${MOST_NAMES}`, `${ADD}.exists(x, ${refused})`),
    value: `${ADD}.filter(x, !(${refused}))`,
    class: 'check',
    risk: 'somebody asked for the capability: what needs it fails (`cappol explain NAME` says what that is, and what to use instead)',
  };
}

function fixesOf(lists: Capabilities): Fix[] {
  const { allowedAdd, requiredDrop } = lists;
  const drop: Fix = {
    over: 'containers',
    path: ['securityContext', 'capabilities', 'drop'],
    when: and(`${DROP}.size() <= ${MOST_NAMES}`, isMissing(lists), `!(${FOR_WINDOWS})`),
    value: filledDrop(lists),
    class: 'check',
    risk: 'container runtimes no longer give it their defaults, such as CHOWN, SETUID, DAC_OVERRIDE and NET_BIND_SERVICE, which images that start as root often need: add those that the policy allows',
  };
  if (allowedAdd.includes('*')) return requiredDrop.length === 0 ? [] : [...spellingFixes(), drop];
  return [...spellingFixes(), removeAdds(isRefused(lists)), ...(requiredDrop.length === 0 ? [] : [drop])];
}

/** The lists in force: those of the overrides, and for absent ones the Standard's. */
export function capabilitiesOf({ capabilities }: CapabilityPolicyOverrides, standard: Standard): Capabilities {
  const { level, minor } = standard;
  const own = levelsOwn(level, minor);
  const { defaultAdd = [], dropByName, requiredDrop = own.requiredDrop } = capabilities ?? {};
  const allowedAdd = [...new Set([...(capabilities?.allowedAdd ?? own.allowedAdd), ...defaultAdd])];
  const mapped = inUserNamespace(capabilities?.allowedAddInUserNamespace, allowedAdd, standard);
  const isLevelsOwn =
    mapped.length === 0 && LEVELS.some((one) => isDeepEqual(levelsOwn(one, minor), { allowedAdd, requiredDrop }));
  return {
    allowedAdd,
    ...(mapped.length > 0 && { allowedAddInUserNamespace: mapped }),
    requiredDrop,
    defaultAdd,
    ...(dropByName && { dropByName }),
    ...(!isLevelsOwn && { boundedNames: true }),
  };
}

function inUserNamespace(
  stated: readonly string[] = [],
  allowedAdd: readonly string[],
  { server }: Standard,
): readonly string[] {
  if (!offers(server, 'userNamespaces') || allowedAdd.includes('*')) return [];
  return stated.filter((name) => !allowedAdd.includes(name));
}

function levelsOwn(level: Level, minor: number): Pick<Capabilities, 'allowedAdd' | 'requiredDrop'> {
  if (level === 'privileged') return { allowedAdd: ['*'], requiredDrop: [] };
  const restricted = level === 'restricted' && minor >= 22;
  return restricted ? { allowedAdd: RESTRICTED, requiredDrop: ['ALL'] } : { allowedAdd: BASELINE, requiredDrop: [] };
}

function isDeepEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
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
