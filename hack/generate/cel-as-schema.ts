/**
 * Translates the CRD's CEL rules into JSON Schema. A rule is translated if each of its statements is about one value or
 * the fields of this value. The statements may be joined by `||` and `&&`, and negated by `!`. All other CEL rules are
 * left out.
 */

/** A JSON Schema, or a part of a JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>;

const TEXT = "'((?:[^'\\\\]|\\\\.)*)'";
/** Matches a path such as `self.a.?b`. In a rule about the value itself, the path is `self`. */
const PATH = 'self((?:\\.\\??\\w+)*)';
const TEXTS = "\\[((?:'[^']*'(?:, ?)?)*)\\]";

/**
 * The patterns of statements, each with the schema for the statement. The statements contain no `||`, `&&` and `!`. A
 * pattern must match the whole statement.
 */
const STATEMENTS: readonly (readonly [RegExp, (...parts: string[]) => Schema | undefined])[] = [
  [whole(`has\\(${PATH}\\)`), (path) => at(path, {})],
  [whole(`${PATH}\\.hasValue\\(\\)`), (path) => at(path, {})],
  [whole(`${PATH} == ${TEXT}`), (path, value) => at(path, { const: value })],
  [whole(`${PATH} != ${TEXT}`), (path, value) => ({ not: at(path, { const: value }) })],
  [whole(`${PATH}\\.orValue\\(${TEXT}\\) == ${TEXT}`), (path, other, value) => orAbsent(path, value, other === value)],
  [
    whole(`${PATH}\\.orValue\\(${TEXT}\\) != ${TEXT}`),
    (path, other, value) => ({ not: orAbsent(path, value, other === value) }),
  ],
  [whole(`${PATH}\\.orValue\\((true|false)\\)`), (path, other) => orAbsent(path, true, other === 'true')],
  [
    whole(`${PATH}\\.orValue\\(${TEXTS}\\) == ${TEXTS}`),
    (path, other, values) => orAbsent(path, textsIn(values), other === values),
  ],
  [whole(`size\\(${PATH}\\) > 0`), (path) => at(path, { minItems: 1 })],
  [whole(`size\\(${PATH}\\) == 0`), (path) => at(path, { maxItems: 0 })],
  [whole(`size\\(${PATH}\\) == 1`), (path) => at(path, { minItems: 1, maxItems: 1 })],
  [whole(`size\\(${PATH}\\.orValue\\(\\[\\]\\)\\) > 0`), (path) => at(path, { minItems: 1 })],
  [whole(`size\\(${PATH}\\.orValue\\(\\[\\]\\)\\) == 0`), (path) => ({ not: at(path, { minItems: 1 }) })],
  [whole(`size\\(${PATH}\\.orValue\\(\\['[^']*'\\]\\)\\) > 0`), (path) => ({ not: at(path, { maxItems: 0 }) })],
  [whole(`size\\(${PATH}\\) <= (\\d+)`), (path, most) => at(path, { maxLength: Number(most) })],
  [whole(`${TEXT} in ${PATH}`), (value, path) => at(path, { contains: { const: value } })],
  [whole(`${PATH} in ${TEXTS}`), (path, values) => at(path, { enum: textsIn(values) })],
  [whole(`${PATH}\\.matches\\(${TEXT}\\)`), (path, pattern) => at(path, { pattern })],
  [whole(`${PATH}\\.startsWith\\(${TEXT}\\)`), (path, text) => at(path, { pattern: `^${escaped(text)}` })],
  [whole(`${PATH}\\.contains\\(${TEXT}\\)`), (path, text) => at(path, { pattern: escaped(text) })],
  [whole(`${PATH}\\.indexOf\\(${TEXT}\\) == -1`), (path, text) => ({ not: at(path, { pattern: escaped(text) }) })],
  [
    whole(`${PATH}\\.indexOf\\('(.)'\\) == size\\(self\\) - 1`),
    (path, text) => at(path, { pattern: `^[^${escaped(text)}]*${escaped(text)}$` }),
  ],
  [whole(`self\\.split\\('/'\\)\\.exists\\(\\w+, \\w+ == '\\.\\.'\\)`), () => ({ pattern: '(^|/)\\.\\.(/|$)' })],
  [whole(`self\\.upperAscii\\(\\)\\.startsWith\\('CAP_'\\)`), () => ({ pattern: '^[Cc][Aa][Pp]_' })],
  [whole('self == self\\.upperAscii\\(\\)'), () => ({ not: { pattern: '[a-z]' } })],
  [whole('self != self\\.upperAscii\\(\\)'), () => ({ pattern: '[a-z]' })],
  [whole('self >= (\\d+)'), (least) => ({ minimum: Number(least) })],
  [whole('self <= (\\d+)'), (most) => ({ maximum: Number(most) })],
  [whole('self\\.all\\((\\w+), self\\.exists_one\\((\\w+), \\2 == \\1\\)\\)'), () => ({ uniqueItems: true })],
  [whole(`${PATH}\\.all\\((\\w+), (.*)\\)`), eachIn],
  [whole(`(has\\(${PATH}\\)) == \\((.*)\\)`), (one, _path, other) => bothOrNone(one, other)],
];

/** The schema for a CEL rule. If JSON Schema or this translation cannot express the rule, the result is undefined. */
export function schemaOfRule(rule: string): Schema | undefined {
  // CEL reserves some words. If a field has a reserved name, a rule writes the name with underscores, as in
  // `__namespace__`.
  return expression(rule.replaceAll(/__(\w+?)__/g, '$1').trim());
}

function expression(text: string): Schema | undefined {
  const alternatives = parted(text, ' || ');
  if (alternatives.length > 1) return combined('anyOf', alternatives);
  const conjunctions = parted(text, ' && ');
  if (conjunctions.length > 1) return combined('allOf', conjunctions);
  if (text.startsWith('!')) return negated(text.slice(1));
  if (isBracketed(text)) return expression(text.slice(1, -1).trim());
  for (const [pattern, schema] of STATEMENTS) {
    const found = pattern.exec(text);
    if (found) return schema(...found.slice(1));
  }
  return undefined;
}

function combined(by: 'anyOf' | 'allOf', texts: readonly string[]): Schema | undefined {
  const all = texts.map(expression);
  return all.every((one) => one !== undefined) ? { [by]: all } : undefined;
}

function negated(text: string): Schema | undefined {
  const schema = expression(text);
  return schema && { not: schema };
}

/** Splits a text at a separator. Separators in brackets or quotes are ignored. */
function parted(text: string, separator: string): string[] {
  const parts: string[] = [];
  let [depth, from] = [0, 0];
  for (const { 0: found, index } of text.matchAll(/'(?:[^'\\]|\\.)*'|[()[\]]| \|\| | && /g)) {
    if (found === '(' || found === '[') depth += 1;
    else if (found === ')' || found === ']') depth -= 1;
    else if (found === separator && depth === 0) {
      parts.push(text.slice(from, index).trim());
      from = index + found.length;
    }
  }
  return [...parts, text.slice(from).trim()];
}

/** Whether one pair of brackets encloses the whole text. */
function isBracketed(text: string): boolean {
  if (!text.startsWith('(')) return false;
  let depth = 0;
  for (const { 0: found, index } of text.matchAll(/'(?:[^'\\]|\\.)*'|[()]/g)) {
    if (found === '(') depth += 1;
    else if (found === ')' && --depth === 0) return index === text.length - 1;
  }
  return false;
}

/** Makes the schema for a statement about each item of a list, or about each key of a mapping. */
function eachIn(path = '', name = '', body = ''): Schema | undefined {
  const isAboutOthers = /\bself\b/.test(body);
  const each = isAboutOthers ? undefined : expression(body.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), 'self'));
  if (!each) return undefined;
  return path === '' ? { propertyNames: each, items: each } : at(path, { items: each });
}

function bothOrNone(one = '', other = ''): Schema | undefined {
  const [first, second] = [expression(one), expression(other)];
  return first && second && { anyOf: [{ allOf: [first, second] }, { not: { anyOf: [first, second] } }] };
}

function whole(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`);
}

/** The schema for a field at the given path. A CEL rule can compare a field only if the field exists. */
function at(path = '', schema: Schema): Schema {
  const fields = path.match(/\w+/g) ?? [];
  return fields.reduceRight<Schema>((inner, field) => ({ required: [field], properties: { [field]: inner } }), schema);
}

/**
 * Makes the schema for a comparison of a field that has a default. @param isDefault whether an absent field counts as a
 * field with the value `value`
 */
function orAbsent(path: string | undefined, value: unknown, isDefault: boolean): Schema {
  const is = at(path, { const: value });
  return isDefault ? { anyOf: [is, { not: at(path, {}) }] } : is;
}

function textsIn(list = ''): string[] {
  return [...list.matchAll(/'([^']*)'/g)].map(([, value = '']) => value);
}

function escaped(text = ''): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
