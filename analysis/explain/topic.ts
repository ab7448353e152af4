/**
 * Finds the topic of a question by its name. A topic is a capability, a rule, or the label for admin access to devices.
 */
import { RULES } from '../../operator/rules/index.ts';
import type { Rule } from '../../operator/rules/rule.ts';
import { CAPABILITIES, CAPABILITY_TABLE, type Capability } from '../../operator/standards/capabilities.ts';
import { nearest } from '../schema/nearest.ts';
import { ADMIN_ACCESS_LABEL, isAdminAccess } from './admin-access.ts';

export type Topic =
  | { readonly kind: 'Capability'; readonly name: string }
  | { readonly kind: 'Rule'; readonly name: string; readonly rule: Rule }
  | { readonly kind: 'NamespaceLabel'; readonly name: string };

const NAMES: readonly string[] = [...CAPABILITIES, ...RULES.map(({ id }) => id), 'adminAccess'];
const MOST_NAMES = 3;

/** The name of the capability in upper case (only ASCII letters change), without CAP_. */
export function capabilityName(text: string): string {
  return text.replace(/[a-z]/g, (letter) => letter.toUpperCase()).replace(/^CAP_/, '');
}

export function capabilityOf(text: string): Capability | undefined {
  const name = capabilityName(text);
  return CAPABILITY_TABLE.find((one) => one.name === name);
}

/**
 * @param text the ID of the rule, in upper or lower case. The ID may lack the `s` or `es` at its end: `hostPath` means
 * the rule `hostPaths`
 */
export function ruleOf(text: string): Rule | undefined {
  const name = text.toLowerCase();
  return (
    RULES.find(({ id }) => id.toLowerCase() === name) ??
    RULES.find(({ id }) => [`${name}s`, `${name}es`].includes(id.toLowerCase()))
  );
}

export function topicOf(text: string): Topic | undefined {
  const capability = capabilityOf(text);
  if (capability) return { kind: 'Capability', name: capability.name };
  if (isAdminAccess(text)) return { kind: 'NamespaceLabel', name: ADMIN_ACCESS_LABEL.name };
  const rule = ruleOf(text);
  return rule && { kind: 'Rule', name: rule.id, rule };
}

/**
 * The names that the author of an unknown name may have meant: the nearest names of capabilities, rules and the label.
 * If no name is near, the result has names that contain the text.
 */
export function namesNear(text: string): string[] {
  const typed = text.toLowerCase().replace(/^cap_/, '');
  const byLower = new Map(NAMES.map((name) => [name.toLowerCase(), name]));
  const near = nearest(typed, [...byLower.keys()]).flatMap((name) => byLower.get(name) ?? []);
  if (near.length > 0 || typed === '') return near;
  return NAMES.filter((name) => name.toLowerCase().includes(typed)).slice(0, MOST_NAMES);
}
