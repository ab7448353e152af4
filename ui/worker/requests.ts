/** The questions to the worker, which evaluates in a thread of its own, so that the page stays responsive. */
import type { Difference } from '../../analysis/snapshot/difference.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import type { CheckAnswer, CheckQuestion } from './check.ts';
import type { CompareAnswer, CompareQuestion } from './compare.ts';
import type { ClusterFindings, FindingsQuestion, TextFindings, TextFindingsQuestion } from './findings.ts';
import type { PolicyFacts } from './policy-facts.ts';
import type { ReevaluateAnswer, ReevaluateQuestion } from './reevaluate.ts';
import type { RenderedPolicy } from './rendered-policy.ts';
import type { PodTextQuestion } from './texts.ts';
import type { FixQuestion, WorkloadFix } from './workload-fix.ts';

/**
 * Each question with its answer, by name. Questions and answers are plain values, because they are copied from thread
 * to thread.
 */
export interface Requests {
  /** The snapshot that later questions are about. */
  load: { question: Snapshot; answer: undefined };
  /** Replaces the loaded snapshot by the next one, which is given as changes. */
  change: { question: Difference; answer: undefined };
  /** The verdict on the manifests of the playground. */
  check: { question: CheckQuestion; answer: CheckAnswer };
  /** The pods that one text of policies admits and another one refuses. */
  compare: { question: CompareQuestion; answer: CompareAnswer };
  /** The findings about the policies of the playground; undefined if the text has an error. */
  textFindings: { question: TextFindingsQuestion; answer: TextFindings | undefined };
  /** The findings about the policies of a snapshot. */
  findings: { question: FindingsQuestion; answer: ClusterFindings };
  /** The changes that edited policies make in the snapshot. */
  reevaluate: { question: ReevaluateQuestion; answer: ReevaluateAnswer };
  /** A policy of the snapshot as YAML. */
  policyText: { question: { readonly policy: string }; answer: string };
  /** A pod of a shape of the snapshot as YAML. */
  podText: { question: PodTextQuestion; answer: string };
  /** The rendered form of a policy: its rows and rules, its role, and the programs. */
  rendered: { question: { readonly policy: string }; answer: RenderedPolicy };
  /** Where a policy decides, who may use it, and why its label is no tighter. */
  policy: { question: { readonly policy: string }; answer: PolicyFacts };
  /** The edits after which a workload complies; undefined if it complies already. */
  fix: { question: FixQuestion; answer: WorkloadFix | undefined };
}

export type RequestName = keyof Requests;

export interface RequestMessage<Name extends RequestName = RequestName> {
  readonly id: number;
  readonly name: Name;
  readonly question: Requests[Name]['question'];
}

export type ResponseMessage =
  | { readonly id: number; readonly answer: Requests[RequestName]['answer'] }
  | { readonly id: number; readonly error: string };
