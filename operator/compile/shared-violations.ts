/**
 * Policies that meet mostly check the same: a check that several of them share is evaluated once. Each of n policies
 * contains all n, and every admission policy evaluates its own variables, so this keeps an n² cost small.
 */
import type { RuleChecks } from '../policy/resolve.ts';
import { RULES } from '../rules/index.ts';
import type { Variable } from './bound-variables.ts';
import { CUT } from './parts-cel.ts';
import { partCompliesCel, violationsCel } from './pod-cel.ts';

interface SharedViolations {
  /** These variables precede the judgements, which use them. */
  readonly shared: readonly Variable[];
  /** One for each judge. */
  readonly judgements: readonly Judgement[];
}

/** The results of one judge for a pod. */
export interface Judgement {
  /** CEL, list(bool): whether each of `variables.parts` complies. */
  readonly complies: string;
  /** CEL, list(list(string)): the violations of each part, in the registry's order. */
  readonly violations: string;
}

/** Consecutive rules in which the same judges have the same checks. */
interface Run {
  /** For each judge the first judge with the same checks. */
  readonly agreement: readonly number[];
  readonly rules: string[];
}

/** @param judges the checks of each, in the registry's order */
export function sharedViolations(judges: readonly (readonly RuleChecks[])[]): SharedViolations {
  const shared: Variable[] = [];
  const ofParts = judges.map((): Judgement[] => []);
  for (const [number, { agreement, rules }] of runsOf(judges).entries()) {
    for (const first of new Set(agreement)) {
      const checks = judges[first]?.filter(({ rule }) => rules.includes(rule)) ?? [];
      if (checks.length === 0) continue;
      const own = { complies: partCompliesCel(checks), violations: violationsCel(checks) };
      const agreeing = ofParts.filter((_, judge) => agreement[judge] === first);
      const names = { complies: `complied${number}x${first}`, violations: `shared${number}x${first}` };
      const theirs = {
        complies: `variables.${names.complies}[part.index]`,
        violations: `variables.${names.violations}[part.index]`,
      };
      if (agreeing.length > 1) {
        shared.push({ name: names.complies, expression: ofEachPart(own.complies) });
        shared.push({ name: names.violations, expression: ofEachDescribedPart(own.violations) });
      }
      for (const part of agreeing) part.push(agreeing.length > 1 ? theirs : own);
    }
  }
  return {
    shared,
    judgements: ofParts.map((part) => ({
      complies: ofEachPart(part.map(({ complies }) => complies).join(' && ') || 'true'),
      violations: ofEachDescribedPart([...part.map(({ violations }) => violations), CUT].join(' + ')),
    })),
  };
}

/** @param text CEL over the part `part` */
function ofEachPart(text: string): string {
  return `variables.parts.map(part, ${text})`;
}

/** @param text CEL over the part `part`, limited to the containers and volumes that a message describes */
function ofEachDescribedPart(text: string): string {
  return `variables.describedParts.map(part, ${text})`;
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
