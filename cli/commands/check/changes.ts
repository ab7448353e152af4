/**
 * The command `check --cluster --policy` shows the effect of candidate policies on running workloads. The command also
 * shows which pods the candidates would newly admit.
 */
import { dump } from 'js-yaml';
import { changesOf } from '../../../analysis/check/changes.ts';
import type { Changes, WorkloadChange } from '../../../analysis/check/changes-result.ts';
import { effectOf, isWorse } from '../../../analysis/check/effect.ts';
import { DEFAULT_LIMIT } from '../../../analysis/compare/limits.ts';
import { notCompared, type Opened, openedBy } from '../../../analysis/compare/opened.ts';
import { holdsUntilText, notEnforcedText } from '../../../analysis/compare/sentences.ts';
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import type { ClusterRole } from '../../../analysis/policies/aggregation.ts';
import type { PolicyContext, PolicyContextOptions } from '../../../analysis/policies/context.ts';
import { PolicyContextBuilder } from '../../../analysis/policies/context-builder.ts';
import { escapedControls, jsonText, printableTexts } from '../../../analysis/text/printable-values.ts';
import type { Cluster } from '../../../operator/model/objects.ts';
import { MODES } from '../../../operator/policy/deciding.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { Troubles } from '../../input/troubles.ts';
import { checkReached } from '../../namespace.ts';
import { type Terminal, terminalOf } from '../../output/terminal.ts';
import { addPolicies } from '../../policies/add-files.ts';
import { contextOptions, type GivenPolicies } from '../../policies/given.ts';
import { differenceOf, undecidedOf } from '../compare/document.ts';
import { exitCode } from '../compare/exit-code.ts';
import { changesMarkdown, changesText } from './changes-text.ts';
import { type FailOn, type FailOnOptions, failOnOf } from './fail-on.ts';
import { type OpenedAnswer, openedMarkdown, openedText, openedWideText } from './opened-text.ts';
import type { Output } from './reporters/create-reporter.ts';
import { tellAboutPolicies } from './warnings.ts';

export interface ChangesOptions extends GivenPolicies, FailOnOptions {
  readonly output: Output;
}

interface LiveInput {
  readonly cluster: Cluster;
  readonly clusterRoles: readonly ClusterRole[];
  /** The only namespace whose pods and workloads were read. The value is undefined if all namespaces were read. */
  readonly namespace: string | undefined;
}

interface ShownChanges {
  readonly changes: Changes;
  /** The result of the comparison. The comparison shows which pods the candidate policies newly admit. */
  readonly answer: OpenedAnswer;
}

export async function showChanges(options: ChangesOptions, io: Io, input: LiveInput): Promise<ExitCode> {
  const print = printerFor(options.output);
  const { cluster, clusterRoles, namespace } = input;
  checkReached(options, namespace);
  const troubles = new Troubles(io);
  const changed = new PolicyContextBuilder();
  changed.addCluster(cluster);
  changed.addClusterRoles(clusterRoles);
  await addPolicies(changed, options.policy, io, troubles);
  const candidates = changed.stated;
  if (candidates.length === 0 && troubles.count === 0)
    throw new UsageError('the files of --policy contain no CapabilityPolicy');
  const contexts = contextOptions(options, cluster);
  const { changes, before, after } = changesBy(changed, contexts, input, troubles.trouble);
  tellAboutPolicies(
    changed.build(contexts, () => {}),
    contexts.at,
    troubles.trouble,
  );
  const opened =
    troubles.count > 0
      ? notCompared('a policy has an error, and without this policy the answer would be wrong')
      : openedBy(before, after, { namespaces: namespacesOf(cluster, namespace), limit: DEFAULT_LIMIT });
  const notes = notesOf(before, after, { candidates, at: contexts.at, hasOthers: changed.statesContext });
  const answer = { opened, candidates, namespace, notes };
  io.stdout.write(print({ changes: printableTexts(changes), answer }, terminalOf(io)));
  return troubles.count > 0 ? 2 : exitCodeOf(changes, opened, failOnOf(options));
}

interface Changed {
  readonly changes: Changes;
  /** The live policies. */
  readonly before: PolicyContext;
  /**
   * The live policies together with the candidate policies. The namespaces have the labels that the rollouts of the
   * candidates set.
   */
  readonly after: PolicyContext;
}

function changesBy(
  changed: PolicyContextBuilder,
  contexts: PolicyContextOptions,
  { cluster, namespace }: LiveInput,
  tell: (trouble: Trouble) => void,
): Changed {
  const live = new PolicyContextBuilder();
  live.addCluster(cluster);
  const before = live.build(contexts, () => {});
  const candidates = changed.stated;
  let after = before;
  const changes = changesOf({
    candidates,
    rollouts: changed.rollouts(candidates),
    before,
    after: (pending) => {
      after = changed.build(contexts, tell, { pending, live: before });
      return after;
    },
    enforced: changed.build(contexts, () => {}, { enforced: candidates, live: before }),
    namespace,
  });
  return { changes, before, after };
}

/** The names of the cluster's namespaces that are not being deleted. */
function namespacesOf(cluster: Cluster, only: string | undefined): string[] {
  const names = cluster.namespaces().flatMap(({ name, terminating }) => (terminating ? [] : [name]));
  return only === undefined ? names : names.filter((name) => name === only);
}

interface NotesInput {
  readonly candidates: readonly string[];
  readonly at: number;
  /** Whether the files of the candidate policies also contain namespaces, roles or bindings. */
  readonly hasOthers: boolean;
}

function notesOf(
  { compiled: { policies: old } }: PolicyContext,
  { compiled: { policies: now } }: PolicyContext,
  { candidates, at, hasOthers }: NotesInput,
): string[] {
  // During a rollout, a part of the policy is pending. The mode of the pending part differs from the mode of the
  // policy.
  const enforced = new Set(now.flatMap(({ name, mode }) => (mode === 'Enforce' ? [name] : [])));
  const stated = now.filter(({ name }) => candidates.includes(name) && !enforced.has(name));
  return [
    notEnforcedText(stated),
    holdsUntilText([...old, ...now], at),
    hasOthers ? 'only policies are compared, not the namespaces, roles and bindings in the files' : undefined,
  ].filter((note) => note !== undefined);
}

function exitCodeOf({ changes }: Changes, opened: Opened, failOn: FailOn): ExitCode {
  if (changes.some((change) => isWorseFor(change, failOn))) return 1;
  return failOn.has('Opens') ? exitCode({ ...opened, closes: [] }, 'opens') : 0;
}

/**
 * Whether the change affects the workload more severely than before. The new effect must also come from a mode that
 * `--fail-on` names.
 */
function isWorseFor({ before, after }: WorkloadChange, failOn: FailOn): boolean {
  return isWorse(after, before) && MODES.some((mode) => failOn.has(mode) && effectOf(mode) === after);
}

type Printer = (shown: ShownChanges, terminal: Terminal) => string;

const PRINTERS: Readonly<Partial<Record<Output, Printer>>> = {
  table: ({ changes, answer }, terminal) => `${changesText(changes, terminal)}\n${openedText(answer, terminal)}`,
  wide: ({ changes, answer }, terminal) => `${changesText(changes, terminal)}\n${openedWideText(answer, terminal)}`,
  markdown: ({ changes, answer }) => changesMarkdown(changes, openedMarkdown(answer)),
  json: (shown) => `${jsonText(documentOf(shown))}\n`,
  yaml: (shown) => escapedControls(dump(documentOf(shown), { lineWidth: -1, noRefs: true })),
};

function printerFor(output: Output): Printer {
  const print = PRINTERS[output];
  if (print) return print;
  throw new UsageError(`-o ${output} goes with -f; changes are printed as ${Object.keys(PRINTERS).join(', ')}`);
}

/** The changes as an object for JSON and YAML. docs/reference/check-changes.schema.json describes the object. */
function documentOf({ changes: { summary, ...changes }, answer }: ShownChanges) {
  const { opens, undecided } = answer.opened;
  return {
    ...changes,
    opens: opens.map(({ namespaces, ...difference }) => ({ ...differenceOf(difference), namespaces })),
    undecided: undecided.map(undecidedOf),
    summary,
  };
}
