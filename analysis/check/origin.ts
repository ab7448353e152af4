/** Says why the pods of a workload violate policies, if the workload's template is not the reason. */
import { type AddedContainer, addedText } from '../../operator/evaluate/injected.ts';
import type { ViolatingPods, WorkloadVerdict } from '../../operator/evaluate/workload-verdict.ts';
import type { WorkloadName } from '../../operator/evaluate/workloads.ts';
import type { CheckedItem } from './result.ts';

type Origin = Pick<CheckedItem, 'onlyOldPods' | 'addedContainers' | 'remark'>;

/** The remark about a workload whose template complies, while its pods violate policies in another container or field. */
export const CHANGED = 'the template complies: something changes its pods';

const REMARKS: Readonly<Record<ViolatingPods, string>> = {
  Older: 'only pods of an older template violate a policy: the current template complies',
  Changed: CHANGED,
  Unclear: 'the current template complies: the pods are of an older template, or something changes pods',
};

/** The origin for a pod or template that violates as it is. */
export const AS_IT_IS: Origin = { onlyOldPods: false, addedContainers: [], remark: null };

/** @param bad the verdicts of the modes that the workload violates; not empty */
export function originOf(workload: WorkloadName, bad: readonly WorkloadVerdict[]): Origin {
  const kinds = new Set(bad.map(({ templateComplies }) => templateComplies));
  const [kind, ...others] = kinds;
  const remark = kind === undefined || kinds.has(undefined) ? null : REMARKS[others.length > 0 ? 'Unclear' : kind];
  const added = new Map(
    bad.flatMap((one) => (one.added ?? []).map((container) => [container.name, container] as const)),
  );
  return {
    onlyOldPods: kind === 'Older' && others.length === 0,
    ...originOfAdded([...added.values()], workload, remark),
  };
}

/** @param remark the remark if nothing was added */
export function originOfAdded(
  added: readonly AddedContainer[],
  workload: WorkloadName,
  remark: string | null = null,
): Pick<Origin, 'addedContainers' | 'remark'> {
  return {
    addedContainers: added.map(({ name }) => name).sort(),
    remark: added.length > 0 ? addedText(added, workload) : remark,
  };
}
