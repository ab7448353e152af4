/** check: finds the policies to check by, checks, and reports. */
import { dump } from 'js-yaml';
import { changesOf } from '../../../analysis/check/changes.ts';
import type { Changes, WorkloadChange } from '../../../analysis/check/changes-result.ts';
import { effectOf, isWorse } from '../../../analysis/check/effect.ts';
import { itemsOf } from '../../../analysis/check/running.ts';
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import type { ClusterRole } from '../../../analysis/policies/aggregation.ts';
import type { Automounting } from '../../../analysis/policies/automounting.ts';
import type { PolicyContext } from '../../../analysis/policies/context.ts';
import { PolicyContextBuilder } from '../../../analysis/policies/context-builder.ts';
import { jsonText, printableTexts } from '../../../analysis/text/printable-values.ts';
import { NAMESPACES, PODS_AND_WORKLOADS } from '../../../operator/cluster/sources.ts';
import type { Cluster } from '../../../operator/model/objects.ts';
import { MODES } from '../../../operator/policy/deciding.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { Troubles } from '../../input/troubles.ts';
import { checkExists, checkReached } from '../../namespace.ts';
import { excludingBy, type Given } from '../../options.ts';
import { type Terminal, terminalOf } from '../../output/terminal.ts';
import { addPolicies } from '../../policies/add-files.ts';
import { builderFor, contextOptions, type GivenPolicies } from '../../policies/given.ts';
import { type Scope, scopeOf } from '../../scope.ts';
import { changesMarkdown, changesText } from './changes-text.ts';
import { ENFORCED, type FailOn } from './fail-on.ts';
import { checkFiles } from './files.ts';
import { tellFindings } from './findings.ts';
import { tellLoosenings } from './loosenings.ts';
import type { Output } from './reporters/create-reporter.ts';
import { createRun, type Run } from './run.ts';

interface CheckOptions extends GivenPolicies {
  readonly filename: readonly string[];
  readonly cluster?: boolean;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly output: Output;
  readonly warn?: boolean;
  readonly failOn: FailOn;
}

const NO_POLICY =
  'no policy to evaluate against: name one with --policy FILE, have one among the manifests, or use --level or --cluster';

const UNKNOWN_ACCOUNTS =
  'you may not list serviceaccounts: pods are evaluated as if none of the cluster stated automountServiceAccountToken: false';

/** The cluster for which manifests are checked. */
interface Live {
  readonly cluster: Cluster;
  /** Which service accounts mount a token; undefined if the service accounts could not be read. */
  readonly automounting: Automounting | undefined;
  readonly clusterRoles: readonly ClusterRole[];
}

export async function check(given: Given<CheckOptions>, io: Io): Promise<ExitCode> {
  if (!given.cluster) return checkManifests(excludingBy(given), io, undefined, given.namespace ?? 'default');
  const { excludingPlatform, readAutomounting, readClusterRoles, readWhole, withCluster } = await import(
    '../../cluster.ts'
  );
  return withCluster(given, async (connected) => {
    const options = await excludingPlatform<CheckOptions>(given, connected);
    const running = options.filename.length === 0;
    const scope = scopeOf(options, connected);
    const limited = running && scope.only !== undefined ? { namespace: scope.only } : {};
    // With --level, the policies of the cluster are ignored, so it does not matter who may use them.
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
    return options.policy.length > 0
      ? showChanges(options, io, cluster, { clusterRoles, scope })
      : checkRunning(options, io, cluster, scope);
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

async function checkRunning(options: CheckOptions, io: Io, cluster: Cluster, scope: Scope): Promise<ExitCode> {
  const run = await beginRun(options, io, scope.text);
  const builder = builderFor(options);
  builder.addCluster(cluster);
  // A check without any policy must not look like a success. A check of files without any policy is refused in the same
  // way.
  if (builder.isEmpty)
    throw new UsageError(
      'no policy to evaluate against: the cluster has none; name one with --policy FILE, or a level with --level',
    );
  const contexts = contextOptions(options, cluster);
  const context = builder.build(contexts, run.trouble);
  run.begin(context);
  tellAboutPolicies(context, contexts.at, run.trouble);
  const { only: namespace } = scope;
  if (namespace !== undefined && context.isExcluded(namespace)) {
    run.trouble({ file: 'cluster', message: `no policy reaches namespace ${namespace}`, severity: 'warning' });
  }
  for (const result of context.evaluateCluster()) {
    io.signal.throwIfAborted();
    for (const item of itemsOf(result, cluster)) run.item(item);
  }
  return run.end();
}

async function showChanges(
  options: CheckOptions,
  io: Io,
  cluster: Cluster,
  { clusterRoles, scope }: { readonly clusterRoles: readonly ClusterRole[]; readonly scope: Scope },
): Promise<ExitCode> {
  const print = PRINTERS[options.output];
  if (!print)
    throw new UsageError(
      `-o ${options.output} goes with -f; changes are printed as ${Object.keys(PRINTERS).join(', ')}`,
    );
  checkReached(options, scope.only);
  const troubles = new Troubles(io);
  const live = new PolicyContextBuilder();
  live.addCluster(cluster);
  const changed = new PolicyContextBuilder();
  changed.addCluster(cluster);
  changed.addClusterRoles(clusterRoles);
  await addPolicies(changed, options.policy, io, troubles);
  const candidates = changed.stated;
  if (candidates.length === 0 && troubles.count === 0)
    throw new UsageError('no CapabilityPolicy in the files of --policy');
  const contexts = contextOptions(options, cluster);
  const before = live.build(contexts, () => {});
  const enforced = changed.build(contexts, () => {}, { enforced: candidates });
  const changes = printableTexts(
    changesOf({
      candidates,
      rollouts: changed.rollouts(candidates),
      before,
      after: (pending) => changed.build(contexts, troubles.trouble, { pending }),
      enforced,
      namespace: scope.only,
    }),
  );
  tellAboutPolicies(
    changed.build(contexts, () => {}),
    contexts.at,
    troubles.trouble,
  );
  io.stdout.write(print(changes, terminalOf(io)));
  if (troubles.count > 0) return 2;
  return changes.changes.some((change) => isWorseFor(change, failOnOf(options))) ? 1 : 0;
}

/** Warns about policies that loosen others, and about policies without effect. */
function tellAboutPolicies(context: PolicyContext, at: number, tell: (trouble: Trouble) => void): void {
  tellLoosenings(context, tell);
  tellFindings(context, at, tell);
}

/** Whether the effect on the workload gets worse, and --fail-on names the mode that has the new effect. */
function isWorseFor({ before, after }: WorkloadChange, failOn: FailOn): boolean {
  return isWorse(after, before) && MODES.some((mode) => failOn.has(mode) && effectOf(mode) === after);
}

const PRINTERS: Readonly<Partial<Record<CheckOptions['output'], (changes: Changes, terminal: Terminal) => string>>> = {
  table: changesText,
  markdown: changesMarkdown,
  json: (changes) => `${jsonText(changes)}\n`,
  yaml: (changes) => dump(changes, { lineWidth: -1, noRefs: true }),
};

function beginRun(options: CheckOptions, io: Io, scope?: string): Promise<Run> {
  return createRun({ output: options.output, failOn: failOnOf(options), scope }, io);
}

function failOnOf({ warn, failOn }: CheckOptions): FailOn {
  return warn ? ENFORCED : failOn;
}
