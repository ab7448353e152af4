/**
 * Finds policies without effect. The worker runs the code of `cappol compare POLICIES`. The page and the command
 * therefore have the same findings. The files test/ui/findings.test.ts and test/ui/check-answer.test.ts compare the
 * findings of the page and the command.
 */
import { endedRollouts } from '../../analysis/compare/endless-rollout.ts';
import { type Finding, openQuestionText } from '../../analysis/compare/finding.ts';
import { type FindingsOptions, findingsOf } from '../../analysis/compare/findings.ts';
import { policySetOf } from '../../analysis/compare/policy-set.ts';
import type { Trouble } from '../../analysis/manifests/trouble.ts';
import { SNAPSHOT_KIND, SNAPSHOT_VERSION, type Snapshot } from '../../analysis/snapshot/document.ts';
import { restoreCluster } from '../../analysis/snapshot/restore.ts';
import { isExcluded } from '../../operator/policy/deciding.ts';
import { lateAfter, type Until } from './late-after.ts';
import { policiesIn } from './policies-text.ts';
import { SharedEvaluation } from './shared-evaluation.ts';

type Limits = Pick<FindingsOptions, 'limit' | 'samples'>;

export interface TextFindingsQuestion {
  /** The policies, as YAML. */
  readonly policies: string;
  /** The minor version N of Kubernetes 1.N of the oldest API server. */
  readonly serverVersion: number;
  /** The time of the evaluation, in ms since 1970. The time matters because policies can expire. */
  readonly at: number;
  readonly until?: Until;
}

export interface TextFindings {
  readonly findings: readonly PlacedFinding[];
  /** The questions that were not decided, in one sentence each. */
  readonly undecided: readonly string[];
  /** Whether the search ended early, because its time was over. There may be further findings. */
  readonly isCut: boolean;
}

export interface PlacedFinding extends Finding {
  /** The number of the line where the policy begins. */
  readonly line: number | null;
}

/** The limits while the user types. With these low limits, the findings arrive while the user types. */
const WHILE_TYPING: Limits = { limit: 20_000, samples: 5_000 };

/**
 * The findings about the policies in a YAML text. If the text has an error, the result is undefined. If a damaged
 * policy were missing, the findings would be wrong.
 */
export function textFindings(
  { policies: text, serverVersion, at, until }: TextFindingsQuestion,
  limits = WHILE_TYPING,
): TextFindings | undefined {
  const troubles: Trouble[] = [];
  const context = policiesIn({ text, file: 'policies', serverVersion, at }, (trouble) => troubles.push(trouble));
  if (troubles.some(({ severity }) => severity !== 'warning')) return undefined;
  // The result has no findings about expired policies, because the verdict already has a warning about each expired
  // policy.
  const { findings, undecided, isCut } = findingsOf(policySetOf(context), { at, ...limits, isLate: lateAfter(until) });
  return {
    findings: findings.map((one) => ({ ...one, line: context.sources.get(one.policy)?.line ?? null })),
    // If an undecided question names no policy, the search ended early because its time was over. The page reports the
    // end of the time in other words.
    undecided: undecided.filter(({ policy }) => policy !== undefined).map(openQuestionText),
    isCut,
  };
}

/** The fields of a snapshot that affect the findings. */
export type FindingsQuestion = Pick<
  Snapshot,
  'context' | 'taken' | 'serverVersion' | 'operatorNamespace' | 'excludedNamespaces' | 'policies'
>;

export interface ClusterFindings {
  readonly findings: readonly Finding[];
  /** The number of policies with an undecided question. */
  readonly undecided: number;
}

/** The limits for a snapshot. The findings arrive within seconds, and no view waits for the findings. */
const IN_BACKGROUND: Limits = { limit: 100_000, samples: 50_000 };

/** The findings about the policies of a snapshot. */
export function clusterFindings(question: FindingsQuestion): ClusterFindings {
  const { operatorNamespace, excludedNamespaces, taken } = question;
  const cluster = restoreCluster({ ...EMPTY, ...question });
  const excluded = [operatorNamespace, ...excludedNamespaces];
  const at = Date.parse(taken);
  const compiled = new SharedEvaluation(cluster, { excluded, usersKnown: true, at }).accepted(cluster.policies());
  const ended = endedRollouts(cluster.policies());
  const set = policySetOf({ compiled, isExcluded: (name) => isExcluded(name, excluded) });
  const { findings, undecided } = findingsOf(set, { at, expired: compiled.expired, ended, ...IN_BACKGROUND });
  return { findings, undecided: new Set(undecided.map(({ policy }) => policy)).size };
}

const EMPTY = {
  apiVersion: SNAPSHOT_VERSION,
  kind: SNAPSHOT_KIND,
  missing: [],
  namespaces: [],
  shapes: [],
  violations: [],
  roles: [],
  roleBindings: [],
} as const satisfies Omit<Snapshot, keyof FindingsQuestion>;
