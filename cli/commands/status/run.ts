/** The work of status: reads the cluster as far as its rights allow, judges, prints; with --watch repeatedly. */
import { dump } from 'js-yaml';
import { type ApiError, isNotFound } from '../../../operator/cluster/api-error.ts';
import { pathFor } from '../../../operator/cluster/paths.ts';
import type { Source } from '../../../operator/cluster/reading.ts';
import * as sources from '../../../operator/cluster/sources.ts';
import { ClusterState } from '../../../operator/controllers/cluster-state.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import type { Cluster } from '../../../operator/model/objects.ts';
import { type Connected, excludingPlatform, snapshot, withCluster } from '../../cluster.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { checkExists, checkReached } from '../../namespace.ts';
import type { Given, PolicyOptions } from '../../options.ts';
import { jsonText, printableTexts } from '../../output/printable.ts';
import { terminalOf } from '../../output/terminal.ts';
import { protectionOf } from './protection.ts';
import { statusText } from './text.ts';
import { type Readable, type StatusView, statusView } from './view.ts';
import { following } from './watch.ts';

export interface StatusOptions extends PolicyOptions {
  readonly watch?: boolean;
  readonly namespace?: string;
  readonly at?: number;
  readonly output: 'table' | 'wide' | 'json' | 'yaml';
}

const RBAC: readonly Source[] = [
  sources.ROLES,
  sources.ROLE_BINDINGS,
  sources.CLUSTER_ROLES,
  sources.CLUSTER_ROLE_BINDINGS,
];

/** Printed between two views if the screen is not cleared. */
const SEPARATORS = { table: '\n', wide: '\n', json: '', yaml: '---\n' };

export async function runStatus(policy: string | undefined, given: Given<StatusOptions>, io: Io): Promise<ExitCode> {
  return withCluster(given, async (connected) => {
    const options = await excludingPlatform<StatusOptions>(given, connected);
    const evaluator = new Evaluator();
    const forbidden: Source[] = [];
    // --watch follows changes in the whole cluster.
    const scope = options.namespace !== undefined && !options.watch ? { namespace: options.namespace } : {};
    const cluster = await snapshot(connected, io, {
      ...scope,
      workloads: true,
      onForbidden: (source, error) => {
        if (source === sources.POLICIES) throw missingRight(error);
        forbidden.push(source);
      },
    });
    await isInstalled(cluster, connected);
    checkReached(options);
    if (!forbidden.includes(sources.NAMESPACES)) checkExists(cluster, options.namespace);
    const missing = missingTexts(forbidden);
    for (const text of missing) io.stderr.write(`cappol: ${text}\n`);
    const protection = await protectionOf(connected);
    let shown = 0;
    const show = (seen: Cluster) => {
      if (shown++ > 0 && !io.stdout.isTTY) io.stdout.write(SEPARATORS[options.output]);
      const view = statusView(
        { ...readable(seen, forbidden, missing, options), protection: protection(seen) },
        evaluator,
      );
      io.stdout.write(printed(only(view, policy, options.namespace), policy !== undefined, options, io));
    };
    if (options.watch) await following(connected, { forbidden, io, show });
    else show(cluster);
    return missing.length > 0 ? 2 : 0;
  });
}

function readable(
  cluster: Cluster,
  forbidden: readonly Source[],
  missing: readonly string[],
  { operatorNamespace, excludedNamespaces, namespace, at }: StatusOptions,
): Omit<Readable, 'protection'> {
  const now = () => at ?? Date.now();
  const state = new ClusterState(cluster, { operatorNamespace, excludedNamespaces, podSecurityDefaults: {}, now });
  state.accept();
  const rbac = !RBAC.some((source) => forbidden.includes(source));
  return {
    cluster,
    state,
    use: rbac ? state.use : { ...state.use, mayUse: () => true },
    judgeable: ![sources.NAMESPACES, ...sources.PODS_AND_WORKLOADS].some((source) => forbidden.includes(source)),
    rbac,
    missing,
    namespace,
  };
}

function printed(view: StatusView, whole: boolean, { output, namespace, at }: StatusOptions, io: Io): string {
  if (output === 'json') return `${jsonText(view)}\n`;
  if (output === 'yaml') return dump(printableTexts(view), { lineWidth: -1, noRefs: true });
  return statusText(view, { terminal: terminalOf(io), wide: output === 'wide', whole, namespace, at });
}

function only(view: StatusView, name: string | undefined, namespace: string | undefined): StatusView {
  if (name === undefined) return view;
  const policies = view.policies.filter((policy) => policy.name === name);
  if (policies.length > 0) return { ...view, policies };
  const names = view.policies.map((policy) => policy.name);
  throw new UsageError(
    `no policy ${JSON.stringify(name)}${namespace === undefined ? '' : ` for namespace ${namespace}`}: ${names.length === 0 ? 'there is none' : `there are ${names.join(', ')}`}`,
  );
}

/** One line for each missing right, with the consequence. */
function missingTexts(forbidden: readonly Source[]): string[] {
  const rights = (among: readonly Source[]) => among.filter((source) => forbidden.includes(source)).map(resourceOf);
  const judging = rights([sources.NAMESPACES, ...sources.PODS_AND_WORKLOADS]);
  const use = rights(RBAC);
  return [
    ...(judging.length > 0
      ? [
          `you may not list ${judging.join(', ')}: violations are those that the operator reported last, not all of them`,
        ]
      : []),
    ...(use.length > 0
      ? [`you may not list ${use.join(', ')}: the users of a policy are not known, so everybody is assumed to be one`]
      : []),
  ];
}

/** `deployments.apps` */
function resourceOf({ apiVersion, kind }: Source): string {
  const plural = pathFor(apiVersion, kind).split('/').at(-1);
  const [group] = apiVersion.includes('/') ? apiVersion.split('/') : [];
  return group === undefined ? `${plural}` : `${plural}.${group}`;
}

function missingRight(error: ApiError): UsageError {
  return new UsageError(`you may not list ${resourceOf(sources.POLICIES)}, which status needs: ${error.message}`);
}

/** A cluster without the CRD has no policies, either. */
async function isInstalled(cluster: Cluster, { client }: Connected): Promise<void> {
  if (cluster.policies().length > 0) return;
  const { apiVersion } = sources.POLICIES;
  await client.get(`/apis/${apiVersion}`).catch((error) => {
    if (isNotFound(error)) throw new UsageError(`the cluster has no CapabilityPolicies: apply crds/ first`);
    throw error;
  });
}
