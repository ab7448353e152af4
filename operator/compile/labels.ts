/**
 * Policies → Pod Security Admission labels of a namespace: the tightest (level, version) that refuses, at creation,
 * nothing that some deciding policy admits.
 */
import type { Mode } from '../api/capability-policy.ts';
import { deciding, MODES } from '../policy/deciding.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { RULES } from '../rules/index.ts';
import { compareLevels, formatVersion, type Level, looser, NEWEST_KNOWN_MINOR } from '../standards/level-version.ts';

export const LABEL_PREFIX = 'pod-security.kubernetes.io/';

export interface LevelVersion {
  readonly level: Exclude<Level, 'privileged'>;
  readonly minor: number;
}

const LABEL_OF_MODE: Record<Mode, 'enforce' | 'warn' | 'audit'> = { Enforce: 'enforce', Warn: 'warn', Audit: 'audit' };

/** The labels that policies ask for on a namespace with these labels; empty when they ask for none. */
export function podSecurityLabels(
  policies: readonly ResolvedPolicy[],
  labels: Readonly<Record<string, string>>,
  oldestServer: number,
): Record<string, string> {
  const entries = MODES.flatMap((mode) => {
    const parties = deciding(policies, mode, labels);
    if (parties.length === 0 || parties.some(({ podSecurityLabels }) => podSecurityLabels === 'Off')) return [];
    const found = tightest(parties, oldestServer);
    if (!found) return [];
    const label = `${LABEL_PREFIX}${LABEL_OF_MODE[mode]}`;
    return [
      [label, found.level],
      [`${label}-version`, formatVersion(found.minor)],
    ];
  });
  return Object.fromEntries(entries);
}

/** The highest level for which a version exists that refuses nothing the policies admit, then the newest such version. */
export function tightest(policies: readonly ResolvedPolicy[], oldestServer: number): LevelVersion | undefined {
  for (const level of ['restricted', 'baseline'] as const) {
    for (let minor = Math.min(oldestServer, NEWEST_KNOWN_MINOR); minor >= 0; minor--) {
      if (policies.every((policy) => compareLevels(levelAt(policy, minor), level) >= 0)) return { level, minor };
    }
  }
  return undefined;
}

/** The tightest level that at version v1.`label` refuses nothing which the policy admits. */
export function levelAt(policy: ResolvedPolicy, label: number): Level {
  return RULES.map((rule) => rule.podSecurity(policy.values[rule.id], policy.standard, label)).reduce(looser);
}

/** The rules that restrict more than the label does: what only the admission policy enforces. */
export function rulesBeyondLabel(policy: ResolvedPolicy, found: LevelVersion | undefined): string[] {
  const standard = found
    ? { level: found.level, minor: found.minor, server: policy.standard.server }
    : { level: 'privileged' as const, minor: policy.standard.minor, server: policy.standard.server };
  return policy.checks
    .filter(({ rule, checks }) => {
      const definition = RULES.find(({ id }) => id === rule);
      const byLabel = definition?.checks(definition.value({}, standard), standard) ?? [];
      return JSON.stringify(checks) !== JSON.stringify(byLabel);
    })
    .map(({ rule }) => rule);
}
