/** Adds to a checked workload what the API server answered to a dry run of one of its pods. */
import { addedContainers } from '../../operator/evaluate/injected.ts';
import { REFUSED_RULE } from '../../operator/evaluate/refused.ts';
import { evaluate, templateCandidate } from '../../operator/evaluate/verdict.ts';
import type { WorkloadName } from '../../operator/evaluate/workloads.ts';
import type { PodContent, WorkloadView } from '../../operator/model/objects.ts';
import type { PolicyContext } from '../policies/context.ts';
import { worst } from './checked.ts';
import { CHANGED, originOfAdded } from './origin.ts';
import type { CheckedItem, CheckedViolation } from './result.ts';
import { violationsOf } from './running.ts';

export type DryRunAnswer =
  /** The pod that the API server would create, with everything that webhooks and mutating policies change. */
  | { readonly pod: PodContent }
  /** The message of a program or of Pod Security that refuses the pod. */
  | { readonly refused: string }
  /** The reason why the API server did not decide about the pod. */
  | { readonly unanswered: string };

/** @param workload the workload whose template the pod was made from */
export function withAnswer(
  item: CheckedItem,
  workload: WorkloadView,
  answer: DryRunAnswer,
  context: PolicyContext,
): CheckedItem {
  if ('pod' in answer) return withPod(item, workload, answer.pod, context);
  if ('unanswered' in answer) return item.verdict === 'Violating' ? item : withoutAnswer(item, answer.unanswered);
  if (item.verdict === 'Violating' && item.violations.some(({ mode }) => mode === 'Enforce')) return item;
  const violations = refusals(answer.refused, item.namespace, context);
  return violations.length === 0
    ? withoutAnswer(item, answer.refused)
    : { ...item, verdict: 'Violating', onlyOldPods: false, violations: [...item.violations, ...violations] };
}

function withoutAnswer(item: CheckedItem, why: string): CheckedItem {
  return { ...item, verdict: item.verdict === 'Violating' ? 'Violating' : 'Unknown', remark: item.remark ?? why };
}

/** Evaluates the pod as the API server returned it. The rights of the workload's controller and account count. */
function withPod(item: CheckedItem, workload: WorkloadView, pod: PodContent, context: PolicyContext): CheckedItem {
  const candidate = { ...templateCandidate(workload), content: pod, filled: false };
  const results = context
    .deciding(item.namespace)
    .map(({ mode, policies }) => ({ mode, result: evaluate(candidate, policies, context.evaluation) }));
  const verdict = worst(results.map(({ result }) => result.verdict));
  if (verdict !== 'Violating') return item;
  const found = results
    .filter(({ result }) => result.verdict === verdict)
    .flatMap(({ mode, result: { violations } }) => violationsOf({ kind: item.kind, violations }, mode));
  const before = item.verdict === 'Violating' ? item.violations : [];
  const known = new Set(before.map(keyOf));
  const more = found.filter((one) => !known.has(keyOf(one)));
  if (more.length === 0) return item;
  const named = new Set(more.map(({ container }) => container));
  const added = addedContainers(pod.spec, workload.template.spec).filter(({ name }) => named.has(name));
  const origin = originOfAdded(added, item, before.length === 0 ? CHANGED : item.remark);
  const addedBefore = item.addedContainers.filter((name) => !origin.addedContainers.includes(name));
  return {
    ...item,
    ...origin,
    addedContainers: [...origin.addedContainers, ...addedBefore].sort(),
    verdict,
    onlyOldPods: false,
    violations: [...before, ...more],
  };
}

function keyOf({ policy, mode, rule, container, message }: CheckedViolation): string {
  return JSON.stringify([policy, mode, rule, container, message]);
}

/**
 * One violation for each Enforce policy that the message names. If the message names none, each Enforce policy that
 * decides gets the whole message. The list is empty if no Enforce policy decides.
 */
function refusals(message: string, namespace: string, context: PolicyContext): CheckedViolation[] {
  const { policies = [] } = context.deciding(namespace).find(({ mode }) => mode === 'Enforce') ?? {};
  const parts = message.split(' | ');
  const named = policies.flatMap(({ name }) => {
    const begin = `CapabilityPolicy ${name}: `;
    const part = parts.find((one) => one.startsWith(begin));
    return part === undefined ? [] : [{ name, text: part.slice(begin.length) }];
  });
  const all = named.length > 0 ? named : policies.map(({ name }) => ({ name, text: message }));
  return all.map(({ name, text }) => ({
    policy: name,
    mode: 'Enforce',
    rule: REFUSED_RULE,
    container: null,
    message: `the API server refuses a pod of the template: ${text}`,
    path: '',
    line: null,
  }));
}

/** The text for a workload that the API server did not decide about. */
export function unansweredText({ kind, namespace, name }: WorkloadName, why: string): string {
  return `no answer about the pods of ${kind} ${namespace}/${name}: ${why}`;
}
