/** Answers the questions that the page sends to the worker. The code does not use functions of the browser. */
import { withDifference } from '../../analysis/snapshot/difference.ts';
import { check } from './check.ts';
import { compareTexts } from './compare.ts';
import { clusterFindings, textFindings } from './findings.ts';
import { Loaded } from './loaded.ts';
import { policyFacts } from './policy-facts.ts';
import { Reevaluation } from './reevaluate.ts';
import { renderedPolicy } from './rendered-policy.ts';
import type { RequestName, Requests } from './requests.ts';
import { podText, policyText } from './texts.ts';
import { workloadFix } from './workload-fix.ts';

export type Answers = {
  readonly [Name in RequestName]: (question: Requests[Name]['question']) => Requests[Name]['answer'];
};

export function createAnswers(): Answers {
  let loaded: Loaded | undefined;
  /**
   * The evaluation of edited policies. The evaluation keeps its verdicts between questions, even when a new snapshot of
   * the same cluster arrives.
   */
  let reevaluation: Reevaluation | undefined;
  const current = () => {
    if (!loaded) throw new Error('no snapshot is loaded');
    return loaded;
  };
  return {
    load(snapshot) {
      loaded = new Loaded(snapshot);
      reevaluation = undefined;
      return undefined;
    },
    change(difference) {
      loaded = new Loaded(withDifference(current().snapshot, difference));
      return undefined;
    },
    policy: ({ policy }) => policyFacts(policy, current()),
    rendered: ({ policy }) => renderedPolicy(policy, current()),
    fix: (workload) => workloadFix(workload, current()),
    check,
    compare: compareTexts,
    textFindings: (question) => textFindings(question),
    findings: clusterFindings,
    reevaluate(question) {
      if (reevaluation?.loaded !== current()) reevaluation = new Reevaluation(current(), reevaluation);
      return reevaluation.reevaluate(question);
    },
    policyText: ({ policy }) => policyText(current().snapshot, policy),
    podText: (question) => podText(current().snapshot, question),
  };
}
