/**
 * Evaluates the CEL rules of a CRD (x-kubernetes-validations) on a policy. The API server evaluates the same rules when
 * a policy is created.
 */
import type { CelRule, Schema } from '../../operator/api/schema.ts';
import { CelEngine, celValue } from '../../operator/evaluate/cel.ts';
import { fieldPath } from '../schema/paths.ts';
import { isObject, type Problem, problemAt, walk } from '../schema/problems.ts';

/**
 * Property names that CEL reserves (k8s.io/apiserver/pkg/cel/escaping.go). For the property `namespace`, a rule writes
 * `self.__namespace__`.
 */
const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** @param value a value that the schema admits */
export function ruleProblems(value: unknown, schema: Schema): Problem[] {
  const engine = new CelEngine();
  const problems: Problem[] = [];
  walk(value, schema, [], (part, of, path) => {
    for (const rule of rulesOf(of)) {
      const text = refusal(engine, rule, part);
      const at = [...path, ...fieldPath((rule.fieldPath ?? '').replace(/^\./, ''))];
      if (text !== undefined) problems.push(problemAt(at, at.length === 0 ? `the policy: ${text}` : text));
    }
    return true;
  });
  return problems;
}

/**
 * The message of a CEL rule of the schema. The rule is the first rule that the given string violates. The result is
 * undefined if the string violates no rule.
 */
export function ruleRefusal(text: string, schema: Schema): string | undefined {
  const engine = new CelEngine();
  return rulesOf(schema)
    .map((rule) => refusal(engine, rule, text))
    .find((refused) => refused !== undefined);
}

function rulesOf(schema: Schema): readonly CelRule[] {
  return schema['x-kubernetes-validations'] ?? [];
}

function refusal(
  engine: CelEngine,
  { rule, message, messageExpression, reason }: CelRule,
  value: unknown,
): string | undefined {
  const self = celValue(escaped(value));
  if (engine.run(rule, { self }) === true) return undefined;
  const text = messageExpression ? String(engine.run(messageExpression, { self })) : message;
  return `${reason === 'FieldValueRequired' ? 'Required value: ' : ''}${text ?? `breaks the rule ${rule}`}`;
}

function escaped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [RESERVED.has(key) ? `__${key}__` : key, escaped(part)]),
  );
}
