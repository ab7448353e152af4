/**
 * Assesses a cluster without CapabilityPolicy. The assessment says which workloads hold which capability, and which
 * workloads each level would refuse. All functions are pure.
 */

import { granted } from '../../../analysis/capabilities/held-by-runtime.ts';
import { requests } from '../../../analysis/capabilities/held-request.ts';
import { CONTAINERD } from '../../../analysis/capabilities/runtimes.ts';
import { ASSESSED_LEVELS } from '../../../analysis/policies/assessed-cluster.ts';
import { LABEL_PREFIX } from '../../../operator/compile/labels.ts';
import { membersOf } from '../../../operator/evaluate/members.ts';
import type { Evaluator } from '../../../operator/evaluate/violations.ts';
import { type Group, groupsOf } from '../../../operator/evaluate/workload-verdict.ts';
import type { WorkloadName } from '../../../operator/evaluate/workloads.ts';
import type { NamespaceView } from '../../../operator/model/objects.ts';
import { CAPABILITIES_BY_RISK } from '../../../operator/standards/capabilities.ts';
import type { Level } from '../../../operator/standards/level-version.ts';
import { type PolicyView, type Readable, statusView, unreachedNamespaces, type ViolationView } from './view.ts';

/** The assessment as `-o json` prints it. */
export interface AssessmentView {
  readonly installed: false;
  readonly policies: readonly [];
  readonly levels: readonly LevelView[];
  /** The namespaces, sorted by name. */
  readonly namespaces: readonly AssessedNamespace[];
  /** The capabilities that workloads hold, sorted by danger. The most dangerous capability comes first. */
  readonly held: readonly HeldView[];
  /** The names of the namespaces that no policy can reach. */
  readonly leftOut: readonly string[];
  readonly missing: readonly string[];
}

export interface LevelView {
  readonly level: Level;
  readonly workloads: PolicyView['workloads'];
  readonly violations: readonly Omit<ViolationView, 'mode'>[];
}

export interface AssessedNamespace {
  readonly name: string;
  readonly workloads: number;
  /** The number of the namespace's workloads that each level would refuse. The key is the level. */
  readonly refused: Readonly<Record<string, number>>;
  /**
   * The Pod Security level that the namespace's label enforces. If the namespace has no such label, the field is
   * absent.
   */
  readonly podSecurity?: string;
}

/** A set of capabilities that containerd gives to the listed workloads. */
export interface HeldView {
  readonly capabilities: readonly string[];
  /** Whether the workloads hold all capabilities because a container is privileged. */
  readonly privileged: boolean;
  readonly workloads: readonly WorkloadName[];
}

const ENFORCE = `${LABEL_PREFIX}enforce`;

/** @param readable a cluster with the policies of ASSESSED_LEVELS */
export function assessmentView(readable: Omit<Readable, 'protection'>, evaluator: Evaluator): AssessmentView {
  const { cluster, state, namespace: only, missing } = readable;
  const protection = { status: 'Unknown', message: '' } as const;
  const { policies } = statusView({ ...readable, protection }, evaluator);
  const levels = ASSESSED_LEVELS.flatMap(({ level }) => levelViews(level, policies));
  const asked = cluster.namespaces().filter(({ name }) => only === undefined || name === only);
  const reached = readable.canEvaluate ? asked.filter((one) => state.isReached(one)) : [];
  const groups = new Map(reached.map(({ name }) => [name, groupsOf(membersOf(name, cluster))]));
  return {
    installed: false,
    policies: [],
    levels,
    namespaces: reached.map((one) => assessedNamespace(one, groups.get(one.name)?.length ?? 0, levels)),
    held: heldBy(groups),
    leftOut: unreachedNamespaces(readable),
    missing,
  };
}

function levelViews(level: Level, policies: readonly PolicyView[]): LevelView[] {
  return policies
    .filter(({ name }) => name === level)
    .map(({ workloads, violations }) => ({
      level,
      workloads,
      violations: violations.map(({ mode: _, ...violation }) => violation),
    }));
}

function assessedNamespace(
  { name, labels }: NamespaceView,
  workloads: number,
  levels: readonly LevelView[],
): AssessedNamespace {
  const refusedBy = ({ violations }: LevelView) => {
    const there = violations.filter((one) => one.namespace === name && one.verdict === 'Violating');
    return new Set(there.map((one) => `${one.kind}/${one.name}`)).size;
  };
  const podSecurity = labels[ENFORCE];
  return {
    name,
    workloads,
    refused: Object.fromEntries(levels.map((one) => [one.level, refusedBy(one)])),
    ...(podSecurity !== undefined && { podSecurity }),
  };
}

/**
 * The capabilities that workloads hold. If the same workloads hold several capabilities, these capabilities share one
 * entry.
 */
function heldBy(groups: ReadonlyMap<string, readonly Group[]>): HeldView[] {
  const privileged: WorkloadName[] = [];
  const byCapability = new Map<string, WorkloadName[]>();
  for (const [namespace, ofNamespace] of groups) {
    for (const { workload, members } of ofNamespace) {
      const holder = { namespace, kind: workload.kind, name: workload.name };
      const asked = members.flatMap(({ candidate }) => requests(candidate.content.spec));
      if (asked.some((one) => one.privileged)) {
        privileged.push(holder);
        continue;
      }
      const grants = asked.map((one) => granted(CONTAINERD, one));
      for (const name of new Set(grants.flatMap((grant) => ('error' in grant ? [] : grant.capabilities))))
        byCapability.set(name, [...(byCapability.get(name) ?? []), holder]);
    }
  }
  const shared = Map.groupBy(byCapability, ([, holders]) => JSON.stringify(holders));
  const held = [...shared.values()].map((entries) => ({
    capabilities: entries.map(([name]) => name).sort((a, b) => riskOf(a) - riskOf(b)),
    privileged: false,
    workloads: entries[0]?.[1] ?? [],
  }));
  held.sort((a, b) => riskOf(a.capabilities[0]) - riskOf(b.capabilities[0]));
  return privileged.length > 0 ? [{ capabilities: ['ALL'], privileged: true, workloads: privileged }, ...held] : held;
}

/** The rank of a capability by danger, where 0 is the most dangerous. */
function riskOf(name = ''): number {
  return CAPABILITIES_BY_RISK.findIndex((one) => one.name === name);
}
