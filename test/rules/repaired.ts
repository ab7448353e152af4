/** Repairs a minimal pod for one policy, and summarizes the changes. */
import assert from 'node:assert/strict';
import { withChange } from '../../analysis/fix/changed-fields.ts';
import { Repairer } from '../../analysis/fix/repairer.ts';
import { pathText } from '../../analysis/schema/paths.ts';
import type { CapabilityPolicyOverrides, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { completeSpec } from '../../operator/api/defaults.ts';
import { createUseIndex } from '../../operator/evaluate/use.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { resolvePolicy } from '../../operator/policy/resolve.ts';
import { FIX_CLASSES, type FixClass } from '../../operator/rules/rule.ts';
import { formatVersion, type Level, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policyManifest } from '../support/policies.ts';

interface ByPolicy {
  readonly level: Level;
  readonly minor?: number;
  readonly server?: number;
  readonly overrides?: CapabilityPolicyOverrides;
  readonly containers?: CapabilityPolicySpec['containers'];
  readonly classes?: readonly FixClass[];
}

export function repaired(
  { level, minor = NEWEST_KNOWN_MINOR, server = NEWEST_KNOWN_MINOR, classes = FIX_CLASSES, ...stated }: ByPolicy,
  content: PodContent,
) {
  const spec = completeSpec({ namespaceSelector: {}, level, levelVersion: formatVersion(minor), ...stated });
  const resolution = resolvePolicy(policyManifest({ name: 'table' }, spec), server);
  assert.ok('policy' in resolution);
  const repairer = new Repairer({ evaluator: new Evaluator(), use: createUseIndex([], []) }, new Set(classes));
  const candidate = { namespace: 'default', content, users: [], filled: true, unknownUser: false };
  const { repairs, left } = repairer.repair(candidate, [[resolution.policy]]);
  return {
    content: repairs.reduce(withChange, content),
    changes: repairs.map((one) => {
      const path = pathText([...one.parent, ...one.field]);
      const value = one.value === undefined ? 'removed' : `= ${JSON.stringify(one.value)}`;
      return { ...one, text: `${one.class} ${path} ${value}` };
    }),
    left,
  };
}
