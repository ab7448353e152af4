/**
 * Starts a cluster with a real node. The operator runs on the node. Helm installs the operator as operations.md
 * describes. All files of a mocha run share the cluster, and each file makes its own namespaces and policies. A file of
 * the API server protects the objects that the operator writes.
 *
 *   const cluster = useNode();                                // in a describe: registers the hook that starts it
 *   const namespace = await cluster.namespace('story');
 *   const ran = await cluster.run(namespace, pod('ping', { command: ['/bin/ping', …] }));
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Api, Json } from '../../hack/controlplane/api.ts';
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import { archiveOf } from '../../hack/node/images.ts';
import { type RealNode, startNode } from '../../hack/node/node.ts';
import { type Output, Tools } from '../../hack/tools.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { offers } from '../../operator/standards/server-features.ts';
import { operatorImage } from '../image/operator-image.ts';
import { atTheEnd } from '../support/control-plane.ts';
import { eventually, isProgrammed } from '../support/harness.ts';
import { documentedBlocks } from '../support/page.ts';
import { policyManifest } from '../support/policies.ts';
import { staticFlags, writeStatic } from '../support/protected.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { OPERATOR_ACCOUNT, OPERATOR_NAMESPACE } from '../support/rights.ts';

/** The timeout includes building kubelet and the control plane. */
const START_MS = 40 * 60_000;
/** The timeout in ms for running a pod. A pod takes seconds on a quiet machine, and longer on a busy machine. */
const POD_MS = 240_000;
const [, WITH_HELM = ''] = documentedBlocks('docs/operations.md', 'Install');

let shared: Promise<NodeCluster> | undefined;

/** Declares the hooks that start the cluster for the tests of a `describe`. Call this function in the `describe`. */
export function useNode(): NodeCluster {
  const cluster = new NodeCluster();
  before(async function () {
    this.timeout(START_MS);
    shared ??= startShared();
    cluster.is(await shared);
  });
  afterEach(async function () {
    if (this.currentTest?.isFailed()) console.log(await cluster.describeOperator());
  });
  return cluster;
}

/** The result of the first container of a pod that has ended. */
export interface Ran {
  readonly exitCode: number;
  /** The output of the pod, or the reason why the pod did not start. */
  readonly output: string;
}

class NodeCluster {
  /** The folder with the protection. The value is undefined if API servers do not support the protection. */
  #files: string | undefined;
  #node: RealNode | undefined;
  #tools: Tools | undefined;

  /** Starts the node and the operator. */
  async start(): Promise<void> {
    const isProtected = offers(SERVER_MINOR, 'staticAdmissionPolicies');
    this.#files = isProtected ? await writeStatic() : undefined;
    this.#node = await startNode({ quiet: true, apiServerFlags: this.#files ? staticFlags(this.#files) : [] });
    const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-images-'));
    try {
      // The test builds the image under the name that the chart uses.
      const { buildah, name } = await operatorImage();
      await this.#node.importImage(await archiveOf(buildah, name, folder));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    this.#tools = await Tools.withHelm(this.#node.controlPlane.kubeconfig);
    await this.#tools.shell(WITH_HELM);
    await this.operatorAvailable();
  }

  is(other: NodeCluster): void {
    this.#node = other.#node;
    this.#tools = other.#tools;
  }

  async stop(): Promise<void> {
    this.#tools?.end();
    await this.#node?.stop();
    if (this.#files) rmSync(this.#files, { recursive: true, force: true });
  }

  get node(): RealNode {
    if (!this.#node) throw new Error('the cluster runs only in hooks and tests');
    return this.#node;
  }

  get api(): Api {
    return this.node.api;
  }

  /** @throws an Error with kubectl's message when kubectl fails */
  async kubectl(...args: readonly string[]): Promise<Output> {
    if (!this.#tools) throw new Error('the cluster runs only in hooks and tests');
    return this.#tools.run('kubectl', ...args);
  }

  /** Describes the operator's state for a person who reads the output of a failed test. */
  async describeOperator(): Promise<string> {
    const namespace = ['--namespace', OPERATOR_NAMESPACE];
    const asked = [
      ['get', 'pods', '--output=wide', ...namespace],
      ['get', 'events', ...namespace],
      ['logs', `deployment/${OPERATOR_ACCOUNT}`, '--all-pods', '--tail=25', ...namespace],
    ];
    const answers = asked.map(async (args) => this.kubectl(...args).then(({ stdout }) => stdout, String));
    return (await Promise.all(answers)).join('\n');
  }

  /** Waits until all operators are ready. */
  async operatorAvailable(): Promise<void> {
    const where = ['--namespace', OPERATOR_NAMESPACE, '--timeout=240s'];
    await this.kubectl('rollout', 'status', `deployment/${OPERATOR_ACCOUNT}`, ...where);
  }

  /** Makes a namespace, and waits until pods can be created in the namespace. */
  async namespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<string> {
    await this.api.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    await eventually('the service account', () => this.api.find(`${NAMESPACES}/${name}/serviceaccounts/default`));
    return name;
  }

  /** Creates a policy for one namespace, or replaces the policy's spec. Waits until the policy is in force. */
  async policy(name: string, namespace: string, spec: Omit<CapabilityPolicySpec, 'namespaceSelector'>): Promise<void> {
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
    await this.api.apply(`${POLICIES}/${name}`, policyManifest({ name }, { namespaceSelector, ...spec }));
    await eventually(`${name} to be programmed`, async () => isProgrammed(await this.api.get(`${POLICIES}/${name}`)));
  }

  /**
   * Creates a pod, and waits until the pod ends.
   * @throws an Error with the API server's message when the API server refuses the pod
   */
  async run(namespace: string, pod: Json): Promise<Ran> {
    const pods = `${NAMESPACES}/${namespace}/pods`;
    await this.api.create(pods, pod);
    const path = `${pods}/${pod.metadata.name}`;
    const ended = (status: Json) => ['Succeeded', 'Failed'].includes(status.phase);
    const { status } = await this.#eventuallyPod(path, 'end', ended);
    const [{ name: container }] = pod.spec.containers;
    const { state } = status.containerStatuses.find(({ name }: Json) => name === container);
    const { exitCode, reason, message } = state.terminated;
    if (reason === 'StartError') return { exitCode, output: message };
    const { body } = await this.api.ask('GET', `${path}/log`, { query: { container } });
    return { exitCode, output: body.message ?? String(body) };
  }

  /** Creates a pod, and waits until the pod is ready. */
  async running(namespace: string, pod: Json): Promise<void> {
    const pods = `${NAMESPACES}/${namespace}/pods`;
    await this.api.create(pods, pod);
    const ready = (status: Json) =>
      status.conditions?.some(({ type, status }: Json) => type === 'Ready' && status === 'True');
    await this.#eventuallyPod(`${pods}/${pod.metadata.name}`, 'be ready', ready);
  }

  async #eventuallyPod(path: string, what: string, is: (status: Json) => boolean): Promise<Json> {
    let last: Json;
    const look = async () => {
      last = await this.api.get(path);
      return is(last.status);
    };
    await eventually(`${path} to ${what}`, look, POD_MS).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last?.status)}`);
    });
    return last;
  }
}

async function startShared(): Promise<NodeCluster> {
  const cluster = new NodeCluster();
  atTheEnd(() => cluster.stop());
  await cluster.start();
  return cluster;
}
