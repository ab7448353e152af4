/** Makes the condition Compliant of a policy from the verdicts on its workloads. */
import { workloadText } from '../evaluate/workloads.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { counted, firstOf } from '../text/wording.ts';
import type { BareCondition } from './bare-condition.ts';
import * as reasons from './reasons.ts';
import type { WorkloadReport } from './violations.ts';

interface Evaluated {
  /** The resolved spec that is in force. If no spec of the policy was ever accepted, the value is undefined. */
  readonly accepted: ResolvedPolicy | undefined;
  readonly expired: boolean;
  /**
   * The report about workloads. The report is undefined until all namespaces have been evaluated. If no spec of the
   * policy was ever accepted, the report stays undefined.
   */
  readonly workloads: WorkloadReport | undefined;
}

const NAMED = 3;

export function compliantCondition({ accepted, expired, workloads }: Evaluated): BareCondition {
  const type = 'Compliant';
  if (!workloads) {
    const why = !accepted
      ? 'the policy is not accepted'
      : expired
        ? 'the policy has expired'
        : 'not every namespace has been evaluated yet';
    return { type, status: 'Unknown', reason: reasons.NOT_EVALUATED, message: `not evaluated: ${why}` };
  }
  const { evaluated, violating } = workloads.counts;
  const open = unknownText(workloads);
  if (violating === 0 && workloads.tooExpensive > 0) {
    const message = `no known violation among ${counted(evaluated, 'workload')}${open}`;
    return { type, status: 'Unknown', reason: reasons.EVALUATION_TOO_EXPENSIVE, message };
  }
  if (violating === 0) {
    const message = `none of ${counted(evaluated, 'workload')} violates the policy${open}`;
    return { type, status: 'True', reason: reasons.NO_VIOLATION, message };
  }
  const names = workloads.notAdmitted.slice(0, violating).map(workloadText);
  const message = `${violating} of ${counted(evaluated, 'workload')} violate${violating === 1 ? 's' : ''} the policy: ${firstOf(names, NAMED)}${open}`;
  return { type, status: 'False', reason: reasons.WORKLOAD_VIOLATES, message };
}

function unknownText({ counts, tooExpensive }: WorkloadReport): string {
  const byCreator = counts.unknown - tooExpensive;
  return [
    ...(byCreator > 0 ? [`; unknown for ${byCreator}, since the verdict depends on who created the pod`] : []),
    ...(tooExpensive > 0 ? [`; unknown for ${tooExpensive}, too expensive to evaluate`] : []),
  ].join('');
}
