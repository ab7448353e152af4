/**
 * Finds the grants of a policy. A grant is a single value or entry of the overrides. If the value or entry were
 * removed, the policy would admit less. The examples of the rules show which values admit more. This file therefore
 * does not name any rule.
 */
import type {
  CapabilityPolicyOverrides,
  CompleteSpec,
  ContainerOverrides,
  NamedContainers,
  Subject,
} from '../api/capability-policy.ts';
import { overridesOf } from '../policy/containers.ts';
import { perObject } from '../policy/memo.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { runToEnd, shared } from '../policy/run-to-end.ts';
import { RULES } from '../rules/index.ts';
import type { Rule } from '../rules/rule.ts';
import { NEWEST_KNOWN_MINOR, type Standard } from '../standards/level-version.ts';
import { bounded } from '../text/printable.ts';
import { examplePod } from './example-pods.ts';
import { isStatedBy, ownEntries } from './own-entries.ts';
import { Evaluator } from './violations.ts';

/** Evaluates the examples of the rules. */
const evaluator = new Evaluator();

/** A part of a policy that can be removed: a value, or an entry of a list. */
export interface Grant {
  /** The path of the value or list in the policy, such as `spec.overrides.hostPaths`. */
  readonly path: string;
  /** The entry of the list as text. The field is absent if the grant is a value. */
  readonly entry?: string;
}

/** A text that identifies the grant in its policy. */
export function keyOf({ path, entry }: Grant): string {
  return entry === undefined ? path : `${path} ${entry}`;
}

/** The maximum length of a path or an entry in a status, in characters. The CRD has the same limit. */
const STATUS_TEXT = 256;

/** Returns the grant in the form in which a status lists grants. In a status, long texts are cut. */
export function grantInStatus({ path, entry }: Grant): Grant {
  return { path: bounded(path, STATUS_TEXT), ...(entry !== undefined && { entry: bounded(entry, STATUS_TEXT) }) };
}

/**
 * Finds the item for the given grant in the list of a status. The result is undefined if the status has no such item.
 */
export function sameGrant<One extends Grant>(grant: Grant, listed: readonly One[]): One | undefined {
  const key = keyOf(grantInStatus(grant));
  return listed.find((one) => keyOf(one) === key);
}

/**
 * Converts an entry of a list to text. A string stays unchanged. An entry that is not a string becomes JSON with sorted
 * keys, as the API server writes JSON.
 */
export function entryText(entry: unknown): string {
  if (typeof entry === 'string') return entry;
  return JSON.stringify(entry, isObject(entry) ? Object.keys(entry).sort() : undefined);
}

/**
 * Returns the grant. If the status lists the grant, the result also says since when no workload has needed the grant.
 */
export function withSince(grant: Grant, listed: readonly (Grant & Since)[]): Grant & Partial<Since> {
  const known = sameGrant(grant, listed);
  return { ...grant, ...(known && { since: known.since }) };
}

interface Since {
  readonly since: string;
}

/**
 * Returns the grants of the policy's overrides, in the order of the policy's spec. The values in an entry of
 * `spec.containers` come before the entry itself.
 */
export function grantsOf(policy: ResolvedPolicy): readonly Grant[] {
  return runToEnd(findingGrants(policy));
}

/** Does what grantsOf() does, in steps. */
export function findingGrants(policy: ResolvedPolicy): Generator<void, readonly Grant[]> {
  return knownGrants(policy)();
}

const knownGrants = perObject((policy: ResolvedPolicy) => shared(() => findingGrantsAnew(policy)));

function* findingGrantsAnew({ spec, standard, defaulting }: ResolvedPolicy): Generator<void, readonly Grant[]> {
  const { overrides = {}, containers = [] } = spec;
  const complete = (stated: CapabilityPolicyOverrides) => stated;
  const all = yield* findingGrantsIn('spec.overrides', overrides, { standard, defaulting, complete });
  for (const [index, entry] of containers.entries()) {
    const path = `spec.containers[${index}]`;
    const complete = (stated: ContainerOverrides) => overridesOf({ ...entry, overrides: stated }, spec);
    const stating = { standard, defaulting, complete };
    const grants = yield* findingGrantsIn(`${path}.overrides`, entry.overrides ?? {}, stating);
    all.push(...grants);
    if (grants.length > 0 && isNothingWithout(grants, entry, index, { spec, standard })) all.push({ path });
  }
  return all;
}

/**
 * Whether the entry of `spec.containers` has no effect without its grants. If the entry also restricts its containers,
 * the policy would admit more without the entry. An entry that selects containers of another entry is kept, because
 * both entries restrict these containers.
 */
function isNothingWithout(
  grants: readonly Grant[],
  entry: NamedContainers,
  index: number,
  { spec, standard }: Pick<ResolvedPolicy, 'spec' | 'standard'>,
): boolean {
  const { overrides = {}, containers = [] } = spec;
  const isShared = containers.some(
    (other, i) => i !== index && (other.names ?? []).some((name) => entry.names?.includes(name)),
  );
  if (isShared) return false;
  const rest = without(`spec.containers[${index}].overrides`, entry.overrides ?? {}, new Set(grants.map(keyOf)));
  const values = (all: CapabilityPolicyOverrides) => JSON.stringify(RULES.map(({ value }) => value(all, standard)));
  return values(overridesOf({ ...entry, overrides: rest }, spec)) === values(overrides);
}

/** Returns a subject of a policy as a grant. Without the subject, the policy would admit the pods of fewer users. */
export function subjectGrant({ kind, namespace, name }: Subject, index: number): Grant {
  return { path: `spec.subjects[${index}]`, entry: `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}` };
}

/** Returns the spec without some of its grants. @param keys the keys of the grants to remove */
export function withoutGrants(spec: CompleteSpec, keys: ReadonlySet<string>): CompleteSpec {
  const { overrides, containers, subjects } = spec;
  return {
    ...spec,
    ...(subjects && { subjects: subjects.filter((subject, i) => !keys.has(keyOf(subjectGrant(subject, i)))) }),
    ...(overrides && { overrides: without('spec.overrides', overrides, keys) }),
    ...(containers && {
      containers: containers.flatMap((entry, index) => {
        const path = `spec.containers[${index}]`;
        if (keys.has(path)) return [];
        return [{ ...entry, overrides: without(`${path}.overrides`, entry.overrides ?? {}, keys) }];
      }),
    }),
  };
}

function without<Value extends object>(path: string, value: Value, keys: ReadonlySet<string>): Value {
  const kept = Object.entries(value).flatMap(([field, inner]): [string, unknown][] => {
    const at = `${path}.${field}`;
    if (keys.has(at)) return [];
    if (Array.isArray(inner)) {
      return [[field, inner.filter((entry) => !keys.has(keyOf({ path: at, entry: entryText(entry) })))]];
    }
    if (!isObject(inner)) return [[field, inner]];
    const rest = without(at, inner, keys);
    return Object.keys(rest).length === 0 && Object.keys(inner).length > 0 ? [] : [[field, rest]];
  });
  return Object.fromEntries(kept) as Value;
}

interface Stating<Stated> {
  readonly standard: Standard;
  readonly defaulting: boolean;
  /** Completes the overrides that the policy states. Returns the overrides that are in effect. */
  complete(stated: Stated): CapabilityPolicyOverrides;
}

function* findingGrantsIn<Stated extends object>(
  path: string,
  stated: Stated,
  stating: Stating<Stated>,
): Generator<void, Grant[]> {
  const lists = yield* listsOfAdmitted();
  const before = stating.complete(stated);
  const found: Grant[] = [];
  for (const { grant, relative, entry } of removableIn(path, stated, lists)) {
    if (entry !== undefined && ownEntries(relative, stating.standard).includes(entry)) continue;
    yield;
    const after = stating.complete(without(path, stated, new Set([keyOf(grant)])));
    const change = changeBetween(before, after, stating);
    // If somebody removed the value, defaulting would fill in other values than before. The pods might then stop
    // working.
    if (stating.defaulting && change.fills) continue;
    if (entry === undefined ? change.tightens : change.changed && !change.admitsCrowded) found.push(grant);
  }
  return found;
}

interface Removable {
  readonly grant: Grant;
  /** The path below the overrides, such as `seccomp.types`. */
  readonly relative: string;
  /** The entry of the list. The field is undefined for a value. */
  readonly entry?: unknown;
}

/**
 * Returns the values and list entries that can be removed separately. The result has the entries of a list only if
 * every entry of the list admits something.
 */
function removableIn(path: string, stated: object, lists: ReadonlySet<string>): Removable[] {
  return Object.entries(stated).flatMap(([field, value]) => {
    const whole = { grant: { path: `${path}.${field}` }, relative: field };
    if (!isObject(value)) return entriesOr(whole, value, lists);
    const inner = Object.entries(value).flatMap(([name, one]) =>
      entriesOr({ grant: { path: `${path}.${field}.${name}` }, relative: `${field}.${name}` }, one, lists),
    );
    const byField = RULES.some(({ id, byField }) => id === field && byField);
    return byField ? inner : [whole, ...inner.filter(({ entry }) => entry !== undefined)];
  });
}

function entriesOr(whole: Removable, value: unknown, lists: ReadonlySet<string>): Removable[] {
  if (!Array.isArray(value) || !lists.has(whole.relative)) return [whole];
  const { path } = whole.grant;
  return value.map((entry) => ({ ...whole, grant: { path, entry: entryText(entry) }, entry }));
}

interface Change {
  /** Whether the change gives some rule another value. */
  readonly changed: boolean;
  /**
   * Whether the change makes a policy tighter. A policy gets tighter if some example of the changed rules gets more
   * violations, and no example gets fewer violations.
   */
  readonly tightens: boolean;
  /** Whether the change makes a rule admit a pod with very many volumes. */
  readonly admitsCrowded: boolean;
  /** Whether the change makes defaulting fill in another value. */
  readonly fills: boolean;
}

function changeBetween(
  before: CapabilityPolicyOverrides,
  after: CapabilityPolicyOverrides,
  { standard }: Pick<Stating<never>, 'standard'>,
): Change {
  const changed = RULES.map((rule) => ({
    rule,
    from: rule.value(before, standard),
    to: rule.value(after, standard),
  })).filter(({ from, to }) => JSON.stringify(from) !== JSON.stringify(to));
  const differences = changed.flatMap(({ rule, from, to }) => differencesOf(rule, [from, to], standard));
  return {
    changed: changed.length > 0,
    tightens: differences.some((one) => one > 0) && !differences.some((one) => one < 0),
    admitsCrowded: changed.some(({ rule, from, to }) =>
      differencesOf(rule, [from, to], standard, crowdedPods(rule)).some((one) => one < 0),
    ),
    fills: changed.some(
      ({ rule, from, to }) => JSON.stringify(rule.fills(from, standard)) !== JSON.stringify(rule.fills(to, standard)),
    ),
  };
}

/**
 * Returns a number for each pod, by default for each example pod of the rule. The number says how many more violations
 * the pod has with the second value than with the first value.
 */
function differencesOf(
  rule: Rule,
  values: readonly [unknown, unknown],
  standard: Standard,
  pods = examplePods(rule),
): number[] {
  const checks = values.map((value) => [{ rule: rule.id, checks: rule.checks(value, standard) }]);
  return pods.map((pod) => {
    const [from = 0, to = 0] = checks.map(
      (one) => evaluator.violations(pod, { checks: one, filledChecks: one }).length,
    );
    return to - from;
  });
}

const examplePods = perObject(({ examples }: Rule) =>
  examples.flatMap(({ admits, refuses }) => [...admits, ...refuses]).map(examplePod),
);

/** More volumes than any rule examines in a pod. */
const MANY_VOLUMES = 300;

/**
 * A pod with very many volumes, for rules about volumes. A rule may refuse such a pod only because some entries of its
 * list are costly to check.
 */
const crowdedPods = perObject(({ examples }: Rule) => {
  const isAboutVolumes = examples.some(({ admits, refuses }) =>
    [...admits, ...refuses].some(({ spec }) => spec?.volumes),
  );
  const volumes = Array.from({ length: MANY_VOLUMES }, (_, i) => ({ name: `data-${i}`, emptyDir: {} }));
  return isAboutVolumes ? [examplePod({ spec: { volumes } })] : [];
});

/**
 * The paths of the lists in which each entry admits something. The function finds these lists by the examples of the
 * rules. If somebody removes an entry from one of these lists, the rule refuses at least one more example and admits no
 * additional example.
 */
const listsOfAdmitted = shared(findingListsOfAdmitted);

function* findingListsOfAdmitted(): Generator<void, ReadonlySet<string>> {
  const differences = new Map<string, number[]>();
  for (const rule of RULES) {
    for (const example of rule.examples) {
      for (const { path, list } of listsStatedIn(example, rule)) {
        yield;
        const found = list.flatMap((entry) => differencesWithout(entry, path, example, rule));
        differences.set(path, [...(differences.get(path) ?? []), ...found]);
      }
    }
  }
  const admitting = [...differences].filter(([, all]) => all.some((one) => one > 0) && !all.some((one) => one < 0));
  return new Set(admitting.map(([path]) => path));
}

function listsStatedIn({ overrides }: Rule['examples'][number], rule: Rule): ListAtPath[] {
  return Object.entries(overrides)
    .flatMap(([field, value]) => listsIn(field, value))
    .filter(({ path }) => isStatedBy(path, rule));
}

function differencesWithout(
  entry: unknown,
  path: string,
  { overrides, level = 'restricted' }: Rule['examples'][number],
  rule: Rule,
): number[] {
  const standard = { level, minor: NEWEST_KNOWN_MINOR, server: NEWEST_KNOWN_MINOR };
  const key = keyOf({ path: `overrides.${path}`, entry: entryText(entry) });
  const after = without('overrides', overrides, new Set([key]));
  return differencesOf(rule, [rule.value(overrides, standard), rule.value(after, standard)], standard);
}

interface ListAtPath {
  readonly path: string;
  readonly list: readonly unknown[];
}

function listsIn(path: string, value: unknown): ListAtPath[] {
  if (Array.isArray(value)) return [{ path, list: value }];
  return isObject(value) ? Object.entries(value).flatMap(([field, inner]) => listsIn(`${path}.${field}`, inner)) : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
