/**
 * Runs `explain` with names and --cluster. The command finds the workloads that hold a capability or use a field
 * restricted by a rule.
 */
import { type ExplainedTopics, explainedTopics } from '../../../analysis/explain/explained.ts';
import { namesNear, type Topic, topicOf } from '../../../analysis/explain/topic.ts';
import { csvText } from '../../../analysis/text/csv.ts';
import { jsonText, printableTexts } from '../../../analysis/text/printable-values.ts';
import type { CompletePolicy } from '../../../operator/api/capability-policy.ts';
import * as sources from '../../../operator/cluster/sources.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import { printable } from '../../../operator/text/printable.ts';
import { excludingPlatform, withCluster } from '../../cluster.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { usedInCluster } from '../../evidence/cluster.ts';
import { checkSince, type UsedOptions } from '../../evidence/used.ts';
import { Troubles } from '../../input/troubles.ts';
import { acceptedStateOf, readLive, tellMissing } from '../../live.ts';
import { READER_ROLES } from '../../missing-rights.ts';
import { checkExists } from '../../namespace.ts';
import type { Given, PolicyOptions } from '../../options.ts';
import { terminalOf } from '../../output/terminal.ts';
import { podSecurityWarnings } from '../../pod-security-warnings.ts';
import { checkScope, type ScopeOptions, scopeOf } from '../../scope.ts';
import { topicsRows } from './topics-rows.ts';
import { remarks, topicsText } from './topics-text.ts';

export interface TopicsOptions extends PolicyOptions, UsedOptions, ScopeOptions {
  readonly at?: number;
  readonly output: 'table' | 'json' | 'csv';
}

const PURPOSE = { notEvaluated: 'the workloads cannot be evaluated' };

export async function explainTopics(names: readonly string[], given: Given<TopicsOptions>, io: Io): Promise<ExitCode> {
  const topics = topicsOf(names);
  checkScope(given);
  checkSince(given);
  if (given.used !== undefined && !topics.some(({ kind }) => kind === 'Capability')) {
    throw new UsageError('--used requires a capability, such as NET_RAW');
  }
  const troubles = new Troubles(io);
  let policies: readonly CompletePolicy[] = [];
  const explained = await withCluster(given, async (connected): Promise<ExplainedTopics> => {
    const options = await excludingPlatform<TopicsOptions>(given, connected);
    const scope = scopeOf(options, connected);
    const { only } = scope;
    const { cluster, rights } = await readLive(connected, io, { ...PURPOSE, namespace: only });
    if (!rights.canEvaluate) throw new UsageError(`${rights.missing.join('; ')}; ${READER_ROLES}`);
    if (!rights.forbidden.includes(sources.NAMESPACES)) checkExists(cluster, only);
    scope.tell(io);
    tellMissing(rights, io);
    const evidence = await usedInCluster(options, { connected, cluster, only, io, tell: troubles.trouble });
    const state = acceptedStateOf(cluster, rights, options);
    const evaluation = { evaluator: new Evaluator(), use: state.use };
    policies = cluster.policies();
    return explainedTopics(topics, { cluster, state, evaluation, ...rights, only, evidence });
  });
  io.stdout.write(printed(explained, given, io));
  tellPodSecurity(explained, policies, io);
  if (given.output !== 'table') for (const line of remarks(explained)) io.stderr.write(`cappol: ${line}\n`);
  return troubles.count + explained.missing.length > 0 ? 2 : 0;
}

/** Tells about Pod Security that refuses pods which the policies of the answer admit. */
function tellPodSecurity({ topics }: ExplainedTopics, policies: readonly CompletePolicy[], { stderr }: Io): void {
  const answers = topics.flatMap(({ found }) => found.flatMap((use) => use.policies));
  const admitting = new Set(answers.filter(({ answer }) => answer === 'Admits').map(({ policy }) => policy));
  for (const policy of policies) {
    const name = policy.metadata?.name ?? '';
    if (!admitting.has(name)) continue;
    for (const text of podSecurityWarnings(policy))
      stderr.write(`cappol: warning: CapabilityPolicy ${name}: ${printable(text)}\n`);
  }
}

/**
 * The topics with the given names. Each topic occurs once.
 *
 * @throws UsageError for a name that is neither a capability nor a rule
 */
function topicsOf(names: readonly string[]): Topic[] {
  const found = names.map((text) => topicOf(text) ?? wrong(text));
  return [...new Map(found.map((topic) => [topic.name, topic])).values()];
}

function wrong(text: string): never {
  const shown = printable(text);
  if (/^all$/i.test(text)) {
    throw new UsageError(
      'name single capabilities: `cappol explain --cluster` without a name lists the capabilities that each container holds',
    );
  }
  const near = namesNear(text);
  const suggestion =
    near.length > 0
      ? `did you mean ${near.join(' or ')}?`
      : '`cappol explain ALL` lists the capabilities, and docs/reference/rules.md lists the rules';
  throw new UsageError(`${shown} is neither a capability nor a rule: ${suggestion}`);
}

function printed(explained: ExplainedTopics, { output }: Given<TopicsOptions>, io: Io): string {
  if (output === 'json') return `${jsonText(explained)}\n`;
  const shown = printableTexts(explained);
  return output === 'csv' ? csvText(topicsRows(shown)) : topicsText(shown, terminalOf(io));
}
