/** Finds overrides for a single policy that admits the given pods. */
import { isStatedBy, ownEntries } from '../../operator/evaluate/own-entries.ts';
import type { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Rule, Stated } from '../../operator/rules/rule.ts';
import type { Standard } from '../../operator/standards/level-version.ts';
import { policyChecksFor } from './stated.ts';

export interface Fitting {
  readonly standard: Standard;
  /**
   * Whether to narrow the policy. If the policy is narrowed, lists contain only the values that the pods use. Rules
   * that no level restricts get overrides, too.
   */
  readonly narrow: boolean;
  /**
   * Whether the pods have only the capabilities that they used. If the value is true, the overrides of the rules about
   * capabilities admit only the used capabilities.
   */
  readonly used?: boolean;
  /**
   * The overrides of the existing policy for which an exception is suggested. If the pods satisfy one of these
   * overrides, the exception keeps the override. By default, an exception starts from the level without overrides.
   */
  readonly base?: Stated;
  readonly evaluator: Evaluator;
}

export function isNarrowed(rule: Rule, { narrow, used = false, standard }: Omit<Fitting, 'evaluator'>): boolean {
  return narrow || (used && rule.fit(standard).narrowsToUse === true);
}

/**
 * The level's own values, extended by what the pods need. Every override is needed. Without the override, the level
 * would refuse some of the pods, or another override would admit more than the pods use.
 *
 * @returns undefined if no overrides of the level admit the pods
 */
export function statedFor(pods: readonly PodContent[], fitting: Fitting): Stated | undefined {
  const all = RULES.map((rule) => statedOf(rule, pods, fitting));
  if (all.includes(undefined)) return undefined;
  return withGuards(withoutCovered(Object.assign({}, ...all), pods, fitting), pods, fitting);
}

/**
 * Leaves out redundant entries of lists. If two rules share a field, the override of each rule is first written
 * independently of the other rule. After this, an entry is left out of a rule's list if the override of the other rule
 * covers the entry. For example, a pod that may add a capability in a user namespace may also hold the capability in
 * this user namespace.
 */
function withoutCovered(stated: Stated, pods: readonly PodContent[], fitting: Fitting): Stated {
  const lists = RULES.filter(({ id }) => id.includes('.') && id in stated).map((rule): Stated => {
    const { [rule.id]: list } = stated;
    if (!Array.isArray(list) || list.includes('*')) return {};
    const without = (entry: unknown) => ({ ...stated, [rule.id]: list.filter((one) => one !== entry) });
    return { [rule.id]: list.filter((entry) => !admits(rule, without(entry), pods, fitting)) };
  });
  return Object.assign({}, stated, ...lists);
}

/**
 * The overrides of an exception at level privileged. Overrides of the namespace's own level cannot admit the pods of
 * this exception. Every rule that the namespace's level restricts gets an override. If the value of the namespace's own
 * level admits the pods, the override has this value.
 */
export function statedAtPrivileged(pods: readonly PodContent[], fitting: Fitting): Stated {
  const privileged = { ...fitting.standard, level: 'privileged' as const };
  const all = RULES.map((rule) => {
    const stated = statedOf(rule, pods, { ...fitting, narrow: false });
    if (stated === undefined) return {};
    if (Object.keys(stated).length > 0) return choiceFor(rule, pods, fitting, privileged) ?? {};
    return ownStatement(rule, fitting.standard, privileged);
  });
  return withGuards(Object.assign({}, ...all), pods, fitting);
}

/** The rules by which the level refuses the pods. No override can change this. */
export function unfitRules(pods: readonly PodContent[], fitting: Fitting): Rule[] {
  return RULES.filter((rule) => statedOf(rule, pods, fitting) === undefined);
}

/**
 * The override that the given rule needs, so that the policy admits the pods. The override is empty if the level itself
 * admits the pods, and undefined if no override admits the pods.
 */
export function statedOf(rule: Rule, pods: readonly PodContent[], fitting: Fitting): Stated | undefined {
  const { standard } = fitting;
  const narrow = isNarrowed(rule, fitting);
  const base = baseOf(rule, fitting);
  const admitted = admits(rule, base, pods, fitting);
  if (admitted && !narrow) return base;
  const choice = choiceFor(rule, pods, fitting, standard);
  if (!choice) return admitted ? base : undefined;
  const text = (stated: Stated) => checksText(rule, stated, standard);
  const needed = Object.keys(choice).reduce<Stated>((stated, path) => {
    const { [path]: _, ...rest } = stated;
    const needless = admits(rule, rest, pods, fitting) && !(narrow && text(rest) !== text(stated));
    return needless ? rest : stated;
  }, choice);
  if (narrow) return needed;
  let kept = needed;
  for (const [path, value] of Object.entries(base)) {
    const tried = { ...kept, [path]: value };
    if (admits(rule, tried, pods, fitting)) kept = tried;
  }
  return kept;
}

/** The overrides of the rule in the exception's base. */
export function baseOf(rule: Rule, { base = {} }: Pick<Fitting, 'base'>): Stated {
  return Object.fromEntries(Object.entries(base).filter(([path]) => ownerOf(path) === rule));
}

/** The rule to which an override belongs. The ID of one rule may begin with the ID of another rule. */
function ownerOf(path: string): Rule | undefined {
  const stating = RULES.filter((rule) => isStatedBy(path, rule));
  return stating.reduce<Rule | undefined>((a, b) => (a && a.id.length >= b.id.length ? a : b), undefined);
}

/**
 * The strictest override that admits the pods. If narrowing is not requested, the override also admits everything that
 * the level admits.
 */
function choiceFor(rule: Rule, pods: readonly PodContent[], fitting: Fitting, standard: Standard): Stated | undefined {
  const { asks = [], own = [], choices } = rule.fit(fitting.standard);
  const asked = pods.flatMap((pod) => asks.flatMap((asking) => fitting.evaluator.asked(pod, asking)));
  return choices(eachOnce(isNarrowed(rule, fitting) ? asked : [...asked, ...own])).find((stated) =>
    admits(rule, stated, pods, { ...fitting, standard }),
  );
}

/**
 * The override that gives a rule the value of another level. The override is empty if the other level does not restrict
 * the rule.
 */
function ownStatement(rule: Rule, level: Standard, standard: Standard): Stated {
  const text = checksText(rule, {}, level);
  if (text === '[]') return {};
  const { own = [], choices } = rule.fit(level);
  const statements = choices(own);
  return statements.find((stated) => checksText(rule, stated, standard) === text) ?? statements[0] ?? {};
}

/**
 * Adds overrides. The added overrides restrict new entries of a list to the values that the pods use. For example, if
 * the volume type hostPath is added, another override restricts the host paths.
 */
function withGuards(stated: Stated, pods: readonly PodContent[], fitting: Fitting): Stated {
  const guards = RULES.flatMap((rule) => {
    const { guards: guarded } = rule.fit(fitting.standard);
    return guarded && isAdded(guarded, stated, fitting.standard)
      ? [choiceFor(rule, pods, fitting, fitting.standard)]
      : [];
  });
  const all = Object.entries<unknown>(Object.assign({}, stated, ...guards));
  return Object.fromEntries(all.sort(([a], [b]) => positionOf(a) - positionOf(b)));
}

/** The position of an override in the API's order of overrides. */
function positionOf(path: string): number {
  return RULES.findIndex((rule) => isStatedBy(path, rule));
}

function isAdded({ path, entry }: { path: string; entry: string }, stated: Stated, standard: Standard): boolean {
  const list = stated[path];
  const holds = Array.isArray(list) && (list.includes(entry) || list.includes('*'));
  return holds && !ownEntries(path, standard).includes(entry);
}

function admits(rule: Rule, stated: Stated, pods: readonly PodContent[], { standard, evaluator }: Fitting): boolean {
  const policyChecks = policyChecksFor(rule, stated, standard);
  return pods.every((pod) => evaluator.violations(pod, policyChecks).length === 0);
}

function checksText(rule: Rule, stated: Stated, standard: Standard): string {
  return JSON.stringify(policyChecksFor(rule, stated, standard).checks.flatMap(({ checks }) => checks));
}

function eachOnce(answers: readonly unknown[]): unknown[] {
  return [...new Map(answers.map((answer) => [JSON.stringify(answer), answer])).values()];
}
