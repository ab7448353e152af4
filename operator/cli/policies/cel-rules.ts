/** The CEL rules of a CRD (x-kubernetes-validations), run on a policy as the API server runs them when one is created. */
import { CelEngine } from '../../evaluate/cel.ts';
import type { FieldPath } from '../input/document.ts';
import { fieldPath, pathText } from '../input/paths.ts';
import { type CelRule, isObject, type Problem, partOf, type Schema } from '../input/schema.ts';

/** Property names that CEL reserves (k8s.io/apiserver/pkg/cel/escaping.go): a rule says `self.__namespace__`. */
const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** @param value valid by the schema */
export function ruleProblems(value: unknown, schema: Schema): Problem[] {
  return new Rules().problems(value, schema, []);
}

/** The messages of a field's rules for a possible string value. */
export function ruleRefusal(text: string, schema: Schema): string | undefined {
  const [problem] = new Rules().problems(text, schema, []);
  return problem?.message.replace(/^the policy: /, '');
}

class Rules {
  readonly #engine = new CelEngine();

  problems(value: unknown, schema: Schema, path: FieldPath): Problem[] {
    const own = (schema['x-kubernetes-validations'] ?? []).flatMap((rule) => this.#problem(value, rule, path));
    return [...own, ...this.#parts(value, schema, path)];
  }

  #parts(value: unknown, schema: Schema, path: FieldPath): Problem[] {
    if (Array.isArray(value)) {
      const { items } = schema;
      return items ? value.flatMap((item, index) => this.problems(item, items, [...path, index])) : [];
    }
    if (!isObject(value)) return [];
    return Object.entries(value).flatMap(([key, part]) => {
      const known = partOf(schema, key);
      return known ? this.problems(part, known, [...path, key]) : [];
    });
  }

  #problem(
    value: unknown,
    { rule, message, messageExpression, fieldPath: below, reason }: CelRule,
    path: FieldPath,
  ): Problem[] {
    const self = escaped(value);
    if (this.#engine.run(rule, { self }) === true) return [];
    const text = messageExpression ? String(this.#engine.run(messageExpression, { self })) : message;
    const at = [...path, ...fieldPath((below ?? '').replace(/^\./, ''))];
    const required = reason === 'FieldValueRequired' ? 'Required value: ' : '';
    return [{ path: at, message: `${pathText(at) || 'the policy'}: ${required}${text ?? `breaks the rule ${rule}`}` }];
  }
}

function escaped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [RESERVED.has(key) ? `__${key}__` : key, escaped(part)]),
  );
}
