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
import { type Check, defineRule, type Fill, type Fix } from './rule.ts';

interface SeLinux {
  readonly rule: 'PodSecurityStandard' | 'RunAsAny' | 'MustRunAs';
  readonly options?: Options;
}

type Options = Readonly<Partial<Record<(typeof FIELDS)[number], string>>>;

const FIELDS = ['user', 'role', 'type', 'level'] as const;
const PATH = 'securityContext.seLinuxOptions';
const POD_OPTIONS = 'variables.spec.?securityContext.?seLinuxOptions';
const CONTAINER_OPTIONS = 'c.?securityContext.?seLinuxOptions';
const OPTIONS = effective('seLinuxOptions');
const UNLESS_FOR_WINDOWS = `!(${FOR_WINDOWS})`;
/** A container's options replace all four of the pod's, including those that it does not set. */
const REACHES = takesFromPod('seLinuxOptions');

/** `container_engine_t` since v1.31. */
function standardTypes(minor: number): readonly string[] {
  const types = ['container_t', 'container_init_t', 'container_kvm_t'];
  return minor >= 31 ? [...types, 'container_engine_t'] : types;
}

/** @param options CEL, optional */
function standardCheck(over: 'pod' | 'containers', options: string, minor: number): Check {
  const types = standardTypes(minor);
  return {
    over,
    violates: [
      `!(${options}.?type.orValue("") in ${literal(['', ...types])})`,
      `${options}.?user.orValue("") != ""`,
      `${options}.?role.orValue("") != ""`,
    ].join(' || '),
    ...(over === 'pod' && { reaches: REACHES }),
    message: literal(`must not set ${PATH} to anything but a type of ${listed(types)}, and no user or role`),
    path: PATH,
  };
}

/**
 * CEL, bool: whether all four fields are these; in a level `s0:c1,c2` the order of the categories does not matter.
 * @param options CEL, optional
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
  const colon = wanted.indexOf(':') + 1;
  const categories = wanted.slice(colon).split(',');
  if (colon === 0 || categories.length === 1) return `${level} == ${literal(wanted)}`;
  const same = `a.size() == ${categories.length} && a.all(x, x in ${literal(categories)}) && ${literal(categories)}.all(x, x in a)`;
  return `${level}.startsWith(${literal(wanted.slice(0, colon))}) && [${level}.substring(${colon}).split(",")].all(a, ${same})`;
}

function listedOptions(options: Options): string {
  return FIELDS.filter((name) => options[name])
    .map((name) => `${name}: ${options[name]}`)
    .join(', ');
}

/**
 * The pod's own options are checked even if each container overrides them: they apply to the sandbox and the volumes.
 */
function mustRunAsChecks(options: Options, filled: boolean): Check[] {
  return [
    {
      over: 'pod',
      violates: areWrong(POD_OPTIONS, options),
      reaches: REACHES,
      message: mustRunAsMessage(options),
      path: PATH,
    },
    mustRunAsCheck(options, OPTIONS, filled),
  ];
}

/** @param got CEL, optional: the options that container `c` gets */
function mustRunAsCheck(options: Options, got: string, filled = false): Check {
  const mayBeUnset = filled || listedOptions(options) === '';
  const violates = mayBeUnset ? areWrong(got, options) : `!(${and(`${got}.hasValue()`, areEqual(got, options))})`;
  // The API server refuses the field on pods for Windows.
  return {
    over: 'containers',
    violates: and(violates, UNLESS_FOR_WINDOWS),
    message: mustRunAsMessage(options),
    path: PATH,
  };
}

/** @param part CEL, optional */
function areWrong(part: string, options: Options): string {
  return and(`${part}.hasValue()`, `!(${areEqual(part, options)})`);
}

/** CEL, string. */
function mustRunAsMessage(options: Options): string {
  const listed = listedOptions(options);
  return literal(listed === '' ? `must not set anything in ${PATH}` : `must set ${PATH} to exactly {${listed}}`);
}

function mustRunAsFills({ rule, options = {} }: SeLinux): Fill[] {
  return [
    // Also if each container has its own: the pod's apply to the sandbox and the volumes, too.
    ...fillOf('pod', { rule, options }, `!${POD_OPTIONS}.hasValue()`),
    ...fillOf('containers', { rule, options }, and(`!${OPTIONS}.hasValue()`, IS_EPHEMERAL)),
  ];
}

/** The options of one container go to the container: the pod's would reach the others. */
function fillsOfContainer(value: SeLinux): Fill[] {
  return fillOf('containers', value, `!${OPTIONS}.hasValue()`);
}

function fillOf(over: 'pod' | 'containers', { rule, options = {} }: SeLinux, when: string): Fill[] {
  const entries = FIELDS.filter((name) => options[name]).map(
    (name) => `${literal(name)}: ${literal(options[name] ?? '')}`,
  );
  if (rule !== 'MustRunAs' || entries.length === 0) return [];
  return [
    {
      over,
      path: ['securityContext', 'seLinuxOptions'],
      when: and(when, UNLESS_FOR_WINDOWS),
      value: `{${entries.join(', ')}}`,
    },
  ];
}

/** CEL, optional: the options that container `c` gets. */
function optionsOfContainer(value: SeLinux, ofPod: SeLinux | undefined): string {
  if (!ofPod) return OPTIONS;
  const [container] = fillsOfContainer(value);
  const [pod] = mustRunAsFills(ofPod);
  return effectiveAfterFilling('seLinuxOptions', { ...(container && { container }), ...(pod && { pod }) });
}

function checksOfContainer(value: SeLinux, minor: number, ofPod: SeLinux | undefined): Check[] {
  const got = optionsOfContainer(value, ofPod);
  switch (value.rule) {
    case 'RunAsAny':
      return [];
    case 'PodSecurityStandard':
      return [standardCheck('containers', got, minor)];
    case 'MustRunAs':
      return [mustRunAsCheck(value.options ?? {}, got)];
  }
}

/** Options that all have in common, if there are any. */
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
  'the processes run with the type that the container runtime chooses, which may not use files with the labels that were meant for them';

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

/** The options replace the wrong ones, and are set on the pod where none are. */
function mustRunAsFixes(options: Options): Fix[] {
  const stated = Object.fromEntries(FIELDS.filter((name) => options[name]).map((name) => [name, options[name]]));
  const isNone = Object.keys(stated).length === 0;
  const fix = (over: 'pod' | 'containers', when: string): Fix => ({
    over,
    path: ['securityContext', 'seLinuxOptions'],
    when: and(when, UNLESS_FOR_WINDOWS),
    // JSON is CEL.
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
  reads: { spec: ['securityContext', 'os'], container: ['securityContext'] },

  value: (overrides, { level }) =>
    overrides.seLinux ?? { rule: level === 'privileged' ? 'RunAsAny' : 'PodSecurityStandard' },

  checks: ({ rule, options = {} }, { minor }, filled = false) => {
    switch (rule) {
      case 'RunAsAny':
        return [];
      case 'PodSecurityStandard':
        return [standardCheck('pod', POD_OPTIONS, minor), standardCheck('containers', CONTAINER_OPTIONS, minor)];
      case 'MustRunAs':
        return mustRunAsChecks(options, filled);
    }
  },

  fills: mustRunAsFills,

  fixes: ({ rule, options = {} }, { minor }) => {
    if (rule === 'RunAsAny') return [];
    return rule === 'MustRunAs' ? mustRunAsFixes(options) : standardFixes(minor);
  },
  unfixable: 'the API server refuses seLinuxOptions on pods for Windows: remove them',

  ofContainer: {
    checks: (value, { minor }, filling) => checksOfContainer(value, minor, filling?.ofPod),
    fills: fillsOfContainer,
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
