import { completeSpec } from '../../operator/api/defaults.ts';
import { overridesOf } from '../../operator/api/overrides.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../operator/policy/resolve.ts';
import type { Rule, Stated } from '../../operator/rules/rule.ts';
import type { Level } from '../../operator/standards/level-version.ts';

export type Beyond = Exclude<Level, 'privileged'>;

/** A level of the Pod Security Standards as a policy without overrides. */
export interface LevelPolicy {
  readonly level: Beyond;
  readonly policy: Checked;
}

/** The part of a policy that the evaluation of a pod needs. */
export type Checked = Pick<ResolvedPolicy, 'checks' | 'filledChecks' | 'standard'>;

const LEVELS: readonly Beyond[] = ['baseline', 'restricted'];

/**
 * The levels that restrict something, from the loosest to the strictest.
 *
 * @param oldestServer the minor version N of Kubernetes 1.N
 */
export function levelPolicies(oldestServer: number): LevelPolicy[] {
  return LEVELS.map((level) => ({ level, policy: policyOf(level, {}, oldestServer) }));
}

/** The policy reduced to the checks of the given rules. */
export function onlyRules({ checks, filledChecks, standard }: Checked, rules: readonly string[]): Checked {
  const only = (all: Checked['checks']) => all.filter(({ rule }) => rules.includes(rule));
  return { checks: only(checks), filledChecks: only(filledChecks), standard };
}

/** An override of a rule that no level restricts. Pods are compared with this override instead of the levels. */
export interface Reference {
  /** The override as users write it, such as `hostPaths: []`. */
  readonly text: string;
  readonly policy: Checked;
}

/**
 * The strictest override of the rule. If the strictest override refuses no pod, the result is the first of the rule's
 * examples that refuses a pod.
 */
export function referenceFor(rule: Rule, oldestServer: number): Reference | undefined {
  const { standard } = policyOf('privileged', {}, oldestServer);
  const tightest = rule.fit(standard).choices([]);
  const examples = rule.examples.map(({ overrides }): Stated => overrides as Stated);
  for (const stated of [...tightest, ...examples]) {
    const policy = onlyRules(policyOf('privileged', stated, oldestServer), [rule.id]);
    if (policy.checks.length > 0) return { text: statedText(stated), policy };
  }
  return undefined;
}

function policyOf(level: Level, stated: Stated, oldestServer: number): ResolvedPolicy {
  const spec = completeSpec({ namespaceSelector: {}, level, overrides: overridesOf(stated) });
  const metadata = { name: `level-${level}` };
  const found = resolvePolicy({ metadata, spec }, oldestServer);
  const policy = 'policy' in found ? found.policy : found.asBefore;
  if (!policy) throw new Error(`level ${level} at v1.${oldestServer} cannot be resolved`);
  return policy;
}

function statedText(stated: Stated): string {
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return Object.entries(stated)
    .map(([path, value]) => `${path}: ${text(value)}`)
    .join(', ');
}
