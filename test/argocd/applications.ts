/** Helpers that write the Applications of a running Argo CD and read their state. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Api, Json } from '../../hack/controlplane/api.ts';
import { eventually } from '../support/harness.ts';
import { ARGO_NAMESPACE } from './server.ts';

export const ARGO_OBJECTS = `/apis/argoproj.io/v1alpha1/namespaces/${ARGO_NAMESPACE}`;
export const APPLICATIONS = `${ARGO_OBJECTS}/applications`;
const REFRESH = 'argocd.argoproj.io/refresh';
/** Argo CD's name for its own cluster. */
export const HERE = 'https://kubernetes.default.svc';

/**
 * Argo CD compares an Application twice within this time in ms. Argo CD compares an Application every ten seconds
 * (server.ts).
 */
export const TWO_COMPARISONS_MS = 22_000;
/** The timeout in ms for a sync. The timeout is long because dozens of Applications are synced at the same time. */
const WAIT_MS = 240_000;

export interface ApplicationOptions {
  readonly url: string;
  readonly path?: string;
  /** The values of syncOptions, such as ServerSideApply=true. */
  readonly options?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly server?: string;
  readonly namespace?: string;
  /** Further fields of the Application's `spec.syncPolicy`. */
  readonly policy?: object;
  readonly ignoreDifferences?: readonly object[];
}

/** An Application with automated self-heal and pruning. */
export function application(name: string, options: ApplicationOptions): Json {
  const { url, path = '.', server = HERE, namespace, ignoreDifferences, annotations, finalizers } = options;
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {
      name,
      namespace: ARGO_NAMESPACE,
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
    },
    spec: {
      project: 'default',
      source: { repoURL: url, targetRevision: 'main', path },
      destination: { server, ...(namespace && { namespace }) },
      ...(ignoreDifferences && { ignoreDifferences }),
      syncPolicy: {
        automated: { prune: true, selfHeal: true },
        syncOptions: options.options ?? [],
        ...options.policy,
      },
    },
  };
}

export class Applications {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async create(application: Json): Promise<void> {
    await this.#api.apply(`${APPLICATIONS}/${application.metadata.name}`, application);
  }

  async get(name: string): Promise<Json> {
    return this.#api.get(`${APPLICATIONS}/${name}`);
  }

  /**
   * Announces a change of Git in the same way as a webhook. A comparison that began before the commit may consume the
   * announcement. So the method repeats the announcement until Argo CD has read the commit. The next regular comparison
   * would read the branch from a cache, which lasts three minutes.
   */
  async sees(name: string, commit: string, timeoutMs = WAIT_MS): Promise<void> {
    const look = async () => {
      const { metadata, status } = await this.get(name);
      if (status?.sync?.revision === commit) return true;
      if (!metadata.annotations?.[REFRESH]) await this.#refresh(name);
      return false;
    };
    await eventually(`Application ${name} to be compared with ${commit.slice(0, 7)}`, look, timeoutMs);
  }

  async #refresh(name: string): Promise<void> {
    const annotations = { [REFRESH]: 'normal' };
    await this.#api.patch(`${APPLICATIONS}/${name}`, { metadata: { annotations } });
  }

  /** Waits until a sync of the commit has succeeded and Argo CD finds no difference. */
  async synced(name: string, commit: string, timeoutMs = WAIT_MS): Promise<Json> {
    await this.sees(name, commit, timeoutMs);
    return this.becomes(name, `Synced to ${commit.slice(0, 7)}`, isSyncedTo(commit), timeoutMs);
  }

  /** Waits until a sync of the commit has succeeded and the Application is Synced and Healthy. */
  async healthy(name: string, commit: string, timeoutMs = WAIT_MS): Promise<Json> {
    await this.sees(name, commit, timeoutMs);
    const look = (one: Json) => isSyncedTo(commit)(one) && one.status.health?.status === 'Healthy';
    return this.becomes(name, `Synced to ${commit.slice(0, 7)} and Healthy`, look, timeoutMs);
  }

  async becomes(name: string, what: string, look: (one: Json) => boolean, timeoutMs = WAIT_MS): Promise<Json> {
    let last: Json;
    const found = async () => {
      last = await this.get(name);
      return look(last) && last;
    };
    return eventually(`Application ${name} to be ${what}`, found, timeoutMs).catch((error: Error) => {
      throw new Error(`${error.message}: ${summary(last)}`);
    });
  }

  /** Waits until Argo CD has compared the Application once more. */
  async compared(name: string): Promise<Json> {
    // Argo CD writes reconciledAt in whole seconds.
    await sleep(1_000);
    const began = new Date().toISOString();
    await this.#refresh(name);
    return this.becomes(name, 'compared again', ({ status }) => (status?.reconciledAt ?? '') > began);
  }
}

export function isSyncedTo(commit: string): (application: Json) => boolean {
  return ({ status, metadata }) =>
    !metadata.annotations?.[REFRESH] &&
    status?.sync?.status === 'Synced' &&
    status.sync.revision === commit &&
    // An object that already equals the object in Git needs no sync.
    (status.operationState === undefined || status.operationState.phase === 'Succeeded');
}

/** Argo CD's view of one resource of an Application. */
export function resourceOf(application: Json, kind: string, name: string): Json | undefined {
  return application.status?.resources?.find((one: Json) => one.kind === kind && one.name === name);
}

export function summary({ status = {} }: Json): string {
  const { sync, health, operationState, conditions, resources } = status;
  const { phase, message, syncResult, retryCount } = operationState ?? {};
  const bad = syncResult?.resources?.filter((one: Json) => one.status !== 'Synced' || one.hookPhase !== 'Succeeded');
  const unhealthy = resources?.filter((one: Json) => one.health && one.health.status !== 'Healthy');
  return JSON.stringify({
    sync: sync?.status,
    revision: sync?.revision,
    health: health?.status,
    phase,
    message,
    retryCount,
    conditions,
    bad,
    unhealthy: unhealthy?.map((one: Json) => [one.name, one.health.message]),
  });
}
