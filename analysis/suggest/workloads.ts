/** Groups pods and templates by the workloads for which policies are suggested. */
import { type Candidate, customCandidate } from '../../operator/evaluate/verdict.ts';
import type { WorkloadName } from '../../operator/evaluate/workloads.ts';
import { valuesByKey } from '../../operator/model/by-key.ts';
import type { PodContent, RefusalText } from '../../operator/model/objects.ts';

/** A pod in the form that policies evaluate, and the workload that owns the pod. */
export interface Given {
  readonly workload: WorkloadName;
  readonly content: PodContent;
  /**
   * The pod, together with the users whose right to use a policy counts, if the policy has restricted use. By default,
   * the creator of the pod is not known.
   */
  readonly candidate?: Candidate;
  /** The refusal of pods that a controller would have created from this template. */
  readonly refusal?: RefusalText;
}

export interface Workload {
  readonly name: WorkloadName;
  /** The pods and templates of the workload, without duplicates. */
  readonly pods: readonly PodContent[];
  /**
   * The pods and templates without duplicates. Each pod or template is listed together with the users whose right to
   * use a policy counts for the pod.
   */
  readonly candidates: readonly Candidate[];
  /** The names of the service accounts that the pods use. */
  readonly serviceAccounts: readonly string[];
  readonly refusal?: RefusalText;
}

/** The workloads in a fixed order. The workloads and their order do not depend on the order of the input. */
export function workloadsOf(given: readonly Given[]): Workload[] {
  const groups = Map.groupBy(given, ({ workload: { namespace, kind, name } }) => `${namespace}/${kind}/${name}`);
  return valuesByKey(groups).flatMap((own) => {
    const [first] = own;
    const pods = new Map(own.map(({ content }) => [JSON.stringify(content), content]));
    const serviceAccounts = [...new Set(own.map(({ content }) => content.spec.serviceAccountName ?? 'default'))].sort();
    const candidates = new Map(own.map((one) => candidateOf(one)).map((one) => [JSON.stringify(one), one]));
    if (!first) return [];
    const refusal = own.find((one) => one.refusal)?.refusal;
    const distinct = { pods: valuesByKey(pods), candidates: valuesByKey(candidates) };
    return [{ name: first.workload, ...distinct, serviceAccounts, ...(refusal && { refusal }) }];
  });
}

function candidateOf({ workload, content, candidate }: Given): Candidate {
  return { ...(candidate ?? customCandidate(workload.namespace, content)), content };
}
