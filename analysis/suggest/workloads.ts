/** Groups pods and templates by the workloads for which a suggestion is made. */
import type { WorkloadName } from '../../operator/evaluate/workloads.ts';
import { valuesByKey } from '../../operator/model/by-key.ts';
import type { PodContent } from '../../operator/model/objects.ts';

/** A pod as policies evaluate it, and the workload that owns it. */
export interface Given {
  readonly workload: WorkloadName;
  readonly content: PodContent;
}

export interface Workload {
  readonly name: WorkloadName;
  /** The workload's pods and templates, without duplicates. */
  readonly pods: readonly PodContent[];
  /** The names of the service accounts of the pods. */
  readonly serviceAccounts: readonly string[];
}

/** The workloads, sorted so that the result does not depend on the order of the input. */
export function workloadsOf(given: readonly Given[]): Workload[] {
  const groups = Map.groupBy(given, ({ workload: { namespace, kind, name } }) => `${namespace}/${kind}/${name}`);
  return valuesByKey(groups).flatMap((own) => {
    const [first] = own;
    const pods = new Map(own.map(({ content }) => [JSON.stringify(content), content]));
    const serviceAccounts = [...new Set(own.map(({ content }) => content.spec.serviceAccountName ?? 'default'))].sort();
    return first ? [{ name: first.workload, pods: valuesByKey(pods), serviceAccounts }] : [];
  });
}
