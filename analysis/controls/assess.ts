/**
 * Assesses each control of the hardening guides. The result says which workloads of a cluster pass or fail the control,
 * and which workloads a policy excepts.
 */
import type { CompleteSpec } from '../../operator/api/capability-policy.ts';
import { CelEngine } from '../../operator/evaluate/cel.ts';
import { membersOf } from '../../operator/evaluate/members.ts';
import type { UseIndex } from '../../operator/evaluate/use.ts';
import { type Candidate, evaluate } from '../../operator/evaluate/verdict.ts';
import type { Evaluator } from '../../operator/evaluate/violations.ts';
import { type Group, groupsOf } from '../../operator/evaluate/workload-verdict.ts';
import type { WorkloadName } from '../../operator/evaluate/workloads.ts';
import type { Cluster, NamespaceView } from '../../operator/model/objects.ts';
import { deciding } from '../../operator/policy/deciding.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { CONTROLS, type Control } from './controls.ts';
import { afterDefaulting } from './defaulted.ts';
import { opens } from './opening.ts';

/** The policies of a cluster, and who may use them. */
interface Policies {
  readonly use: UseIndex;
  selecting(namespace: string): readonly ResolvedPolicy[];
  isReached(namespace: NamespaceView): boolean;
  acceptedText(policy: string): { readonly spec: CompleteSpec } | undefined;
}

interface Assessing {
  readonly cluster: Cluster;
  readonly policies: Policies;
  /**
   * Whether all roles and role bindings could be read. If a role or role binding could not be read, a policy with
   * restricted use excepts no workload.
   */
  readonly usersKnown: boolean;
  /** The only namespace to assess. The value is undefined if all namespaces are assessed. */
  readonly namespace: string | undefined;
}

export interface Assessment {
  /** The names of the assessed namespaces. */
  readonly namespaces: readonly string[];
  /** The number of assessed workloads. */
  readonly workloads: number;
  readonly controls: readonly ControlResult[];
}

/**
 * The result of a control. Each workload is counted in exactly one of the numbers: passed, partly, failed or excepted.
 */
export interface ControlResult {
  readonly control: Control;
  readonly passed: number;
  /**
   * The number of workloads that, as far as `cappol` can see, do not break the control. The control also has a part
   * that `cappol` cannot see.
   */
  readonly partly: number;
  readonly failed: readonly BreakingWorkload[];
  readonly excepted: readonly ExceptedWorkload[];
}

export interface BreakingWorkload extends WorkloadName {
  readonly breaks: readonly Break[];
}

/** A rule that a container breaks, or that the pod breaks as a whole. */
export interface Break {
  readonly rule: string;
  readonly container?: string;
}

export interface ExceptedWorkload extends BreakingWorkload {
  /** The policies that admit the workload, open the control and give a reason; sorted by name. */
  readonly policies: readonly Exception[];
}

export interface Exception {
  readonly name: string;
  readonly reason: string;
  readonly expires?: string;
}

/** A pod or template of a workload, with the fields that defaulting has filled in. */
interface Running {
  readonly candidate: Candidate;
  /**
   * Finds the policies that admit the pod, open the control and give a reason. The search is made on demand, because
   * few pods break a control.
   */
  exceptions(control: Control): readonly Exception[];
}

/** @param evaluator an evaluator without a cost limit */
export function assessControls(assessing: Assessing, evaluator: Evaluator): Assessment {
  const { cluster, policies, namespace: only } = assessing;
  const namespaces = cluster
    .namespaces()
    .filter((one) => policies.isReached(one) && (only === undefined || one.name === only));
  const engine = new CelEngine();
  const workloads = namespaces.flatMap((namespace) => {
    const decisive = deciding(policies.selecting(namespace.name), 'Enforce', namespace.labels);
    const run = (candidate: Candidate) => running(candidate, decisive, { ...assessing, evaluator, engine });
    return groupsOf(membersOf(namespace.name, cluster)).map((group) => ({
      group,
      running: group.members.map(({ candidate }) => run(candidate)),
    }));
  });
  return {
    namespaces: namespaces.map(({ name }) => name),
    workloads: workloads.length,
    controls: CONTROLS.map((control) => resultOf(control, workloads, evaluator)),
  };
}

/** A workload, with its pods and templates in the order of the group's members. */
interface RunningWorkload {
  readonly group: Group;
  readonly running: readonly Running[];
}

function resultOf(control: Control, workloads: readonly RunningWorkload[], evaluator: Evaluator): ControlResult {
  const failed: BreakingWorkload[] = [];
  const excepted: ExceptedWorkload[] = [];
  let [passed, partly] = [0, 0];
  for (const { group, running } of workloads) {
    const breaking = running
      .map((one) => ({ ...one, violations: evaluator.violations(one.candidate.content, control) }))
      .filter(({ violations }) => violations.length > 0);
    if (breaking.length === 0) {
      if (isSeen(control, group)) passed += 1;
      else partly += 1;
      continue;
    }
    const { kind, namespace, name } = group.workload;
    const workload = { kind, namespace, name, breaks: breaksOf(breaking.flatMap(({ violations }) => violations)) };
    const exceptions = breaking.map((one) => one.exceptions(control));
    if (exceptions.every(({ length }) => length > 0))
      excepted.push({ ...workload, policies: distinctExceptions(exceptions) });
    else failed.push(workload);
  }
  return { control, passed, partly, failed, excepted };
}

function isSeen({ unseen }: Control, { members }: Group): boolean {
  return unseen === undefined || (unseen.inPods && members.some(({ pod }) => pod));
}

function breaksOf(violations: readonly Break[]): Break[] {
  const distinct = new Map(
    violations.map(({ rule, container }) => [
      `${rule}\n${container ?? ''}`,
      { rule, ...(container !== undefined && { container }) },
    ]),
  );
  return [...distinct.values()];
}

/** The policies of all lists, sorted by name. Each policy occurs once. */
export function distinctExceptions(exceptions: readonly (readonly Exception[])[]): Exception[] {
  const distinct = new Map(exceptions.flat().map((one) => [one.name, one]));
  return [...distinct.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface Evaluating extends Assessing {
  readonly evaluator: Evaluator;
  readonly engine: CelEngine;
}

function running(candidate: Candidate, decisive: readonly ResolvedPolicy[], evaluating: Evaluating): Running {
  const { policies, usersKnown, evaluator, engine } = evaluating;
  const evaluation = { evaluator, use: policies.use };
  const defaulted = afterDefaulting(candidate, decisive, evaluation, engine);
  const exceptions = (control: Control) =>
    decisive.flatMap((policy): Exception[] => {
      const spec = policies.acceptedText(policy.name)?.spec;
      if (spec?.reason === undefined || (policy.usableBy !== 'Everyone' && !usersKnown)) return [];
      if (!opens(control, spec, policy.standard)) return [];
      const { reason, expires } = spec;
      const { verdict } = evaluate(defaulted, [policy], evaluation);
      return verdict === 'Compliant' ? [{ name: policy.name, reason, ...(expires !== undefined && { expires }) }] : [];
    });
  return { candidate: defaulted, exceptions };
}
