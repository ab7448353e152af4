/**
 * Compares two snapshots of a cluster. The comparison covers the workloads, the capabilities that their containers
 * hold, the exceptions, and the namespaces in which policies are enforced. Each snapshot is evaluated at the time at
 * which it was taken.
 */
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { WorkloadName } from '../../operator/evaluate/workloads.ts';
import type { Snapshot } from '../snapshot/document.ts';
import { type CapabilityChange, heldOnlyIn } from './capabilities.ts';
import { type EndedException, endedExceptions, type NewException, newExceptions } from './exceptions.ts';
import { neededAgain, newlyUnused, type PolicyGrant, usersDiffer } from './grants.ts';
import { momentOf, withSharedShapes } from './moment.ts';
import { type EnforcedNamespace, enforcedOnlyIn } from './namespaces.ts';
import { pairedWorkloads, workloadsOnlyIn } from './workloads.ts';

/**
 * The changes between two snapshots. Each list is sorted by names, so the same snapshots always give the same document.
 */
export interface History {
  /** The time of the old snapshot, in RFC 3339 format. */
  readonly from: string;
  /** The time of the new snapshot, in RFC 3339 format. */
  readonly to: string;
  readonly workloads: { readonly came: readonly WorkloadName[]; readonly gone: readonly WorkloadName[] };
  readonly capabilities: { readonly gained: readonly CapabilityChange[]; readonly lost: readonly CapabilityChange[] };
  readonly exceptions: {
    readonly new: readonly NewException[];
    readonly ended: readonly EndedException[];
    /**
     * Grants and whole exceptions that no workload needs now. In the old snapshot, a workload needed the grant or
     * exception, or the grant or exception did not exist.
     */
    readonly unused: readonly PolicyGrant[];
    readonly neededAgain: readonly PolicyGrant[];
  };
  /** Namespaces that exist in both snapshots, and in which a policy is enforced in only one of the snapshots. */
  readonly namespaces: {
    readonly enforced: readonly EnforcedNamespace[];
    readonly notEnforced: readonly EnforcedNamespace[];
  };
}

export function historyOf(old: Snapshot, now: Snapshot): History {
  const [first, second] = withSharedShapes(old, now);
  const evaluator = new Evaluator();
  const [before, after] = [momentOf(first, evaluator), momentOf(second, evaluator)];
  const paired = pairedWorkloads(first, second);
  return {
    from: old.taken,
    to: now.taken,
    workloads: { came: workloadsOnlyIn('after', paired), gone: workloadsOnlyIn('before', paired) },
    capabilities: { gained: heldOnlyIn('after', paired), lost: heldOnlyIn('before', paired) },
    exceptions: {
      new: newExceptions(before, after),
      ended: endedExceptions(before, after),
      unused: newlyUnused(before, after),
      neededAgain: neededAgain(before, after),
    },
    namespaces: { enforced: enforcedOnlyIn(after, before), notEnforced: enforcedOnlyIn(before, after) },
  };
}

/** A sentence that says why the two snapshots cannot be compared; undefined if a comparison is possible. */
export function noHistoryBecause(old: Snapshot, now: Snapshot): string | undefined {
  const incomplete = [old, now].find((one) => !isEvaluated(one));
  if (incomplete) return `the snapshot of ${incomplete.taken} is incomplete: ${incomplete.missing.join('; ')}`;
  const [first, second] = [createdAt(old), createdAt(now)];
  const areTwo = first !== undefined && second !== undefined && first !== second;
  return areTwo
    ? 'the snapshots are from two different clusters, since the age of the namespace kube-system differs'
    : undefined;
}

/** A sentence that says what the history leaves out; undefined if the history leaves nothing out. */
export function leftOutOfHistory(old: Snapshot, now: Snapshot): string | undefined {
  if (!usersDiffer(old, now)) return undefined;
  const { taken } = old.usersKnown === false ? old : now;
  return `the snapshot of ${taken} lacks the users of policies, so the comparison does not say which whole exceptions and subjects workloads need`;
}

/**
 * Whether all pods and workloads could be read. If some pods or workloads could not be read, no namespace of the
 * document counts as reached.
 */
function isEvaluated({ missing, namespaces }: Snapshot): boolean {
  return missing.length === 0 || namespaces.some(({ reached }) => reached);
}

/** The time at which the cluster was created. */
function createdAt({ namespaces }: Snapshot): number | undefined {
  return namespaces.find(({ name }) => name === 'kube-system')?.created;
}
