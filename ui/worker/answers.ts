/** The answers of the worker. Nothing here uses the browser. */
import { perObject } from '../../operator/policy/memo.ts';
import { check } from './check.ts';
import { Loaded } from './loaded.ts';
import { policyFacts, renderedPolicy } from './policy-facts.ts';
import { Rejudging } from './rejudge.ts';
import type { RequestName, Requests } from './requests.ts';
import { podText, policyText } from './texts.ts';
import { workloadFix } from './workload-fix.ts';

export type Answers = {
  readonly [Name in RequestName]: (question: Requests[Name]['question']) => Requests[Name]['answer'];
};

/** Remembers the verdicts of a snapshot from one question to the next. */
const rejudgingOf = perObject((loaded: Loaded) => new Rejudging(loaded));

export function createAnswers(): Answers {
  let loaded: Loaded | undefined;
  const current = () => {
    if (!loaded) throw new Error('no snapshot is loaded');
    return loaded;
  };
  return {
    load(snapshot) {
      loaded = new Loaded(snapshot);
      return undefined;
    },
    policy: ({ policy }) => policyFacts(policy, current()),
    rendered: ({ policy }) => renderedPolicy(policy, current()),
    fix: (workload) => workloadFix(workload, current()),
    check,
    rejudge: (question) => rejudgingOf(current()).rejudge(question),
    policyText: ({ policy }) => policyText(current().snapshot, policy),
    podText: (question) => podText(current().snapshot, question),
  };
}
