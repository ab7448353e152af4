/**
 * The command `check` finds the policies, evaluates manifests or workloads by the policies, and reports the results.
 */
import { unansweredText, withAnswer } from '../../../analysis/check/dry-run.ts';
import type { CheckedItem } from '../../../analysis/check/result.ts';
import { itemsOf } from '../../../analysis/check/running.ts';
import type { ClusterRole } from '../../../analysis/policies/aggregation.ts';
import type { Automounting } from '../../../analysis/policies/automounting.ts';
import type { PolicyContext } from '../../../analysis/policies/context.ts';
import { NAMESPACES, PODS_AND_WORKLOADS } from '../../../operator/cluster/sources.ts';
import type { Cluster } from '../../../operator/model/objects.ts';
import type { Connected } from '../../cluster.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { checkExists } from '../../namespace.ts';
import { excludingBy, type Given } from '../../options.ts';
import { podSecurityWarnings } from '../../pod-security-warnings.ts';
import { addPolicies } from '../../policies/add-files.ts';
import { builderFor, contextOptions } from '../../policies/given.ts';
import { type Scope, scopeOf } from '../../scope.ts';
import type { ChangesOptions } from './changes.ts';
import { failOnOf } from './fail-on.ts';
import { checkFiles } from './files.ts';
import { createRun, type Run } from './run.ts';
import { tellAboutPolicies } from './warnings.ts';

interface CheckOptions extends ChangesOptions {
  readonly filename: readonly string[];
  readonly cluster?: boolean;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly dryRun?: 'server';
}

const NO_POLICY =
  'no policy to evaluate against: name a policy with --policy FILE, add a policy to the manifests, or use --level or --cluster';

const UNKNOWN_ACCOUNTS =
  'you may not list serviceaccounts: pods are evaluated as if no service account of the cluster stated automountServiceAccountToken: false';

/** The cluster that would run the checked manifests. */
interface Live {
  readonly cluster: Cluster;
  /** The service accounts that mount a token. The value is undefined if the service accounts could not be read. */
  readonly automounting: Automounting | undefined;
  readonly clusterRoles: readonly ClusterRole[];
}

export async function check(given: Given<CheckOptions>, io: Io): Promise<ExitCode> {
  if (!given.cluster) return checkManifests(excludingBy(given), io, undefined, given.namespace ?? 'default');
  const { excludingPlatform, readAutomounting, readClusterRoles, readWhole, tellPlatform, withCluster } = await import(
    '../../cluster.ts'
  );
  return withCluster(given, async (connected) => {
    const options = await excludingPlatform<CheckOptions>(given, connected);
    const running = options.filename.length === 0;
    const scope = scopeOf(options, connected);
    const limited = running && scope.only !== undefined ? { namespace: scope.only } : {};
    // With `--level`, the policies of the cluster are ignored. So the check does not need to know which users may use
    // the policies of the cluster.
    const only = options.level !== undefined && { only: [NAMESPACES, ...(running ? PODS_AND_WORKLOADS : [])] };
    const cluster = await readWhole(connected, io, { ...limited, ...only, workloads: running });
    const readsRoles = !only && options.filename.length + options.policy.length > 0;
    const clusterRoles = readsRoles ? await readClusterRoles(connected, io) : [];
    if (!running) {
      const live = { cluster, clusterRoles, automounting: await readAutomounting(connected, io) };
      return checkManifests(options, io, live, options.namespace ?? connected.namespace);
    }
    checkExists(cluster, scope.only);
    scope.tell(io);
    if (scope.only === undefined) await tellPlatform(connected, io, cluster, options);
    if (options.policy.length === 0) return checkRunning(options, io, { cluster, connected, scope });
    const { showChanges } = await import('./changes.ts');
    return showChanges(options, io, { cluster, clusterRoles, namespace: scope.only });
  });
}

async function checkManifests(
  options: CheckOptions,
  io: Io,
  live: Live | undefined,
  namespace: string,
): Promise<ExitCode> {
  const run = await beginRun(options, io);
  const builder = builderFor(options, namespace);
  if (live) {
    builder.addCluster(live.cluster);
    builder.addClusterRoles(live.clusterRoles);
  }
  if (live?.automounting) builder.addAutomounting(live.automounting);
  else if (live) run.trouble({ file: 'cluster', message: UNKNOWN_ACCOUNTS, severity: 'warning' });
  await addPolicies(builder, options.policy, io, run);
  const contexts = contextOptions(options, live?.cluster);
  const build = () => {
    if (builder.isEmpty && run.errors === 0) throw new UsageError(NO_POLICY);
    const context = builder.build(contexts, run.trouble);
    tellAboutPolicies(context, contexts.at, run.trouble);
    return context;
  };
  await checkFiles(options.filename, io, run, { builder, build, options: contexts, namespace });
  return run.end();
}

interface Running {
  readonly cluster: Cluster;
  readonly connected: Connected;
  readonly scope: Scope;
}

async function checkRunning(options: CheckOptions, io: Io, { cluster, connected, scope }: Running): Promise<ExitCode> {
  const run = await beginRun(options, io, scope.text);
  const builder = builderFor(options);
  builder.addCluster(cluster);
  // A check without any policy must not look like a success. A check of files is also refused if the check has no
  // policy.
  if (builder.isEmpty)
    throw new UsageError(
      'no policy to evaluate against: the cluster has no policy; name a policy with --policy FILE, or a level with --level',
    );
  const contexts = contextOptions(options, cluster);
  const context = builder.build(contexts, run.trouble);
  run.begin(context);
  tellAboutPolicies(context, contexts.at, run.trouble);
  for (const policy of options.level === undefined ? cluster.policies() : []) {
    for (const text of podSecurityWarnings(policy)) {
      const message = `CapabilityPolicy ${policy.metadata?.name}: ${text}`;
      run.trouble({ file: 'cluster', message, severity: 'warning' });
    }
  }
  const { only: namespace } = scope;
  if (namespace !== undefined && context.isExcluded(namespace)) {
    run.trouble({ file: 'cluster', message: `no policy reaches namespace ${namespace}`, severity: 'warning' });
  }
  const withAnswers = await answering(options, io, { context, connected, cluster, run, namespace });
  for (const result of context.evaluateCluster()) {
    io.signal.throwIfAborted();
    for (const item of itemsOf(result, cluster)) run.item(withAnswers(item));
  }
  return run.end();
}

/** @returns a function that adds the API server's answers to an item. Without --dry-run, nothing is asked */
async function answering(
  { dryRun }: CheckOptions,
  io: Io,
  { context, connected, cluster, run, namespace }: Answering,
): Promise<(item: CheckedItem) => CheckedItem> {
  if (!dryRun) return (item) => item;
  const { askByDryRun, keyOf } = await import('./dry-run.ts');
  const answers = await askByDryRun(connected, io, { cluster, context, namespace });
  return (item) => {
    let result = item;
    for (const { workload, answer } of answers.get(keyOf(item)) ?? []) {
      if ('unanswered' in answer)
        run.trouble({ file: 'cluster', message: unansweredText(item, answer.unanswered), severity: 'error' });
      result = withAnswer(result, workload, answer, context);
    }
    return result;
  };
}

interface Answering extends Omit<Running, 'scope'> {
  readonly context: PolicyContext;
  readonly run: Run;
  readonly namespace: string | undefined;
}

function beginRun(options: CheckOptions, io: Io, scope?: string): Promise<Run> {
  const { output, dryRun } = options;
  return createRun({ output, failOn: failOnOf(options), scope, asked: dryRun !== undefined }, io);
}
