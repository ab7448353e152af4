/**
 * Provides a real API server for programs, without an operator. The test itself runs each pass. The test can also block
 * the writes of a pass.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { Api, type Identity } from '../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { renderedObjects } from '../../hack/controlplane/rendered.ts';
import type { PassResult } from '../../operator/apply/outcome.ts';
import { everywhere, type Probed } from '../../operator/apply/probe.ts';
import { Programs } from '../../operator/apply/programs.ts';
import type { OnWrite } from '../../operator/apply/writes.ts';
import { ApiClient, pathOf } from '../../operator/cluster/client.ts';
import { endpoints } from '../../operator/cluster/servers.ts';
import type { Compiled } from '../../operator/compile/compile.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';
import type { Clock } from '../../operator/runtime/clock.ts';
import { hasText, inOrderOfRemoval } from '../../operator/state/live.ts';
import { manifestsOf } from '../support/compiled-objects.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { allowCreators, CREATOR, createNamespace, eventually } from '../support/harness.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';

export type Verb = 'apply' | 'replace' | 'delete';

/**
 * Functions that are called before and after each write. If `before` throws an error, the write fails with this error
 * and does not reach the API server.
 */
export interface Interception {
  before?(verb: Verb, path: string, body?: unknown): void;
  after?(verb: Verb, path: string): void;
}

interface ProgramOptions {
  readonly onWrite?: OnWrite;
  readonly signal?: AbortSignal;
  readonly clock?: Pick<Clock, 'now'>;
  /**
   * The API servers to use. The default is the list of API servers that the cluster publishes. The published addresses
   * are not on the loopback interface.
   */
  readonly servers?: (client: ApiClient) => Promise<readonly ApiClient[]>;
}

/**
 * Starts the cluster for the tests of a `describe`.
 * @param timeoutMs the timeout of a request
 */
export function useProgramCluster(
  namespaces: readonly string[],
  controlPlane = sharedControlPlane,
  { timeoutMs = 5_000 }: { readonly timeoutMs?: number } = {},
): ProgramCluster {
  const cluster = new ProgramCluster(timeoutMs);
  before(async function () {
    this.timeout(300_000);
    await cluster.open(await controlPlane(), namespaces);
    // Other test files may have left programs on the shared control plane.
    await cluster.clear();
  });
  afterEach(() => cluster.clear());
  after(() => cluster.close());
  return cluster;
}

export class ProgramCluster {
  readonly #timeoutMs: number;
  #opened: { readonly api: Api; readonly client: ApiClient; readonly namespaces: readonly string[] } | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  get api(): Api {
    return this.#open.api;
  }

  get client(): ApiClient {
    return this.#open.client;
  }

  /** Creates an instance of Programs that remembers no earlier pass, like the instance in a new process. */
  programs(
    intercept: Interception = {},
    { onWrite = () => {}, servers = endpoints, ...others }: ProgramOptions = {},
  ): Programs {
    const { client } = this.#open;
    const options = { servers: () => servers(client), onWrite, ...others };
    return new Programs(intercepted(client, intercept), options);
  }

  /** Changes an object out of band. */
  async change(path: string, fields: object): Promise<void> {
    await this.#open.client.change(path, fields);
  }

  async rendered(): Promise<RenderedObject[]> {
    return (await renderedObjects(this.#open.api)) as unknown as RenderedObject[];
  }

  /** Runs passes until a pass gives the wanted result. */
  async passUntil(
    programs: Programs,
    compiled: Compiled,
    is: (result: PassResult) => unknown,
    ms = 40_000,
  ): Promise<PassResult> {
    const until = performance.now() + ms;
    for (;;) {
      const result = await programs.pass(compiled, await this.rendered());
      if (is(result)) return result;
      assert.ok(performance.now() < until, `not reached: ${JSON.stringify([...result.outcomes])}`);
      await sleep(50);
    }
  }

  /** Runs passes until all policies are in force. Afterwards, waits until only the objects of these policies remain. */
  async settled(programs: Programs, compiled: Compiled): Promise<void> {
    const names = namesOf(compiled);
    await this.passUntil(programs, compiled, ({ outcomes }) =>
      [...outcomes.values()].every(({ state }) => state === 'InForce'),
    );
    for (let i = 0; i < 200; i++) {
      const live = (await this.rendered()).map(({ metadata }) => metadata.name).sort();
      if (live.join() === names.join()) return;
      await programs.pass(compiled, await this.rendered());
      await sleep(50);
    }
    assert.deepEqual((await this.rendered()).map(({ metadata }) => metadata.name).sort(), names);
  }

  /** Whether the API server admits a pod with this colour for a service account of the namespace. */
  async admits(namespace: string, colour: string, account = 'default'): Promise<boolean> {
    const pod = podManifest(
      { name: 'pod', labels: { colour } },
      { containers: [{ name: 'main', image: 'example.org/app' }] },
    );
    const path = `${NAMESPACES}/${namespace}/pods`;
    const answer = await this.api.ask('POST', path, {
      body: pod,
      as: accountOf(namespace, account),
      query: { dryRun: 'All' },
    });
    assert.ok(answer.status === 201 || /no colour/.test(answer.body.message), answer.body.message);
    return answer.status === 201;
  }

  async open({ kubeconfig }: ControlPlane, namespaces: readonly string[]): Promise<void> {
    const api = new Api(kubeconfig);
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    this.#opened = {
      api,
      client: new ApiClient(config, { qps: 1_000, burst: 1_000, timeoutMs: this.#timeoutMs }),
      namespaces,
    };
    await allowCreators(api);
    for (const namespace of namespaces) await createNamespace(api, namespace);
  }

  async clear(): Promise<void> {
    const { client } = this.#open;
    const objects = inOrderOfRemoval(await this.rendered());
    for (const object of objects) {
      if (object.metadata.finalizers)
        await client.change(pathOf(object), { metadata: { finalizers: null } }).catch(() => {});
      await client.remove(pathOf(object)).catch(() => {});
    }
    // A later test may write the same programs again. Until the API server has stopped enforcing the deleted programs,
    // their hashes would look like the hashes of the new programs.
    for (const { kind, metadata } of objects.filter(hasText)) {
      const program: Probed = { name: metadata.name, kind: kind.startsWith('Mutating') ? 'Defaulting' : 'Enforce' };
      const isGone = async () => (await everywhere([client], program, '')).holds;
      await eventually(`the API server to stop enforcing ${metadata.name}`, isGone, 60_000);
    }
  }

  async close(): Promise<void> {
    const { api, client, namespaces } = this.#open;
    for (const namespace of namespaces) await api.remove(`${NAMESPACES}/${namespace}`);
    await client.close();
    await api.close();
  }

  get #open() {
    if (!this.#opened) throw new Error('the tests have not begun');
    return this.#opened;
  }
}

/** The names of all objects that must exist at the end of the test. */
export function namesOf(compiled: Compiled): string[] {
  return manifestsOf(compiled)
    .map(({ metadata }) => metadata.name)
    .sort();
}

function accountOf(namespace: string, name: string): Identity {
  const groups = ['system:serviceaccounts', ...(CREATOR.groups ?? [])];
  return { user: `system:serviceaccount:${namespace}:${name}`, groups };
}

const VERBS = { apply: 'apply', replace: 'replace', remove: 'delete' } as const;

function intercepted(client: ApiClient, { before, after }: Interception): ApiClient {
  return new Proxy(client, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== 'function') return value;
      if (!Object.hasOwn(VERBS, name)) return value.bind(target) as unknown;
      return async (subject: string | Parameters<typeof pathOf>[0], ...rest: unknown[]) => {
        const verb = VERBS[name as keyof typeof VERBS];
        const path = typeof subject === 'string' ? subject : pathOf(subject);
        before?.(verb, path, subject);
        const answer = await value.call(target, subject, ...rest);
        after?.(verb, path);
        return answer;
      };
    },
  });
}
