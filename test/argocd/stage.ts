/**
 * The environment of all tests of Argo CD: a control plane, Argo CD beside it, and the operator that Argo CD installs.
 */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Api, type Json } from '../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { Watchdog } from '../../hack/controlplane/server-process.ts';
import { Audit } from '../support/audit.ts';
import { allowCreators, CREATOR, conditionOf, eventually, isProgrammed } from '../support/harness.ts';
import { podSecurityOf } from '../support/observed.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { type Probe, Prober } from '../upgrade/prober.ts';
import { Applications } from './applications.ts';
import { OperatorPods } from './pods.ts';
import { Repository } from './repository.ts';
import { ArgoCd } from './server.ts';

const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection'];
/** Each scenario sends one request at a time. Several scenarios run at the same time. */
const PACE = { atOnce: 1, pauseMs: 20 };

export class Stage {
  readonly controlPlane: ControlPlane;
  /** The API of the control plane, with the rights of a cluster administrator. */
  readonly api: Api;
  readonly argocd: ArgoCd;
  readonly applications: Applications;
  readonly audit: Audit;
  readonly #pods: OperatorPods;
  readonly #watchdog: Watchdog;

  private constructor(controlPlane: ControlPlane, api: Api, argocd: ArgoCd, audit: Audit, watchdog: Watchdog) {
    this.controlPlane = controlPlane;
    this.api = api;
    this.argocd = argocd;
    this.applications = new Applications(api);
    this.audit = audit;
    this.#pods = new OperatorPods(controlPlane, api, watchdog);
    this.#watchdog = watchdog;
    this.#pods.start();
  }

  static async start(): Promise<Stage> {
    const watchdog = new Watchdog();
    const dir = mkdtempSync(join(tmpdir(), 'capabilitypolicy-argocd-'));
    watchdog.removeAtTheEnd(dir);
    const audit = new Audit(dir, { verbs: WRITES });
    const controlPlane = await startControlPlane({ quiet: true, apiServerFlags: audit.flags });
    const api = new Api(controlPlane.kubeconfig);
    try {
      await allowCreators(api);
      return new Stage(controlPlane, api, await ArgoCd.start(controlPlane, watchdog), audit, watchdog);
    } catch (error) {
      await api.close();
      await controlPlane.stop();
      await watchdog.release();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#pods.stop();
    await this.argocd.stop();
    await this.api.close();
    await this.controlPlane.stop();
    await this.#watchdog.release();
  }

  logEnds(): string {
    return this.#pods.logEnds();
  }

  repository(): Repository {
    return new Repository(this.controlPlane.dir);
  }

  /** Creates a namespace in which pods can be created at once. */
  async namespace(name: string, labels: Readonly<Record<string, string>>): Promise<void> {
    await this.api.apply(`${NAMESPACES}/${name}`, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    await this.account(name);
  }

  /**
   * Creates the default service account of a namespace. The API server creates a pod only if the namespace has this
   * account.
   */
  async account(namespace: string): Promise<void> {
    const path = `${NAMESPACES}/${namespace}/serviceaccounts/default`;
    await this.api.apply(path, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
  }

  async policy(name: string): Promise<Json | undefined> {
    return this.api.find(`${POLICIES}/${name}`);
  }

  /** Waits until the current spec of a policy is in force. */
  async inForce(name: string, timeoutMs = 240_000): Promise<Json> {
    let last: Json;
    const look = async () => {
      last = await this.policy(name);
      return last && isProgrammed(last) && last;
    };
    return eventually(`policy ${name} to be in force`, look, timeoutMs).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last && conditionOf(last, 'Programmed'))}`);
    });
  }

  /**
   * Waits until a namespace has these Pod Security labels. Labels for versions, such as `enforce-version`, are ignored.
   */
  async labelsBecome(namespace: string, labels: Readonly<Record<string, string>>, timeoutMs = 120_000): Promise<void> {
    let last: Json;
    const look = async () => {
      last = await this.labels(namespace);
      return isDeepStrictEqual(last, labels);
    };
    await eventually(`the labels of ${namespace}`, look, timeoutMs).catch(() => assert.deepEqual(last, labels));
  }

  async labels(namespace: string): Promise<Json> {
    const { labels } = await podSecurityOf(this.api, namespace);
    return Object.fromEntries(Object.entries(labels).filter(([key]) => !key.endsWith('-version')));
  }

  /** Creates pods all the time while `act` runs. Returns the unexpected answers and the number of requests. */
  async probing(
    probes: readonly Probe[],
    act: () => Promise<void>,
  ): Promise<{ surprises: readonly string[]; rounds: number }> {
    const prober = new Prober(probes, PACE);
    const name = 'the API server';
    prober.start(name, this.controlPlane.kubeconfigFor(CREATOR.user, CREATOR.groups));
    try {
      await act();
    } finally {
      await prober.stop(name);
    }
    return { surprises: prober.surprises, rounds: prober.rounds(name) };
  }
}
