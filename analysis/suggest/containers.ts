/** Converts overrides that only some containers need to entries of `spec.containers`. */
import { isStatedBy } from '../../operator/evaluate/own-entries.ts';
import { containersOf, withContainers } from '../../operator/model/containers.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Rule, Stated } from '../../operator/rules/rule.ts';
import { type Fitting, statedOf } from './fit.ts';
import { policyChecksFor, resolvedBy } from './stated.ts';

/**
 * Overrides by container. Overrides for single containers are tighter than overrides for the whole pod, because other
 * containers keep the values of the level.
 */
export interface ByContainer {
  /** The overrides for the pods as a whole. */
  readonly stated: Stated;
  readonly containers: readonly StatedContainers[];
}

export interface StatedContainers {
  readonly names: readonly string[];
  readonly stated: Stated;
}

/** The API's limit for entries and for names of containers. */
const MOST = 16;
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * @returns undefined if every container needs the overrides, or if entries of `spec.containers` cannot state the
 * overrides
 */
export function statedByContainer(
  stated: Stated,
  pods: readonly PodContent[],
  fitting: Fitting,
): ByContainer | undefined {
  const all = new Set(pods.flatMap(namesIn));
  const needing = RULES.flatMap((rule) => {
    const names = rule.ofContainer && isStated(rule, stated) ? needingContainers(rule, pods, fitting) : undefined;
    return names && names.size < all.size ? [{ rule, names }] : [];
  });
  const entries = [...new Set(needing.flatMap(({ names }) => [...names]))].map((name) => {
    const rules = needing.filter(({ names }) => names.has(name)).map(({ rule }) => rule);
    return { name, stated: statedForContainer(name, rules, pods, fitting) };
  });
  const containers = grouped(entries);
  if (containers.length === 0 || !isAccepted(containers)) return undefined;
  const rest = Object.entries(stated).filter(([path]) => !needing.some(({ rule }) => isStatedBy(path, rule)));
  const result = { stated: Object.fromEntries(rest), containers };
  const policy = resolvedBy(result.stated, fitting.standard, 'Subjects', containers);
  return pods.every((pod) => fitting.evaluator.violations(pod, policy).length === 0) ? result : undefined;
}

function isStated(rule: Rule, stated: Stated): boolean {
  return Object.keys(stated).some((path) => isStatedBy(path, rule));
}

/** The names of the containers that the level refuses; undefined if the level refuses a field of the pod itself. */
function needingContainers(
  rule: Rule,
  pods: readonly PodContent[],
  { standard, evaluator }: Fitting,
): ReadonlySet<string> | undefined {
  const policyChecks = policyChecksFor(rule, {}, standard);
  const violations = pods.flatMap((pod) => evaluator.violations(pod, policyChecks));
  const names = violations.flatMap(({ container }) => container ?? []);
  return names.length > 0 && names.length === violations.length ? new Set(names) : undefined;
}

function statedForContainer(
  name: string,
  rules: readonly Rule[],
  pods: readonly PodContent[],
  fitting: Fitting,
): Stated | undefined {
  const only = pods.filter((pod) => namesIn(pod).includes(name)).map((pod) => withOnly(name, pod));
  const all = rules.map((rule) => statedOf(rule, only, fitting));
  return all.includes(undefined) ? undefined : Object.assign({}, ...all);
}

/**
 * The entries for containers. Containers with equal needs share an entry. The list is empty if an entry cannot state
 * the needs of some container.
 */
function grouped(
  entries: readonly { readonly name: string; readonly stated: Stated | undefined }[],
): StatedContainers[] {
  if (entries.some(({ stated }) => stated === undefined)) return [];
  return [...Map.groupBy(entries, ({ stated }) => JSON.stringify(stated)).values()].map((equal) => ({
    names: equal.map(({ name }) => name).sort(),
    stated: equal[0]?.stated ?? {},
  }));
}

function isAccepted(containers: readonly StatedContainers[]): boolean {
  const names = containers.flatMap((entry) => entry.names);
  return containers.length <= MOST && names.length <= MOST && names.every((name) => NAME.test(name));
}

export function withOnly(name: string, { annotations, spec }: PodContent): PodContent {
  return { annotations, spec: withContainers(spec, (list) => list.filter((one) => one.name === name)) };
}

function namesIn({ spec }: PodContent): string[] {
  return containersOf(spec).map(({ name }) => name);
}
