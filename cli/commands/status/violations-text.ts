/**
 * Prints the violations of a status. On a terminal, the violations are grouped by namespace and workload. In a pipe or
 * file, the violations are a table.
 */
import { type Effect, effectOf } from '../../../analysis/check/effect.ts';
import { type MergedViolation, mergeViolations, policiesText } from '../../../analysis/check/merged.ts';
import type { Mode } from '../../../operator/api/capability-policy.ts';
import { bounded } from '../../../operator/text/printable.ts';
import { counted } from '../../../operator/text/wording.ts';
import { EFFECT_STYLES, effectPaint } from '../../output/effect-paint.ts';
import { type Entry, groupedText, withSharedDetail } from '../../output/grouped.ts';
import { tableText } from '../../output/table.ts';
import type { Terminal } from '../../output/terminal.ts';
import type { PolicyView, ViolationView } from './view.ts';

const HEAD = ['NAMESPACE', 'WORKLOAD', 'PODS', 'RESULT', 'POLICY', 'RULE', 'MESSAGE'];

/** A violation of a workload, with all policies that report the violation. */
interface ShownViolation extends MergedViolation<ViolationView & { readonly policy: string; readonly mode: Mode }> {
  readonly effect: Effect;
}

/** A policy and its violations. */
type Evaluated = Pick<PolicyView, 'name' | 'violations'>;

export function violationsText(policies: readonly Evaluated[], terminal: Terminal): string {
  const all = mergedViolations(policies);
  if (all.length === 0) return '';
  return terminal.width === undefined ? violationTable(all, terminal) : violationGroups(all, terminal);
}

function mergedViolations(policies: readonly Evaluated[]): ShownViolation[] {
  const all = policies.flatMap(({ name: policy, violations }) => violations.map((one) => ({ ...one, policy })));
  const workloads = Map.groupBy(all, workloadKey);
  return [...workloads.keys()]
    .sort()
    .flatMap((key) => mergeViolations(workloads.get(key) ?? []))
    .map((one) => ({ ...one, effect: one.first.verdict === 'Unknown' ? 'Unknown' : effectOf(one.mode) }));
}

function workloadKey({ namespace, kind, name }: ViolationView): string {
  return [namespace, kind, name].join('\n');
}

function violationTable(all: readonly ShownViolation[], terminal: Terminal): string {
  const rows = all.map((one) => [
    one.first.namespace,
    bounded(`${one.first.kind} ${one.first.name}`, 320),
    one.effect === 'Unknown' ? '?' : String(one.first.pods),
    one.effect.toLowerCase(),
    byText(one),
    one.first.rule,
    bounded(one.message, 1024),
  ]);
  return tableText(HEAD, rows, { terminal, paint: effectPaint('RESULT', terminal) });
}

function violationGroups(all: readonly ShownViolation[], terminal: Terminal): string {
  const workloads = [...Map.groupBy(all, ({ first }) => workloadKey(first)).values()].map((ofWorkload) => {
    const [{ first }] = ofWorkload as [ShownViolation];
    return withSharedDetail({
      namespace: first.namespace,
      workload: `${first.kind} ${first.name}`,
      remark: first.pods > 0 ? counted(first.pods, 'pod') : '',
      entries: ofWorkload.map(entryOf),
    });
  });
  return groupedText(workloads, terminal);
}

function entryOf(violation: ShownViolation): Entry {
  const { effect, first, message } = violation;
  return {
    label: effect.toLowerCase(),
    style: EFFECT_STYLES[effect],
    text: `${first.rule}: ${bounded(message, 1024)}`,
    detail: `by ${byText(violation)}`,
  };
}

/** The policies that report a violation, as text such as `everywhere; admitted by net`. */
function byText(violation: ShownViolation): string {
  const { admittedBy } = violation.first;
  return `${policiesText(violation)}${admittedBy === undefined ? '' : `; admitted by ${admittedBy}`}`;
}
