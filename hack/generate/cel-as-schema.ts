/**
 * Rules of CEL in the CRD that JSON Schema can express: alternatives and conjunctions of simple statements about one
 * value or its fields. The other rules are left out.
 */

/** A JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>;

const TEXT = "'((?:[^'\\\\]|\\\\.)*)'";
const FIELD = 'self\\.(\\w+)';

/** A statement that is not negated → its schema. Each pattern has to match the whole statement. */
const STATEMENTS: readonly (readonly [RegExp, (...parts: string[]) => Schema])[] = [
  [whole(`has\\(${FIELD}\\)`), (field) => ({ required: [field] })],
  [whole(`${FIELD} == ${TEXT}`), (field = '', value) => inField(field, { const: value })],
  [whole(`${FIELD} != ${TEXT}`), (field = '', value) => ({ not: inField(field, { const: value }) })],
  [whole(`size\\(${FIELD}\\) > 0`), (field = '') => inField(field, { minItems: 1 })],
  [whole(`size\\(${FIELD}\\) == 0`), (field = '') => inField(field, { maxItems: 0 })],
  [whole(`${TEXT} in ${FIELD}`), (value, field = '') => inField(field, { contains: { const: value } })],
  [whole(`${FIELD}\\.matches\\(${TEXT}\\)`), (field = '', pattern) => inField(field, { pattern })],
  [whole(`${TEXT} in self`), (value) => ({ contains: { const: value } })],
  [whole(`self\\.matches\\(${TEXT}\\)`), (pattern) => ({ pattern })],
  [whole(`self\\.startsWith\\(${TEXT}\\)`), (text = '') => ({ pattern: `^${escaped(text)}` })],
  [whole(`self\\.split\\('/'\\)\\.exists\\(\\w+, \\w+ == '\\.\\.'\\)`), () => ({ pattern: '(^|/)\\.\\.(/|$)' })],
  [whole(`self\\.upperAscii\\(\\)\\.startsWith\\('CAP_'\\)`), () => ({ pattern: '^[Cc][Aa][Pp]_' })],
  [whole('self == self\\.upperAscii\\(\\)'), () => ({ not: { pattern: '[a-z]' } })],
  [whole("self != ''"), () => ({ minLength: 1 })],
  [whole('self >= (\\d+)'), (least) => ({ minimum: Number(least) })],
  [whole('self <= (\\d+)'), (most) => ({ maximum: Number(most) })],
  [whole('size\\(self\\) == 1'), () => ({ minItems: 1, maxItems: 1 })],
  [whole('self\\.all\\((\\w+), self\\.exists_one\\((\\w+), \\2 == \\1\\)\\)'), () => ({ uniqueItems: true })],
  [whole('self != self\\.upperAscii\\(\\)'), () => ({ pattern: '[a-z]' })],
  [
    whole("self in \\[((?:'[^']*'(?:, ?)?)+)\\]"),
    (values = '') => ({ enum: [...values.matchAll(/'([^']*)'/g)].map(([, value]) => value) }),
  ],
];

/** Undefined if the rule says something that JSON Schema, or this translation, cannot say. */
export function schemaOfRule(rule: string): Schema | undefined {
  // `__namespace__`: words that CEL reserves are written so.
  const plain = rule.replaceAll(/__(\w+?)__/g, '$1');
  const alternatives = plain.split(' || ');
  const all = (alternatives.length > 1 ? alternatives : plain.split(' && ')).map(statement);
  if (!all.every((one) => one !== undefined)) return undefined;
  if (all.length === 1) return all[0];
  return alternatives.length > 1 ? { anyOf: all } : { allOf: all };
}

function statement(text: string): Schema | undefined {
  const [, inBrackets, plain] = /^!(?:\((.*)\)|(.*))$/.exec(text) ?? [];
  const negated = inBrackets ?? plain;
  if (negated !== undefined) {
    const schema = statement(negated);
    return schema && { not: schema };
  }
  for (const [pattern, schema] of STATEMENTS) {
    const found = pattern.exec(text);
    if (found) return schema(...found.slice(1));
  }
  return undefined;
}

function whole(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`);
}

/** In CEL a field that is compared has to be there. */
function inField(field: string, schema: Schema): Schema {
  return { required: [field], properties: { [field]: schema } };
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
