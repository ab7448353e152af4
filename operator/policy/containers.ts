/**
 * Reads `spec.containers`. Each entry in the list selects containers by name and image. The entry has overrides for
 * these containers. If an entry selects a container, the container has the values of the entry. All other containers,
 * the pod itself and its volumes have the values of `spec.overrides`.
 */
import type { CapabilityPolicyOverrides, ContainerOverrides, NamedContainers } from '../api/capability-policy.ts';
import { and, literal, matchesAny, or } from '../rules/cel.ts';
import { RULES } from '../rules/index.ts';
import { type Check, checksOf, type Fill, type Fix, fillsOf, type Rule } from '../rules/rule.ts';
import { LiteralValues } from '../rules/values.ts';
import type { Standard } from '../standards/level-version.ts';

/** An entry of `spec.containers`. */
export interface ContainerEntry {
  readonly names: readonly string[];
  /** The images that the entry selects. If the value is undefined, the entry selects any image. */
  readonly images: readonly string[] | undefined;
  /** A CEL expression of type bool. The expression is true if container `c` belongs to the entry. */
  readonly selects: string;
  /**
   * The values for the containers of the entry, if these values differ from the values for the pod. The key is the
   * rule's ID.
   */
  readonly values: Readonly<Record<string, unknown>>;
}

interface Stated {
  readonly overrides?: CapabilityPolicyOverrides;
  readonly containers?: readonly NamedContainers[];
}

/** @param values the values of `spec.overrides`. The key is the rule's ID */
export function containerEntries(
  spec: Stated,
  standard: Standard,
  values: Readonly<Record<string, unknown>>,
): ContainerEntry[] {
  return (spec.containers ?? []).map((entry) => {
    const overrides = overridesOf(entry, spec);
    const own = RULES.filter(({ ofContainer }) => ofContainer)
      .map(({ id, value }) => [id, value(overrides, standard)] as const)
      .filter(([id, value]) => JSON.stringify(value) !== JSON.stringify(values[id]));
    const { names = [], images } = entry;
    return { names, images, selects: selectsCel(names, images), values: Object.fromEntries(own) };
  });
}

/**
 * The overrides for the containers of an entry. A value that the entry does not set comes from the policy's overrides.
 */
export function overridesOf(entry: NamedContainers, { overrides = {} }: Stated): CapabilityPolicyOverrides {
  return replaced(overrides, entry.overrides ?? {});
}

/** Returns the overrides of a policy, and the overrides of each entry in its `containers`. */
export function statedIn({ overrides = {}, containers = [] }: Stated): ContainerOverrides[] {
  return [overrides, ...containers.map((entry) => entry.overrides ?? {})];
}

/** Returns the policy's overrides. The values of an entry replace single values of these overrides. */
function replaced(overrides: CapabilityPolicyOverrides, own: ContainerOverrides): CapabilityPolicyOverrides {
  const merged = RULES.filter(({ id, byField }) => byField && Object.hasOwn(own, id)).map(({ id }) => {
    const field = id as keyof ContainerOverrides;
    return [field, { ...(overrides[field] as object | undefined), ...(own[field] as object) }] as const;
  });
  return { ...overrides, ...own, ...Object.fromEntries(merged) };
}

function selectsCel(names: readonly string[], images: readonly string[] | undefined): string {
  return and(`c.name in ${literal(names)}`, images && matchesAny('c.?image.orValue("")', images));
}

/**
 * The values of one rule. `value` applies to the pod and to most containers. `entries` lists the entries that have
 * another value.
 */
export interface RuleValues {
  readonly rule: Rule;
  readonly value: unknown;
  readonly entries: readonly { readonly index: number; readonly selects: string; readonly value: unknown }[];
}

export function ruleValues(
  rule: Rule,
  values: Readonly<Record<string, unknown>>,
  entries: readonly ContainerEntry[],
): RuleValues {
  return {
    rule,
    value: values[rule.id],
    entries: entries.flatMap(({ selects, values: own }, index) =>
      Object.hasOwn(own, rule.id) ? [{ index, selects, value: own[rule.id] }] : [],
    ),
  };
}

/** @param filled whether the expression evaluates the pod after defaulting */
export function checksOfRule({ rule, value, entries }: RuleValues, standard: Standard, filled: boolean): Check[] {
  if (entries.length === 0) return rule.checks(value, standard, filled);
  const { ofContainer } = rule;
  const except = exceptCel(entries);
  return [
    ...rule.checks(value, standard, filled, except).map((check) => withoutEntries(check, except)),
    ...entries.flatMap(({ index, selects, value: own }) => {
      const valuesOf = (one: unknown) => new LiteralValues(rule.columns(one, standard));
      const checks =
        typeof ofContainer === 'object'
          ? checksOf(ofContainer.tests(valuesOf(own), { filled, ...(filled && { ofPod: valuesOf(value) }) }))
          : rule.checks(own, standard, filled);
      return checks.map((check) => ({
        ...check,
        entry: selects,
        violates: and(selects, check.violates),
        message: `(${check.message}) + ${literal(`, by spec.containers[${index}]`)}`,
      }));
    }),
  ];
}

export function fillsOfRule({ rule, value, entries }: RuleValues, standard: Standard): Fill[] {
  const fills = rule.fills(value, standard);
  if (entries.length === 0) return fills;
  const { ofContainer } = rule;
  const except = exceptCel(entries);
  return [
    ...fills.map((fill) => (fill.over === 'pod' ? fill : { ...fill, when: and(`!(${except})`, fill.when) })),
    ...entries.flatMap(({ selects, value: own }) => {
      const ofEntry =
        typeof ofContainer === 'object'
          ? fillsOf(ofContainer.fillings?.(new LiteralValues(rule.columns(own, standard))) ?? [])
          : rule.fills(own, standard);
      return ofEntry.map((fill) => ({ ...fill, when: and(selects, fill.when) }));
    }),
  ];
}

/** The fixes that end violations, in the order in which they are applied. */
export function fixesOfRule({ rule, value, entries }: RuleValues, standard: Standard): Fix[] {
  const fixes = rule.fixes?.(value, standard) ?? [];
  if (entries.length === 0) return fixes;
  const { ofContainer } = rule;
  const except = exceptCel(entries);
  const own = fixes
    .filter(({ inherited }) => !inherited)
    .map((fix) => (fix.over === 'containers' ? { ...fix, when: and(`!(${except})`, fix.when) } : fix));
  const ofEntries = entries.flatMap(({ selects, value: ofEntry }) => {
    const separate = typeof ofContainer === 'object' ? ofContainer.fixes : undefined;
    const all = (separate ?? rule.fixes)?.(ofEntry, standard) ?? [];
    return all.filter(({ over }) => over === 'containers').map((fix) => ({ ...fix, when: and(selects, fix.when) }));
  });
  return [...own, ...ofEntries];
}

function exceptCel(entries: RuleValues['entries']): string {
  return or(...entries.map(({ selects }) => selects));
}

/**
 * Excludes containers from the check of the pod's fields. If a container's entry sets another value, a violation in the
 * pod's fields does not count for the container. The check still covers the pod's own fields.
 */
function withoutEntries(check: Check, except: string): Check {
  if (check.over === 'containers') return { ...check, violates: and(`!(${except})`, check.violates) };
  return check.reaches === undefined ? check : { ...check, reaches: and(`!(${except})`, check.reaches) };
}
