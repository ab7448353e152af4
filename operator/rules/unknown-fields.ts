import type { Standard } from '../standards/level-version.ts';
import { knownFields } from '../standards/pod-fields.ts';
import { offers } from '../standards/server-features.ts';
import { and, literal, or } from './cel.ts';
import { all, any, type Condition, concat, not } from './condition.ts';
import { distinct, namesUsed } from './fit.ts';
import { type Asking, defineRule, type Test } from './rule.ts';
import type { Values } from './values.ts';

const ID = 'unknownFields';
const LISTED = 'allowedUnknownFields';
const FILLED = 'serverDefaults';

/** An object of a pod or container whose keys the rule compares with the fields that this release knows. */
interface Place {
  /** The path of the object below the PodSpec or the container; empty for the PodSpec or container itself. */
  readonly path: readonly string[];
  /** The types of the object, as in pod-fields.ts. */
  readonly types: readonly string[];
  /** Whether the path leads to a list of such objects. */
  readonly isList?: true;
}

/** The objects of which every field is a privilege: a securityContext, and the objects in it. */
const PRIVILEGES = {
  pod: [
    { path: ['securityContext'], types: ['PodSecurityContext'] },
    ...inSecurityContext({
      appArmorProfile: 'AppArmorProfile',
      seLinuxOptions: 'SELinuxOptions',
      seccompProfile: 'SeccompProfile',
      'seccompProfile.oci': 'SecurityProfileOCI',
      'seccompProfile.oci.baseProfile': 'SecurityProfileOCIBase',
      windowsOptions: 'WindowsSecurityContextOptions',
    }),
    { path: ['securityContext', 'sysctls'], types: ['Sysctl'], isList: true },
  ],
  containers: [
    { path: ['securityContext'], types: ['SecurityContext'] },
    ...inSecurityContext({
      appArmorProfile: 'AppArmorProfile',
      capabilities: 'Capabilities',
      seLinuxOptions: 'SELinuxOptions',
      seccompProfile: 'SeccompProfile',
      'seccompProfile.oci': 'SecurityProfileOCI',
      'seccompProfile.oci.baseProfile': 'SecurityProfileOCIBase',
      windowsOptions: 'WindowsSecurityContextOptions',
    }),
  ],
} as const satisfies Record<string, readonly Place[]>;

/** The objects with all kinds of fields: most new fields are harmless, and API servers fill in some of them. */
const OTHERS = {
  pod: [{ path: [], types: ['PodSpec'] }],
  containers: [
    { path: [], types: ['Container', 'EphemeralContainer'] },
    ...['livenessProbe', 'readinessProbe', 'startupProbe'].map((probe) => ({ path: [probe], types: ['Probe'] })),
    { path: ['lifecycle'], types: ['Lifecycle'] },
    ...['postStart', 'preStop'].map((hook) => ({ path: ['lifecycle', hook], types: ['LifecycleHandler'] })),
  ],
} as const satisfies Record<string, readonly Place[]>;

function inSecurityContext(types: Readonly<Record<string, string>>): Place[] {
  return Object.entries(types).map(([field, type]) => ({
    path: ['securityContext', ...field.split('.')],
    types: [type],
  }));
}

type Over = 'pod' | 'containers';

/** The objects that the rule can check, for tests: by the kind of item that a check runs on. */
export const PLACES: Readonly<Record<Over, readonly Place[]>> = {
  pod: [...PRIVILEGES.pod, ...OTHERS.pod],
  containers: [...PRIVILEGES.containers, ...OTHERS.containers],
};

/** The beginning of full paths, as in the condition Accepted: the names of lists stand for their items. */
const BASE: Readonly<Record<Over, string>> = { pod: 'spec', containers: 'spec.containers' };
const ITEM: Readonly<Record<Over, string>> = { pod: 'variables.spec', containers: 'c' };

/** CEL, map: the object of a place, empty if the pod lacks it; for a list, CEL, list(map). */
function objectIn(over: Over, { path, isList }: Place): string {
  if (path.length === 0) return ITEM[over];
  return `${ITEM[over]}.?${path.join('.?')}.orValue(${isList ? '[]' : '{}'})`;
}

/** The values that decide about unknown fields; absent in an expression about all unknown fields. */
interface Exceptions {
  readonly values: Values;
  readonly listed: boolean;
}

/**
 * CEL, bool, over a key `k` of an object: this release does not know the field.
 * @param object CEL, map: the object with the key
 */
function isUnknown(over: Over, { path, types }: Place, object: string, exceptions?: Exceptions): string {
  const known = distinct(types.flatMap(knownFields));
  const full = `${literal(`${[BASE[over], ...path].join('.')}.`)} + k`;
  return and(
    `!(k in ${literal(known)})`,
    exceptions?.listed ? `!(${full} in ${exceptions.values.list(LISTED)})` : undefined,
    exceptions && unlessFilledIn(full, object, exceptions.values),
  );
}

/**
 * CEL, bool: the value is not the value that API servers themselves fill in. The value that they fill in is a string,
 * a number or a boolean, or an object of these.
 */
function unlessFilledIn(full: string, object: string, values: Values): string | undefined {
  if (values.hasSome(FILLED) === false) return undefined;
  const filled = values.list(FILLED);
  const value = `${object}[k]`;
  return `!(${or(
    and(`${filled}.exists(d, d.startsWith(${full} + "="))`, `(${full} + "=" + string(${value})) in ${filled}`),
    and(
      `${filled}.exists(d, d.startsWith(${full} + "."))`,
      `${value}.all(j, (${full} + "." + j + "=" + string(${value}[j])) in ${filled})`,
    ),
  )})`;
}

/** CEL, bool: some object has an unknown field. */
function someUnknown(over: Over, places: readonly Place[], exceptions: Exceptions): string {
  return or(
    ...places.map((place) => {
      const object = objectIn(over, place);
      return place.isList
        ? `${object}.exists(o, o.exists(k, ${isUnknown(over, place, 'o', exceptions)}))`
        : `${object}.exists(k, ${isUnknown(over, place, object, exceptions)})`;
    }),
  );
}

/** CEL, list(string): the unknown fields, as paths below the PodSpec or the container. In a list, one item's fields. */
function unknownPaths(over: Over, places: readonly Place[], exceptions?: Exceptions): string[] {
  return places.map((place) => {
    const below = place.path.length === 0 ? 'k' : `${literal(`${place.path.join('.')}.`)} + k`;
    const object = objectIn(over, place);
    if (!place.isList) return `${object}.filter(k, ${isUnknown(over, place, object, exceptions)}).map(k, ${below})`;
    const unknown = isUnknown(over, place, 'o', exceptions);
    return `${object}.filter(o, o.exists(k, ${unknown})).map(o, o.filter(k, ${unknown}).map(k, ${below}).join(", "))`;
  });
}

const ADVICE =
  ', which this release of CapabilityPolicy does not know and no rule checks: upgrade CapabilityPolicy, or list in overrides.allowedUnknownFields: ';

/** Two tests: without a list of allowed fields, what violates depends on the pod alone and is computed once for it. */
function testsOf(over: Over, places: readonly Place[], applies: Condition, values: Values): Test[] {
  const hasList = values.hasSome(LISTED);
  return [false, true].map((listed) => {
    const exceptions = { values, listed };
    const names = unknownPaths(over, places, exceptions).join(' + ');
    return {
      applies: all(applies, listed ? hasList : not(hasList)),
      over,
      violates: someUnknown(over, places, exceptions),
      message: `[${names}].map(u, ${concat(
        '"must not set "',
        'u.join(", ")',
        literal(ADVICE),
        `u.map(p, ${literal(`${BASE[over]}.`)} + p).join(", ")`,
      )})[0]`,
      path: places.every(({ path }) => path[0] === 'securityContext') ? 'securityContext' : '',
    };
  });
}

interface UnknownFields {
  /** `RefusedInSecurityContext`: unknown fields are refused only in a securityContext, where each field is a privilege. */
  readonly value: 'Refused' | 'RefusedInSecurityContext' | 'Allowed';
  /** The paths of unknown fields that are admitted. */
  readonly listed: readonly string[];
}

/**
 * This release knows all fields of API servers before v1.36. The programs of these API servers have no variables, and so
 * little room: checking for unknown fields there would cost other policies their place.
 */
function levelValue({ level, server }: Standard): UnknownFields['value'] {
  return level === 'privileged' || !offers(server, 'admissionVariables') ? 'Allowed' : 'RefusedInSecurityContext';
}

const FULL_PATH = /^spec(\.[a-z][A-Za-z0-9]*)+$/;

/** CEL, with the names that a check may use: the full paths of unknown fields in a securityContext. */
const ASKED = (['pod', 'containers'] as const).flatMap((over) =>
  unknownPaths(over, PRIVILEGES[over]).map(
    (names): Asking => ({ over, for: `${names}.map(p, ${literal(`${BASE[over]}.`)} + p)` }),
  ),
);

export const unknownFields = defineRule<UnknownFields, string>({
  id: ID,
  alsoStatedBy: [LISTED],
  title: 'Whether pods may have fields that this release does not know, so that no rule checks them.',
  words:
    'No Standard has this. Each version of the Standards names the fields that it restricts, and admits all fields that ' +
    'Kubernetes adds later.',
  sources: ['KEP-5758', 'KEP-5474', 'KEP-5823', 'k8s.io/api/core/v1/types.go'],
  guides: { cis: [], nsa: [] },
  severity: 'Node',
  phrases: {
    [ID]: (value: string) => `${value === 'Refused' ? 'must not' : 'may'} have fields that this release does not know`,
    [LISTED]: (paths: readonly string[]) => `may have the fields ${paths.join(', ')}, which this release does not know`,
  },
  reads: {
    spec: ['securityContext'],
    container: ['lifecycle', 'livenessProbe', 'readinessProbe', 'securityContext', 'startupProbe'],
    allExcept: {
      spec: knownFields('PodSpec'),
      container: [...knownFields('Container'), ...knownFields('EphemeralContainer')],
    },
  },
  examples: [
    {
      overrides: { unknownFields: 'Refused' },
      admits: [{}],
      refuses: [
        { spec: { fieldOfTomorrow: true } },
        { container: { fieldOfTomorrow: true } },
        { container: { securityContext: { fieldOfTomorrow: true } } },
      ],
    },
    {
      overrides: { unknownFields: 'RefusedInSecurityContext' },
      level: 'privileged',
      admits: [{ spec: { fieldOfTomorrow: true } }, { container: { fieldOfTomorrow: true } }],
      refuses: [{ container: { securityContext: { capabilities: { fieldOfTomorrow: true } } } }],
    },
    {
      overrides: { allowedUnknownFields: ['spec.containers.securityContext.fieldOfTomorrow'] },
      admits: [{ spec: { fieldOfTomorrow: true } }, { container: { securityContext: { fieldOfTomorrow: true } } }],
      refuses: [{ spec: { securityContext: { fieldOfTomorrow: true } } }],
    },
  ],

  value: (overrides, standard) => ({
    value: overrides.unknownFields ?? levelValue(standard),
    listed: overrides.allowedUnknownFields ?? [],
  }),

  columns: ({ value, listed }, { serverDefaults = [] }) => ({
    [ID]: [value],
    [LISTED]: listed,
    [FILLED]: serverDefaults,
  }),

  tests: (values) => {
    const isRefused = values.includes(ID, 'Refused');
    const isRestricted = any(isRefused, values.includes(ID, 'RefusedInSecurityContext'));
    return (['pod', 'containers'] as const).flatMap((over) => [
      ...testsOf(over, PRIVILEGES[over], isRestricted, values),
      ...testsOf(over, OTHERS[over], isRefused, values),
    ]);
  },

  unfixable:
    'this release does not know what the field does: remove the field, upgrade CapabilityPolicy, or write an exception for the pod (cappol suggest)',

  podSecurity: () => 'restricted',

  fit: () => ({
    asks: ASKED,
    choices: (paths) =>
      paths.length === 0
        ? [{ [ID]: 'RefusedInSecurityContext' }]
        : [...namesUsed(LISTED, distinct(paths), { valid: FULL_PATH, most: 64 }), { [ID]: 'Allowed' }],
  }),
});
