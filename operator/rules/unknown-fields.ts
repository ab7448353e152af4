import type { Standard } from '../standards/level-version.ts';
import { knownFields } from '../standards/pod-fields.ts';
import { BASE, OTHERS, OVER, type Over, type Place, PRIVILEGES } from '../standards/pod-objects.ts';
import { offers } from '../standards/server-features.ts';
import { and, literal, or } from './cel.ts';
import { all, any, type Condition, concat, not } from './condition.ts';
import { distinct, namesUsed } from './fit.ts';
import { type Asking, type Definition, defineRule, type Test } from './rule.ts';
import type { Columns, Values } from './values.ts';

const ID = 'unknownFields';
const LISTED = 'allowedUnknownFields';
const FILLED = 'serverDefaults';

const ITEM: Readonly<Record<Over, string>> = { pod: 'variables.spec', containers: 'c' };

/**
 * A CEL expression for the object at the given path in the PodSpec, container or volume. The expression has the type
 * map. If the pod lacks the object, the map is empty. For a list of objects, the type is list(map).
 */
function objectIn(over: Over, { path, isList }: Place): string {
  if (path.length === 0) return ITEM[over];
  return `${ITEM[over]}.?${path.join('.?')}.orValue(${isList ? '[]' : '{}'})`;
}

/**
 * A CEL expression uses these values to find out which unknown fields are admitted. An expression that finds every
 * unknown field needs no `Exceptions`.
 */
interface Exceptions {
  readonly values: Values;
  readonly listed: boolean;
}

/**
 * A CEL expression of type bool, for a key `k` of an object: true if this release does not know the field.
 * @param object CEL of type map: the object with the key
 */
function isUnknown(over: Over, place: Place, object: string, exceptions?: Exceptions): string {
  const known = fieldsOf(place.types);
  const base = baseOf(over, place.path);
  const filled = exceptions && filledIn(over, place, object, exceptions.values);
  return and(
    `!(k in ${literal(known)})`,
    exceptions?.listed ? `!((${literal(base)} + k) in ${exceptions.values.list(LISTED)})` : undefined,
    filled && `!(${filled})`,
  );
}

function fieldsOf(types: readonly string[]): string[] {
  return distinct(types.flatMap(knownFields));
}

/**
 * The common beginning of the full paths of an object's fields. A full path is this beginning, followed by the name of
 * the field.
 */
function baseOf(over: Over, path: readonly string[]): string {
  return `${[BASE[over], ...path].join('.')}.`;
}

/**
 * A CEL expression of type bool, for a key `k` of an object: true if API servers fill in the value of `k` themselves. A
 * filled-in value is a string, a number or a boolean, an object of such values, or a list of such objects. An object must
 * have all of its filled-in fields, and a list at least one object. All policies
 * of a cluster have the same values. The expression therefore contains the values that API servers fill in at this
 * place, as literals. If API servers fill in no values at this place, the result is undefined.
 */
function filledIn(over: Over, { path, types }: Place, object: string, values: Values): string | undefined {
  const base = baseOf(over, path);
  const known = ({ [FILLED]: filled = [] }: Columns) => {
    const own = filled.filter((text) => text.startsWith(base)).map((text) => text.slice(base.length));
    const fields = Map.groupBy(own, (text) => /^\w+/.exec(text)?.[0] ?? '');
    // The path of another object can begin with the path of this object.
    for (const field of fieldsOf(types)) fields.delete(field);
    return or(
      ...[...fields].map(([field, texts]) => and(`k == ${literal(field)}`, isOneOf(`${object}[k]`, field, texts))),
    );
  };
  return values.specialized(known, () => 'false') || undefined;
}

/**
 * A CEL expression of type bool: true if API servers fill in the value.
 * @param texts the field and its values, each as `field.name=value`
 */
function isOneOf(value: string, field: string, texts: readonly string[]): string {
  const after = (mark: string) =>
    texts.filter((text) => text.startsWith(field + mark)).map((text) => text.slice(field.length + mark.length));
  const [scalars, ofObject, ofItems] = [after('='), after('.'), after('[].')];
  if (scalars.length > 0) return `string(${value}) in ${literal(scalars)}`;
  // Without one of its fields, an object is another value: the field may be what restricts.
  const fieldsIn = (one: string, known: readonly string[]) => {
    const names = distinct(known.map((text) => text.slice(0, text.indexOf('='))));
    return `${one}.size() == ${names.length} && ${one}.all(j, (j + "=" + string(${one}[j])) in ${literal(known)})`;
  };
  return ofItems.length > 0
    ? `${value}.size() > 0 && ${value}.all(i, ${fieldsIn('i', ofItems)})`
    : fieldsIn(value, ofObject);
}

/** A CEL expression of type bool: true if some object has an unknown field. */
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

/**
 * A CEL expression of type list(string): the unknown fields, as paths below the PodSpec or the container. If the place
 * has a list, the result has the unknown fields of one item.
 */
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

interface Checked {
  readonly over: Over;
  readonly places: readonly Place[];
  /** A CEL expression of type bool: whether the tests of `places` apply to the policy. */
  readonly applies: Condition;
  /** A text that completes the sentence `container "app" … securityContext.ulimits`. */
  readonly says: string;
}

/**
 * Returns two tests. If the policy has no list of allowed fields, the policy's violations depend only on the pod.
 * Violations that depend only on the pod are computed once for the pod, and not once for each policy.
 */
function testsOf({ over, places, applies, says }: Checked, values: Values): Test[] {
  const hasList = values.hasSome(LISTED);
  return [false, true].map((listed) => {
    const exceptions = { values, listed };
    const names = unknownPaths(over, places, exceptions).join(' + ');
    return {
      applies: all(applies, listed ? hasList : not(hasList)),
      over,
      violates: someUnknown(over, places, exceptions),
      message: `[${names}].map(u, ${concat(
        literal(`${says} `),
        'u.join(", ")',
        literal(ADVICE),
        `u.map(p, ${literal(`${BASE[over]}.`)} + p).join(", ")`,
      )})[0]`,
      path: places.every(({ path }) => path[0] === 'securityContext') ? 'securityContext' : '',
    };
  });
}

interface UnknownFields {
  /**
   * With `RefusedInSecurityContext`, unknown fields are refused in a securityContext and admitted elsewhere. In a
   * securityContext, each field is a privilege.
   */
  readonly value: 'Refused' | 'RefusedInSecurityContext' | 'Allowed';
  /** The paths of unknown fields that are admitted. */
  readonly listed: readonly string[];
}

/**
 * This release knows all fields of API servers before v1.36. Programs for API servers before v1.36 have no variables,
 * and therefore little room for policies. With a check for unknown fields, these programs would have room for fewer
 * policies.
 */
function levelValue({ level, server }: Standard): UnknownFields['value'] {
  return level === 'privileged' || !offers(server, 'admissionVariables') ? 'Allowed' : 'RefusedInSecurityContext';
}

const FULL_PATH = /^spec(\.[a-z][A-Za-z0-9]*)+$/;

/**
 * CEL expressions with the full paths of unknown fields in a securityContext. The expressions may use the same names as
 * the CEL expressions of a check.
 */
const ASKED = OVER.flatMap((over) => [
  ...unknownPaths(over, PRIVILEGES[over]).map(
    (names): Asking => ({ over, for: `${names}.map(p, ${literal(`${BASE[over]}.`)} + p)` }),
  ),
]);

const MUST_NOT = 'must not set';

const definition: Definition<UnknownFields, string> = {
  id: ID,
  alsoStatedBy: [LISTED],
  title: 'Whether pods may have fields that this release does not know and no rule checks.',
  words:
    'The Pod Security Standards have no such rule. Each version of the Standards names the fields that it restricts, and admits all fields that ' +
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
    return OVER.flatMap((over) => [
      ...testsOf({ over, places: PRIVILEGES[over], applies: isRestricted, says: MUST_NOT }, values),
      ...testsOf({ over, places: OTHERS[over], applies: isRefused, says: MUST_NOT }, values),
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
};

export const unknownFields = defineRule(definition);

/**
 * The rule `unknownFields` for a program that warns and does not refuse. The program warns about an unknown field that
 * the policy neither refuses nor explicitly allows.
 */
export const unrefusedUnknownFields = defineRule({
  ...definition,
  tests: (values) =>
    OVER.flatMap((over) => {
      const applies = values.includes(ID, 'RefusedInSecurityContext');
      return testsOf({ over, places: OTHERS[over], applies, says: 'sets' }, values);
    }),
});
