/**
 * Lists the rules that violations name. Each rule is listed with the recommendations of hardening guides that the rule
 * covers.
 */
import { RULES } from '../../operator/rules/index.ts';
import { type Reference, referencesOf } from '../../operator/standards/hardening-guides.ts';
import type { CheckedRule } from './result.ts';

const BY_ID = new Map(RULES.map((rule) => [rule.id, rule]));

/**
 * The rules with the given IDs, in the order in which the API lists them. The result leaves out IDs that belong to no
 * rule about pods, such as the ID for the right to use a policy.
 */
export function rulesNamed(ids: ReadonlySet<string>): CheckedRule[] {
  return RULES.filter(({ id }) => ids.has(id)).map(({ id, title }) => ({ id, title, references: referencesBy(id) }));
}

export function referencesBy(rule: string): Reference[] {
  const guides = BY_ID.get(rule)?.guides;
  return guides ? referencesOf(guides) : [];
}

/** A reference to a hardening guide as text: `CIS Kubernetes Benchmark v2.0.1 5.2.2: few privileged containers`. */
export function referenceText({ guide, control, about }: Reference): string {
  return `${guide}${control === null ? '' : ` ${control}`}: ${about}`;
}
