/**
 * Which changes of namespaces a guard looks at. An API server reads the guard's text only for those, so that most changes
 * cost about the same however many policies there are (docs/decisions/0024).
 */
import { type LabelSelector, NAME_LABEL, ROLLOUT_PENDING } from '../api/capability-policy.ts';
import { splitSelector } from '../policy/parts.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { keysOf, requiredValues } from '../policy/selector.ts';
import { or } from '../rules/cel.ts';
import { GUARDED_LABELS, recordOf } from './guard-label.ts';
import { RESOURCE } from './match.ts';

/** CEL, bool: the request creates a namespace. */
export const CREATES = 'request.operation == "CREATE"';

/** The labels of the roll-outs of these policies; sorted. */
export function rolloutLabelsOf(policies: readonly ResolvedPolicy[]): string[] {
  return [...new Set(policies.flatMap(({ selector }) => splitSelector(selector).label ?? []))].sort();
}

/** CEL, list(string): those of the keys with which a namespace is pending. @param labels CEL, map(string, string) */
export function pendingIn(labels: string, keys: readonly string[]): string {
  return `${JSON.stringify(keys)}.filter(k, ${labels}[?k].orValue("") == "${ROLLOUT_PENDING}")`;
}

/** In characters: longer lists of keys are replaced by a comparison of all labels. */
const KEYS_LENGTH = 4_000;

/**
 * Selects every namespace that one of the policies selects, and others; undefined where that takes more than one label.
 *
 * As an objectSelector it is matched against the labels before and after the change, and one match is enough
 * (apiserver/pkg/admission/plugin/webhook/predicates/object/matcher.go). Where neither matches, no policy of the guard
 * decided before, so there is nothing to guard.
 */
export function scopeOf(policies: readonly ResolvedPolicy[]): LabelSelector | undefined {
  const required = policies.map(({ selector }) => new Map(requiredValues(selector)));
  const shared = [...(required[0]?.keys() ?? [])].filter((key) => required.every((labels) => labels.has(key)));
  const key = preferred(shared);
  if (key === undefined) return undefined;
  const values = new Set(required.flatMap((labels) => labels.get(key) ?? []));
  return { matchExpressions: [{ key, operator: 'In', values: [...values].sort() }] };
}

/** The label by which a policy shares a guard with others; undefined where it requires none. */
export function scopeKey({ selector }: ResolvedPolicy): string | undefined {
  return preferred(requiredValues(selector).map(([key]) => key));
}

/** The namespace's name shows most exactly which policies are concerned. */
function preferred(keys: readonly string[]): string | undefined {
  return keys.includes(NAME_LABEL) ? NAME_LABEL : keys.toSorted()[0];
}

/**
 * A match condition: the change touches a label that decides which of the policies decide, a label that the guard
 * protects, or the record of the labels that we set. Everything else leaves all that the guard compares as it was.
 *
 * A new namespace touches only the label of a roll-out, which keeps it out of a policy.
 *
 * @param candidates the policies that it guards, and those that it carries
 * @param before CEL, dyn: the namespace before the change
 */
export function matchTouching(candidates: readonly ResolvedPolicy[], before: string) {
  const keys = JSON.stringify([
    ...new Set([...candidates.flatMap(({ selector }) => keysOf(selector)), ...GUARDED_LABELS]),
  ]);
  const differs = '(k in l[0]) != (k in l[1]) || l[0][?k].orValue("") != l[1][?k].orValue("")';
  const touches = keys.length > KEYS_LENGTH ? 'l[0] != l[1]' : `${keys}.exists(k, ${differs})`;
  const labels = [before, 'dyn(object)'].map((object) => `${object}.metadata.?labels.orValue({})`);
  const rollouts = rolloutLabelsOf(candidates);
  const begins = `${CREATES} && [${labels[1]}].exists(l, ${pendingIn('l', rollouts)} != [])`;
  return {
    name: 'touches-what-is-guarded',
    expression: or(
      `${RESOURCE} != "namespaces"`,
      `[[${labels.join(', ')}]].exists(l, ${touches})`,
      `${recordOf(before)} != ${recordOf('dyn(object)')}`,
      ...(rollouts.length > 0 ? [begins] : []),
    ),
  };
}
