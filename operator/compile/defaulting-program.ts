/**
 * Compiles the policies with defaulting to a MutatingAdmissionPolicy. The admission policy fills in unset fields, as
 * PodSecurityPolicy did. If no usable policy admits the unchanged pod, a policy with defaulting fills in fields of the
 * pod. The program chooses the first policy, in the order of names, that would admit the pod after defaulting.
 */
import { GROUP } from '../api/capability-policy.ts';
import { and } from '../rules/cel.ts';
import { all } from '../rules/condition.ts';
import type { Filling, Rule } from '../rules/rule.ts';
import { RowValues } from '../rules/values.ts';
import { columnsIn, complyingVariables, decidingVariables, MOST_ASKED, soundCel, useVariables } from './decision.ts';
import { type AdmissionOptions, IS_MIRROR_POD, IS_PROBE, matchNotExcluded, PODS, PROBE_CARRIER } from './match.ts';
import { rulesOf } from './mode-program.ts';
import { ownsCel, type Shard } from './partition.ts';
import { POD_VARIABLES } from './pod-cel.ts';
import { PROBE_ANNOTATION } from './program.ts';
import type { ProgramText } from './program-text.ts';
import { rowOf } from './rows.ts';
import { BELONGS, entriesFor, flattened, LEVEL, type NeededRules } from './rules-cel.ts';
import { tableOf } from './table.ts';
import { IS_TOO_LARGE } from './units-cel.ts';

/**
 * The key of a pod's annotation. The value is the name of the policy that admitted the pod. The annotation informs
 * people. No verdict depends on the annotation.
 */
export const ADMITTED_BY = `${GROUP}/policy`;
/**
 * A CEL expression of type string. From the pod's annotation, the expression reads the name of the policy that admitted
 * the pod.
 */
const ADMITTED_BY_NOW = `variables.annotations[?${JSON.stringify(ADMITTED_BY)}].orValue("")`;

/** A CEL expression of type bool, for a row `p`: true if the policy fills in fields. */
const IS_ENABLED = '(has(p.defaulting) && p.defaulting[0] == "Enabled")';

/**
 * Renders the defaulting program of a shard.
 * @param shard the policies of mode Enforce, sorted by name. Some of these policies have defaulting
 */
export function defaultingProgram({ policies, ...range }: Shard, options: AdmissionOptions): ProgramText {
  const owns = ownsCel(range, 'request.namespace');
  const table = tableOf(policies);
  const columns = columnsIn(policies.map(rowOf));
  const rules = rulesOf(policies);
  const fillings = fillingsIn(rules);
  const variables = [
    { name: 'probe', expression: IS_PROBE },
    ...POD_VARIABLES,
    ...decidingVariables(table, columns, { hasTime: false }),
    ...complyingVariables(rules, columns),
    ...choiceVariables(columns, changesCel(fillings)),
    { name: 'sound', expression: soundCel(table, columns) },
  ];
  const patches = (hash: string) => {
    const probe = `variables.sound ? [JSONPatch{op: "add", path: ${pathOfAnnotation(PROBE_ANNOTATION)}, value: ${JSON.stringify(hash)}}] : []`;
    return `variables.probe ? (${probe}) : ${patchesCel(fillings)} + ${annotationPatches()}`;
  };
  return {
    kind: 'MutatingAdmissionPolicy',
    table: table.names,
    variables,
    validations: [],
    spec: (hash) => ({
      // If defaulting fails, the validating program refuses the pods that need defaulting. With failurePolicy Fail, the
      // API server would also refuse pods that comply without defaulting.
      failurePolicy: 'Ignore',
      // Another mutation may add containers after this policy has run.
      reinvocationPolicy: 'IfNeeded',
      matchConstraints: { matchPolicy: 'Equivalent', resourceRules: [...PODS, ...PROBE_CARRIER] },
      matchConditions: [
        matchNotExcluded(options, 'request.namespace'),
        { name: 'not-a-mirror-pod', expression: `!(${IS_MIRROR_POD})` },
        ...(owns === undefined ? [] : [{ name: 'in-range', expression: `(${IS_PROBE}) || ${owns}` }]),
      ],
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: patches(hash) } }],
    }),
    bindings: [{ suffix: 'pods', spec: { matchResources: { matchPolicy: 'Equivalent', resourceRules: PODS } } }],
  };
}

/**
 * The changes by which a rule fills in fields. `own` has the changes for a policy. `ofEntries` has the changes for the
 * entries in the policy's `spec.containers`.
 */
interface RuleFillings {
  readonly rule: Rule;
  readonly own: readonly Filling[];
  readonly ofEntries: readonly Filling[];
}

interface Fillings {
  readonly rules: readonly RuleFillings[];
  /**
   * Binds columns for a candidate policy `p` and an entry `e`. The expressions that fill in fields read these columns.
   */
  readonly values: RowValues;
  readonly entry: RowValues;
  readonly mostEntries: number;
}

function fillingsIn({ rules, restated, mostEntries, common }: NeededRules): Fillings {
  const values = new RowValues('p', LEVEL, common);
  const entry = new RowValues('e', LEVEL, common, 'entry');
  const kept = (fillings: readonly Filling[] = []) =>
    fillings
      .filter(({ applies }) => applies !== false)
      .map(({ applies = true, ...fill }) => ({ ...fill, when: `${all(applies, fill.when)}` }));
  const found = rules.map((rule) => {
    const { ofContainer } = rule;
    const own = kept(rule.fillings?.(values));
    if (!restated.has(rule.id)) return { rule, own, ofEntries: [] };
    const ofEntries = kept((typeof ofContainer === 'object' ? ofContainer : rule).fillings?.(entry));
    const isOther = `!${entriesFor(rule)}.exists(e, ${BELONGS})`;
    return {
      rule,
      own: own.map((fill) => (fill.over === 'pod' ? fill : { ...fill, when: and(isOther, fill.when) })),
      ofEntries: ofEntries.map((fill) => ({ ...fill, when: and(BELONGS, fill.when) })),
    };
  });
  return { rules: found, values, entry, mostEntries };
}

/** A CEL expression of type bool, for a row `p`: true if filling in fields would change the pod. */
function changesCel({ rules, values, entry }: Fillings): string {
  const own = rules.flatMap((one) => one.own);
  const whens = (over: Filling['over'], fills: readonly Filling[]) =>
    fills.filter((fill) => fill.over === over).map(({ when }) => `(${when})`);
  const ofPod = whens('pod', own);
  const ofContainers = [
    ...whens('containers', own),
    ...rules.flatMap(({ rule, ofEntries }) => {
      const any = whens('containers', ofEntries).join(' || ');
      return any === '' ? [] : [`${entriesFor(rule)}.exists(e, ${entry.bind(any)})`];
    }),
  ];
  const conditions = [
    ...(ofPod.length === 0 ? [] : [`(!variables.ephemeral && (${ofPod.join(' || ')}))`]),
    ...(ofContainers.length === 0
      ? []
      : [`(variables.ephemeral ? variables.added : variables.containers).exists(c, ${ofContainers.join(' || ')})`]),
  ];
  // Defaulting does not change a pod that is too large to be evaluated.
  return conditions.length === 0 ? 'false' : values.bind(`!(${IS_TOO_LARGE}) && (${conditions.join(' || ')})`);
}

/** A CEL expression of type list(map). The list contains only the candidate whose name is alphabetically first. */
function firstByName(list: string): string {
  return `${list}.filter(p, ${list}.all(o, p.name[0] <= o.name[0]))`;
}

/**
 * Adds two variables of the CEL type list(map), each with at most one policy. If some policies admit the unchanged pod,
 * `filler` is empty, and `named` has one of these policies. If the pod's annotation names one of these policies, and
 * this policy has defaulting, `named` has the policy from the annotation. Otherwise, `named` has the policy whose name
 * is alphabetically first. If no policy admits the unchanged pod, `named` and `filler` have the same policy. The policy
 * is the alphabetically first policy that admits the pod after defaulting.
 */
function choiceVariables(columns: ReadonlySet<string>, changes: string) {
  const usable = columns.has('use') ? useCel() : { variables: [], mayUse: 'true' };
  const annotated = `p.name[0] == ${ADMITTED_BY_NOW}`;
  // PodSecurityPolicy did not check ephemeral containers, so `settled` is always true for an update of ephemeral
  // containers.
  const settled = `variables.ephemeral || !variables.spec.?securityContext.?seccompProfile.hasValue() || variables.unchanged.exists(p, has(p.seccompChanges) && ${annotated})`;
  // When the API server calls the program again, another policy may have filled in fields of the pod. With these
  // filled-in fields, a policy with an alphabetically earlier name may admit the pod. The pod's annotation keeps the
  // name of the policy that filled in the fields.
  const kept = `variables.unchanged.filter(p, ${IS_ENABLED} && ${annotated})`;
  return [
    ...usable.variables,
    {
      name: 'unchanged',
      expression: `variables.unfilled.filter(p, (!${IS_ENABLED} || !(${changes})) && ${usable.mayUse})`,
    },
    ...(columns.has('seccompChanges') ? [{ name: 'settled', expression: settled }] : []),
    {
      name: 'chosen',
      expression: columns.has('seccompChanges')
        ? 'variables.unchanged.filter(p, !has(p.seccompChanges) || variables.settled)'
        : 'variables.unchanged',
    },
    { name: 'filling', expression: `variables.filled.filter(p, ${IS_ENABLED} && ${usable.mayUse})` },
    {
      name: 'filler',
      expression: `variables.chosen.size() > 0 ? [] : ${firstByName('variables.filling')}`,
    },
    {
      name: 'named',
      expression: `variables.chosen.size() == 0 ? variables.filler : ${firstByName('variables.chosen')}.map(p, [${kept}.filter(k, p.name[0] < k.name[0])].map(l, l.size() > 0 ? l[0] : p)[0])`,
    },
  ];
}

/**
 * Adds `usable`, a CEL variable of type list(bool). For each policy in `asking`, the list says whether the pod may use
 * the policy.
 */
function useCel() {
  const both = '(variables.unfilled + variables.filled.filter(p, !variables.unfilled.exists(o, o.name == p.name)))';
  const { variables } = useVariables(new Set(['use']), both);
  const slots = variables.filter(({ name }) => name !== 'free');
  const positions = Array.from({ length: MOST_ASKED }, (_, i) => i);
  return {
    variables: [
      ...slots,
      { name: 'usable', expression: `[${positions.map((i) => `variables.mayUse${i}`).join(', ')}]` },
    ],
    mayUse: `(!has(p.use) || [${positions.join(', ')}].exists(i, i < variables.asking.size() && variables.asking[i] == p.name[0] && variables.usable[i]))`,
  };
}

/**
 * A CEL expression of type list(JSONPatch): the patches. A patch that creates an object comes before the patches of its
 * fields. The list is empty if defaulting changes nothing.
 */
function patchesCel({ rules, values, entry, mostEntries }: Fillings): string {
  const own = rules.flatMap((one) => one.own);
  const ofPod = podPatches(own.filter(({ over }) => over === 'pod'));
  const ofContainers = [
    ...containerPatches(own.filter(({ over }) => over === 'containers')),
    ...rules.flatMap(({ rule, ofEntries }) => {
      const lists = containerPatches(ofEntries);
      if (lists.length === 0) return [];
      const each = `${entriesFor(rule)}.map(e, ${entry.bindValue(`(${lists.join(' + ')})`)})`;
      return [`[${each}].map(lists, ${flattened('lists', mostEntries)})[0]`];
    }),
  ].join(' + ');
  const inLists = `[${LISTS}.map(l, ${ofContainers || '[]'})].map(lists, ${flattened('lists', 2)})[0]`;
  const filling = values.bindValue(`((variables.ephemeral ? [] : ${ofPod}) + ${inLists})`);
  return `(variables.filler.size() == 0 ? [] : [variables.filler[0]].map(p, ${filling})[0])`;
}

/**
 * A CEL expression of type list(string): the names of the container lists in which defaulting may fill in fields. In an
 * existing pod, only added containers may change.
 */
const LISTS = '(variables.ephemeral ? ["ephemeralContainers"] : ["initContainers", "containers"])';
/** A CEL expression of type list: the containers in the list that `l` names. */
const CONTAINERS =
  '(l == "containers" ? variables.spec.containers : l == "initContainers" ? variables.spec.?initContainers.orValue([]) : variables.spec.?ephemeralContainers.orValue([]))';
const IS_FILLED = '!variables.ephemeral || variables.added.exists(a, a.name == c.name)';

function podPatches(fills: readonly Filling[]): string {
  const patch = (path: readonly string[], when: string, value: string) =>
    `(${when} ? [JSONPatch{op: "add", path: ${JSON.stringify(`/spec/${path.join('/')}`)}, value: ${value}}] : [])`;
  const patches = [
    ...parentsOf(fills).map(({ path, when }) => patch(path, and(isAbsent('variables.spec', path), when), '{}')),
    ...fills.map(({ path, when, value }) => patch(path, when, value)),
  ];
  return patches.join(' + ') || '[]';
}

/** The patches of the containers in the list `l`. */
function containerPatches(fills: readonly Filling[]): string[] {
  const patch = (path: readonly string[], when: string, value: string) =>
    `${CONTAINERS}.transformList(i, c, ${and(IS_FILLED, when)}, JSONPatch{op: "add", path: "/spec/" + l + "/" + string(i) + ${JSON.stringify(`/${path.join('/')}`)}, value: ${value}})`;
  return [
    ...parentsOf(fills).map(({ path, when }) => patch(path, and(isAbsent('c', path), when), '{}')),
    ...fills.map(({ path, when, value }) => patch(path, when, value)),
  ];
}

/**
 * Before a patch can set some fields, the parent objects of these fields must exist. Returns these parent objects. With
 * each parent object, the result has the condition under which a patch creates the object. An outer object comes before
 * its inner objects.
 */
function parentsOf(fills: readonly Filling[]): { readonly path: readonly string[]; readonly when: string }[] {
  const depth = Math.max(1, ...fills.map(({ path }) => path.length));
  return Array.from({ length: depth - 1 }, (_, i) => i + 1).flatMap((length) => {
    const deeper = fills.filter(({ path }) => path.length > length);
    return [...Map.groupBy(deeper, ({ path }) => path.slice(0, length).join('.'))].map(([path, inside]) => ({
      path: path.split('.'),
      when: [...new Set(inside.map(({ when }) => `(${when})`))].join(' || '),
    }));
  });
}

function isAbsent(part: string, path: readonly string[]): string {
  return `!${part}.?${path.join('.?')}.hasValue()`;
}

/**
 * The patches that set the annotation with the policy's name. An update of ephemeral containers cannot change the pod's
 * metadata, and therefore gets no patch for the annotation.
 */
function annotationPatches(): string {
  const name = 'variables.named[0].name[0]';
  // A policy without defaulting does not change pods.
  const isFilling = `variables.named.size() > 0 && ${IS_ENABLED.replaceAll('p.', 'variables.named[0].')}`;
  const differs = `${isFilling} && !variables.ephemeral && ${ADMITTED_BY_NOW} != ${name}`;
  return `(${differs} ? (object.metadata.?annotations.hasValue() ? [] : [JSONPatch{op: "add", path: "/metadata/annotations", value: {}}]) + [JSONPatch{op: "add", path: ${pathOfAnnotation(ADMITTED_BY)}, value: ${name}}] : [])`;
}

/** The path of an annotation, as a JSON Pointer (RFC 6901). */
function pathOfAnnotation(key: string): string {
  return JSON.stringify(`/metadata/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
}
