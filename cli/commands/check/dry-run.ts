/**
 * Asks the API server about workloads: creates one pod of each template by dry run, with the user's own rights. So
 * webhooks and mutating policies change the pods, also those of workloads without pods.
 */
import type { DryRunAnswer } from '../../../analysis/check/dry-run.ts';
import { isMadeByOwner, podOf } from '../../../analysis/check/dry-run-pod.ts';
import type { PolicyContext } from '../../../analysis/policies/context.ts';
import { ApiError, isNotFound, pathFor } from '../../../operator/cluster/client.ts';
import { evaluatedOf } from '../../../operator/evaluate/members.ts';
import { topController } from '../../../operator/evaluate/workloads.ts';
import type { Cluster, WorkloadView } from '../../../operator/model/objects.ts';
import { objectOf, type RawObject, type RawPage } from '../../../operator/model/raw.ts';
import { CONTROLLERS, type WorkloadKind } from '../../../operator/model/workload-kinds.ts';
import { createProjection } from '../../../operator/projection/projection.ts';
import { refusalIn } from '../../../operator/projection/refusal-projection.ts';
import { UNSHARED } from '../../../operator/projection/sharing.ts';
import { RULES } from '../../../operator/rules/index.ts';
import { inParallel } from '../../../operator/runtime/in-parallel.ts';
import type { Connected } from '../../cluster.ts';
import { type Io, UsageError } from '../../command.ts';
import { Progress } from '../../output/progress.ts';

/** The number of pods that are created at once. Each of them may make the API server call several webhooks. */
const AT_ONCE = 8;

export interface Answered {
  readonly workload: WorkloadView;
  readonly answer: DryRunAnswer;
}

/** The answers about each workload in the results, by `namespace/kind/name`. */
export type Answers = ReadonlyMap<string, readonly Answered[]>;

interface Asking {
  readonly cluster: Cluster;
  readonly context: PolicyContext;
  /** The only namespace; undefined for all namespaces. */
  readonly namespace: string | undefined;
}

/** @throws UsageError if the user may not create pods in one of the namespaces */
export async function askByDryRun(
  connected: Connected,
  io: Io,
  { cluster, context, namespace }: Asking,
): Promise<Answers> {
  const { client } = connected;
  const raw = await readTemplates(connected, io, namespace);
  const asked = raw.templates.flatMap((one) => {
    const { name = '', namespace: own = '' } = one.metadata ?? {};
    const workload = cluster.workload(own ?? '', one.kind ?? '', name ?? '');
    const isDecided = workload !== undefined && context.deciding(workload.namespace).length > 0;
    return isDecided && evaluatedOf([workload], () => cluster.workloads(workload.namespace)).length > 0
      ? [{ workload, pod: podOf(one, raw.replicaSets) }]
      : [];
  });
  await checkRights(connected, [...new Set(asked.map(({ workload }) => workload.namespace))].sort());
  const { pod: project } = createProjection(RULES, UNSHARED);
  const answers = new Map<string, Answered[]>();
  const progress = new Progress(io);
  let done = 0;
  await inParallel(asked, AT_ONCE, async ({ workload, pod }) => {
    io.signal.throwIfAborted();
    const answer = await client
      .create(pathFor('v1', 'Pod', workload.namespace), pod, { dryRun: true })
      .then((created): DryRunAnswer => ({ pod: project(created) }))
      .catch(answerOf);
    done += 1;
    progress.at(() => `${done} of ${asked.length} templates asked`);
    if (!answer) return;
    const key = keyOf(topController(workload.kind, workload, cluster).workload);
    answers.set(key, [...(answers.get(key) ?? []), { workload, answer }]);
  });
  progress.clear();
  return answers;
}

export function keyOf({ namespace, kind, name }: { namespace: string; kind: string; name: string }): string {
  return `${namespace}/${kind}/${name}`;
}

/** @returns the workloads that have a template of their own, and all ReplicaSets */
async function readTemplates({ client }: Connected, { signal }: Io, namespace: string | undefined) {
  const templates: RawObject[] = [];
  const replicaSets: RawObject[] = [];
  for (const { apiVersion, kind } of KINDS) {
    const add = ({ items }: RawPage) => {
      for (const item of items ?? []) {
        const one = { ...item, apiVersion, kind };
        if (kind === 'ReplicaSet') replicaSets.push(one);
        if (!isMadeByOwner(one)) templates.push(one);
      }
    };
    await client.list(pathFor(apiVersion, kind, namespace), {}, add, { managedFields: false, signal });
  }
  return { templates, replicaSets };
}

/** The kinds whose controllers create pods, and the kinds whose controllers create these. */
const KINDS: readonly { readonly apiVersion: string; readonly kind: WorkloadKind }[] = CONTROLLERS;

/** @throws UsageError that names the namespaces in which the user may not create pods */
async function checkRights({ client }: Connected, namespaces: readonly string[]): Promise<void> {
  const forbidden: string[] = [];
  await inParallel(namespaces, AT_ONCE, async (namespace) => {
    const resourceAttributes = { namespace, verb: 'create', resource: 'pods' };
    const { status } = await client.create(REVIEWS, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    });
    if (objectOf(status).allowed !== true) forbidden.push(namespace);
  });
  if (forbidden.length === 0) return;
  const names = forbidden.sort().join(', ');
  throw new UsageError(
    `--dry-run=server: you may not create pods in ${forbidden.length === 1 ? 'namespace' : 'namespaces'} ${names}: a dry run needs the right to create pods, although it creates none`,
  );
}

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** @returns undefined if the namespace was deleted @throws the error if the API server did not answer */
function answerOf(error: unknown): DryRunAnswer | undefined {
  if (!(error instanceof ApiError)) throw error;
  if (isNotFound(error)) return undefined;
  const refusal = refusalIn(error.message);
  return refusal ? { refused: refusal.message } : { unanswered: error.message };
}
