/** Connects to the cluster that a command reads. The program chooses the cluster in the same way as kubectl. */
import { type ClusterRole, liveRoles } from '../analysis/policies/aggregation.ts';
import { type Automounting, automountingOf } from '../analysis/policies/automounting.ts';
import { ApiClient, isForbidden, pathFor } from '../operator/cluster/client.ts';
import { type KubeConfigOptions, loadKubeConfig } from '../operator/cluster/kubeconfig.ts';
import { detectPlatform } from '../operator/cluster/platform.ts';
import { CLUSTER_ROLES, NAMESPACES, PODS_AND_WORKLOADS } from '../operator/cluster/sources.ts';
import { excludedOn } from '../operator/model/namespaces.ts';
import type { Cluster } from '../operator/model/objects.ts';
import { excludingFlag, platformNamespace } from '../operator/model/platform-namespaces.ts';
import type { RawObject, RawPage } from '../operator/model/raw.ts';
import { isExcluded } from '../operator/policy/deciding.ts';
import { printable } from '../operator/text/printable.ts';
import { clusterError } from './cluster-error.ts';
import type { Io } from './command.ts';
import { type Excluding, excludingBy, type Given, type PolicyOptions } from './options.ts';
import { Progress } from './output/progress.ts';
import { type ReadOptions, readCluster } from './read-once.ts';
import { type Scope, type ScopeOptions, scopeOf } from './scope.ts';

export interface Connected {
  readonly client: ApiClient;
  /** The name of the kubeconfig's context. If there is no context, the name is an empty text. */
  readonly context: string;
  /** The namespace of the kubeconfig's context. */
  readonly namespace: string;
}

/**
 * Connects to the cluster, runs the given function, and closes the connections.
 *
 * @throws Error with a message of one line, if the kubeconfig is wrong or the cluster does not answer as expected
 */
export async function withCluster<Result>(
  options: KubeConfigOptions,
  work: (connected: Connected) => Promise<Result>,
): Promise<Result> {
  const config = loadKubeConfig(options);
  const client = new ApiClient(config);
  const context = config.currentContext ?? '';
  const namespace = config.getContextObject(context)?.namespace ?? 'default';
  try {
    return await work({ client, context, namespace });
  } catch (error) {
    throw clusterError(error, client.server);
  } finally {
    await client.close();
  }
}

/**
 * Fills in the namespaces to exclude. If no flag says which namespaces to exclude, the platform of the cluster decides.
 */
export async function excludingPlatform<Options extends Excluding>(
  given: Given<Options>,
  { client }: Connected,
): Promise<Options> {
  if (given.excludedNamespaces) return excludingBy<Options>(given);
  return excludingBy<Options>(given, excludedOn((await detectPlatform(client)).platforms));
}

/**
 * Prints the namespaces that carry the cluster's platform and are not excluded, with the evidence and the flag to set.
 * @param cluster all namespaces with their workloads
 */
export async function tellPlatform(
  { client }: Connected,
  { stderr }: Pick<Io, 'stderr'>,
  cluster: Cluster,
  { operatorNamespace, excludedNamespaces }: PolicyOptions,
): Promise<void> {
  const { apiGroups } = await detectPlatform(client);
  const left = cluster.namespaces().filter(({ name }) => !isExcluded(name, [operatorNamespace, ...excludedNamespaces]));
  const found = left.flatMap((one) => platformNamespace(one, cluster.workloads(one.name), apiGroups) ?? []);
  if (found.length === 0) return;
  const lines = [
    "These namespaces carry the cluster's platform, and policies can reach them:",
    ...found.map(({ name, evidence }) => `  ${name}: ${evidence}`),
    `To exclude them, run the operator and cappol with ${excludingFlag(excludedNamespaces, found)}`,
  ];
  stderr.write(lines.map((line) => `${printable(line)}\n`).join(''));
}

/** Reads the whole cluster, or one namespace. On a terminal, the progress is shown. */
export async function readWhole(
  { client }: Connected,
  { signal, stderr }: Pick<Io, 'signal' | 'stderr'>,
  options: Pick<ReadOptions, 'namespace' | 'workloads' | 'only' | 'complete' | 'onForbidden'>,
): Promise<Cluster> {
  const progress = new Progress({ stderr });
  const onPage = (objects: number) => progress.at(() => `${objects} objects read`);
  try {
    return await readCluster(client, { ...options, signal, onPage });
  } finally {
    progress.clear();
  }
}

/**
 * Reads which service accounts set `automountServiceAccountToken`. The result is undefined if the user may not list
 * service accounts.
 */
export async function readAutomounting(
  { client }: Connected,
  { signal }: Pick<Io, 'signal'>,
): Promise<Automounting | undefined> {
  const found = new Map<string, boolean>();
  const add = ([name, mounts]: [string, boolean]) => found.set(name, mounts);
  try {
    await client.list(
      pathFor('v1', 'ServiceAccount'),
      {},
      ({ items }) => (items ?? []).flatMap(automountingOf).forEach(add),
      { managedFields: false, signal },
    );
    return found;
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

/** Reads all ClusterRoles, with the fields that role aggregation needs. */
export async function readClusterRoles(
  { client }: Connected,
  { signal }: Pick<Io, 'signal'>,
): Promise<readonly ClusterRole[]> {
  const roles: RawObject[] = [];
  const { apiVersion, kind } = CLUSTER_ROLES;
  const add = ({ items }: RawPage) => void roles.push(...(items ?? []));
  await client.list(pathFor(apiVersion, kind), {}, add, { managedFields: false, signal });
  return liveRoles(roles);
}

/**
 * Reads pods and workloads. If no flag names the namespace, a line on standard error says which namespace the command
 * reads.
 */
export async function readPods(
  connected: Connected,
  io: Pick<Io, 'signal' | 'stderr'>,
  options: ScopeOptions,
): Promise<{ readonly cluster: Cluster; readonly scope: Scope }> {
  const scope = scopeOf(options, connected);
  const { only } = scope;
  const cluster = await readWhole(connected, io, {
    only: only === undefined ? [NAMESPACES, ...PODS_AND_WORKLOADS] : PODS_AND_WORKLOADS,
    workloads: true,
    ...(only !== undefined && { namespace: only }),
  });
  scope.tell(io);
  return { cluster, scope };
}
