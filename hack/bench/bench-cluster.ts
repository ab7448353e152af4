/**
 * Starts a separate control plane for the bench. By default, no controllers run, so that the measured program has the
 * whole machine.
 */
import { readFileSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import { load } from 'js-yaml';
import { FIELD_MANAGER, GROUP, PLURAL, VERSION } from '../../operator/api/capability-policy.ts';
import { ApiClient, type Identified, pathFor } from '../../operator/cluster/client.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import { type ControlPlane, startControlPlane } from '../controlplane/controlplane.ts';
import { waitFor } from '../controlplane/wait.ts';

export interface BenchCluster {
  readonly controlPlane: ControlPlane;
  /** A client with the rights of the cluster administrator, and without a rate limit. */
  readonly client: ApiClient;
  stop(): Promise<void>;
}

const CRD_FILE = 'crds/capabilitypolicies.yaml';
const API_SERVER_FLAGS = ['--max-requests-inflight=3000', '--max-mutating-requests-inflight=1000'];

/**
 * Starts a cluster.
 *
 * @param controllers whether controllers run. If controllers run, the measurements include the controllers' work for
 * admission policies and garbage collection
 */
export async function startBenchCluster({ controllers = false } = {}): Promise<BenchCluster> {
  const controlPlane = await startControlPlane({ quiet: true, apiServerFlags: API_SERVER_FLAGS });
  const client = connect(controlPlane.kubeconfig);
  const stop = async () => {
    await client.close();
    await controlPlane.stop();
  };
  try {
    if (!controllers) holdControllers(controlPlane);
    await installCrd(client);
    return { controlPlane, client, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Connects to an API server. By default, the client has no rate limit. */
export function connect(kubeconfig: string, limit = { qps: 1_000_000, burst: 1_000_000 }): ApiClient {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return new ApiClient(config, limit);
}

/**
 * Stops the controllers. The garbage collector would delete pods whose owners do not exist. All controllers would also
 * read the bench's objects.
 */
function holdControllers(controlPlane: ControlPlane): void {
  for (const pid of pidsOf(controlPlane, 'kube-controller-manager')) process.kill(pid, 'SIGSTOP');
}

/** The process IDs of a program, such as `kube-apiserver`. */
export function pidsOf({ pids }: ControlPlane, program: string): number[] {
  return pids.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(program));
}

async function installCrd(client: ApiClient): Promise<void> {
  const crd = load(readFileSync(CRD_FILE, 'utf8')) as Identified;
  await client.apply(crd, { force: true });
  await waitFor('the CRD to be served', async () => {
    const policies = await client.get(`/apis/${GROUP}/${VERSION}/${PLURAL}`).catch(() => undefined);
    return policies !== undefined;
  });
}

/** Returns what the API server would write into etcd if the field manager `creator` created the object. */
export async function asWritten(client: ApiClient, object: Identified, creator: string): Promise<RawObject> {
  const { apiVersion, kind, metadata } = object;
  const written = await client.create(pathFor(apiVersion, kind, metadata.namespace), object, { dryRun: true });
  const text = JSON.stringify({ ...written, apiVersion, kind });
  return JSON.parse(text.replaceAll(`"${FIELD_MANAGER}"`, `"${creator}"`));
}

/** Makes a namespace in which pods can be created. */
export async function createNamespace(client: ApiClient, name: string, labels: object = {}): Promise<void> {
  await client.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  await createServiceAccount(client, name);
}

/**
 * Creates the default service account of a namespace. Controllers, if they run, may create the service account first.
 */
export async function createServiceAccount(client: ApiClient, namespace: string): Promise<void> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } };
  await client.apply(account, { force: true });
}
