/** The answers of the worker. Nothing here uses the browser. */
import { check } from './check.ts';
import { type Loaded, stateOf } from './loaded.ts';
import { policyFacts, renderedPolicy } from './policy-facts.ts';
import { Rejudging } from './rejudge.ts';
import type { RequestName, Requests } from './requests.ts';
import { podText, policyText } from './texts.ts';
import { workloadFix } from './workload-fix.ts';

export type Answers = {
  readonly [Name in RequestName]: (question: Requests[Name]['question']) => Requests[Name]['answer'];
};

export function createAnswers(): Answers {
  let loaded: Loaded | undefined;
  let rejudging: Rejudging | undefined;
  const current = () => {
    if (!loaded) throw new Error('no snapshot is loaded');
    return loaded;
  };
  return {
    load(snapshot) {
      loaded = stateOf(snapshot);
      rejudging = undefined;
      return undefined;
    },
    policy: ({ policy }) => policyFacts(policy, current()),
    rendered: ({ policy }) => renderedPolicy(policy, current()),
    fix: (workload) => workloadFix(workload, current()),
    check,
    rejudge(question) {
      rejudging ??= new Rejudging(current().snapshot);
      return rejudging.rejudge(question);
    },
    policyText: ({ policy }) => policyText(current().snapshot, policy),
    podText: (question) => podText(current().snapshot, question),
  };
}
