/**
 * Conditions in the CEL expressions of a rule. If a condition has the same value for every pod, the functions leave the
 * condition out of the CEL.
 */

/**
 * A condition is a CEL expression of type bool. If the value is the same for every pod, the condition is `true` or
 * `false` instead of an expression.
 */
export type Condition = string | boolean;

export function all(...conditions: readonly Condition[]): Condition {
  if (conditions.includes(false)) return false;
  return joined(conditions, ' && ', true);
}

export function any(...conditions: readonly Condition[]): Condition {
  if (conditions.includes(true)) return true;
  return joined(conditions, ' || ', false);
}

export function not(condition: Condition): Condition {
  return typeof condition === 'boolean' ? !condition : `!(${condition})`;
}

/**
 * Returns a CEL expression that chooses one of two expressions by a condition. The two expressions have the same type.
 */
export function choose(condition: Condition, then: string, otherwise: string): string {
  if (typeof condition === 'boolean') return condition ? then : otherwise;
  return `(${condition} ? ${then} : ${otherwise})`;
}

/**
 * A CEL expression of type string: the concatenated strings, with adjacent literals merged into one literal.
 * @param texts each item is CEL of type string
 */
export function concat(...texts: readonly string[]): string {
  const merged: string[] = [];
  for (const text of texts) {
    const last = merged.at(-1);
    if (last !== undefined && isLiteral(last) && isLiteral(text)) {
      merged[merged.length - 1] = JSON.stringify(JSON.parse(last) + JSON.parse(text));
    } else merged.push(text);
  }
  return merged.join(' + ');
}

function isLiteral(text: string): boolean {
  return /^"(?:[^"\\]|\\.)*"$/.test(text);
}

function joined(conditions: readonly Condition[], operator: string, neutral: boolean): Condition {
  const texts = conditions.filter((condition) => typeof condition === 'string');
  const [first, ...others] = texts;
  if (first === undefined) return neutral;
  return others.length === 0 ? first : texts.map((text) => `(${text})`).join(operator);
}
