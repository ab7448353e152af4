/**
 * Creates pods in every way, before and after the expiry of a policy. The answers show in which second the verdict
 * changes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../../hack/controlplane/api.ts';
import { CREATOR, type TestCluster } from './harness.ts';
import { podManifest } from './pod-manifests.ts';
import { NAMESPACES } from './rendered.ts';

interface PodSpec {
  readonly spec: unknown;
}

export interface Attempt {
  readonly pod: string;
  readonly way: string;
  /** The time of the request in ms since 1970, by the clock of this machine. The API server uses the same clock. */
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly admitted: boolean;
  /** The creation time that the API server gave to an admitted pod. */
  readonly created: number | undefined;
  /** The text of a refusal. */
  readonly message: string;
}

/**
 * A creation time that a client states. The API server ignores the stated time, both before and after the expiry.
 */
const CLAIMED = '2020-01-01T00:00:00Z';
const APPLY = 'application/apply-patch+yaml';
const PAUSE_MS = 50;

/** A counter that makes the names of pods unique in the process. */
let index = 0;

type Way = (cluster: TestCluster, namespace: string, pod: PodSpec, index: number) => Promise<Answer>;

const WAYS: Readonly<Record<string, Way>> = {
  'dry run': (cluster, namespace, { spec }, index) =>
    post(cluster, namespace, podManifest({ name: `dry-${index}` }, spec), { dryRun: 'All' }),
  generateName: (cluster, namespace, { spec }) => post(cluster, namespace, podManifest({ generateName: 'pod-' }, spec)),
  'a creationTimestamp of its own': (cluster, namespace, { spec }, index) =>
    post(cluster, namespace, podManifest({ name: `own-${index}`, creationTimestamp: CLAIMED }, spec)),
  'client-side apply': (cluster, namespace, { spec }, index) =>
    post(cluster, namespace, podManifest({ name: `applied-${index}` }, spec), {
      fieldManager: 'kubectl-client-side-apply',
      fieldValidation: 'Strict',
    }),
  'server-side apply': (cluster, namespace, { spec }, index) =>
    cluster.api.ask('PATCH', `${NAMESPACES}/${namespace}/pods/server-side-${index}`, {
      body: podManifest({ name: `server-side-${index}`, creationTimestamp: CLAIMED }, spec),
      contentType: APPLY,
      as: CREATOR,
      query: { fieldManager: 'creator', force: true },
    }),
};

function post(cluster: TestCluster, namespace: string, body: object, query: Record<string, string> = {}) {
  return cluster.api.ask('POST', `${NAMESPACES}/${namespace}/pods`, { body, as: CREATOR, query });
}

/**
 * @param end the expiry, in ms since 1970
 * @param afterMs the time in ms for which the clients continue after the expiry. Each client makes at least one attempt
 * after the expiry.
 * @param pods the pods by name. The clients create each pod repeatedly, in every way.
 */
export async function attemptsAround(
  end: number,
  afterMs: number,
  cluster: TestCluster,
  namespace: string,
  pods: Readonly<Record<string, object>>,
): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  const client = async (pod: string, way: string) => {
    let sentAt = 0;
    while (sentAt < end || Date.now() < end + afterMs) {
      sentAt = Date.now();
      const { status, body } = await (WAYS[way] as Way)(cluster, namespace, pods[pod] as PodSpec, index++);
      const receivedAt = Date.now();
      if (status !== 201 && status !== 403) throw new Error(`${way}: ${status} ${body.message}`);
      const created = status === 201 ? Date.parse(body.metadata.creationTimestamp) : undefined;
      attempts.push({ pod, way, sentAt, receivedAt, admitted: status === 201, created, message: body.message ?? '' });
      await sleep(PAUSE_MS);
    }
  };
  await Promise.all(Object.keys(pods).flatMap((pod) => Object.keys(WAYS).map((way) => client(pod, way))));
  return attempts;
}
