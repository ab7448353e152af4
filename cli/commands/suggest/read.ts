/** Reads the input of `suggest`: workloads from manifests or a cluster, evidence, and the policies that decide. */
import type { UsedCapabilities } from '../../../analysis/evidence/used-capabilities.ts';
import { SkippedDocuments, skippedLines } from '../../../analysis/manifests/other-documents.ts';
import type { Labels } from '../../../analysis/policies/context.ts';
import { PolicyContextBuilder } from '../../../analysis/policies/context-builder.ts';
import { type AddedToWorkload, addedIn } from '../../../analysis/suggest/added.ts';
import type { Given } from '../../../analysis/suggest/workloads.ts';
import type { ApiError } from '../../../operator/cluster/api-error.ts';
import type { Source } from '../../../operator/cluster/reading.ts';
import * as sources from '../../../operator/cluster/sources.ts';
import type { Cluster } from '../../../operator/model/objects.ts';
import type { Connected } from '../../cluster.ts';
import { type Io, UsageError } from '../../command.ts';
import { type UsedOptions, usedInFiles } from '../../evidence/used.ts';
import { Troubles } from '../../input/troubles.ts';
import { missingRights, READER_ROLES, REFUSALS_UNKNOWN } from '../../missing-rights.ts';
import { excludingBy, type Given as Options, type PolicyOptions } from '../../options.ts';
import { addPolicies } from '../../policies/add-files.ts';
import { checkScope, scopeOf } from '../../scope.ts';
import { givenByCluster, givenByFiles } from './input.ts';

export interface ReadingOptions extends PolicyOptions, UsedOptions {
  readonly filename: readonly string[];
  readonly exclude?: readonly string[];
  readonly policy: readonly string[];
  readonly namespaceLabels: Labels;
  readonly cluster?: boolean;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly serverVersion: number;
}

export interface Input {
  readonly given: readonly Given[];
  /** The containers that pods of a cluster have and their templates lack. */
  readonly added: readonly AddedToWorkload[];
  /** The origin of the workloads as text, such as `namespace net` or the names of files. */
  readonly where: string;
  /** Whether namespaces without workloads get a policy, too. */
  readonly everywhere: boolean;
  /** The minor version N of Kubernetes 1.N of the oldest API server. */
  readonly server: number;
  readonly excludedNamespaces: readonly string[];
  readonly used: UsedCapabilities | undefined;
  /** The builder to which the policies of the files and of the cluster were added. */
  readonly builder: PolicyContextBuilder;
  /**
   * The cluster. If the workloads are from files, or if the policies of the cluster could not be read, the value is
   * undefined.
   */
  readonly cluster: Cluster | undefined;
  /**
   * The names of the cluster's namespaces. If the command read only some namespaces, the list contains only the names
   * of these namespaces.
   */
  readonly namespaces: readonly string[];
  readonly troubles: Troubles;
}

export async function readInput(options: Options<ReadingOptions>, io: Io): Promise<Input> {
  const { filename, cluster } = options;
  if (filename.length > 0 === Boolean(cluster)) throw new UsageError('name files with -f, or write --cluster');
  if (cluster) return readCluster(options, io);
  if (options.allNamespaces) throw new UsageError('-A requires --cluster: manifests state their namespaces');
  return readFiles(options, io);
}

async function readFiles(options: Options<ReadingOptions>, io: Io): Promise<Input> {
  const { filename, policy, namespace = 'default' } = options;
  const troubles = new Troubles(io);
  const skipped = new SkippedDocuments();
  const builder = new PolicyContextBuilder(namespace);
  await addPolicies(builder, policy, io, troubles);
  const used = await usedInFiles(options, io, troubles.trouble);
  const given = await givenByFiles(filename, io, {
    namespace,
    used,
    tell: troubles.trouble,
    skip: skipped.skip,
    see: (manifest) => {
      if (manifest.object.kind === 'Namespace') builder.addManifest(manifest, troubles.trouble);
    },
  });
  for (const line of skippedLines(skipped.all)) io.stderr.write(`cappol: ${line}\n`);
  const { serverVersion: server, excludedNamespaces } = excludingBy<ReadingOptions>(options);
  const where = filename.join(', ');
  const none = { cluster: undefined, namespaces: [], everywhere: false, added: [] };
  return { given, where, server, excludedNamespaces, used, builder, troubles, ...none };
}

/**
 * Reads the workloads and the policies of a cluster. The user needs only the rights to list pods and workloads. With
 * -A, the user also needs the right to list namespaces. If the user lacks further rights, the command works without the
 * policies of the cluster.
 */
async function readCluster(options: Options<ReadingOptions>, io: Io): Promise<Input> {
  const [{ excludingPlatform, withCluster }, { usedInCluster }] = await Promise.all([
    import('../../cluster.ts'),
    import('../../evidence/cluster.ts'),
  ]);
  const { allNamespaces: everywhere = false } = options;
  checkScope(options);
  return withCluster(options, async (connected) => {
    const scope = scopeOf(options, connected);
    const { only } = scope;
    const { cluster, known } = await readLive(connected, io, only);
    scope.tell(io);
    const { excludedNamespaces } = await excludingPlatform<ReadingOptions>(options, connected);
    const troubles = new Troubles(io);
    const builder = new PolicyContextBuilder();
    if (known) builder.addCluster(cluster);
    await addPolicies(builder, options.policy, io, troubles);
    const used = await usedInCluster(options, { connected, cluster, only, io, tell: troubles.trouble });
    const read = only === undefined ? cluster.namespaces().map(({ name }) => name) : [only];
    return {
      given: givenByCluster(cluster, only, used),
      added: read.flatMap((namespace) => addedIn(namespace, cluster)),
      where: scope.text,
      everywhere,
      server: cluster.oldestServer,
      excludedNamespaces,
      used,
      builder,
      cluster: known ? cluster : undefined,
      namespaces: cluster.namespaces().flatMap(({ name, terminating }) => (terminating ? [] : [name])),
      troubles,
    };
  });
}

/** The cluster, and whether its policies and namespaces could be read. */
async function readLive(
  connected: Connected,
  io: Pick<Io, 'signal' | 'stderr'>,
  only: string | undefined,
): Promise<{ readonly cluster: Cluster; readonly known: boolean }> {
  const [{ readWhole }, { isInstalled }] = await Promise.all([import('../../cluster.ts'), import('../../live.ts')]);
  const needed = only === undefined ? [sources.NAMESPACES, ...sources.PODS_AND_WORKLOADS] : sources.PODS_AND_WORKLOADS;
  const installed = await isInstalled(connected);
  const forbidden = new Map<Source, ApiError>();
  const cluster = await readWhole(connected, io, {
    ...(only !== undefined && { namespace: only }),
    ...(!installed && { only: [...needed, sources.REFUSALS] }),
    workloads: true,
    onForbidden: (source, error) => forbidden.set(source, error),
  });
  const missing = needed.filter((source) => forbidden.has(source));
  const [error] = missing.flatMap((source) => forbidden.get(source) ?? []);
  const eventsUnknown = forbidden.has(sources.REFUSALS);
  if (error) throw missingRights([...missing, ...(eventsUnknown ? [sources.REFUSALS] : [])], error, only);
  if (eventsUnknown) io.stderr.write(`cappol: ${REFUSALS_UNKNOWN}; ${READER_ROLES}\n`);
  const known = installed && !forbidden.has(sources.POLICIES) && !forbidden.has(sources.NAMESPACES);
  if (installed && !known) io.stderr.write(`cappol: ${POLICIES_UNKNOWN}\n`);
  else if (RBAC.some((source) => forbidden.has(source))) io.stderr.write(`cappol: ${USERS_UNKNOWN}\n`);
  return { cluster, known };
}

const RBAC = [sources.ROLES, sources.ROLE_BINDINGS, sources.CLUSTER_ROLES, sources.CLUSTER_ROLE_BINDINGS];
const POLICIES_UNKNOWN =
  'the suggestion ignores the policies of the cluster, since reading policies needs the ClusterRole of config/rbac/reader.yaml';
const USERS_UNKNOWN =
  'the suggestion takes into account only the users that policies name in subjects, since reading roles and bindings needs the ClusterRole of config/rbac/reader.yaml';
