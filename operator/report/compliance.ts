/** Makes the condition Compliant of a policy from the verdicts on its workloads. */
import { REFUSED_RULE } from '../evaluate/refused.ts';
import { workloadText } from '../evaluate/workloads.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { bounded } from '../text/printable.ts';
import { counted, firstOf } from '../text/wording.ts';
import type { BareCondition } from './bare-condition.ts';
import * as reasons from './reasons.ts';
import type { NotAdmitted, WorkloadReport } from './violations.ts';

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
/** The maximum length of the API server's answer in the message, in UTF-16 units. */
const ANSWER_LENGTH = 384;

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
  const message = `${violating} of ${counted(evaluated, 'workload')} violate${violating === 1 ? 's' : ''} the policy: ${firstOf(names, NAMED)}${refusedText(workloads.notAdmitted)}${open}`;
  return { type, status: 'False', reason: reasons.WORKLOAD_VIOLATES, message };
}

/** The first workload whose pods are refused, with the API server's answer, and the number of further such workloads. */
function refusedText(notAdmitted: readonly NotAdmitted[]): string {
  const refused = notAdmitted.filter(({ refused }) => refused === 'Now');
  const [first] = refused;
  if (!first) return '';
  const answers = Object.values(first.violations).flatMap((all) => all.filter(({ rule }) => rule === REFUSED_RULE));
  const more = refused.length > 1 ? `; the pods of ${counted(refused.length - 1, 'more workload')} are refused` : '';
  const which =
    notAdmitted.filter(({ verdict }) => verdict === 'Violating').length === 1 ? ':' : `; ${workloadText(first)}:`;
  return `${which} ${bounded(answers[0]?.message ?? '', ANSWER_LENGTH)}${more}`;
}

function unknownText({ counts, tooExpensive, refusedEarlier }: WorkloadReport): string {
  const byCreator = counts.unknown - tooExpensive - refusedEarlier;
  return [
    ...(byCreator > 0 ? [`; unknown for ${byCreator}, since the verdict depends on who created the pod`] : []),
    ...(refusedEarlier > 0
      ? [`; unknown for ${refusedEarlier}, whose pods were refused before the policies changed and not tried again`]
      : []),
    ...(tooExpensive > 0 ? [`; unknown for ${tooExpensive}, too expensive to evaluate`] : []),
  ].join('');
}
