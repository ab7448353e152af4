/** Defines the questions to the worker. The worker evaluates in its own thread, so that the page stays responsive. */
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
 * The questions and their answers, by the name of the question. Questions and answers are plain values, because the
 * browser copies questions and answers from one thread to another.
 */
export interface Requests {
  /** Loads the snapshot that later questions are about. */
  load: { question: Snapshot; answer: undefined };
  /** Replaces the loaded snapshot by the next snapshot. The question has only the changes. */
  change: { question: Difference; answer: undefined };
  /** Asks for the verdicts on the manifests of the playground. */
  check: { question: CheckQuestion; answer: CheckAnswer };
  /** Asks for pods that one text of policies admits and another text of policies refuses. */
  compare: { question: CompareQuestion; answer: CompareAnswer };
  /**
   * Asks for the findings about the policies of the playground. If the text of the policies has an error, the answer is
   * undefined.
   */
  textFindings: { question: TextFindingsQuestion; answer: TextFindings | undefined };
  /** Asks for the findings about the policies of a snapshot. */
  findings: { question: FindingsQuestion; answer: ClusterFindings };
  /** Asks for the changes that edited policies make in the snapshot. */
  reevaluate: { question: ReevaluateQuestion; answer: ReevaluateAnswer };
  /** Asks for a policy of the snapshot as YAML. */
  policyText: { question: { readonly policy: string }; answer: string };
  /** Asks for a pod of a shape of the snapshot as YAML. */
  podText: { question: PodTextQuestion; answer: string };
  /** Asks for the rendered form of a policy: its rows and rules, its role, and the programs. */
  rendered: { question: { readonly policy: string }; answer: RenderedPolicy };
  /** Asks where a policy decides, who may use the policy, and why its label is not stricter. */
  policy: { question: { readonly policy: string }; answer: PolicyFacts };
  /** Asks for the edits after which a workload complies. If the workload already complies, the answer is undefined. */
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
