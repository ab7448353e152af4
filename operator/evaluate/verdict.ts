/**
 * Makes the decision of one mode about one pod or template. The pod must comply with at least one deciding policy, and
 * must be allowed to use this policy.
 *
 * operator/compile/decision.ts makes the same decision for the API server. Change operator/compile/decision.ts and this
 * file together. The API server evaluates containers that are added to a pod (docs/decisions/0008). This code evaluates
 * a pod as a whole.
 */

import { TooExpensive } from '../../engine/cel/costs.ts';
import { MOST_ASKED } from '../compile/decision.ts';
import { useRoleName } from '../compile/rbac.ts';
import type { PodContent, PodView, WorkloadView } from '../model/objects.ts';
import { Recent } from '../model/recent.ts';
import { controllerOf, workloadKind } from '../model/workload-kinds.ts';
import { perList, perObject } from '../policy/memo.ts';
import { evaluatesFilled } from '../policy/parts.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { runToEnd } from '../policy/run-to-end.ts';
import { ByForm } from './by-content.ts';
import { controllerUser, serviceAccountUser, type UseIndex, type User } from './use.ts';
import type { Evaluator, Violation } from './violations.ts';

export type Verdict = 'Compliant' | 'Violating' | 'Unknown';

/** A pod or a template, together with the users whose rights to use a policy matter. */
export interface Candidate {
  readonly namespace: string;
  readonly content: PodContent;
  /** The service account. If the creator is known, the list also has the creator. */
  readonly users: readonly User[];
  /**
   * Whether to evaluate the pod in the form that it has after defaulting. A template is always evaluated in the form
   * that its pods have after defaulting.
   */
  readonly filled: boolean;
  /**
   * The cluster does not record the name of every user. The value says whether the API server also checked the rights
   * of an unrecorded user. For example, the cluster does not record the creator of a bare pod.
   */
  readonly unknownUser: boolean;
}

export interface PodVerdict {
  readonly verdict: Verdict;
  /** The first policy that admits the pod. */
  readonly admittedBy?: string;
  /** The violations of the policies. The map is empty if the verdict is Compliant. The key is the policy's name. */
  readonly violations: Readonly<Record<string, readonly Violation[]>>;
}

/** The input of an evaluation besides the pod and the policies. */
export interface EvaluationContext {
  readonly evaluator: Evaluator;
  readonly use: UseIndex;
}

/** All compliant results share this empty set of violations. Most results of a large cluster are compliant. */
export const NO_VIOLATIONS: PodVerdict['violations'] = Object.freeze({});

/** The violations of a policy. The function reads own properties, because a policy may be named `constructor`. */
export function violationsBy(policy: string, violations: PodVerdict['violations']): readonly Violation[] {
  return (Object.hasOwn(violations, policy) ? violations[policy] : undefined) ?? [];
}

/** The rule's name in a violation about a missing right. The pod complies with a policy, but may not use the policy. */
export const USE_RULE = 'use';

/** The rule's name in a violation about costs: the pod is too expensive to evaluate. */
export const COST_RULE = 'evaluation';
const TOO_EXPENSIVE: readonly Violation[] = Object.freeze([
  {
    rule: COST_RULE,
    message:
      'pod is too expensive to evaluate, so it is unknown whether it complies: shorten its lists of containers, volumes, ports or capabilities',
    path: '',
  },
]);

/**
 * @param policies the policies of one mode that decide in the namespace. The list has at least one policy
 * @returns the verdict. The verdict is Unknown if the result depends on an unknown creator's rights, or if the
 * evaluation is too expensive
 */
export function evaluate(
  candidate: Candidate,
  policies: readonly ResolvedPolicy[],
  evaluation: EvaluationContext,
): PodVerdict {
  return runToEnd(evaluating(candidate, policies, evaluation));
}

/** Does what evaluate() does, in steps. The function yields after each evaluation. */
export function* evaluating(
  candidate: Candidate,
  policies: readonly ResolvedPolicy[],
  evaluation: EvaluationContext,
): Generator<void, PodVerdict> {
  const { content, filled } = candidate;
  const known = verdictsOf(evaluation.evaluator)(policies).of(filled);
  const before = known.get(content);
  if (before) return before;
  const { result, dependsOnUse } = yield* evaluatingAnew(candidate, policies, evaluation);
  if (!dependsOnUse && Object.isFrozen(content.spec)) known.set(content, Object.freeze(result));
  return result;
}

/** The frozen results that all pods with equal content share. The key is the ordered list of policies. */
const verdictsOf = perObject((_: Evaluator) => perList((_: readonly ResolvedPolicy[]) => new ByForm<PodVerdict>()));

interface NewVerdict {
  readonly result: PodVerdict;
  /**
   * Whether the result depends on rights to use policies. If the value is false, the result depends only on the content
   * of the pod.
   */
  readonly dependsOnUse: boolean;
}

function* evaluatingAnew(
  candidate: Candidate,
  policies: readonly ResolvedPolicy[],
  { evaluator, use }: EvaluationContext,
): Generator<void, NewVerdict> {
  const violations: Record<string, readonly Violation[]> = {};
  const restricted = policies.filter(({ usableBy }) => usableBy !== 'Everyone').length;
  const usable: ResolvedPolicy[] = [];
  let unusable = 0;
  let depends = false;
  let dependsOnUse = false;
  for (const policy of policies) {
    const broken = yield* findingViolations(candidate, policy, evaluator);
    if (broken.length === 0) {
      const asks = policy.usableBy !== 'Everyone';
      dependsOnUse ||= asks;
      if (!mayUse(candidate, policy, use)) unusable++;
      else if (!asks || restricted <= MOST_ASKED) return { result: compliant(policy), dependsOnUse };
      else usable.push(policy);
    }
    depends ||= broken === TOO_EXPENSIVE || (broken.length === 0 && candidate.unknownUser);
    violations[policy.name] = broken.length === 0 ? notUsable(candidate, policy) : broken;
  }
  const [first] = usable;
  // The API server checks the right to use at most MOST_ASKED policies. If fewer than MOST_ASKED policies are unusable,
  // at least one of the checked policies admits the pod.
  if (first && unusable < MOST_ASKED) return { result: compliant(first), dependsOnUse };
  for (const policy of usable) violations[policy.name] = perhapsNotAsked(policy);
  const verdict = depends || first ? 'Unknown' : 'Violating';
  return { result: { verdict, violations }, dependsOnUse };
}

function compliant({ name }: ResolvedPolicy): PodVerdict {
  return { verdict: 'Compliant', admittedBy: name, violations: NO_VIOLATIONS };
}

function perhapsNotAsked({ name }: ResolvedPolicy): readonly Violation[] {
  const message = `pod complies, and may use policy ${name}, but it complies with more than ${MOST_ASKED} policies with restricted use, and the API server checks the right to use only ${MOST_ASKED} of them`;
  return [{ rule: USE_RULE, message, path: 'serviceAccountName' }];
}

/**
 * Returns a candidate with the users whose rights count for a running pod. If a built-in controller owns the pod, the
 * controller is the creator. If the pod has no owner, or if the owner is not a built-in controller, the creator is
 * unknown. For an ephemeral container, the author is also unknown. The API server checked the rights of the person who
 * added the container, not the controller's rights.
 */
export function podCandidate(pod: PodView): Candidate {
  const controller = pod.owner && controllerOf(pod.owner.apiVersion, pod.owner.kind);
  return {
    namespace: pod.namespace,
    content: pod,
    filled: false,
    users: users(pod.namespace, pod.serviceAccount, controller),
    unknownUser: controller === undefined || (pod.spec.ephemeralContainers ?? []).length > 0,
  };
}

/**
 * Returns a candidate with the users whose rights count for the pods that a workload's controller will create. A
 * PodTemplate has no controller, so its service account is the only user that counts.
 */
export function templateCandidate({ kind, namespace, template }: WorkloadView): Candidate {
  return {
    namespace,
    content: template,
    filled: true,
    users: users(namespace, template.spec.serviceAccountName ?? 'default', workloadKind(kind)?.serviceAccount),
    unknownUser: false,
  };
}

/**
 * Returns a candidate with the users whose rights count for the pods of a custom resource. The creator of these pods is
 * unknown.
 */
export function customCandidate(namespace: string, content: PodContent): Candidate {
  const serviceAccount = content.spec.serviceAccountName ?? 'default';
  return { namespace, content, filled: true, users: users(namespace, serviceAccount, undefined), unknownUser: true };
}

/** A cache of lists of users. Most pods of a namespace have the same users. */
const USERS = new Recent<readonly User[]>();

function users(namespace: string, serviceAccount: string, controller: string | undefined): readonly User[] {
  return USERS.get(JSON.stringify([namespace, serviceAccount, controller]), () => {
    const own = serviceAccountUser(namespace, serviceAccount);
    return controller === undefined ? [own] : [own, controllerUser(controller)];
  });
}

/**
 * Finds the violations of one policy. If a pod already complies, defaulting does not change the pod. If a pod already
 * complies, the function therefore does not evaluate the pod after defaulting.
 */
function* findingViolations(
  { content, filled }: Candidate,
  policy: ResolvedPolicy,
  evaluator: Evaluator,
): Generator<void, readonly Violation[]> {
  try {
    const asIs = evaluator.violations(content, policy);
    yield;
    const becomesFilled = filled || policy.pendingFor !== undefined;
    if (!becomesFilled || !evaluatesFilled(policy) || asIs.length === 0) return asIs;
    const afterFilling = evaluator.violations(content, policy, true);
    yield;
    return afterFilling;
  } catch (error) {
    if (error instanceof TooExpensive) return TOO_EXPENSIVE;
    throw error;
  }
}

/** Finds the violations of one policy. Unlike `evaluate`, this function does not check the right to use the policy. */
export function violationsOf(candidate: Candidate, policy: ResolvedPolicy, evaluator: Evaluator): readonly Violation[] {
  return runToEnd(findingViolations(candidate, policy, evaluator));
}

/** Whether one of the candidate's known users may use the policy. */
export function mayUse({ namespace, users }: Candidate, { name, usableBy }: ResolvedPolicy, use: UseIndex): boolean {
  return usableBy === 'Everyone' || users.some((user) => use.mayUse(user, namespace, name));
}

/**
 * A cache of violations about missing rights. Because of the cache, the pods of a workload share one list of
 * violations.
 */
const NOT_USABLE = new Recent<readonly Violation[]>();

function notUsable({ namespace, users, unknownUser }: Candidate, { name }: ResolvedPolicy): readonly Violation[] {
  const names = users.map((user) => user.name);
  return NOT_USABLE.get(JSON.stringify([name, namespace, unknownUser, ...names]), () => {
    const who = names.length > 1 ? `neither ${names.join(' nor ')} may` : `${names[0]} may not`;
    const creator = unknownUser ? '; it is unknown whether the creator of the pod may use the policy' : '';
    return [
      {
        rule: USE_RULE,
        message: `pod complies, but ${who} use policy ${name}${creator}: a RoleBinding to ClusterRole ${useRoleName(name)} in namespace ${namespace} grants it`,
        path: 'serviceAccountName',
      },
    ];
  });
}
