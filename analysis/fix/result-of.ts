/** Builds, from the fixed files, the result that `cappol fix` prints. */
import type { FixClass } from '../../operator/rules/rule.ts';
import { checkedPolicies, checkedProblem } from '../check/checked.ts';
import type { NotEvaluated } from '../check/result.ts';
import type { Trouble } from '../manifests/trouble.ts';
import type { PolicyContext } from '../policies/context.ts';
import { type FixedFile, total } from './fix-text.ts';
import type { FixResult } from './result.ts';

interface Told {
  readonly context: PolicyContext;
  readonly problems: readonly Trouble[];
  readonly notEvaluated: readonly NotEvaluated[];
  readonly errors: number;
}

export function resultOf(files: readonly FixedFile[], { context, problems, notEvaluated, errors }: Told): FixResult {
  const { edits, left, notes, workloads, notSelected, violating, fixed } = total(files);
  const ofClass = (name: FixClass) => edits.filter((edit) => edit.class === name).length;
  return {
    policies: checkedPolicies(context),
    edits,
    left,
    notes,
    problems: problems.map(checkedProblem),
    summary: {
      workloads,
      notSelected,
      violating,
      fixed,
      edits: edits.length,
      spelling: ofClass('spelling'),
      safe: ofClass('safe'),
      check: ofClass('check'),
      left: left.length,
      files: files.filter(({ before, text }) => before !== text).length,
      notEvaluated,
      errors,
    },
  };
}
