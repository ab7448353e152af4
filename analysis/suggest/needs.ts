/**
 * For each override, finds the workloads that need the override, and advice that could make the override unnecessary.
 */
import { isDeepStrictEqual } from 'node:util';
import { isStatedBy, ownEntries } from '../../operator/evaluate/own-entries.ts';
import type { Evaluator, Violation } from '../../operator/evaluate/violations.ts';
import type { WorkloadName } from '../../operator/evaluate/workloads.ts';
import { valuesByKey } from '../../operator/model/by-key.ts';
import type { PodContent, PodSpec } from '../../operator/model/objects.ts';
import { valueAt } from '../../operator/model/raw.ts';
import { perObject } from '../../operator/policy/memo.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Rule, Stated } from '../../operator/rules/rule.ts';
import { findings } from '../capabilities/findings.ts';
import { type Fitting, isNarrowed } from './fit.ts';
import { policyChecksFor } from './stated.ts';
import type { Workload } from './workloads.ts';

/** An override with a single value. Without the override, the value of the level applies. */
export interface StatedOverride {
  /** The path of the override below `spec.overrides`, such as `capabilities.allowedAdd`. */
  readonly path: string;
  readonly value: unknown;
  /** The needs, sorted by workload, container and entry. The list is empty if the override only narrows the policy. */
  readonly needs: readonly Need[];
  /**
   * Whether an existing policy already has the same override. The rules of this policy are the starting point for the
   * suggested exception.
   */
  readonly kept?: true;
}

export interface Need {
  readonly workload: WorkloadName;
  readonly container?: string;
  /** The entry of the override's list that the workload needs. */
  readonly entry?: unknown;
  /**
   * The level's own requirement as a text for users. The field is absent if the level's own list contains the entry.
   */
  readonly change?: string;
  /** The messages of findings for users. Following the advice could make the need unnecessary. */
  readonly advice: readonly string[];
}

/** @returns the overrides in the given order. Each override has its sorted needs without duplicates */
export function needsOf(stated: Stated, workloads: readonly Workload[], fitting: Fitting): StatedOverride[] {
  const shapes = shapesOf(workloads);
  return Object.entries(stated).map(([path, value]) => {
    const without = withoutIt(path, stated, fitting);
    const found = shapes.flatMap((shape) => ofOwners(shape, needsOfShape(without, shape, fitting.evaluator)));
    const kept = isDeepStrictEqual(fitting.base?.[path], value);
    return { path, value, needs: kept ? [] : sortedOnce(found), ...(kept && { kept }) };
  });
}

/**
 * Evaluates the workloads as if each given rule had the level's value. Returns the needs of the workloads that violate
 * a rule.
 */
export function obstaclesOf(
  rules: readonly Rule[],
  workloads: readonly Workload[],
  { standard, evaluator }: Fitting,
): Need[] {
  const level = rules.map((rule) => policyChecksFor(rule, {}, standard));
  const found = shapesOf(workloads).flatMap((shape) =>
    ofOwners(
      shape,
      brokenBy(level, shape, evaluator).map((violation) => needOf(violation, shape)),
    ),
  );
  return sortedOnce(found);
}

/** A distinct pod, and the workloads that own equal pods. Each distinct pod is evaluated once. */
interface Shape {
  readonly content: PodContent;
  readonly owners: readonly WorkloadName[];
}

const findingsOf = perObject((spec: PodSpec) => findings(spec));

function shapesOf(workloads: readonly Workload[]): Shape[] {
  const all = workloads.flatMap(({ name, pods }) => pods.map((content) => ({ name, content })));
  const groups = Map.groupBy(all, ({ content }) => JSON.stringify(content));
  return [...groups.values()].flatMap((equal) => {
    const [first] = equal;
    return first ? [{ content: first.content, owners: equal.map(({ name }) => name) }] : [];
  });
}

type ShapeNeed = Omit<Need, 'workload'>;

function ofOwners({ owners }: Shape, needs: readonly ShapeNeed[]): Need[] {
  return needs.flatMap((need) => owners.map((workload): Need => ({ workload, ...need })));
}

type PolicyChecks = ReturnType<typeof policyChecksFor>;

/**
 * The field `override` contains the checks of the policy without the whole override. The field `entries` contains, for
 * each entry of the override's list, the checks of the policy without this entry.
 */
interface Without {
  readonly override: readonly PolicyChecks[];
  readonly entries: readonly { readonly entry: unknown; readonly remaining: readonly PolicyChecks[] }[];
}

function withoutIt(path: string, stated: Stated, fitting: Fitting): Without {
  const { standard } = fitting;
  const { [path]: value, ...others } = stated;
  const rules = RULES.filter((rule) => isStatedBy(path, rule));
  const by = (overrides: Stated) => rules.map((rule) => policyChecksFor(rule, overrides, standard));
  const list = Array.isArray(value) && !value.includes('*') ? value : [];
  const own = rules.some((rule) => isNarrowed(rule, fitting)) ? [] : ownEntries(path, standard);
  return {
    override: by(others),
    entries: list
      .filter((entry) => !own.includes(entry))
      .map((entry) => ({ entry, remaining: by({ ...stated, [path]: list.filter((one) => one !== entry) }) })),
  };
}

function needsOfShape({ override, entries }: Without, shape: Shape, evaluator: Evaluator): ShapeNeed[] {
  const byLevel = brokenBy(override, shape, evaluator);
  const byEntry = entries.flatMap(({ entry, remaining }) =>
    brokenBy(remaining, shape, evaluator).map((violation): ShapeNeed => {
      const change = byLevel.find((one) => one.path === violation.path && isAbout(entry, one))?.message;
      return { ...partOf(violation), entry, ...(change && { change }), advice: adviceOn(violation, shape, entry) };
    }),
  );
  return byEntry.length > 0 ? byEntry : byLevel.map((violation) => needOf(violation, shape));
}

function brokenBy(remaining: readonly PolicyChecks[], { content }: Shape, evaluator: Evaluator): Violation[] {
  return remaining.flatMap((policyChecks) => evaluator.violations(content, policyChecks));
}

function needOf(violation: Violation, shape: Shape): ShapeNeed {
  return { ...partOf(violation), change: violation.message, advice: adviceOn(violation, shape) };
}

/**
 * Whether a violation is about the given entry of a list. A message names the violation first and the accepted values
 * last. Only the first part of the message is therefore searched.
 */
function isAbout(entry: unknown, { message }: Violation): boolean {
  if (typeof entry !== 'string') return true;
  const wrong = message.replace(/ \([^(]*\)$/, '');
  return wrong.split(/[\s,=]+/).includes(entry);
}

function partOf({ container }: Violation): { container?: string } {
  return container === undefined ? {} : { container };
}

/**
 * Returns the findings about the field that causes the violation. For an entry of a list, the result has only the
 * findings about this entry.
 */
function adviceOn({ path, container }: Violation, shape: Shape, entry?: unknown): string[] {
  return findingsOf(shape.content.spec)
    .filter((finding) => finding.container === container && finding.path.startsWith(path))
    .filter((finding) => {
      // The path of a finding has the form `containers[0].securityContext.capabilities.add[1]`.
      const at = valueAt(shape.content.spec, finding.path.match(/\w+/g) ?? []);
      return entry === undefined || typeof at !== 'string' || at === entry;
    })
    .map(({ message }) => message);
}

function sortedOnce(needs: readonly Need[]): Need[] {
  const key = ({ workload, container, entry }: Need) =>
    JSON.stringify([workload.namespace, workload.kind, workload.name, container ?? '', entry ?? '']);
  return valuesByKey(new Map(needs.map((need) => [key(need), need])));
}
