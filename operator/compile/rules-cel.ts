/**
 * The rules as CEL expressions about candidate policies. Each rule is one variable. If the pod complies with a
 * candidate policy in this rule and in all earlier rules, the variable lists the policy. If a pod violates one rule of
 * a policy, later rules do not evaluate this policy.
 */
import { and } from '../rules/cel.ts';
import { type Condition, not } from '../rules/condition.ts';
import { afterFilling, type Check, type Filling, type Rule, type Test } from '../rules/rule.ts';
import { type Columns, matchesIn, RowValues } from '../rules/values.ts';
import type { Variable } from './bound-variables.ts';
import { ENTRIES } from './table.ts';
import { CUT, UNIT } from './units-cel.ts';

/**
 * A CEL expression of type map(string, list(string)). The map has the values that the level of candidate `p` gives to
 * rules.
 */
export const LEVEL = 'variables.levels[p.level[0]]';
/** A CEL expression of type bool, for an entry `e` of `spec.containers`: true if the entry selects container `c`. */
export const BELONGS = `c.name in e.names && (!has(e.images) || ${matchesIn('c.?image.orValue("")', 'e.images')})`;

/**
 * The rules that a program evaluates. A program needs a rule if some policy uses the rule to check pods or to fill in
 * fields. A program also needs a rule if some entry of `spec.containers` gives the rule another value.
 */
export interface NeededRules {
  readonly rules: readonly Rule[];
  /** The IDs of the rules that get another value from entries of `spec.containers`. */
  readonly restated: ReadonlySet<string>;
  /** Each policy has at most this number of entries of `spec.containers`. */
  readonly mostEntries: number;
  /** The columns that have the same items in all policies. */
  readonly common: Columns;
}

/** The CEL expressions of a rule, for a candidate `p`. */
interface RuleText {
  readonly rule: Rule;
  /**
   * CEL expressions of type bool, for a candidate `p` and a unit `unit`. The unit complies with the rule if all of the
   * expressions are true.
   */
  readonly complies: readonly string[];
  /**
   * CEL expressions of type list(string), for a candidate `p` and a described unit `unit`. Together, the lists have one
   * line for each violation of the rule.
   */
  readonly violations: readonly string[];
  /** The variables that `complies` and `violations` read. Each variable is computed once for the pod. */
  readonly facts: readonly Variable[];
}

/**
 * Adds one CEL variable of type list(list(map)) for each rule. For each unit, the variable lists a candidate if the
 * unit complies with the candidate in this rule and in all earlier rules. A rule with a long text has further
 * variables. An API server checks many small expressions faster than one long expression.
 * @param from CEL of type list(map): the candidates
 * @param filled whether the variables evaluate the pod after defaulting. If the value is true, the names of the
 * variables end in `Filled`
 * @returns the variables. The last variable is `passed` or `passedFilled`
 */
export function ruleVariables(needed: NeededRules, from: string, { filled }: { readonly filled: boolean }) {
  const suffix = filled ? 'Filled' : '';
  let candidates = from;
  const variables: Variable[] = [];
  for (const { rule, complies, facts } of textsOf(needed, filled)) {
    variables.push(...facts);
    for (const [i, part] of complies.entries()) {
      const isLast = i === complies.length - 1;
      const name = `${afterRule(rule)}${suffix}${isLast ? '' : `Part${i}`}`;
      variables.push({ name, expression: `variables.units.map(unit, ${candidates}.filter(p, ${part}))` });
      candidates = `variables.${name}[unit.index]`;
    }
  }
  const passed = `passed${suffix}`;
  variables.push({ name: passed, expression: `variables.units.map(unit, ${candidates})` });
  return variables;
}

/**
 * A CEL expression of type string, for candidate `p`. The string names the first rule that a unit violates, such as
 * `rule hostPID`.
 * @param index CEL of type int: the index of the unit
 * @param otherwise CEL of type string: the value if the unit complies with all rules
 */
export function firstViolatedRule(needed: NeededRules, index: string, otherwise: string): string {
  const choices = textsOf(needed, false).map(({ rule }) => {
    const complies = `variables.${afterRule(rule)}[${index}].exists(o, o.name == p.name)`;
    return `!${complies} ? ${JSON.stringify(`rule ${rule.id}`)} : `;
  });
  return `(${choices.join('')}${otherwise})`;
}

/**
 * A CEL variable of type list(list(list(string))): the violations of one rule, for each described candidate and unit.
 */
export interface Violations {
  readonly variables: readonly Variable[];
  /** The names of the variables of all rules, in their order. */
  readonly names: readonly string[];
}

/**
 * Adds one variable for each rule, or for each test of a rule with a long text. An API server checks many small
 * expressions faster than one long expression.
 *
 * @param described CEL of type list(map): the candidates
 * @param asIs the variables that evaluate the pod before defaulting. Pass this parameter only if the result evaluates
 * the pod after defaulting. Equal expressions are not repeated
 */
export function violationVariables(needed: NeededRules, described: string, asIs?: Violations): Violations {
  const known = new Map(asIs?.variables.map(({ name, expression }) => [expression, name]));
  const texts = textsOf(needed, asIs !== undefined).flatMap(({ rule, violations }) =>
    violations.map((some, i) => [`${nameOf(rule)}${i === 0 ? '' : i}`, some] as const),
  );
  const all = [...texts, ['others', CUT] as const].map(([what, violations]) => {
    const name = `wrong${capitalized(what)}`;
    const expression = `${described}.map(p, variables.describedUnits.map(unit, ${violations}))`;
    return { name: known.get(expression) ?? (asIs ? `${name}Filled` : name), expression };
  });
  return {
    variables: all.filter(({ expression }) => !known.has(expression)),
    names: all.map(({ name }) => name),
  };
}

/**
 * Capitalizes the name of a rule for the end of a variable's name. The name of a rule alone may already be the name of
 * another variable. For example, `volumes` is also the name of a variable about the pod.
 */
function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/**
 * The name of a variable. If the pod complies with a candidate in this rule and in all earlier rules, the variable
 * lists the candidate.
 */
function afterRule(rule: Rule): string {
  return `after${capitalized(nameOf(rule))}`;
}

function nameOf({ id }: Rule): string {
  return id.replace(/\.(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function textsOf({ rules, restated, ...others }: NeededRules, filled: boolean): RuleText[] {
  const needed = { ...others, filled, making: filled ? rules.filter(makesTrue) : [] };
  return rules.flatMap((rule) => (restated.has(rule.id) ? [restatedText(rule, needed)] : plainText(rule, needed)));
}

/** Whether an expression in the tests of other rules becomes true because of defaulting by this rule. */
function makesTrue({ fillings }: Rule): boolean {
  return fillings?.(new RowValues('p', LEVEL, {})).some(({ makes }) => makes !== undefined) ?? false;
}

interface TextOptions {
  readonly common: Columns;
  readonly mostEntries: number;
  readonly filled: boolean;
  /** The list has each rule whose defaulting changes the test results of other rules. */
  readonly making: readonly Rule[];
}

/** Returns the expressions of a rule. The list is empty if the rule admits every pod in all policies. */
function plainText(rule: Rule, { common, filled, making }: TextOptions): RuleText[] {
  const values = new RowValues('p', LEVEL, common);
  const tests = applying(rule.tests(values, { filled }), fillingsOf(making, values));
  if (tests.length === 0) return [];
  const facts: Variable[] = [];
  const conditions = tests.map((test, i) => {
    const fact = values.names(test.violates).length > 0 ? undefined : factOf(test);
    if (fact === undefined) return compliesWith(test);
    const name = `${nameOf(rule)}Violated${filled ? 'Filled' : ''}${i}`;
    facts.push({ name, expression: `variables.units.map(unit, ${fact})` });
    return unless(test.applies, `!variables.${name}[unit.index]`);
  });
  return [
    {
      rule,
      complies: grouped(conditions).map((group) => values.bind(and(...group))),
      violations: grouped(tests.map((test) => violationsOf(rule, test))).map((lists) =>
        values.bindValue(`(${lists.join(' + ')})`),
      ),
      facts,
    },
  ];
}

/** The maximum total length, in characters, of the texts that one CEL expression joins. */
const SHORT = 3_000;

/** Puts neighbouring CEL texts into one group if the group stays short. Each text is in one group. */
function grouped(texts: readonly string[]): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let length = 0;
  for (const text of texts) {
    length += text.length;
    const last = groups.at(-1);
    if (last && length <= SHORT) {
      last.push(text);
    } else {
      groups.push([text]);
      length = text.length;
    }
  }
  return groups;
}

function fillingsOf(rules: readonly Rule[], values: RowValues): Filling[] {
  return rules.flatMap(({ fillings }) => fillings?.(values) ?? []);
}

function applying(tests: readonly Test[], fillings: readonly Filling[]): Test[] {
  return afterFilling(
    tests.filter(({ applies }) => applies !== false),
    fillings,
  );
}

/**
 * A CEL expression of type bool: true if the unit complies, or the test does not apply.
 * @param applies CEL of type bool: true if the test applies
 */
function unless(applies: Condition | undefined, complies: string): string {
  return `${anyOf(not(applies ?? true), complies)}`;
}

function anyOf(condition: Condition, otherwise: string): string {
  if (typeof condition === 'boolean') return condition ? 'true' : otherwise;
  return `(${condition}) || ${otherwise}`;
}

/**
 * A CEL expression of type bool, for a unit `unit`. The expression is true if the unit violates the test for every
 * candidate. If computing the expression once for the pod saves nothing, the function returns undefined.
 */
function factOf(test: Test): string | undefined {
  const { over, violates } = test;
  if (over === 'containers') return `!unit.containerBlocks.all(block, block.all(c, !(${violates})))`;
  return over === 'pod' && LOOP.test(violates) ? `unit.pod && (${violatesInUnit(test)})` : undefined;
}

const OWN = /\bown\b/;
const LOOP = /\.(?:all|exists|filter|map)\(/;

/** A CEL expression of type bool, for a unit `unit`: true if the unit complies with the test. */
function compliesWith(test: Test): string {
  const { over, applies, violates } = test;
  switch (over) {
    case 'pod':
      return unless(applies, `!unit.pod || !(${violatesInUnit(test)})`);
    case 'containers':
      return unless(applies, `unit.containerBlocks.all(block, block.all(c, !(${violatesInUnit(test)})))`);
    case 'volumes':
      return unless(applies, `unit.volumeBlocks.all(block, block.all(v, !(${violates})))`);
  }
}

/**
 * A CEL expression of type bool: true if the unit violates the check. A field of the pod may violate the check. If an
 * added container does not inherit the field, the violation does not count for the container.
 */
function violatesInUnit({ violates, reaches, atCreation }: Pick<Check, 'violates' | 'reaches' | 'atCreation'>): string {
  if (atCreation) return `!variables.ephemeral && (${violates})`;
  if (reaches === undefined) return violates;
  return `(${violates}) && (unit.index != ${UNIT.INHERITED} || variables.added.exists(c, ${reaches}))`;
}

/** A CEL expression of type list(string): one line for each violation of the test. */
function violationsOf({ id }: Rule, test: Test, note = ''): string {
  const { over, applies = true, message } = test;
  const violates = violatesInUnit(test);
  const list = over === 'volumes' ? 'volumes' : 'containers';
  const item = over === 'volumes' ? 'v' : 'c';
  const text =
    over === 'pod'
      ? `(unit.pod && (${violates}) ? [${JSON.stringify(`${id}: pod `)} + (${message})] : [])`
      : `unit.${list}.filter(${item}, ${violates}).map(${item}, ${JSON.stringify(`${id}: ${list === 'volumes' ? 'volume' : 'container'} "`)} + ${item}.name + "\\" " + (${message})${note})`;
  if (typeof applies === 'boolean') return applies ? text : '[]';
  return `(${applies} ? ${text} : [])`;
}

/**
 * The expressions of a rule, if entries of `spec.containers` give the rule another value. The values of an entry apply
 * to the containers that the entry selects. The values of the candidate apply to all other containers and to the pod.
 */
function restatedText(rule: Rule, { common, mostEntries, filled, making }: TextOptions): RuleText {
  const mine = `own.exists(e, ${BELONGS})`;
  const values = new RowValues('p', LEVEL, common);
  const fillings = fillingsOf(making, values);
  const others = applying(rule.tests(values, { filled, except: mine }), fillings).map((test): Test => {
    if (test.over === 'containers') return { ...test, violates: and(`!(${mine})`, test.violates) };
    return test.reaches === undefined ? test : { ...test, reaches: and(`!(${mine})`, test.reaches) };
  });
  const entry = new RowValues('e', LEVEL, common, 'entry');
  const { ofContainer } = rule;
  const tests =
    typeof ofContainer === 'object'
      ? ofContainer.tests(entry, { filled, ...(filled && { ofPod: values }) })
      : rule.tests(entry, { filled });
  const ofEntry = applying(tests, fillings).map((test): Test => ({ ...test, violates: and(BELONGS, test.violates) }));
  const note = ' + ", by spec.containers[" + e.index[0] + "]"';
  const lists = ['[]', ...ofEntry.map((test) => violationsOf(rule, test, note))].join(' + ');
  const violations = `own.map(e, ${entry.bindValue(`(${lists})`)})`;
  const flat = `[${violations}].map(lists, ${flattened('lists', mostEntries)})[0]`;
  const around = (text: string, macro: string, end: string) =>
    OWN.test(text) ? `[${entriesFor(rule)}]${macro}own, ${text}${end}` : text;
  const complies = [
    ...grouped(others.map(compliesWith)).map((group) => values.bind(and(...group))),
    ...grouped(ofEntry.map(compliesWith)).map((group) => values.bind(`own.all(e, ${entry.bind(and(...group))})`)),
  ];
  const listed = [...grouped(others.map((test) => violationsOf(rule, test))), [flat]];
  return {
    rule,
    complies: (complies.length > 0 ? complies : ['true']).map((part) => around(part, '.all(', ')')),
    violations: listed.map((lists) => around(values.bindValue(`(${lists.join(' + ')})`), '.map(', ')[0]')),
    facts: [],
  };
}

/** A CEL expression of type list(map): the entries of candidate `p` that give the rule another value. */
export function entriesFor({ id }: Rule): string {
  return `(has(p.containers) ? ${ENTRIES}.filter(e, ${JSON.stringify(id)} in e.rules) : [])`;
}

/**
 * A CEL expression of type list(string): one list with all items of a list of lists. CEL has no macro that flattens a
 * list.
 * @param most the maximum number of lists
 */
export function flattened(lists: string, most: number): string {
  return Array.from({ length: most }, (_, i) => `(${lists}.size() > ${i} ? ${lists}[${i}] : [])`).join(' + ');
}
