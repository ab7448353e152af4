/** The removal of an old ruleset that is interrupted, and a policy that is changed back meanwhile. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { Rollout } from '../../operator/apply/rollout.ts';
import { ApiClient, pathOf } from '../../operator/cluster/client.ts';
import type { RenderedObject } from '../../operator/cluster/objects.ts';
import { compile } from '../../operator/compile/compile.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { sharedControlPlane } from '../controlplane/shared.ts';
import { policy } from '../policy/policies.ts';
import { Api } from './api.ts';
import { installCrd } from './harness.ts';
import { POLICIES, renderedObjects } from './rendered.ts';

const NAME = 'interrupted';
const NAMESPACE = 'interrupted-removal';
const OPTIONS = { oldestServer: NEWEST_KNOWN_MINOR, operatorNamespace: NAMESPACE, excludedNamespaces: [] };

describe('an old ruleset whose removal was interrupted', function () {
  this.timeout(120_000);
  let api: Api;
  let client: ApiClient;
  let uid: string;

  before(async () => {
    const { kubeconfig } = await sharedControlPlane();
    api = new Api(kubeconfig);
    await installCrd(api);
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    client = new ApiClient(config, { qps: 1_000, burst: 1_000 });
    await client.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
    await api.apply(`${POLICIES}/${NAME}`, { ...policy(NAME, selecting('baseline')), metadata: { name: NAME } });
    ({ uid } = (await api.get(`${POLICIES}/${NAME}`)).metadata);
  });

  after(async () => {
    await api.remove(`${POLICIES}/${NAME}`);
    for (const object of await rendered()) await client.remove(pathOf(object)).catch(() => {});
    await client.remove(`/api/v1/namespaces/${NAMESPACE}`);
    await client.close();
    await api.close();
  });

  for (const interruptedAt of ['-templates', '-probe']) {
    it(`comes into force again when it is wanted again, though its ${interruptedAt.slice(1)} binding was not removed`, async () => {
      const removal = { failsAt: '' };
      const rollout = new Rollout(failing(client, removal), {
        operatorNamespace: NAMESPACE,
        servers: async () => [client],
        onWrite: () => {},
      });
      const inForce = async (level: 'baseline' | 'restricted') => {
        const compiled = compile([{ ...policy(NAME, selecting(level)), metadata: { name: NAME, uid } }], OPTIONS);
        for (let pass = 0; pass < 150; pass++) {
          const { outcomes } = await rollout.pass(compiled, await rendered());
          if (outcomes.get(NAME)?.state === 'InForce') return compiled.rendered.get(NAME)?.admission;
          await sleep(100);
        }
        return assert.fail(`${level} does not come into force`);
      };
      await inForce('baseline');
      removal.failsAt = interruptedAt;
      await assert.rejects(inForce('restricted'), /interrupted/);
      removal.failsAt = '';
      const set = await inForce('baseline');
      const standing = (await rendered()).filter(({ kind }) => kind.startsWith('ValidatingAdmissionPolicy'));
      const own = standing.filter(({ metadata }) => metadata.labels?.['capabilitypolicy.dev/policy'] === NAME);
      assert.deepEqual(
        own.map(({ metadata }) => metadata.name).sort(),
        set?.objects.map(({ metadata }) => metadata.name).sort(),
      );
    });
  }

  async function rendered(): Promise<RenderedObject[]> {
    return (await renderedObjects(api)) as unknown as RenderedObject[];
  }

  function selecting(level: 'baseline' | 'restricted') {
    return { level, namespaceSelector: { matchLabels: { team: NAME } } };
  }
});

/** The client, but for the removal of what is named so: it fails as a lost connection does. */
function failing(client: ApiClient, removal: { readonly failsAt: string }): ApiClient {
  return new Proxy(client, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== 'function') return value;
      if (name !== 'remove') return value.bind(target) as unknown;
      return async (path: string, ...rest: []) => {
        if (removal.failsAt !== '' && path.endsWith(removal.failsAt)) throw new Error('interrupted');
        return target.remove(path, ...rest);
      };
    },
  });
}
