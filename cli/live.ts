/**
 * Reads everything from a cluster that an evaluation needs, as far as the user's rights allow. In a cluster without the
 * CRD, the command reads only the objects that are needed to evaluate workloads against the levels.
 */
import { assessedCluster } from '../analysis/policies/assessed-cluster.ts';
import type { Taken } from '../analysis/snapshot/take.ts';
import { type ApiError, isNotFound } from '../operator/cluster/api-error.ts';
import type { Source } from '../operator/cluster/reading.ts';
import * as sources from '../operator/cluster/sources.ts';
import type { Cluster } from '../operator/model/objects.ts';
import { lastAccepted } from '../operator/state/accepted-specs.ts';
import { PolicyState } from '../operator/state/policy-state.ts';
import { type Connected, readWhole } from './cluster.ts';
import type { Io } from './command.ts';
import { missingRights, READER_ROLES, REFUSALS_UNKNOWN, resourcesOf } from './missing-rights.ts';
import type { PolicyOptions } from './options.ts';
import { forbiddenSources } from './read-once.ts';

export interface Rights {
  /**
   * The kinds that are not read. Either the user has no right to read the kinds, or the cluster has no CRD and
   * therefore no policies.
   */
  readonly forbidden: readonly Source[];
  /**
   * A line for each missing right. Each line also says which part of the result is missing without the right. The list
   * is empty if no right is missing.
   */
  readonly missing: readonly string[];
  /** Whether everything that the evaluation needs could be read. */
  readonly canEvaluate: boolean;
  /**
   * Whether roles and role bindings could be read, so that the users of policies are known. If the cluster has no
   * policies, `usersKnown` is true, too.
   */
  readonly usersKnown: boolean;
  /**
   * Whether the cluster has the CRD. In a cluster without the CRD, the policies are the policies of ASSESSED_LEVELS.
   */
  readonly installed: boolean;
}

const EVALUATED: readonly Source[] = [sources.NAMESPACES, ...sources.PODS_AND_WORKLOADS];

/**
 * The kinds that are read from a cluster without the CRD. PodTemplates are left out for two reasons. No controller
 * makes pods from PodTemplates, and the role `view` may not list PodTemplates.
 */
const ASSESSED = EVALUATED.filter(({ kind }) => kind !== 'PodTemplate');

const RBAC: readonly Source[] = [
  sources.ROLES,
  sources.ROLE_BINDINGS,
  sources.CLUSTER_ROLES,
  sources.CLUSTER_ROLE_BINDINGS,
];

const UNASSESSED: readonly Source[] = [
  ...EVALUATED.filter((source) => !ASSESSED.includes(source)),
  ...RBAC,
  ...sources.ADMISSION_POLICIES,
  sources.POLICIES,
  sources.REFUSALS,
];

/** Describes for error messages why a command reads a cluster. */
export interface LivePurpose {
  /** If an evaluated kind cannot be read, this text says what is missing in the result. */
  readonly notEvaluated: string;
}

/**
 * If a kind cannot be read, this text says what is missing in the snapshot. The text is also correct for a cluster
 * without the CRD, because in such a cluster no status reports violations.
 */
export const SNAPSHOT_NOT_EVALUATED = 'nothing is evaluated, so there are no verdicts';

/** Reads the live cluster. @throws UsageError if policies cannot be read */
export async function readLive(
  connected: Connected,
  io: Pick<Io, 'signal' | 'stderr'>,
  { notEvaluated, namespace }: LivePurpose & { readonly namespace?: string | undefined },
): Promise<{ cluster: Cluster; rights: Rights }> {
  const forbidden = new Map<Source, ApiError>();
  const installed = await isInstalled(connected);
  const cluster = await readWhole(connected, io, {
    ...(namespace !== undefined && { namespace }),
    ...(!installed && { only: ASSESSED }),
    workloads: true,
    onForbidden: (source, error) => forbidden.set(source, error),
  });
  checkPolicies(forbidden, namespace);
  return {
    cluster: installed ? cluster : assessedCluster(cluster),
    rights: rightsWithout([...forbidden.keys()], { installed, notEvaluated }),
  };
}

/** @throws UsageError that names all missing rights, if the policies cannot be read */
function checkPolicies(forbidden: ReadonlyMap<Source, ApiError>, namespace?: string): void {
  const error = forbidden.get(sources.POLICIES);
  if (!error) return;
  const needed = [...forbidden.keys()].filter((source) => !sources.ADMISSION_POLICIES.includes(source));
  throw missingRights(needed, error, namespace);
}

function rightsWithout(
  forbidden: readonly Source[],
  { installed, notEvaluated }: { readonly installed: boolean; readonly notEvaluated: string },
): Rights {
  return {
    forbidden: installed ? forbidden : [...forbidden, ...UNASSESSED],
    installed,
    missing: missingTexts(forbidden, installed ? notEvaluated : SNAPSHOT_NOT_EVALUATED),
    canEvaluate: !EVALUATED.some((source) => forbidden.includes(source)),
    usersKnown: !installed || !RBAC.some((source) => forbidden.includes(source)),
  };
}

/**
 * Finds out which kinds the user may read. To avoid reading large collections, the function asks for one object of each
 * kind.
 *
 * @throws UsageError if policies cannot be read
 */
export async function rightsOf(
  connected: Connected,
  { signal }: Pick<Io, 'signal'>,
  { notEvaluated }: LivePurpose,
): Promise<Rights> {
  const installed = await isInstalled(connected);
  const forbidden = await forbiddenSources(connected.client, signal, installed ? {} : { sources: ASSESSED });
  checkPolicies(forbidden);
  return rightsWithout([...forbidden.keys()], { installed, notEvaluated });
}

/** @param at the time for which to evaluate, in ms since 1970. If `at` is undefined, the current time is used */
export function acceptedStateOf(
  cluster: Cluster,
  rights: Pick<Rights, 'usersKnown'>,
  options: PolicyOptions & { readonly at?: number | undefined },
): PolicyState {
  const state = stateOf(cluster, rights, options);
  state.accept();
  return state;
}

/**
 * The state of a cluster's policies. An evaluation of the cluster needs the state of the policies. At first, the state
 * contains no accepted policy and no rendered program.
 */
export function stateOf(
  cluster: Cluster,
  { usersKnown }: Pick<Rights, 'usersKnown'>,
  { operatorNamespace, excludedNamespaces, at }: PolicyOptions & { readonly at?: number | undefined },
): PolicyState {
  const now = () => at ?? Date.now();
  const options = { operatorNamespace, excludedNamespaces, usersKnown, now };
  return new PolicyState(cluster, { ...options, renders: false });
}

/**
 * The parts of a snapshot that are about the whole cluster.
 *
 * @param at the time at which the snapshot was taken, in ms since 1970
 */
export function takenOf(
  cluster: Cluster,
  state: PolicyState,
  { missing, usersKnown, installed }: Pick<Rights, 'missing' | 'usersKnown' | 'installed'>,
  { context, operatorNamespace, excludedNamespaces }: PolicyOptions & { readonly context: string },
  at: number,
): Taken {
  return {
    cluster,
    accepted: state.compiled.specs,
    recorded: lastAccepted(cluster.rendered()),
    taken: new Date(at).toISOString(),
    context,
    operatorNamespace,
    excludedNamespaces,
    missing,
    usersKnown,
    ...(!installed && { installed }),
  };
}

function missingTexts(forbidden: readonly Source[], notEvaluated: string): string[] {
  const rights = (among: readonly Source[]) => among.filter((source) => forbidden.includes(source));
  const evaluating = rights(EVALUATED);
  const use = rights(RBAC);
  return [
    ...(evaluating.length > 0 ? [`you may not list ${resourcesOf(evaluating)}: ${notEvaluated}`] : []),
    ...(forbidden.includes(sources.REFUSALS) ? [REFUSALS_UNKNOWN] : []),
    ...(use.length > 0
      ? [
          `you may not list ${resourcesOf(use)}: the users of a policy are not known, so everybody is assumed to be a user`,
        ]
      : []),
  ];
}

/** Tells the user on standard error which rights are missing. */
export function tellMissing({ missing }: Pick<Rights, 'missing'>, { stderr }: Pick<Io, 'stderr'>): void {
  if (missing.length > 0) stderr.write(`cappol: ${missing.join('; ')}; ${READER_ROLES}\n`);
}

/**
 * Whether the cluster has the CRD. Every user has the right to find out whether the CRD exists.
 *
 * @throws the client's error if the API server does not answer
 */
export async function isInstalled({ client }: Connected): Promise<boolean> {
  const { apiVersion } = sources.POLICIES;
  try {
    await client.get(`/apis/${apiVersion}`);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
