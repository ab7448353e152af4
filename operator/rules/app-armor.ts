import type { Level } from '../standards/level-version.ts';
import { ALL_CONTAINERS, and, FOR_WINDOWS, listed, literal, MOST_NAMED, matchesAny, takesFromPod } from './cel.ts';
import { all, any, type Condition, concat, not } from './condition.ts';
import {
  admittedDefault,
  hasAllTypes,
  isRefused,
  localhostTest,
  NO_PROFILE_KNOWN,
  namesMatter,
  type Profile,
  profileCel,
  profileColumn,
  profileIn,
  replacement,
  typeTest,
} from './default-profile.ts';
import { NO_PROFILE, profileAsked, profilesAdmitted, profilesUsed } from './fit.ts';
import { defineRule, type Filling, type Fix, type Test } from './rule.ts';
import { type Columns, LiteralValues, type Values } from './values.ts';

interface AppArmor {
  readonly types: readonly string[];
  readonly unset: 'Allowed' | 'Refused';
  /**
   * The allowed profiles of type Localhost. A `*` at the end of an item matches any ending. If the field is undefined,
   * any profile is allowed.
   */
  readonly localhostProfiles?: readonly string[];
  /** The profile that defaulting fills in. */
  readonly default?: Profile;
}

const PATH = 'securityContext.appArmorProfile';
const ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';
const POD_PROFILE = 'variables.spec.?securityContext.?appArmorProfile';
const CONTAINER_PROFILE = 'c.?securityContext.?appArmorProfile';

/** A CEL expression of type string: the key of the container's annotation. */
const KEY = `${literal(ANNOTATION)} + c.name`;
/**
 * A CEL expression of type string: the value of the container's annotation. If there is no annotation, the value is
 * empty.
 */
const ANNOTATED = `variables.annotations[?${KEY}].orValue("")`;
/**
 * An annotation without a value or without a profile's name gives the container no profile. The API server accepts an
 * annotation without a profile, but does not set the field from the annotation (applyAppArmorVersionSkew).
 */
const IS_UNSET = `!${CONTAINER_PROFILE}.hasValue() && !${POD_PROFILE}.hasValue() && ${ANNOTATED} in ["", "localhost/"]`;
/**
 * A CEL expression of type bool: true if the container has an annotation, even an annotation without a profile. The API
 * server requires that the field and the annotation match. So defaulting must not set the field of a container that has
 * an annotation.
 */
const IS_CONTRADICTED = `${KEY} in variables.annotations`;
/**
 * The kubelet uses the container's field. Without the field, the kubelet uses the container's annotation. Without the
 * annotation, the kubelet uses the pod's field (pkg/security/apparmor/helpers.go).
 */
const REACHES = takesFromPod('appArmorProfile');
const ALL_TYPES = ['RuntimeDefault', 'Localhost', 'Unconfined'];
const COLUMNS = { types: 'appArmorTypes', profiles: 'appArmorProfiles', every: ALL_TYPES } as const;
const OF_CONTAINER = {
  over: 'containers',
  profile: CONTAINER_PROFILE,
  path: PATH,
  reaches: REACHES,
  ...COLUMNS,
} as const;
const FIELDS = [{ ...OF_CONTAINER, over: 'pod', profile: POD_PROFILE }, OF_CONTAINER] as const;

/**
 * A CEL expression of type bool: true if an annotation sets an allowed profile, or no profile. Before v1.30, users set
 * profiles by annotations. API servers still convert these annotations into fields.
 * @param value CEL of type string: the value of the annotation
 */
function annotationAllowed(values: Values, value: string): Condition {
  const isNamed = values.specialized(
    ({ appArmorProfiles = [] }) =>
      matchesAny(
        value,
        appArmorProfiles.map((profile) => `localhost/${profile}`),
      ),
    () =>
      `${values.list('appArmorProfiles')}.exists(q, q.endsWith("*") ? ${value}.startsWith("localhost/" + q.substring(0, q.size() - 1)) : ${value} == "localhost/" + q)`,
  );
  return any(
    `${value} == ""`,
    all(values.includes('appArmorTypes', 'RuntimeDefault'), `${value} == "runtime/default"`),
    all(values.includes('appArmorTypes', 'Localhost'), isNamed),
    all(values.includes('appArmorTypes', 'Unconfined'), `${value} == "unconfined"`),
  );
}

/**
 * The test of the containers' annotations. The expression looks up the annotation of each container, because a pod may
 * have 50,000 annotations. The API server refuses an annotation for a container that the pod does not have
 * (ValidateAppArmorPodAnnotations), and the kubelet ignores such an annotation.
 * @param except CEL of type bool, for a container `c`. The expression is true if another check covers the annotation of
 * the container
 */
function annotationTest(values: Values, except: string | undefined): Test {
  const evaluated = except === undefined ? ALL_CONTAINERS : `${ALL_CONTAINERS}.filter(c, !(${except}))`;
  return {
    applies: annotationsMatter(values),
    over: 'pod',
    violates: `${evaluated}.map(c, ${ANNOTATED}).exists(a, !(${annotationAllowed(values, 'a')}))`,
    reaches: and(REACHES, `!(${annotationAllowed(values, ANNOTATED)})`),
    message: concat(
      `"must not have the annotation " + ${namedAnnotations(values, evaluated)}`,
      '" (allowed: "',
      allowedText(values),
      '")"',
    ),
    path: 'metadata.annotations',
  };
}

/**
 * The test of a container's annotation. The test is for containers with a different value in `spec.containers`.
 */
function annotationTestOfContainer(values: Values): Test {
  return {
    applies: annotationsMatter(values),
    over: 'containers',
    violates: `!(${annotationAllowed(values, ANNOTATED)})`,
    message: concat(
      `"must not have the annotation " + ${KEY} + "=" + ${ANNOTATED}`,
      '" (allowed: "',
      allowedText(values),
      '")"',
    ),
    path: 'metadata.annotations',
  };
}

/** Whether the rule could refuse some annotation with these values. */
function annotationsMatter(values: Values): Condition {
  return any(not(hasAllTypes(values, COLUMNS.types, ALL_TYPES)), namesMatter(values, COLUMNS.types, COLUMNS.profiles));
}

/**
 * A CEL expression of type string: the annotations that are not allowed, in the order of the pod's containers.
 * @param evaluated CEL of type list: the containers whose annotations count
 */
function namedAnnotations(values: Values, evaluated: string): string {
  const allowed = annotationAllowed(values, 'variables.annotations[k]');
  const keys = `${evaluated}.map(c, ${KEY}).filter(k, k in variables.annotations && !(${allowed}))`;
  const named = `${keys}.map(k, k + "=" + variables.annotations[k]).join(", ")`;
  return `(${ALL_CONTAINERS}.size() > ${MOST_NAMED} ? ${literal(`${ANNOTATION}*`)} : ${named})`;
}

/**
 * A CEL expression of type string: the allowed profiles as text for messages, such as `RuntimeDefault, Localhost with
 * foo`.
 */
function allowedText(values: Values): string {
  return values.specialized(
    ({ appArmorTypes: types = [], appArmorProfiles: profiles = [] }) => {
      const isNamed = !profiles.includes('*');
      const named = (type: string) => (type === 'Localhost' && isNamed ? `Localhost with ${listed(profiles)}` : type);
      return literal(listed(types.map(named)));
    },
    () => {
      const [types, profiles] = [values.list('appArmorTypes'), values.list('appArmorProfiles')];
      const named = `${types}.map(t, t == "Localhost" && !("*" in ${profiles}) ? "Localhost with " + ${values.listed('appArmorProfiles')} : t)`;
      return `(${types}.size() > 0 ? ${named}.join(", ") : "none")`;
    },
  );
}

function profileTests(values: Values, except: string | undefined): Test[] {
  return [
    ...FIELDS.map((field) => typeTest(field, values)),
    ...FIELDS.map((field) => localhostTest(field, values)),
    annotationTest(values, except),
  ];
}

/**
 * The tests of the profile that a container gets. The profile comes from the container's own field. Without the field,
 * the profile comes from the container's annotation. Without the annotation, the profile comes from the pod's field.
 */
function profileTestsOfContainer(values: Values): Test[] {
  const profile = `c.?securityContext.?appArmorProfile.or(${ANNOTATED} in ["", "localhost/"] ? ${POD_PROFILE} : optional.none())`;
  const field = { ...OF_CONTAINER, profile };
  return [typeTest(field, values), localhostTest(field, values), annotationTestOfContainer(values)];
}

/**
 * The test for containers without a profile. The test skips pods for Windows, because the API server refuses the field
 * on such pods. Defaulting skips a container if the field would contradict the container's annotation.
 */
function unsetTest(values: Values, filled: boolean): Test {
  const isLeft = any(not(values.hasSome('appArmorFilling')), IS_CONTRADICTED);
  return {
    applies: all(values.includes('appArmorUnset', 'Refused'), `!(${FOR_WINDOWS})`),
    over: 'containers',
    violates: `${all(IS_UNSET, filled ? isLeft : true)}`,
    message: concat(
      `${literal(`must set ${PATH}.type on it or on the pod`)} + (${IS_CONTRADICTED} ? ", and remove the annotation " + ${KEY} : "")`,
      '" (allowed: "',
      values.listed('appArmorTypes'),
      '")"',
    ),
    path: PATH,
  };
}

function fillingsOf(values: Values): Filling[] {
  return [
    {
      applies: all(values.hasSome('appArmorFilling'), `!(${FOR_WINDOWS})`),
      over: 'containers',
      path: ['securityContext', 'appArmorProfile'],
      when: and(IS_UNSET, `!(${IS_CONTRADICTED})`),
      value: profileIn(values, 'appArmorFilling'),
    },
  ];
}

function columnsOf({ types, unset, localhostProfiles, default: filling }: AppArmor): Columns {
  return {
    appArmorTypes: types,
    appArmorProfiles: localhostProfiles ?? ['*'],
    appArmorUnset: [unset],
    appArmorFilling: profileColumn(filling),
  };
}

const CONFINED =
  'the default profile of the container runtime, or another profile that the policy allows, confines the container';

/**
 * The fixes of the rule. The fixes of annotations come first, because the annotation and the field of a container must
 * not contradict each other.
 */
function fixesOf(value: AppArmor): Fix[] {
  const isOurs = `k.startsWith(${literal(ANNOTATION)})`;
  const annotation = (when: string, risk: string): Fix => ({
    over: 'annotations',
    path: [],
    when: and(isOurs, when),
    value: 'null',
    class: 'check',
    risk,
  });
  const annotations = [
    annotation(`!(${annotationAllowed(new LiteralValues(columnsOf(value)), 'variables.annotations[k]')})`, CONFINED),
    ...(value.unset === 'Refused'
      ? [annotation('variables.annotations[k] in ["", "localhost/"]', 'none: the annotation names no profile')]
      : []),
  ];
  const profile = replacement(value, value.default);
  if (!profile) return annotations;
  const fix = (over: 'pod' | 'containers', when: string, risk: string): Fix => ({
    over,
    path: ['securityContext', 'appArmorProfile'],
    when: and(when, `!(${FOR_WINDOWS})`),
    value: profileCel(profile),
    class: 'check',
    risk,
  });
  return [
    ...annotations,
    fix('pod', isRefused(value, POD_PROFILE), CONFINED),
    fix('containers', isRefused(value, CONTAINER_PROFILE), CONFINED),
    ...(value.unset === 'Refused'
      ? [
          fix(
            'containers',
            IS_UNSET,
            'the kubelet of a node without AppArmor refuses the pod; on other nodes, RuntimeDefault is the default',
          ),
        ]
      : []),
  ];
}

/**
 * Converts the value of an annotation to the form `TYPE/NAME` of a field. A value that sets no profile stays unchanged.
 */
function withTypeOfField(profile: string): string {
  if (profile === 'runtime/default') return 'RuntimeDefault/';
  if (profile === 'unconfined') return 'Unconfined/';
  return profile.startsWith('localhost/') ? `Localhost/${profile.slice('localhost/'.length)}` : profile;
}

function ownTypes(level: Level): readonly string[] {
  return level === 'privileged' ? ALL_TYPES : ['RuntimeDefault', 'Localhost'];
}

export const appArmor = defineRule<AppArmor, string>({
  id: 'appArmor',
  title: 'Which AppArmor profiles containers may run under.',
  words:
    'On supported hosts, the RuntimeDefault AppArmor profile is applied by default. The baseline policy should prevent ' +
    'overriding or disabling the default AppArmor profile, or restrict overrides to an allowed set of profiles.',
  sources: ['k8s.io/pod-security-admission/policy/check_appArmorProfile.go', 'KEP-24'],
  guides: { cis: [], nsa: ['SecurityServices'] },
  severity: 'Kernel',
  reads: { spec: ['securityContext', 'os'], container: ['securityContext'], annotations: [ANNOTATION] },
  examples: [
    {
      overrides: {
        appArmor: {
          types: ['RuntimeDefault', 'Localhost'],
          localhostProfiles: ['app-*'],
          unset: 'Refused',
          default: { type: 'RuntimeDefault' },
        },
      },
      admits: [
        { spec: { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } } },
        {
          container: { securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: 'app-one' } } },
        },
      ],
      refuses: [
        {},
        { container: { securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: 'one' } } } },
      ],
    },
    {
      overrides: {
        appArmor: { types: ['RuntimeDefault', 'Localhost'], localhostProfiles: ['a', 'b/*'], unset: 'Refused' },
      },
      admits: [{ container: { securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: 'a' } } } }],
      refuses: [{ container: { securityContext: { appArmorProfile: { type: 'Unconfined' } } } }],
    },
    {
      overrides: { appArmor: { unset: 'Refused', default: { type: 'RuntimeDefault' } } },
      admits: [{ container: { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } } }],
      refuses: [{}],
    },
  ],

  value: ({ appArmor: stated = {} }, { level }) => {
    const { localhostProfiles, unset = 'Allowed' } = stated;
    const types = stated.types ?? ownTypes(level);
    const profile = admittedDefault(stated.default, { types, localhostProfiles });
    return { types, unset, ...(localhostProfiles && { localhostProfiles }), ...(profile && { default: profile }) };
  },

  columns: columnsOf,

  tests: (values, { filled, except }) => [...profileTests(values, except), unsetTest(values, filled)],

  fillings: fillingsOf,

  fixes: fixesOf,
  unfixable: NO_PROFILE_KNOWN,

  byField: true,
  ofContainer: {
    tests: (values, { filled }) => [...profileTestsOfContainer(values), unsetTest(values, filled)],
    fillings: fillingsOf,
  },

  podSecurity: ({ types }) => (types.includes('Unconfined') ? 'privileged' : 'restricted'),

  fit: ({ level }) => ({
    asks: [
      { over: 'pod', for: profileAsked(POD_PROFILE) },
      { over: 'containers', for: profileAsked(CONTAINER_PROFILE) },
      { over: 'containers', for: `[${ANNOTATED}].filter(a, a != "")` },
      { over: 'containers', for: `${and(IS_UNSET, `!(${FOR_WINDOWS})`)} ? ["${NO_PROFILE}"] : []` },
    ],
    own: profilesAdmitted({ types: ownTypes(level), unset: 'Allowed' }),
    choices: (asked) => profilesUsed('appArmor', ALL_TYPES, asked.map(withTypeOfField)),
  }),
});
