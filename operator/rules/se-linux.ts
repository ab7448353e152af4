import type { Standard } from '../standards/level-version.ts';
import {
  and,
  effective,
  effectiveAfterFilling,
  FOR_WINDOWS,
  IS_EPHEMERAL,
  listed,
  literal,
  takesFromPod,
} from './cel.ts';
import { all, any, type Condition, choose, concat, not } from './condition.ts';
import { defineRule, type Filling, type Fix, type Test } from './rule.ts';
import type { Columns, Values } from './values.ts';

interface SeLinux {
  readonly rule: 'PodSecurityStandard' | 'RunAsAny' | 'MustRunAs';
  readonly options?: Options;
}

type Options = Readonly<Partial<Record<(typeof FIELDS)[number], string>>>;

const FIELDS = ['user', 'role', 'type', 'level'] as const;
const PATH = 'securityContext.seLinuxOptions';
const COLUMN = { user: 'seLinuxUser', role: 'seLinuxRole', type: 'seLinuxType', level: 'seLinuxLevel' } as const;
/**
 * The names of the two columns for an SELinux level with several categories. One column has the text before the
 * categories, and the other column has the categories.
 */
const LEVEL_PREFIX = 'seLinuxLevelPrefix';
const CATEGORIES = 'seLinuxCategories';
const POD_OPTIONS = 'variables.spec.?securityContext.?seLinuxOptions';
const CONTAINER_OPTIONS = 'c.?securityContext.?seLinuxOptions';
const OPTIONS = effective('seLinuxOptions');
const UNLESS_FOR_WINDOWS = `!(${FOR_WINDOWS})`;
/** A container's options replace all four options of the pod, including options that the container does not set. */
const REACHES = takesFromPod('seLinuxOptions');

/** The SELinux types that the Standard admits. From v1.31 on, the Standard also admits `container_engine_t`. */
function standardTypes(minor: number): readonly string[] {
  const types = ['container_t', 'container_init_t', 'container_kvm_t'];
  return minor >= 31 ? [...types, 'container_engine_t'] : types;
}

/** The Pod Security Standard's test of the options. @param options CEL of type optional */
function standardTest(over: 'pod' | 'containers', options: string, values: Values): Test {
  return {
    applies: isRule(values, 'PodSecurityStandard'),
    over,
    violates: [
      `!(${options}.?type.orValue("") in ${values.list('seLinuxTypes')})`,
      `${options}.?user.orValue("") != ""`,
      `${options}.?role.orValue("") != ""`,
    ].join(' || '),
    ...(over === 'pod' && { reaches: REACHES }),
    message: concat(
      `"must not set ${PATH} to anything but a type of "`,
      values.specialized(
        ({ seLinuxTypes = [] }) => literal(listed(seLinuxTypes.filter((type) => type !== ''))),
        () => `${values.list('seLinuxTypes')}.filter(t, t != "").join(", ")`,
      ),
      '", and no user or role"',
    ),
    path: PATH,
  };
}

function isRule(values: Values, rule: SeLinux['rule']): Condition {
  return values.includes('seLinux', rule);
}

/**
 * A CEL expression of type bool: whether all four fields of the options have the wanted values. In a level `s0:c1,c2`,
 * the order of the categories does not matter.
 * @param options CEL of type optional
 */
function areEqual(options: string, wanted: Options): string {
  const field = (name: string) => `${options}.?${name}.orValue("")`;
  return and(
    ...FIELDS.map((name) =>
      name === 'level' ? isLevel(field(name), wanted.level ?? '') : `${field(name)} == ${literal(wanted[name] ?? '')}`,
    ),
  );
}

function isLevel(level: string, wanted: string): string {
  const { prefix, categories } = partsOfLevel(wanted);
  if (categories.length === 0) return `${level} == ${literal(wanted)}`;
  const same = `a.size() == ${categories.length} && a.all(x, x in ${literal(categories)}) && ${literal(categories)}.all(x, x in a)`;
  return `${level}.startsWith(${literal(prefix)}) && [${level}.substring(${prefix.length}).split(",")].all(a, ${same})`;
}

/**
 * Splits an SELinux level before its categories. `categories` is empty if the level has at most one category, because
 * the order of a single category does not matter.
 */
function partsOfLevel(level: string) {
  const colon = level.indexOf(':') + 1;
  const categories = level.slice(colon).split(',');
  const areOrdered = colon === 0 || categories.length === 1;
  return { prefix: level.slice(0, colon), categories: areOrdered ? [] : categories };
}

/**
 * A CEL expression of type bool: whether the options are equal to the options of the policy. The expression works for
 * any values.
 * @param options CEL of type optional
 */
function areWanted(options: string, values: Values): string {
  const field = (name: string) => `${options}.?${name}.orValue("")`;
  return values.specialized(
    (columns) => areEqual(options, optionsIn(columns)),
    () => {
      const same = FIELDS.filter((name) => name !== 'level').map(
        (name) => `${field(name)} == ${values.first(COLUMN[name])}`,
      );
      const [level, prefix, categories] = [field('level'), values.first(LEVEL_PREFIX), values.list(CATEGORIES)];
      const sameCategories = `a.size() == ${categories}.size() && a.all(x, x in ${categories}) && ${categories}.all(x, x in a)`;
      const inAnyOrder = `${level}.startsWith(${prefix}) && [${level}.substring(${prefix}.size()).split(",")].all(a, ${sameCategories})`;
      return and(...same, `${categories}.size() > 0 ? ${inAnyOrder} : ${level} == ${values.first(COLUMN.level)}`);
    },
  );
}

function columnsOf({ rule, options = {} }: SeLinux, { minor }: Standard): Columns {
  const { prefix, categories } = partsOfLevel(options.level ?? '');
  return {
    seLinux: [rule],
    seLinuxTypes: ['', ...standardTypes(minor)],
    ...Object.fromEntries(FIELDS.map((name) => [COLUMN[name], options[name] ? [options[name]] : []])),
    [LEVEL_PREFIX]: categories.length > 0 ? [prefix] : [],
    [CATEGORIES]: categories,
  };
}

function optionsIn(columns: Columns): Options {
  const stated = FIELDS.flatMap((name) => {
    const [value] = columns[COLUMN[name]] ?? [];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(stated);
}

function listedOptions(options: Options): string {
  return FIELDS.filter((name) => options[name])
    .map((name) => `${name}: ${options[name]}`)
    .join(', ');
}

/**
 * The rule checks the pod's own options even if each container overrides the options, because the pod's options apply
 * to the sandbox and the volumes.
 */
function mustRunAsTests(values: Values, filled: boolean): Test[] {
  return [
    {
      applies: isRule(values, 'MustRunAs'),
      over: 'pod',
      violates: areUnwanted(POD_OPTIONS, values),
      reaches: REACHES,
      message: mustRunAsMessage(values),
      path: PATH,
    },
    mustRunAsTest(values, OPTIONS, filled),
  ];
}

/**
 * Returns the test that checks a container if the strategy is MustRunAs.
 * @param got CEL of type optional: the options that container `c` gets
 */
function mustRunAsTest(values: Values, got: string, filled = false): Test {
  const mayBeUnset = filled || not(hasOptions(values));
  const isWrong = areUnwanted(got, values);
  const isNotThere = `!(${and(`${got}.hasValue()`, areWanted(got, values))})`;
  return {
    // The API server refuses seLinuxOptions on pods for Windows.
    applies: all(isRule(values, 'MustRunAs'), UNLESS_FOR_WINDOWS),
    over: 'containers',
    violates: `${any(all(mayBeUnset, isWrong), all(not(mayBeUnset), isNotThere))}`,
    message: mustRunAsMessage(values),
    path: PATH,
  };
}

function hasOptions(values: Values): Condition {
  return any(...FIELDS.map((name) => values.hasSome(COLUMN[name])));
}

/** @param part CEL of type optional */
function areUnwanted(part: string, values: Values): string {
  return and(`${part}.hasValue()`, `!(${areWanted(part, values)})`);
}

/** @param part CEL of type optional */
function areWrong(part: string, options: Options): string {
  return and(`${part}.hasValue()`, `!(${areEqual(part, options)})`);
}

/** A CEL expression of type string: the message of a violation of MustRunAs. */
function mustRunAsMessage(values: Values): string {
  const texts = values.specialized(
    (columns) => literal(listedOptions(optionsIn(columns))),
    () => {
      const fields = FIELDS.map((name) => `${values.list(COLUMN[name])}.map(x, "${name}: " + x)`);
      return `(${fields.join(' + ')}).join(", ")`;
    },
  );
  return choose(
    hasOptions(values),
    `(${concat(`"must set ${PATH} to exactly {"`, texts, '"}"')})`,
    `"must not set anything in ${PATH}"`,
  );
}

function mustRunAsFillings(values: Values): Filling[] {
  return [
    // Defaulting sets the pod's options even if each container has its own options. The pod's options apply to the
    // sandbox and the volumes, too.
    filling('pod', values, `!${POD_OPTIONS}.hasValue()`),
    filling('containers', values, and(`!${OPTIONS}.hasValue()`, IS_EPHEMERAL)),
  ];
}

/**
 * If options are for a single container, defaulting sets the options on the container itself. If defaulting set the
 * options on the pod, the other containers would inherit the options.
 */
function fillingOfContainer(values: Values): Filling {
  return filling('containers', values, `!${OPTIONS}.hasValue()`);
}

function filling(over: 'pod' | 'containers', values: Values, when: string): Filling {
  return {
    applies: all(isRule(values, 'MustRunAs'), hasOptions(values), UNLESS_FOR_WINDOWS),
    over,
    path: ['securityContext', 'seLinuxOptions'],
    when,
    value: values.specialized(
      (columns) => JSON.stringify(optionsIn(columns)),
      () => `{${FIELDS.map((name) => `?"${name}": ${values.list(COLUMN[name])}[?0]`).join(', ')}}`,
    ),
  };
}

/** A CEL expression of type optional: the options that container `c` gets. */
function optionsOfContainer(values: Values, ofPod: Values | undefined): string {
  if (!ofPod) return OPTIONS;
  const [pod] = mustRunAsFillings(ofPod);
  return effectiveAfterFilling('seLinuxOptions', { container: fillingOfContainer(values), pod });
}

function testsOfContainer(values: Values, ofPod: Values | undefined): Test[] {
  const got = optionsOfContainer(values, ofPod);
  return [standardTest('containers', got, values), mustRunAsTest(values, got)];
}

/**
 * Returns the choice MustRunAs with the options that all parts of the pods have in common. If the parts have different
 * options, the function returns an empty list.
 */
function mustBeOf(asked: readonly Options[]): SeLinux[] {
  const stated = asked
    .map((options) => FIELDS.filter((name) => options[name]).map((name) => [name, options[name]] as const))
    .filter((fields) => fields.length > 0);
  const [options, ...others] = new Set(stated.map((fields) => JSON.stringify(fields)));
  return options === undefined || others.length > 0
    ? []
    : [{ rule: 'MustRunAs', options: Object.fromEntries(JSON.parse(options)) }];
}

const LABELLED =
  'the container runtime chooses the SELinux type of the processes; this type may not be allowed to use files that were labelled for the former type';

function standardFixes(minor: number): Fix[] {
  const fix = (over: 'pod' | 'containers', options: string, field: 'type' | 'user' | 'role'): Fix => ({
    over,
    path: ['securityContext', 'seLinuxOptions', field],
    when: `!(${options}.?${field}.orValue("") in ${literal(['', ...(field === 'type' ? standardTypes(minor) : [])])})`,
    value: 'null',
    class: 'check',
    risk: LABELLED,
  });
  return (['user', 'role', 'type'] as const).flatMap((field) => [
    fix('pod', POD_OPTIONS, field),
    fix('containers', CONTAINER_OPTIONS, field),
  ]);
}

/**
 * The fixes for the strategy MustRunAs. The fixes replace wrong options with the policy's options. On a pod that has no
 * options, a fix sets the policy's options.
 */
function mustRunAsFixes(options: Options): Fix[] {
  const stated = Object.fromEntries(FIELDS.filter((name) => options[name]).map((name) => [name, options[name]]));
  const isNone = Object.keys(stated).length === 0;
  const fix = (over: 'pod' | 'containers', when: string): Fix => ({
    over,
    path: ['securityContext', 'seLinuxOptions'],
    when: and(when, UNLESS_FOR_WINDOWS),
    // JSON is valid CEL.
    value: isNone ? 'null' : JSON.stringify(stated),
    class: 'check',
    risk: LABELLED,
  });
  const missing = isNone ? [] : [{ ...fix('pod', `!${POD_OPTIONS}.hasValue()`), inherited: true as const }];
  return [
    fix('pod', areWrong(POD_OPTIONS, options)),
    fix('containers', areWrong(CONTAINER_OPTIONS, options)),
    ...missing,
    ...(isNone ? [] : [fix('containers', `!${OPTIONS}.hasValue()`)]),
  ];
}

export const seLinux = defineRule<SeLinux, Options>({
  id: 'seLinux',
  title: 'Which SELinux options pods and containers may set.',
  words: 'Setting the SELinux type is restricted, and setting a custom SELinux user or role option is forbidden.',
  sources: ['k8s.io/pod-security-admission/policy/check_seLinuxOptions.go', 'PodSecurityPolicy seLinux: MustRunAs'],
  guides: { cis: [], nsa: ['SecurityServices'] },
  severity: 'Kernel',
  reads: { spec: ['securityContext', 'os'], container: ['securityContext'] },
  examples: [
    {
      overrides: { seLinux: { rule: 'MustRunAs', options: { type: 'container_t' } } },
      admits: [{ spec: { securityContext: { seLinuxOptions: { type: 'container_t' } } } }],
      refuses: [{}, { spec: { securityContext: { seLinuxOptions: { type: 'spc_t' } } } }],
    },
    {
      overrides: {
        seLinux: { rule: 'MustRunAs', options: { user: 'u', role: 'r', type: 't', level: 's0:c1,c2' } },
      },
      admits: [
        { container: { securityContext: { seLinuxOptions: { user: 'u', role: 'r', type: 't', level: 's0:c2,c1' } } } },
      ],
      refuses: [
        { container: { securityContext: { seLinuxOptions: { user: 'u', role: 'r', type: 't', level: 's0:c1' } } } },
      ],
    },
    {
      overrides: { seLinux: { rule: 'PodSecurityStandard' } },
      admits: [{}, { container: { securityContext: { seLinuxOptions: { type: 'container_t' } } } }],
      refuses: [{ container: { securityContext: { seLinuxOptions: { type: 'spc_t' } } } }],
    },
  ],

  value: (overrides, { level }) =>
    overrides.seLinux ?? { rule: level === 'privileged' ? 'RunAsAny' : 'PodSecurityStandard' },

  columns: columnsOf,

  tests: (values, { filled }) => [
    standardTest('pod', POD_OPTIONS, values),
    standardTest('containers', CONTAINER_OPTIONS, values),
    ...mustRunAsTests(values, filled),
  ],

  fillings: mustRunAsFillings,

  fixes: ({ rule, options = {} }, { minor }) => {
    if (rule === 'RunAsAny') return [];
    return rule === 'MustRunAs' ? mustRunAsFixes(options) : standardFixes(minor);
  },
  unfixable: 'the API server refuses seLinuxOptions on pods for Windows: remove them',

  ofContainer: {
    tests: (values, { ofPod }) => testsOfContainer(values, ofPod),
    fillings: (values) => [fillingOfContainer(values)],
  },

  podSecurity: ({ rule, options = {} }, { minor }, label) => {
    switch (rule) {
      case 'RunAsAny':
        return 'privileged';
      case 'PodSecurityStandard':
        return minor >= 31 && label < 31 ? 'privileged' : 'restricted';
      case 'MustRunAs': {
        const isStandard = !options.type || standardTypes(label).includes(options.type);
        return isStandard && !options.user && !options.role ? 'restricted' : 'privileged';
      }
    }
  },

  fit: () => ({
    asks: [
      { over: 'pod', for: `[${POD_OPTIONS}.orValue({})]` },
      { over: 'containers', for: `[${OPTIONS}.orValue({})]` },
    ],
    choices: (asked) =>
      [{ rule: 'PodSecurityStandard' }, ...mustBeOf(asked), { rule: 'RunAsAny' }].map((value) => ({ seLinux: value })),
  }),
});
