/** Writes that the API server refuses: for a moment, because it has just begun to serve, or for good. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import type { CapabilityPolicy, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { Rollout } from '../../operator/apply/rollout.ts';
import { ApiClient, ApiError, type Identified, pathOf } from '../../operator/cluster/client.ts';
import type { RenderedObject } from '../../operator/cluster/objects.ts';
import { compile } from '../../operator/compile/compile.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { sharedControlPlane } from '../controlplane/shared.ts';
import { policy } from '../policy/policies.ts';
import { Api } from './api.ts';
import { installCrd } from './harness.ts';
import { POLICIES, renderedObjects } from './rendered.ts';

const NAMESPACE = 'refused-writes';
const [ONE, TWO] = ['refused-one', 'refused-two'];
const OPTIONS = { oldestServer: NEWEST_KNOWN_MINOR, operatorNamespace: NAMESPACE, excludedNamespaces: [] };
const MOMENT_MS = 3_000;

type Specs = Readonly<Record<string, Partial<CapabilityPolicySpec>>>;
/** Whether this write is refused now. */
type Refuses = (verb: 'apply' | 'delete', path: string) => boolean;

describe('writes that the API server refuses', function () {
  this.timeout(120_000);
  let api: Api;
  let client: ApiClient;
  let refuses: Refuses;
  let rollout: Rollout;
  const uids = new Map<string, string>();

  before(async () => {
    const { kubeconfig } = await sharedControlPlane();
    api = new Api(kubeconfig);
    await installCrd(api);
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    client = new ApiClient(config, { qps: 1_000, burst: 1_000 });
    await client.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
    for (const name of [ONE, TWO]) {
      await api.apply(`${POLICIES}/${name}`, { ...policy(name), metadata: { name } });
      uids.set(name, (await api.get(`${POLICIES}/${name}`)).metadata.uid);
    }
  });

  beforeEach(() => {
    refuses = () => false;
    const place = { operatorNamespace: NAMESPACE, servers: async () => [client], onWrite: () => {} };
    rollout = new Rollout(
      refusing(client, (...write) => refuses(...write)),
      place,
    );
  });

  afterEach(async () => {
    for (const object of await rendered()) await client.remove(pathOf(object)).catch(() => {});
  });

  after(async () => {
    for (const name of [ONE, TWO]) await api.remove(`${POLICIES}/${name}`);
    await client.remove(`/api/v1/namespaces/${NAMESPACE}`);
    await client.close();
    await api.close();
  });

  it('for a moment: nothing old goes before what is refused has come', async () => {
    const before = await settle({ [ONE]: selecting('a'), [TWO]: selecting('b') });
    // Namespaces of team a have to be guarded by either.
    const after = compiled({ [ONE]: selecting('b'), [TWO]: selecting('a') });
    const until = performance.now() + MOMENT_MS;
    const set = after.rendered.get(TWO)?.admission;
    refuses = (verb, path) => verb === 'apply' && path.includes(`${TWO}-${set?.ruleset}`) && performance.now() < until;
    while (performance.now() < until) {
      await rollout.pass(after, await rendered());
      const names = await namesOf(ONE);
      for (const name of before.get(ONE) ?? []) assert.ok(names.includes(name), `${name} is gone`);
      await sleep(100);
    }
    await settled(after);
    assert.deepEqual(await namesOf(TWO), set?.objects.map(({ metadata }) => metadata.name).sort());
  });

  it('for good: the others do not wait for ever', async () => {
    await settle({ [ONE]: selecting('a') });
    const after = compiled({ [ONE]: selecting('b'), [TWO]: { ...selecting('b'), priority: 10 } });
    refuses = (verb, path) => verb === 'apply' && path.includes(TWO);
    await passUntil(after, ({ outcomes }) => outcomes.get(ONE)?.state === 'InForce');
    const { outcomes } = await rollout.pass(after, await rendered());
    assert.equal(outcomes.get(TWO)?.state, 'Failed');
    assert.match(outcomes.get(TWO)?.message ?? '', /not now/);
  });

  it('of who may use a policy: its old text stays with its old users', async () => {
    const subjects = (name: string) => ({
      usableBy: 'Subjects' as const,
      subjects: [{ kind: 'ServiceAccount' as const, namespace: NAMESPACE, name }],
    });
    const before = await settle({ [ONE]: { ...selecting('a'), ...subjects('old') } });
    refuses = (verb, path) => verb === 'apply' && path.includes('clusterrolebindings');
    const after = compiled({ [ONE]: { ...selecting('a'), ...subjects('new'), level: 'privileged' } });
    for (let pass = 0; pass < 30; pass++) {
      await rollout.pass(after, await rendered());
      await sleep(100);
    }
    assert.deepEqual(await namesOf(ONE), before.get(ONE));
  });

  it('of one object to delete: the others go, and it is told', async () => {
    const before = await settle({ [ONE]: selecting('a'), [TWO]: selecting('b') });
    const [kept = ''] = (before.get(ONE) ?? []).filter((name) => name.endsWith('-pods'));
    refuses = (verb, path) => verb === 'delete' && path.endsWith(kept);
    const after = compiled({ [ONE]: selecting('c'), [TWO]: selecting('d') });
    await passUntil(after, ({ outcomes }) => outcomes.get(TWO)?.state === 'InForce');
    const { outcomes } = await rollout.pass(after, await rendered());
    assert.equal(outcomes.get(ONE)?.state, 'Failed');
    assert.match(outcomes.get(ONE)?.message ?? '', /not now/);
    const wanted = after.rendered.get(TWO)?.admission.objects.map(({ metadata }) => metadata.name);
    assert.deepEqual(await namesOf(TWO), wanted?.sort());
  });

  it('of a policy that is gone since: what decided for it and its peer goes, too', async () => {
    await settle({ [ONE]: selecting('a'), [TWO]: selecting('a') });
    const edited = compiled({ [ONE]: { ...selecting('a'), level: 'baseline' }, [TWO]: selecting('a') });
    refuses = (verb, path) => verb === 'apply' && path.includes(ONE);
    await rollout.pass(edited, await rendered());
    await settled(compiled({ [TWO]: selecting('a') }));
    assert.deepEqual(await namesOf(ONE), []);
  });

  function compiled(specs: Specs) {
    const policies = Object.entries(specs).map(
      ([name, spec]) => ({ ...policy(name, spec), metadata: { name, uid: uids.get(name) } }) as CapabilityPolicy,
    );
    return compile(policies, OPTIONS);
  }

  /** @returns the names of the admission policies and bindings of each policy, once nothing else stands */
  async function settle(specs: Specs): Promise<Map<string, string[]>> {
    const result = compiled(specs);
    await settled(result);
    const names = Object.keys(specs).map(async (name) => [name, await namesOf(name)] as const);
    return new Map(await Promise.all(names));
  }

  async function settled(wanted: ReturnType<typeof compile>): Promise<void> {
    await passUntil(wanted, ({ outcomes }) => [...outcomes.values()].every(({ state }) => state === 'InForce'));
  }

  async function passUntil(
    wanted: ReturnType<typeof compile>,
    is: (result: Awaited<ReturnType<Rollout['pass']>>) => boolean,
  ): Promise<void> {
    for (let pass = 0; pass < 300; pass++) {
      if (is(await rollout.pass(wanted, await rendered()))) return;
      await sleep(100);
    }
    assert.fail('it does not come into force');
  }

  async function rendered(): Promise<RenderedObject[]> {
    return (await renderedObjects(api)) as unknown as RenderedObject[];
  }

  async function namesOf(name: string): Promise<string[]> {
    const objects = (await rendered()).filter(({ kind }) => kind.includes('AdmissionPolicy'));
    const own = objects.filter(({ metadata }) => metadata.labels?.['capabilitypolicy.dev/policy'] === name);
    return own.map(({ metadata }) => metadata.name).sort();
  }

  function selecting(team: string): Partial<CapabilityPolicySpec> {
    return { namespaceSelector: { matchLabels: { team } }, level: 'restricted' };
  }
});

/** The client, but for what is refused. */
function refusing(client: ApiClient, refuses: Refuses): ApiClient {
  const refuse = (verb: 'apply' | 'delete', path: string) => {
    if (refuses(verb, path)) throw new ApiError({ status: 403, reason: 'Forbidden', message: 'not now', causes: [] });
  };
  return new Proxy(client, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== 'function') return value;
      if (name === 'apply') {
        return async (object: Identified, ...rest: []) => {
          refuse('apply', pathOf(object));
          return target.apply(object, ...rest);
        };
      }
      if (name === 'remove') {
        return async (path: string, ...rest: []) => {
          refuse('delete', path);
          return target.remove(path, ...rest);
        };
      }
      return value.bind(target) as unknown;
    },
  });
}
