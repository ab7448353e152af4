import { CAPABILITIES, RUNTIME_DEFAULT } from '../standards/capabilities.ts';
import { removeAdds, spellingFixes } from './capability-fixes.ts';
import {
  ADD,
  allowedText,
  type Capabilities,
  capabilitiesOf,
  DROP,
  filledAdd,
  filledDrop,
  inUserNamespace,
  isMapped,
  listColumns,
  namedInWords,
  TOO_MANY_NAMES,
} from './capability-lists.ts';
import { and, FOR_WINDOWS, IN_USER_NAMESPACE, literal, or } from './cel.ts';
import { all, concat, not } from './condition.ts';
import { exemptions } from './exemptions.ts';
import { distinct } from './fit.ts';
import { AGENTS_ARE_PRIVILEGED, PRIVILEGED, UNPRIVILEGED } from './privileged.ts';
import { defineRule, type Fix, type Test } from './rule.ts';
import type { Values } from './values.ts';

export interface AllowedBounding {
  readonly allowed: readonly string[];
  /**
   * The capabilities that a pod may add and hold if the pod has hostUsers: false. Other pods may not add or hold these
   * capabilities.
   */
  readonly inUserNamespace: readonly string[];
  /** Defaulting adds and drops the capabilities in these lists. */
  readonly filling: Capabilities;
}

/**
 * A CEL expression of type list(string): the forbidden capabilities that the container's bounding set will have.
 *
 * The expression has the capabilities that at least one container runtime grants. All runtimes start from their default
 * set. If a container drops ALL, the runtimes start from the empty set. If a container adds ALL, the runtimes start
 * from all capabilities. containerd and CRI-O then apply the list `add`, and apply the list `drop` last. But if a
 * container adds and drops the same capability, Docker keeps the capability. If a container adds and drops ALL, Docker
 * ignores the drop of ALL. So an added capability counts even if the container also drops the capability. A drop by
 * name removes an added capability on every runtime only if the list `add` contains ALL.
 *
 * Runtimes ignore the case of names. CRI-O and Docker strip the prefix CAP_ from names, but containerd does not. So the
 * expression counts an added capability with the prefix CAP_, but ignores a dropped capability with the prefix.
 *
 * @param forbidden CEL of type list(string)
 * @param byDefault CEL of type list(string): the forbidden capabilities that runtimes give by default
 */
function held(forbidden: string, byDefault: string, add: string, drop: string): string {
  const added = `adds.filter(x, x in ${forbidden})`;
  const given = `("ALL" in drops ? [] : ${byDefault}.filter(x, !(x in drops)))`;
  const left = `("ALL" in adds ? ${forbidden}.filter(x, !(x in drops)) : ${given} + ${added})`;
  const adds = `${add}.map(x, x.upperAscii()).map(x, x.startsWith("CAP_") ? x.substring(4) : x)`;
  // In CEL, a loop over a list with one item gives the item a name. So the CEL expression builds each of the two lists
  // only once.
  return `[${drop}.map(x, x.upperAscii())].map(drops, [${adds}].map(adds, ${left})[0])[0]`;
}

function heldOf(forbidden: readonly string[], add: string, drop: string): string {
  return held(literal(forbidden), literal(givenByDefault(forbidden)), add, drop);
}

function givenByDefault(names: readonly string[]): string[] {
  return names.filter((name) => RUNTIME_DEFAULT.includes(name));
}

/**
 * Returns two lists in CEL that work for any value of the rule. One list has the capabilities that a container may not
 * hold. The other list has the forbidden capabilities that runtimes give by default.
 */
function forbiddenIn(values: Values): readonly [forbidden: string, byDefault: string] {
  const outOf = (name: string, all: readonly string[]) =>
    values.specialized(
      ({ allowedBounding = [] }) => literal(forbiddenBy(allowedBounding).filter((one) => all.includes(one))),
      () => values.computed(name, `${literal(all)}.filter(x, !(x in ${values.list('allowedBounding')}))`),
    );
  return [outOf('forbidden', CAPABILITIES), outOf('givenByDefault', RUNTIME_DEFAULT)];
}

/** The name of the column with the capabilities that pods may hold in a user namespace. */
const MAPPED = 'boundingInUserNamespace';

/**
 * The forbidden capabilities that a container may nevertheless hold in a user namespace. The policy allows containers
 * to add these capabilities in a user namespace.
 */
function mappedOf(forbidden: readonly string[], names: readonly string[]) {
  const mapped = forbidden.filter((name) => names.includes(name));
  return names.includes('*') || names.includes('ALL') || mapped.length === forbidden.length ? 'any' : mapped;
}

/**
 * A CEL expression of type bool, for the name `x` of a capability. If the pod is in a user namespace and may hold the
 * capability in this user namespace, the expression is false. In all other cases, the expression is true. The result is
 * undefined if a user namespace makes no difference.
 */
function isUnmapped(mapped: readonly string[] | 'any'): string | undefined {
  return mapped === 'any' || mapped.length === 0
    ? undefined
    : `!(${and(`x in ${literal(mapped)}`, IN_USER_NAMESPACE)})`;
}

/**
 * A CEL suffix for a list of capabilities. The suffix removes from the list the capabilities that the pod may hold in
 * its user namespace.
 */
function unlessMapped(mapped: readonly string[] | 'any'): string {
  const unmapped = isUnmapped(mapped);
  return unmapped === undefined ? '' : `.filter(x, ${unmapped})`;
}

/**
 * A CEL expression of type bool: true if `x` has a character that no name of a capability has. The rule refuses such a
 * name. Runtimes change the case with Go's strings.ToUpper, which maps U+017F to S and U+0131 to I. CEL's upperAscii
 * leaves these characters unchanged.
 */
const IS_NO_NAME = '!x.matches("^[A-Za-z_]+$")';

function nameTest(list: 'add' | 'drop', names: string): Test {
  return {
    over: 'containers',
    violates: `${names}.exists(x, ${IS_NO_NAME})`,
    message: `"must not ${list} capability " + ${names}.filter(x, ${IS_NO_NAME}).join(", ") + ": names have only the letters A to Z and _"`,
    path: `securityContext.capabilities.${list}`,
  };
}

/** The capabilities that a container may not hold. If the container may hold all capabilities, the list is empty. */
function forbiddenBy(allowed: readonly string[]): string[] {
  return allowed.includes('*') ? [] : CAPABILITIES.filter((name) => !allowed.includes(name));
}

/**
 * The fixes of the rule. If a container adds and drops the same capability, Docker adds the capability. So a fix
 * removes the capability from the list `add`.
 */
function fixesOf({ allowed, inUserNamespace: mappable }: AllowedBounding): Fix[] {
  const forbidden = forbiddenBy(allowed);
  if (forbidden.length === 0) return [];
  const mapped = mappedOf(forbidden, mappable);
  const isChecked = mapped === 'any' ? `!(${IN_USER_NAMESPACE})` : undefined;
  const refused = and(`x.upperAscii() in ${literal(['ALL', ...forbidden])}`, isUnmapped(mapped));
  const names = `${heldOf(forbidden, ADD, DROP)}${unlessMapped(mapped)}`;
  const nothingIsLeft = RUNTIME_DEFAULT.every((name) => forbidden.includes(name));
  const drop: Fix = {
    over: 'containers',
    path: ['securityContext', 'capabilities', 'drop'],
    when: and(`!(${TOO_MANY_NAMES})`, `${names}.size() > 0`),
    value: `${DROP} + ${nothingIsLeft ? '["ALL"]' : names}`,
    class: 'check',
    risk: 'the container runtime gives the capability by default, and the image may rely on it: `cappol explain NAME` shows what the capability permits',
  };
  return [UNPRIVILEGED, ...spellingFixes(), removeAdds(refused), drop].map((fix) => ({
    ...fix,
    when: and(isChecked, fix.when, `!(${FOR_WINDOWS})`),
  }));
}

export const allowedBounding = defineRule<AllowedBounding, string>({
  id: 'capabilities.allowedBounding',
  title:
    'Which capabilities a container may hold: capabilities that it adds, and capabilities that container runtimes give.',
  words:
    'The Pod Security Standards have no such rule. A container of level baseline that does not mention capabilities still holds the 14 ' +
    'capabilities that container runtimes give by default, such as NET_RAW.',
  sources: [
    'linux/include/uapi/linux/capability.h',
    'containerd internal/cri/opts/spec_linux_opts.go',
    'cri-o internal/config/capabilities',
  ],
  guides: { cis: ['5.2.8', '5.2.9'], nsa: [] },
  severity: 'Capabilities',
  phrases: {
    'capabilities.allowedBounding': (names: readonly string[]) =>
      names.length > 0 ? `may hold only ${namedInWords(names)}` : 'may hold no capability',
  },
  reads: {
    spec: ['os', 'hostUsers', 'hostPID', 'hostNetwork', 'volumes'],
    container: ['securityContext', 'volumeMounts'],
  },
  examples: [
    {
      overrides: { capabilities: { allowedBounding: ['NET_BIND_SERVICE', 'NET_RAW'] } },
      admits: [
        { container: { securityContext: { capabilities: { drop: ['ALL'] } } } },
        { container: { securityContext: { capabilities: { add: ['NET_RAW'], drop: ['ALL'] } } } },
      ],
      refuses: [{}, { container: { securityContext: { privileged: true } } }],
    },
    {
      overrides: { capabilities: { allowedBounding: [], allowedAddInUserNamespace: ['SYS_PTRACE'] } },
      admits: [{ container: { securityContext: { capabilities: { drop: ['ALL'] } } } }],
      refuses: [{ container: { securityContext: { capabilities: { add: ['SYS_PTRACE'], drop: ['ALL'] } } } }],
    },
    {
      overrides: {
        capabilities: { allowedAdd: [], allowedAddInUserNamespace: ['*'], allowedBounding: ['CHOWN'] },
      },
      admits: [
        {
          spec: { hostUsers: false },
          container: { securityContext: { capabilities: { add: ['SYS_ADMIN'], drop: ['ALL'] } } },
        },
      ],
      refuses: [{ container: { securityContext: { capabilities: { add: ['KILL'], drop: ['ALL'] } } } }],
    },
  ],

  value: (overrides, standard) => ({
    allowed: overrides.capabilities?.allowedBounding ?? ['*'],
    inUserNamespace: inUserNamespace(overrides, standard),
    filling: capabilitiesOf(overrides, standard),
  }),

  columns: ({ allowed, inUserNamespace, filling }, standard) => {
    const forbidden = forbiddenBy(allowed);
    const mapped = mappedOf(forbidden, inUserNamespace);
    return {
      ...listColumns(filling),
      ...exemptions(standard),
      allowedBounding: forbidden.length === 0 ? ['*'] : allowed,
      boundingInUserNamespace: forbidden.length === 0 ? [] : mapped === 'any' ? ['*'] : mapped,
    };
  },

  tests: (values, { filled }) => {
    // In CEL, a loop over a list with one item gives the item a name. So the CEL expression builds each list only once.
    // The two lists are not items of one list, because CEL refuses a list with items of different types.
    const [add, drop] = filled ? ['adding', 'dropping'] : [ADD, DROP];
    const lists = [`[${filledAdd(values)}]`, `[${filledDrop(values)}]`];
    const isTrue = (text: string) =>
      filled ? `${lists[0]}.exists(adding, ${lists[1]}.exists(dropping, ${text}))` : text;
    const textOf = (text: string) =>
      filled ? `${lists[0]}.map(adding, ${lists[1]}.map(dropping, ${text})[0])[0]` : text;
    const [forbidden, byDefault] = forbiddenIn(values);
    const isUnmappedName = not(isMapped(values, MAPPED));
    const capabilities = `${held(forbidden, byDefault, add, drop)}${isUnmappedName === true ? '' : `.filter(x, ${isUnmappedName})`}`;
    const tests: Test[] = [
      nameTest('add', ADD),
      nameTest('drop', DROP),
      {
        over: 'containers',
        violates: `${PRIVILEGED} || (${isTrue(`${capabilities}.size() > 0`)})`,
        message: concat(
          `"would hold capability " + (${PRIVILEGED} ? "ALL (privileged)" : ${textOf(`${capabilities}.join(", ")`)})`,
          '", drop it or ALL (allowed: "',
          allowedText(values, 'allowedBounding', MAPPED),
          '")"',
        ),
        path: 'securityContext.capabilities',
      },
    ];
    // If a pod in a user namespace may hold all forbidden capabilities, the rule does not check the pod. With the value
    // allowedBounding: ['*'], the rule does not check any pod.
    const isChecked = not(all(values.includes(MAPPED, '*'), IN_USER_NAMESPACE));
    const applies = all(not(values.includes('allowedBounding', '*')), isChecked, `!(${FOR_WINDOWS})`);
    return tests.map((test) => ({ ...test, applies }));
  },

  fixes: fixesOf,
  unfixable: AGENTS_ARE_PRIVILEGED,

  ofContainer: 'as-is',

  podSecurity: () => 'restricted',

  fit: () => ({
    asks: [
      {
        over: 'containers',
        // If no list of names would admit the container, the expression returns all capabilities.
        for: `(${FOR_WINDOWS}) ? [] : ${or(PRIVILEGED, TOO_MANY_NAMES, `${ADD}.exists(x, ${IS_NO_NAME})`, `${DROP}.exists(x, ${IS_NO_NAME})`)} ? ${literal(CAPABILITIES)} : ${heldOf(CAPABILITIES, ADD, DROP)}`,
      },
    ],
    choices: (holding) => [
      { 'capabilities.allowedBounding': holding.length < CAPABILITIES.length ? distinct(holding) : ['*'] },
    ],
  }),
});
