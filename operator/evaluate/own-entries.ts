/** Finds the entries that a level admits in a list of `overrides`. */
import { RULES } from '../rules/index.ts';
import type { Rule } from '../rules/rule.ts';
import type { Standard } from '../standards/level-version.ts';

/** The entries that the level itself admits in the list of an override. */
export function ownEntries(path: string, standard: Standard): readonly unknown[] {
  const rule = RULES.find((one) => isStatedBy(path, one));
  const { own = [], choices } = rule?.fit(standard) ?? {};
  const value = own.length > 0 ? choices?.(own)[0]?.[path] : [];
  return Array.isArray(value) ? value : [];
}

/**
 * Whether the path in `overrides` belongs to the rule. A path may extend the rule's ID, such as
 * `capabilities.allowedBounding` for the rule `capabilities`.
 */
export function isStatedBy(path: string, { id, alsoStatedBy = [] }: Rule): boolean {
  return path === id || path.startsWith(`${id}.`) || alsoStatedBy.includes(path);
}
