/** A real API server for roll-outs without an operator: the test runs passes, and can block writes. */
import { KubeConfig } from '@kubernetes/client-node';
import { Api } from '../../hack/controlplane/api.ts';
import { renderedObjects } from '../../hack/controlplane/rendered.ts';
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { Rollout } from '../../operator/apply/rollout.ts';
import { ApiClient, type Identified, pathOf } from '../../operator/cluster/client.ts';
import { type Compiled, compile } from '../../operator/compile/compile.ts';
import { POLICY_LABEL } from '../../operator/compile/objects.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { installCrd } from '../support/harness.ts';
import { policy } from '../support/policies.ts';
import { POLICIES } from '../support/rendered.ts';

export type Specs = Readonly<Record<string, Partial<CapabilityPolicySpec>>>;
/** An error that it throws becomes the write's error, and the API server does not see the write. */
export type BeforeWrite = (verb: 'apply' | 'delete', path: string) => void;

/**
 * Call it in a describe. @param namespace the operator's @param names of the existing policies, so that rendered
 * objects have owners
 */
export function useRolloutPlace(namespace: string, names: readonly string[]): RolloutPlace {
  const place = new RolloutPlace(namespace);
  before(() => place.open(names));
  afterEach(() => place.clear());
  after(() => place.close(names));
  return place;
}

class RolloutPlace {
  readonly #namespace: string;
  readonly #uids = new Map<string, string>();
  #opened: { readonly api: Api; readonly client: ApiClient } | undefined;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  rollout(beforeWrite: BeforeWrite): Rollout {
    const { client } = this.#open;
    const place = { servers: async () => [client], onWrite: () => {} };
    return new Rollout(intercepted(client, beforeWrite), place);
  }

  /** @param oldestServer N of Kubernetes 1.N */
  compiled(specs: Specs, oldestServer = SERVER_MINOR): Compiled {
    const policies = Object.entries(specs).map(
      ([name, spec]) => ({ ...policy(name, spec), metadata: { name, uid: this.#uids.get(name) } }) as CompletePolicy,
    );
    const options = { oldestServer, excludedNamespaces: [] };
    return compile(policies, { ...options, operatorNamespace: this.#namespace });
  }

  async rendered(): Promise<RenderedObject[]> {
    return (await renderedObjects(this.#open.api)) as unknown as RenderedObject[];
  }

  /** The names of a policy's existing admission policies and bindings. */
  async namesOf(name: string): Promise<string[]> {
    const objects = (await this.rendered()).filter(({ kind }) => kind.includes('AdmissionPolicy'));
    const own = objects.filter(({ metadata }) => metadata.labels?.[POLICY_LABEL] === name);
    return own.map(({ metadata }) => metadata.name).sort();
  }

  async open(names: readonly string[]): Promise<void> {
    const { kubeconfig } = await sharedControlPlane();
    const api = new Api(kubeconfig);
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const client = new ApiClient(config, { qps: 1_000, burst: 1_000 });
    this.#opened = { api, client };
    await installCrd(api);
    const metadata = { name: this.#namespace };
    await client.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata });
    for (const name of names) {
      await api.apply(`${POLICIES}/${name}`, { ...policy(name), metadata: { name } });
      this.#uids.set(name, (await api.get(`${POLICIES}/${name}`)).metadata.uid);
    }
  }

  async clear(): Promise<void> {
    for (const object of await this.rendered()) await this.#open.client.remove(pathOf(object)).catch(() => {});
  }

  async close(names: readonly string[]): Promise<void> {
    const { api, client } = this.#open;
    for (const name of names) await api.remove(`${POLICIES}/${name}`);
    await client.remove(`/api/v1/namespaces/${this.#namespace}`);
    await client.close();
    await api.close();
  }

  get #open() {
    if (!this.#opened) throw new Error('the tests have not begun');
    return this.#opened;
  }
}

function intercepted(client: ApiClient, beforeWrite: BeforeWrite): ApiClient {
  return new Proxy(client, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== 'function') return value;
      if (name === 'apply') {
        return async (object: Identified, ...rest: []) => {
          beforeWrite('apply', pathOf(object));
          return target.apply(object, ...rest);
        };
      }
      if (name === 'remove') {
        return async (path: string, ...rest: []) => {
          beforeWrite('delete', path);
          return target.remove(path, ...rest);
        };
      }
      return value.bind(target) as unknown;
    },
  });
}
