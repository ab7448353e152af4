/** Fixed files → the result that is printed. */
import type { FixClass } from '../../../operator/rules/rule.ts';
import type { Trouble } from '../../input/trouble.ts';
import type { PolicyContext } from '../../policies/context.ts';
import { checkedPolicies } from '../check/checked.ts';
import { checkedProblem } from '../check/reporters/reporter.ts';
import type { FixedFile } from './fix-text.ts';
import type { FixResult } from './result.ts';

interface Told {
  readonly context: PolicyContext;
  readonly problems: readonly Trouble[];
  readonly errors: number;
}

export function resultOf(files: readonly FixedFile[], { context, problems, errors }: Told): FixResult {
  const edits = files.flatMap((file) => file.edits);
  const left = files.flatMap((file) => file.left);
  const sum = (count: (file: FixedFile) => number) => files.reduce((all, file) => all + count(file), 0);
  const ofClass = (name: FixClass) => edits.filter((edit) => edit.class === name).length;
  return {
    policies: checkedPolicies(context),
    edits,
    left,
    notes: files.flatMap((file) => file.notes),
    problems: problems.map(checkedProblem),
    summary: {
      workloads: sum(({ workloads }) => workloads),
      notSelected: sum(({ notSelected }) => notSelected),
      violating: sum(({ violating }) => violating),
      fixed: sum(({ fixed }) => fixed),
      edits: edits.length,
      spelling: ofClass('spelling'),
      safe: ofClass('safe'),
      check: ofClass('check'),
      left: left.length,
      files: files.filter(({ before, text }) => before !== text).length,
      errors,
    },
  };
}
