/** Converts overrides that only some containers need into entries of `spec.containers`. */
import { isStatedBy } from '../../operator/evaluate/own-entries.ts';
import { containersOf, withContainers } from '../../operator/model/containers.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Rule, Stated } from '../../operator/rules/rule.ts';
import { baseOf, type Fitting, statedOf } from './fit.ts';
import { imagesOf } from './images.ts';
import { policyChecksFor, resolvedBy, type StatedContainers } from './stated.ts';

/**
 * Overrides that are split by container. Overrides for single containers are stricter than overrides for the whole pod,
 * because other containers keep the values of the level.
 */
export interface ByContainer {
  /** The overrides that apply to whole pods. */
  readonly stated: Stated;
  readonly containers: readonly StatedContainers[];
}

/** The API's limit for the number of entries, and for the number of container names in an entry. */
const MOST = 16;
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * @returns undefined if every container needs the overrides, or if entries of `spec.containers` cannot contain the
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
  const containers = grouped(entries).map((entry) => ({ ...entry, ...imagesOf(entry.names, pods) }));
  if (containers.length === 0 || !isAccepted(containers)) return undefined;
  const rest = Object.entries(stated).filter(([path]) => !needing.some(({ rule }) => isStatedBy(path, rule)));
  const kept = needing.map(({ rule }) => baseOf(rule, fitting));
  const result = { stated: Object.assign(Object.fromEntries(rest), ...kept), containers };
  const policy = resolvedBy(result.stated, fitting.standard, 'Subjects', containers);
  return pods.every((pod) => fitting.evaluator.violations(pod, policy).length === 0) ? result : undefined;
}

function isStated(rule: Rule, stated: Stated): boolean {
  return Object.keys(stated).some((path) => isStatedBy(path, rule));
}

/**
 * The names of the containers that the rule refuses without an exception. The result is undefined if the rule refuses a
 * field of the pod itself.
 */
function needingContainers(rule: Rule, pods: readonly PodContent[], fitting: Fitting): ReadonlySet<string> | undefined {
  const policyChecks = policyChecksFor(rule, baseOf(rule, fitting), fitting.standard);
  const violations = pods.flatMap((pod) => fitting.evaluator.violations(pod, policyChecks));
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
 * The entries for containers. Containers with equal needs share an entry. The list is empty if an entry cannot express
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
