/**
 * Compares two texts of policies by the code of `cappol compare`, so that both give the same result
 * (test/ui/compare-texts.test.ts compares them).
 */
import { compare, DIRECTIONS, type Direction } from '../../analysis/compare/compare.ts';
import { type PolicySet, policySetOf } from '../../analysis/compare/policy-set.ts';
import {
  type DifferenceWords,
  differenceWords,
  holdsUntilText,
  notEnforcedText,
  type Summary,
  summariesOf,
  undecidedText,
} from '../../analysis/compare/sentences.ts';
import { manifestOf } from '../../analysis/compare/witness.ts';
import type { Trouble } from '../../analysis/manifests/trouble.ts';
import { policiesIn } from './policies-text.ts';
import { yamlText } from './yaml-text.ts';

export interface CompareQuestion {
  /** The policies before and after the change, as YAML. */
  readonly before: string;
  readonly policies: string;
  /** The minor version N of the oldest API server, which has Kubernetes 1.N. */
  readonly serverVersion: number;
  /** The time to compare at, in ms since 1970. It matters because policies expire. */
  readonly at: number;
}

export interface CompareAnswer {
  /** The problems of both texts, with the names of the texts as files. */
  readonly troubles: readonly Trouble[];
  /** Absent if a text has an error: with a policy missing, the result would be wrong. */
  readonly compared?: ComparedTexts;
}

export interface ComparedTexts {
  readonly summaries: readonly Summary[];
  /** The differences that open come first. */
  readonly differences: readonly ShownDifference[];
  /** The questions that were not decided, in one sentence each. */
  readonly undecided: readonly string[];
  /** The limits of the answer, in one sentence each. */
  readonly notes: readonly string[];
}

export interface ShownDifference extends DifferenceWords {
  readonly direction: Direction;
  /** The first rule that the pod breaks where it is refused; `use` if its author may use no policy there. */
  readonly rule: string;
  /** The smallest pod that shows the difference, as YAML. */
  readonly pod: string;
}

/** The most pods that a comparison looks at: so few that an answer arrives while somebody types. */
const MOST_PODS = 20_000;
const NAMES = { old: 'the set before', new: 'this set' };

export function compareTexts(question: CompareQuestion): CompareAnswer {
  const troubles: Trouble[] = [];
  const tell = (trouble: Trouble) => {
    troubles.push(trouble);
  };
  const setOf = (file: 'before' | 'policies') =>
    policySetOf(policiesIn({ ...question, text: question[file], file }, tell));
  const sets = [setOf('before'), setOf('policies')] as const;
  if (troubles.some(({ severity }) => severity !== 'warning')) return { troubles };
  const comparison = compare(...sets, { limit: MOST_PODS });
  const differences = DIRECTIONS.flatMap((direction) =>
    comparison[direction].map((difference) => ({
      ...differenceWords(difference, direction, comparison),
      direction,
      rule: difference.rules[0] ?? '',
      pod: yamlText(manifestOf(difference.pod)),
    })),
  );
  const summaries = summariesOf({ ...NAMES, comparison });
  return {
    troubles,
    compared: {
      summaries,
      differences,
      undecided: comparison.undecided.map(undecidedText),
      notes: notesOf(sets, question.at),
    },
  };
}

function notesOf([before, now]: readonly [PolicySet, PolicySet], at: number): string[] {
  const policies = [...before.policies, ...now.policies];
  const empty = [
    ...(before.policies.length === 0 ? [`${NAMES.old} has no policy that is in force`] : []),
    ...(now.policies.length === 0 ? [`${NAMES.new} has no policy that is in force`] : []),
  ];
  return [...empty, notEnforcedText(policies), holdsUntilText(policies, at)].filter((note) => note !== undefined);
}
