/**
 * Compares two texts of policies with the code of `cappol compare`. The page and the command therefore give the same
 * result (see test/ui/compare-texts.test.ts).
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
import { witnessText } from '../../analysis/compare/witness.ts';
import type { Trouble } from '../../analysis/manifests/trouble.ts';
import type { PolicyContextBuilder } from '../../analysis/policies/context-builder.ts';
import { lateAfter, type Until } from './late-after.ts';
import { builderOf, contextOf } from './policies-text.ts';

export interface CompareQuestion {
  /** The policies before and after the change, as YAML. */
  readonly before: string;
  readonly policies: string;
  /** The minor version N of Kubernetes 1.N of the oldest API server. */
  readonly serverVersion: number;
  /** The time of the comparison, in ms since 1970. The time matters because policies can expire. */
  readonly at: number;
  readonly until?: Until;
}

export interface CompareAnswer {
  /** The problems of both texts. The problems name the texts instead of files. */
  readonly troubles: readonly Trouble[];
  /**
   * The comparison. If a text has an error, the field is absent. If the comparison left out a damaged policy, the
   * result would be wrong.
   */
  readonly compared?: ComparedTexts;
}

export interface ComparedTexts {
  readonly summaries: readonly Summary[];
  /** The differences. Differences that open come first. */
  readonly differences: Shortened<ShownDifference>;
  /** The questions that were not decided, as sentences. */
  readonly undecided: Shortened<string>;
  /** The limits of the answer, as sentences. */
  readonly notes: readonly string[];
  /** Whether the comparison ended early, because its time was over. */
  readonly isCut: boolean;
}

/** The first items of a list. */
export interface Shortened<Item> {
  readonly items: readonly Item[];
  /** The number of items that are left out. */
  readonly more: number;
}

export interface ShownDifference extends DifferenceWords {
  readonly direction: Direction;
  /**
   * One of the two policy sets refuses the pod. `rule` is the first rule of the refusing set that the pod violates. If
   * the author of the pod may use no policy of the set, `rule` is `use`.
   */
  readonly rule: string;
  /** The smallest pod that shows the difference, as YAML. */
  readonly pod: string;
}

/**
 * The maximum number of pods that a comparison examines. The limit is low, so that an answer arrives while the user
 * types.
 */
const MOST_PODS = 20_000;
/** The maximum number of items of a list. Users do not read more items. */
const MOST_SHOWN = 50;
const NAMES = { old: 'the set before', new: 'this set' };

export function compareTexts(question: CompareQuestion): CompareAnswer {
  const troubles: Trouble[] = [];
  const tell = (trouble: Trouble) => {
    troubles.push(trouble);
  };
  const [before, now] = [
    builderOf({ text: question.before, file: 'before' }, tell),
    builderOf({ text: question.policies, file: 'policies' }, tell),
  ] as const;
  const setOf = (builder: PolicyContextBuilder) => policySetOf(contextOf(builder, question, tell));
  const sets = [setOf(before), setOf(now)] as const;
  if (troubles.some(({ severity }) => severity !== 'warning')) return { troubles };
  const comparison = compare(...sets, { limit: MOST_PODS, isLate: lateAfter(question.until) });
  const found = DIRECTIONS.flatMap((direction) =>
    comparison[direction].map((difference) => ({ direction, difference })),
  );
  const shown = ({ direction, difference }: (typeof found)[number]): ShownDifference => ({
    ...differenceWords(difference, direction, comparison),
    direction,
    rule: difference.rules[0] ?? '',
    pod: witnessText(difference.pod),
  });
  return {
    troubles,
    compared: {
      summaries: summariesOf({ ...NAMES, comparison }),
      differences: shortened(found, shown),
      undecided: shortened(comparison.undecided, undecidedText),
      notes: notesOf(sets, question.at),
      isCut: comparison.isCut,
    },
  };
}

function shortened<Item, Shown>(all: readonly Item[], shown: (item: Item) => Shown): Shortened<Shown> {
  return { items: all.slice(0, MOST_SHOWN).map(shown), more: Math.max(0, all.length - MOST_SHOWN) };
}

function notesOf([before, now]: readonly [PolicySet, PolicySet], at: number): string[] {
  const policies = [...before.policies, ...now.policies];
  const empty = [
    ...(before.policies.length === 0 ? [`${NAMES.old} has no policy that is in force`] : []),
    ...(now.policies.length === 0 ? [`${NAMES.new} has no policy that is in force`] : []),
  ];
  return [...empty, notEnforcedText(policies), holdsUntilText(policies, at)].filter((note) => note !== undefined);
}
