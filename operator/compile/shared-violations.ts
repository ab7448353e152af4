/**
 * Policies that meet mostly ask the same of a pod: what several of them ask is evaluated once. Each of n policies carries
 * all n, and every admission policy evaluates its own variables, so that n² is what this keeps small.
 */
import type { RuleChecks } from '../policy/resolve.ts';
import { RULES } from '../rules/index.ts';
import { type Variable, violationsCel } from './pod-cel.ts';

interface SharedViolations {
  /** They stand before the lists, which name them. */
  readonly shared: readonly Variable[];
  /** CEL, list(string): of each judge, in the registry's order. */
  readonly lists: readonly string[];
}

/** Rules that follow each other, in which the same judges agree with each other. */
interface Run {
  /** For each judge the first one that asks the same. */
  readonly agreement: readonly number[];
  readonly rules: string[];
}

/** @param judges what each of them checks, in the registry's order */
export function sharedViolations(judges: readonly (readonly RuleChecks[])[]): SharedViolations {
  const shared: Variable[] = [];
  const lists = judges.map((): string[] => []);
  for (const [number, { agreement, rules }] of runsOf(judges).entries()) {
    for (const first of new Set(agreement)) {
      const checks = judges[first]?.filter(({ rule }) => rules.includes(rule)) ?? [];
      if (checks.length === 0) continue;
      const agreeing = lists.filter((_, judge) => agreement[judge] === first);
      const name = `shared${number}x${first}`;
      if (agreeing.length > 1) shared.push({ name, expression: violationsCel(checks) });
      for (const list of agreeing) list.push(agreeing.length > 1 ? `variables.${name}` : violationsCel(checks));
    }
  }
  return { shared, lists: lists.map((list) => list.join(' + ') || '[]') };
}

function runsOf(judges: readonly (readonly RuleChecks[])[]): Run[] {
  const runs: Run[] = [];
  for (const { id } of RULES) {
    const texts = judges.map((checks) => violationsCel(checks.filter(({ rule }) => rule === id)));
    const agreement = texts.map((text) => texts.indexOf(text));
    const last = runs.at(-1);
    if (last && String(last.agreement) === String(agreement)) last.rules.push(id);
    else runs.push({ agreement, rules: [id] });
  }
  return runs;
}
