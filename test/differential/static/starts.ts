/**
 * Runs clients while an API server starts. The clients continuously create a pod that the policies refuse. The API
 * server is restarted, is added to another API server, or is the first API server of a new cluster.
 */
import { Api } from '../../../hack/controlplane/api.ts';
import { type ControlPlane, startControlPlane } from '../../../hack/controlplane/controlplane.ts';
import { freePorts } from '../../../hack/controlplane/ports.ts';
import { waitFor } from '../../../hack/controlplane/wait.ts';
import { type Identified, pathOf } from '../../../operator/cluster/client.ts';
import { createNamespace } from '../../support/harness.ts';
import { privilegedPod } from '../../support/pod-manifests.ts';
import { NAMESPACES } from '../../support/rendered.ts';
import { type Counts, Hammer } from './hammer.ts';

export interface Starts {
  readonly newCluster: (Counts & { readonly firstRefusalMs?: number }) | undefined;
  readonly restart: Counts;
  readonly joining?: Counts;
}

/** The number of answers that the test waits for after the API server is ready. */
const GOES_ON = 200;

/**
 * One start of an API server. The measurement begins before the API server listens. The clients are cluster
 * administrators, so RBAC refuses nothing.
 */
export class Start {
  readonly #api: Api;
  readonly hammer: Hammer;

  /** @param namespace a namespace of team a. If the namespace is missing, the clients create the namespace. */
  constructor(kubeconfig: string, namespace: string) {
    const api = new Api(kubeconfig);
    this.#api = api;
    let prepared: Promise<void> | undefined;
    this.hammer = new Hammer(async () => {
      prepared ??= createNamespace(api, namespace, { team: 'a' });
      // Creating the namespace fails while no API server answers. The client tries again.
      await prepared.catch((error) => {
        prepared = undefined;
        throw error;
      });
      const body = { ...privilegedPod(), metadata: { name: 'pod' } };
      return api.ask('POST', `${NAMESPACES}/${namespace}/pods`, { body, query: { dryRun: 'All' } });
    });
  }

  /**
   * Resolves when a client has failed to connect. The clients keep trying. The first request that the server answers is
   * therefore a request of a client.
   */
  async waiting(): Promise<void> {
    await waitFor('the clients', () => this.hammer.counts.unanswered > 0, { intervalMs: 1 });
  }

  /**
   * Waits for some more answers, and stops the clients.
   * @returns the counts
   */
  async end(): Promise<Counts> {
    const until = this.hammer.answered + GOES_ON;
    await waitFor('more answers', () => this.hammer.answered >= until);
    const counts = await this.hammer.stop();
    await this.#api.close();
    return counts;
  }
}

export async function restarts(controlPlane: ControlPlane, namespace: string): Promise<Counts> {
  const start = new Start(controlPlane.kubeconfig, namespace);
  await controlPlane.restartApiServer();
  return start.end();
}

/**
 * Starts one more API server while another API server is running. The clients send requests only to the new API server.
 */
export async function joins(controlPlane: ControlPlane, namespace: string): Promise<Counts> {
  const [port = 0] = await freePorts(1);
  const server = `https://127.0.0.1:${port}`;
  const start = new Start(controlPlane.kubeconfigFor('somebody', ['system:masters'], server), namespace);
  await controlPlane.addApiServer({ port });
  const counts = await start.end();
  await controlPlane.stopApiServer(server);
  return counts;
}

/** Starts the first API server of a new cluster, and creates the objects as soon as the API server is ready. */
export async function objectsInNewCluster(
  objects: readonly Identified[],
  namespace: string,
): Promise<Counts & { readonly firstRefusalMs: number }> {
  let start: Start | undefined;
  const controlPlane = await startControlPlane({
    quiet: true,
    controllers: false,
    beforeLaunch: async (kubeconfig) => {
      start = new Start(kubeconfig, namespace);
      await start.waiting();
    },
  });
  const api = new Api(controlPlane.kubeconfig);
  try {
    const ready = Date.now();
    for (const object of objects) await api.apply(pathOf(object), object);
    await waitFor('a refusal', () => (start?.hammer.counts.refused ?? 0) > 0, { intervalMs: 1 });
    const firstRefusalMs = Date.now() - ready;
    return { ...((await start?.end()) as Counts), firstRefusalMs };
  } finally {
    await api.close();
    await controlPlane.stop();
  }
}
