/**
 * The rules as CEL expressions about candidate policies: with which of them a pod complies, and what the pod violates.
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
}

/**
 * Adds the CEL variable `passed` of type list(list(map)): for each unit, the candidates with which the unit complies.
 *
 * One loop over the containers evaluates the tests of all rules, because each loop costs an API server more than most
 * tests. Only the tests whose text depends on the candidate run once for each candidate. A long text is split into
 * several variables, because an API server checks many small expressions faster than one long expression. Rules that
 * get another value from entries of `spec.containers` follow, each as variables of its own.
 * @param from CEL of type list(map): the candidates
 * @param filled whether the variables evaluate the pod after defaulting. If the value is true, the names of the
 * variables end in `Filled`
 * @returns the variables. The last variable is `passed` or `passedFilled`
 */
export function ruleVariables(needed: NeededRules, from: string, { filled }: { readonly filled: boolean }) {
  const suffix = filled ? 'Filled' : '';
  const options = textOptions(needed, filled);
  const values = new RowValues('p', LEVEL, needed.common);
  const tests = needed.rules
    .filter(({ id }) => !needed.restated.has(id))
    .flatMap((rule) => plainTests(rule, values, options));
  const isFixed = ({ violates, applies }: Test) =>
    values.names(violates).length === 0 && (typeof applies !== 'string' || values.names(applies).length === 0);
  const { fixed = [], ofCandidate = [] } = Object.groupBy(tests, (test) => (isFixed(test) ? 'fixed' : 'ofCandidate'));
  const variables: Variable[] = [];
  let candidates = from;
  const add = (name: string, expression: string) => {
    variables.push({ name: `${name}${suffix}`, expression: `variables.units.map(unit, ${expression})` });
    return `variables.${name}${suffix}[unit.index]`;
  };
  const facts = inOneLoop(fixed).map((text, i) => add(`complies${i}`, text));
  if (facts.length > 0) candidates = `(${facts.join(' && ')} ? ${candidates} : [])`;
  for (const [i, text] of inOneLoop(ofCandidate).entries()) {
    candidates = add(`passed${i}`, `${candidates}.filter(p, ${values.bind(text)})`);
  }
  for (const rule of needed.rules.filter(({ id }) => needed.restated.has(id))) {
    for (const [i, part] of restatedText(rule, options).complies.entries()) {
      candidates = add(`after${capitalized(nameOf(rule))}${i === 0 ? '' : i}`, `${candidates}.filter(p, ${part})`);
    }
  }
  add('passed', candidates);
  return variables;
}

/** CEL expressions of type bool, for a unit `unit`. The unit complies with the tests if all expressions are true. */
function inOneLoop(tests: readonly Test[]): string[] {
  return grouped(tests, (test) => test.violates.length).map((group) => {
    const of = (over: Check['over']) => group.filter((test) => test.over === over);
    const each = (over: Check['over']) =>
      of(over).map(({ applies, ...test }) => unless(applies, `!(${violatesInUnit(test)})`));
    const loop = (blocks: string, item: string, texts: readonly string[]) =>
      texts.length === 0 ? [] : [`unit.${blocks}.all(block, block.all(${item}, ${and(...texts)}))`];
    return and(
      ...of('pod').map(compliesWith),
      ...loop('containerBlocks', 'c', each('containers')),
      ...loop('volumeBlocks', 'v', each('volumes')),
    );
  });
}

/** The variable of namingVariables() with the rules that the pod violates. */
export const VIOLATED_RULES = 'violatedRules';

/**
 * Does what ruleVariables() does, by one test of all rules after the other. So the result can name the first rule that
 * a candidate violates: the variable `violatedRules` of type list(list(map)) has the `name` of each candidate and the
 * `rule`, for each unit. If the unit complies with the candidate, the rule is empty.
 *
 * Without variables, one expression contains the decision and the message. It has no room for the rules in both forms.
 */
export function namingVariables(needed: NeededRules, from: string, { filled }: { readonly filled: boolean }) {
  const suffix = filled ? 'Filled' : '';
  const choices = textsOf(needed, filled).map(
    ({ rule, complies }) => `!(${and(...complies)}) ? ${JSON.stringify(rule.id)} : `,
  );
  const violated = `${VIOLATED_RULES}${suffix}`;
  return [
    {
      name: violated,
      expression: `variables.units.map(unit, ${from}.map(p, {"name": p.name[0], "rule": ${choices.join('')}""}))`,
    },
    {
      name: `passed${suffix}`,
      expression: `variables.${violated}.map(all, ${from}.filter(p, all.exists(one, one.name == p.name[0] && one.rule == "")))`,
    },
  ];
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

function nameOf({ id }: Rule): string {
  return id.replace(/\.(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function textsOf(needed: NeededRules, filled: boolean): RuleText[] {
  const options = textOptions(needed, filled);
  return needed.rules.flatMap((rule) =>
    needed.restated.has(rule.id) ? [restatedText(rule, options)] : plainText(rule, options),
  );
}

function textOptions({ rules, common, mostEntries }: NeededRules, filled: boolean): TextOptions {
  return { common, mostEntries, filled, making: filled ? rules.filter(makesTrue) : [] };
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

/** Returns the tests of a rule that some policy needs. */
function plainTests(rule: Rule, values: RowValues, { filled, making }: TextOptions): Test[] {
  return applying(rule.tests(values, { filled }), fillingsOf(making, values));
}

/** Returns the expressions of a rule. The list is empty if the rule admits every pod in all policies. */
function plainText(rule: Rule, options: TextOptions): RuleText[] {
  const values = new RowValues('p', LEVEL, options.common);
  const tests = plainTests(rule, values, options);
  if (tests.length === 0) return [];
  const lists = tests.map((test) => violationsOf(rule, test));
  return [
    {
      rule,
      complies: groupedTexts(tests.map(compliesWith)).map((group) => values.bind(and(...group))),
      violations: groupedTexts(lists).map((group) => values.bindValue(`(${group.join(' + ')})`)),
    },
  ];
}

/** The maximum total length, in characters, of the texts that one CEL expression joins. */
const SHORT = 3_000;

function groupedTexts(texts: readonly string[]): readonly (readonly string[])[] {
  return grouped(texts, (text) => text.length);
}

/** Puts neighbouring items into one group if the group stays short. Each item is in one group. */
function grouped<Item>(items: readonly Item[], lengthOf: (item: Item) => number): readonly (readonly Item[])[] {
  const groups: Item[][] = [];
  let length = 0;
  for (const item of items) {
    length += lengthOf(item);
    const last = groups.at(-1);
    if (last && length <= SHORT) {
      last.push(item);
    } else {
      groups.push([item]);
      length = lengthOf(item);
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

const OWN = /\bown\b/;

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
    ...groupedTexts(others.map(compliesWith)).map((group) => values.bind(and(...group))),
    ...groupedTexts(ofEntry.map(compliesWith)).map((group) => values.bind(`own.all(e, ${entry.bind(and(...group))})`)),
  ];
  const listed = [...groupedTexts(others.map((test) => violationsOf(rule, test))), [flat]];
  return {
    rule,
    complies: (complies.length > 0 ? complies : ['true']).map((part) => around(part, '.all(', ')')),
    violations: listed.map((lists) => around(values.bindValue(`(${lists.join(' + ')})`), '.map(', ')[0]')),
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
