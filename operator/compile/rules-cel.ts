/**
 * The rules as CEL over candidate policies. Each rule is one variable: the candidates that comply with all rules up to
 * this one. So a policy that a pod violates costs nothing from then on.
 */
import { and } from '../rules/cel.ts';
import { type Condition, not } from '../rules/condition.ts';
import { afterFilling, type Check, type Filling, type Rule, type Test } from '../rules/rule.ts';
import { type Columns, matchesIn, RowValues } from '../rules/values.ts';
import type { Variable } from './bound-variables.ts';
import { CUT, PART } from './parts-cel.ts';
import { ENTRIES } from './table.ts';

/** CEL, map(string, list(string)): the values of the level of candidate `p`. */
export const LEVEL = 'variables.levels[p.level[0]]';
/** CEL, bool, over an entry `e` of `spec.containers`: container `c` belongs to it. */
export const BELONGS = `c.name in e.names && (!has(e.images) || ${matchesIn('c.?image.orValue("")', 'e.images')})`;

/**
 * The IDs of the rules that a program needs: rules that restrict something, and rules that entries of `spec.containers`
 * restate.
 */
export interface NeededRules {
  readonly rules: readonly Rule[];
  /** IDs. */
  readonly restated: ReadonlySet<string>;
  /** The columns that are the same in all policies. */
  readonly common: Columns;
}

/** A rule's texts over candidate `p`. */
interface RuleText {
  readonly rule: Rule;
  /** CEL, bool, over `p` and `part`: the part complies. */
  readonly complies: string;
  /** CEL, list(string), over `p` and the described part `part`: one line for each violation of the rule. */
  readonly violations: string;
  /** The variables that both texts read, computed once for the pod. */
  readonly facts: readonly Variable[];
}

/**
 * Adds one variable for each rule, CEL, list(list(map)): for each part, the candidates that comply with the rules so far.
 * @param from CEL, list(map): the candidates
 * @param suffix of the variables' names
 * @returns the variables, and the name of the last one
 */
export function ruleVariables(needed: NeededRules, from: string, { filled }: { readonly filled: boolean }) {
  const suffix = filled ? 'Filled' : '';
  let candidates = from;
  const variables: Variable[] = [];
  for (const { rule, complies, facts } of textsOf(needed, filled)) {
    const name = `after${capitalized(nameOf(rule))}${suffix}`;
    variables.push(...facts, { name, expression: `variables.parts.map(part, ${candidates}.filter(p, ${complies}))` });
    candidates = `variables.${name}[part.index]`;
  }
  const passed = `passed${suffix}`;
  variables.push({ name: passed, expression: `variables.parts.map(part, ${candidates})` });
  return variables;
}

/** A variable, CEL, list(list(list(string))): the violations of one rule, for each described candidate and part. */
interface Violations {
  readonly variables: readonly Variable[];
  /** The names of the variables of all rules, in their order. */
  readonly names: readonly string[];
}

/**
 * One variable for each rule, because an API server checks many small expressions faster than a long one.
 *
 * @param described CEL, list(map): the candidates
 * @param asIs the variables of the unfilled pod, when this is the filled pod: most rules say the same about both
 */
export function violationVariables(needed: NeededRules, described: string, asIs?: Violations): Violations {
  const known = new Set(asIs?.variables.map(({ expression }) => expression));
  const texts = textsOf(needed, asIs !== undefined).map(({ rule, violations }) => [nameOf(rule), violations] as const);
  const all = [...texts, ['others', CUT] as const].map(([what, violations]) => {
    const name = `wrong${capitalized(what)}`;
    const expression = `${described}.map(p, variables.describedParts.map(part, ${violations}))`;
    return { name: asIs && !known.has(expression) ? `${name}Filled` : name, expression };
  });
  return {
    variables: all.filter(({ expression }) => !known.has(expression)),
    names: all.map(({ name }) => name),
  };
}

/** `pod` alone would not be a unique name: the pod's volumes are a variable, too. */
function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function nameOf({ id }: Rule): string {
  return id.replace(/\.(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function textsOf({ rules, restated, common }: NeededRules, filled: boolean): RuleText[] {
  const needed = { common, filled, making: filled ? rules.filter(makesTrue) : [] };
  return rules.flatMap((rule) => (restated.has(rule.id) ? [restatedText(rule, needed)] : plainText(rule, needed)));
}

/** Whether its fills make true what other rules read. */
function makesTrue({ fillings }: Rule): boolean {
  return fillings?.(new RowValues('p', LEVEL, {})).some(({ makes }) => makes !== undefined) ?? false;
}

interface TextOptions {
  readonly common: Columns;
  readonly filled: boolean;
  /** The rules whose fills matter to the tests of others. */
  readonly making: readonly Rule[];
}

/** No text if the rule admits everything in all policies. */
function plainText(rule: Rule, { common, filled, making }: TextOptions): RuleText[] {
  const values = new RowValues('p', LEVEL, common);
  const tests = applying(rule.tests(values, { filled }), fillingsOf(making, values));
  if (tests.length === 0) return [];
  const facts: Variable[] = [];
  const conditions = tests.map((test, i) => {
    if (test.over !== 'containers' || values.names(test.violates).length > 0) return compliesWith(test);
    const name = `${nameOf(rule)}Violated${filled ? 'Filled' : ''}${i}`;
    facts.push({ name, expression: `variables.parts.map(part, ${someContainer(test.violates)})` });
    return unless(test.applies, `!variables.${name}[part.index]`);
  });
  return [
    {
      rule,
      complies: values.bind(and(...conditions)),
      violations: values.bindValue(`(${tests.map((test) => violationsOf(rule, test)).join(' + ')})`),
      facts,
    },
  ];
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

/** CEL, bool. @param applies the candidate complies wherever this is false */
function unless(applies: Condition | undefined, complies: string): string {
  return `${anyOf(not(applies ?? true), complies)}`;
}

function anyOf(condition: Condition, otherwise: string): string {
  if (typeof condition === 'boolean') return condition ? 'true' : otherwise;
  return `(${condition}) || ${otherwise}`;
}

function someContainer(violates: string): string {
  return `!part.containerBlocks.all(block, block.all(c, !(${violates})))`;
}

/** CEL, bool, over the part `part`. */
function compliesWith(test: Test): string {
  const { over, applies, violates } = test;
  switch (over) {
    case 'pod':
      return unless(applies, `!part.pod || !(${violatesPart(test)})`);
    case 'containers':
      return unless(applies, `part.containerBlocks.all(block, block.all(c, !(${violatesPart(test)})))`);
    case 'volumes':
      return unless(applies, `part.volumeBlocks.all(block, block.all(v, !(${violates})))`);
  }
}

/** CEL, bool: a pod-level violation counts for an added container, unless the container does not inherit the field. */
function violatesPart({ violates, reaches, atCreation }: Pick<Check, 'violates' | 'reaches' | 'atCreation'>): string {
  if (atCreation) return `!variables.ephemeral && (${violates})`;
  if (reaches === undefined) return violates;
  return `(${violates}) && (part.index != ${PART.INHERITED} || variables.added.exists(c, ${reaches}))`;
}

/** CEL, list(string). */
function violationsOf({ id }: Rule, test: Test, note = ''): string {
  const { over, applies = true, message } = test;
  const violates = violatesPart(test);
  const list = over === 'volumes' ? 'volumes' : 'containers';
  const item = over === 'volumes' ? 'v' : 'c';
  const text =
    over === 'pod'
      ? `(part.pod && (${violates}) ? [${JSON.stringify(`${id}: pod `)} + (${message})] : [])`
      : `part.${list}.filter(${item}, ${violates}).map(${item}, ${JSON.stringify(`${id}: ${list === 'volumes' ? 'volume' : 'container'} "`)} + ${item}.name + "\\" " + (${message})${note})`;
  if (typeof applies === 'boolean') return applies ? text : '[]';
  return `(${applies} ? ${text} : [])`;
}

/**
 * The text of a rule to which entries of `spec.containers` give another value. Containers of an entry are evaluated by
 * the entry, and the other containers and the pod by the candidate.
 */
function restatedText(rule: Rule, { common, filled, making }: TextOptions): RuleText {
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
  const complies = `own.all(e, ${entry.bind(and('true', ...ofEntry.map(compliesWith)))})`;
  const note = ' + ", by spec.containers[" + e.index[0] + "]"';
  const lists = ['[]', ...ofEntry.map((test) => violationsOf(rule, test, note))].join(' + ');
  const violations = `own.map(e, ${entry.bindValue(`(${lists})`)})`;
  const flat = `[${violations}].map(lists, ${flattened('lists')})[0]`;
  const around = (text: string, macro: string, end: string) => `[${entriesFor(rule)}]${macro}own, ${text}${end}`;
  const listed = `(${[...others.map((test) => violationsOf(rule, test)), flat].join(' + ')})`;
  return {
    rule,
    complies: around(values.bind(`${and('true', ...others.map(compliesWith))} && ${complies}`), '.all(', ')'),
    violations: around(values.bindValue(listed), '.map(', ')[0]'),
    facts: [],
  };
}

/** CEL, list(map): the entries of candidate `p` that give the rule another value. */
export function entriesFor({ id }: Rule): string {
  return `(has(p.containers) ? ${ENTRIES}.filter(e, ${JSON.stringify(id)} in e.rules) : [])`;
}

/** The most entries of one policy that the CRD accepts. */
const MOST_ENTRIES = 16;

/** CEL, list(string): the items of a list of lists; CEL has no macro for that. */
export function flattened(lists: string, most = MOST_ENTRIES): string {
  return Array.from({ length: most }, (_, i) => `(${lists}.size() > ${i} ? ${lists}[${i}] : [])`).join(' + ');
}
