/**
 * Acts as the kubelet for the operator's Deployment on a control plane without nodes. Each pod of the Deployment is an
 * operator process with the pod's flags and service account. The process starts when the pod is created. The pod
 * becomes ready when its readiness probe succeeds. The process gets SIGTERM when the pod is deleted, and the pod object
 * is removed when the process has ended.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import type { Api, Json } from '../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { freePorts } from '../../hack/controlplane/ports.ts';
import type { Watchdog } from '../../hack/controlplane/server-process.ts';
import { type Deployment, nodeFlags, operatorFlags } from '../support/deployment.ts';
import { accountKubeconfig } from '../support/installed.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { OPERATOR_NAMESPACE } from '../support/rights.ts';

const NODE = 'stand-in';
const PODS = `${NAMESPACES}/${OPERATOR_NAMESPACE}/pods`;
const LOOK_MS = 300;
const HEARTBEAT_MS = 10_000;

type Template = Deployment['spec']['template'];

interface Running {
  readonly process: OperatorProcess;
  readonly healthPort: number;
  ready: boolean;
}

export class OperatorPods {
  readonly #controlPlane: ControlPlane;
  readonly #api: Api;
  readonly #watchdog: Watchdog;
  /** The running processes, by the names of their pods. */
  readonly #running = new Map<string, Running>();
  #working: Promise<void> | undefined;
  #stopping = false;
  #lastHeartbeat = 0;

  constructor(controlPlane: ControlPlane, api: Api, watchdog: Watchdog) {
    this.#controlPlane = controlPlane;
    this.#api = api;
    this.#watchdog = watchdog;
  }

  start(): void {
    this.#working = this.#work();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#working;
    await Promise.all([...this.#running.values()].map(({ process }) => process.stop('SIGKILL')));
  }

  /** The last lines of each process's log, for the output of a failed test. */
  logEnds(): string {
    return [...this.#running].map(([pod, { process }]) => `${pod}:\n${process.logEnd()}`).join('\n');
  }

  async #work(): Promise<void> {
    while (!this.#stopping) {
      // If the API server is busy, the next round of the loop tries again.
      await this.#look().catch((error) => process.stderr.write(`kubelet stand-in: ${error}\n`));
      await sleep(LOOK_MS);
    }
  }

  async #look(): Promise<void> {
    await this.#heartbeat();
    const pods = await this.#api.list(PODS);
    for (const pod of pods) {
      if (pod.metadata.deletionTimestamp) await this.#end(pod);
      else if (!pod.spec.nodeName) await this.#bind(pod);
      else await this.#run(pod);
    }
  }

  /** Updates the status of the node. Without updates, the node would count as dead, and its pods would be evicted. */
  async #heartbeat(): Promise<void> {
    if (Date.now() - this.#lastHeartbeat < HEARTBEAT_MS) return;
    this.#lastHeartbeat = Date.now();
    const now = new Date().toISOString();
    const metadata = { name: NODE };
    const condition = { type: 'Ready', status: 'True', reason: 'StandIn', message: 'a test plays the kubelet' };
    await this.#api.apply(`/api/v1/nodes/${NODE}`, { apiVersion: 'v1', kind: 'Node', metadata });
    await this.#api.apply(`/api/v1/nodes/${NODE}/status`, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata,
      status: { conditions: [{ ...condition, lastHeartbeatTime: now, lastTransitionTime: '2026-01-01T00:00:00Z' }] },
    });
  }

  async #bind({ metadata: { name } }: Json): Promise<void> {
    const target = { apiVersion: 'v1', kind: 'Node', name: NODE };
    await this.#api.create(`${PODS}/${name}/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name },
      target,
    });
  }

  async #run(pod: Json): Promise<void> {
    const { name } = pod.metadata;
    const found = this.#running.get(name);
    if (found?.ready) return;
    const running = found ?? (await this.#begin(pod));
    const answer = await request(`http://127.0.0.1:${running.healthPort}/readyz`).catch(() => undefined);
    await answer?.body.dump();
    if (answer?.statusCode !== 200) return;
    const conditions = ['Initialized', 'ContainersReady', 'Ready'].map((type) => ({ type, status: 'True' }));
    await this.#api.patch(`${PODS}/${name}/status`, { status: { phase: 'Running', conditions } });
    running.ready = true;
  }

  async #begin(pod: Json): Promise<Running> {
    const from = { spec: { template: pod as Template } };
    const [health = 0, metrics = 0] = await freePorts(2);
    const kubeconfig = await accountKubeconfig(this.#controlPlane, this.#api);
    const own = ['--kubeconfig', kubeconfig, '--operator-namespace', OPERATOR_NAMESPACE];
    const operator = new OperatorProcess([...operatorFlags({ health, metrics }, from), ...own], nodeFlags(from));
    await operator.start();
    this.#watchdog.serverStarted(operator.pid ?? 0);
    const running = { process: operator, healthPort: health, ready: false };
    this.#running.set(pod.metadata.name, running);
    return running;
  }

  async #end({ metadata: { name } }: Json): Promise<void> {
    const running = this.#running.get(name);
    const pid = running?.process.pid;
    await running?.process.stop();
    if (pid !== undefined) this.#watchdog.serverEnded(pid);
    this.#running.delete(name);
    await this.#api.ask('DELETE', `${PODS}/${name}`, { body: { gracePeriodSeconds: 0 } });
  }
}
