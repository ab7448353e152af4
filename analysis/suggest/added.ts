/** Finds the workloads whose pods have containers that their templates lack. */
import { type AddedContainer, addedContainers } from '../../operator/evaluate/injected.ts';
import { type Member, membersOf, type Objects } from '../../operator/evaluate/members.ts';
import { groupsOf } from '../../operator/evaluate/workload-verdict.ts';
import type { WorkloadName } from '../../operator/evaluate/workloads.ts';

/** A workload, and the containers that its pods have and its template lacks. */
export interface AddedToWorkload {
  readonly workload: WorkloadName;
  readonly added: readonly AddedContainer[];
}

export function addedIn(namespace: string, cluster: Objects): AddedToWorkload[] {
  return groupsOf(membersOf(namespace, cluster)).flatMap(({ workload, members }) => {
    const added = [...new Map(members.flatMap(addedTo).map((one) => [one.name, one])).values()];
    return added.length === 0 ? [] : [{ workload, added }];
  });
}

function addedTo({ candidate, source }: Member): readonly AddedContainer[] {
  return source && source !== 'Older' ? addedContainers(candidate.content.spec, source.spec) : [];
}
