/** Argo CD on a real API server, with a real operator: what it shows, what it finds out of sync, and who wins. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { load, loadAll } from 'js-yaml';
import { FIELD_MANAGER } from '../../operator/api/capability-policy.ts';
import { SERVER_VERSION } from '../controlplane/version.ts';
import { Argo, type How, isTracked, respecting } from '../gitops/argo.ts';
import { type Health, healthOf } from '../gitops/health.ts';
import { kstatusOf } from '../gitops/kstatus.ts';
import { CONFIG } from '../install/rights.ts';
import { describeWith } from '../needs.ts';
import type { Json } from './api.ts';
import { eventually, useCluster } from './harness.ts';
import { Observation, podSecurityOf } from './observed.ts';
import { baselinePod } from './pods.ts';
import { installPublishedCrd, type PublishedCrd, removePublishedCrd } from './published-crds.ts';
import { COLLECTIONS, NAMESPACES, POLICIES, renderedObjects } from './rendered.ts';

const ENFORCE = 'pod-security.kubernetes.io/enforce';
const STILL_MS = 2_000;
const MODULE = 'github.com/argoproj/argo-cd/v3@v3.4.3';
const ARGO_CRDS: readonly PublishedCrd[] = ['application', 'applicationset'].map((kind) => ({
  name: `${kind}s.argoproj.io`,
  module: MODULE,
  file: `manifests/crds/${kind}-crd.yaml`,
  path: `/apis/argoproj.io/v1alpha1/namespaces/argocd/${kind}s`,
}));

const { managedFieldsManagers } = load(read('ignore_differences_namespace.yaml')) as Json;

describeWith(
  { programs: { 'lua5.1': 'apt-get install lua5.1', go: 'https://go.dev/dl/', diff: 'apt-get install diffutils' } },
  'Argo CD',
  () => {
    const cluster = useCluster('argocd');
    const [policy] = sample('policy.yaml', { name: 'argocd-restricted', select: 'argocd' });
    let argo: Argo;

    before(() => {
      argo = new Argo(cluster.controlPlane);
    });

    /** What stands in Git, in the place of the sample's own names. */
    function sample(file: string, { name, select }: { name: string; select: string }): [Json] {
      const object = load(read(join('samples', file))) as Json;
      const labels = { environment: select };
      if (object.kind === 'Namespace') return [{ ...object, metadata: { ...object.metadata, name, labels } }];
      const spec = { ...object.spec, namespaceSelector: { matchLabels: labels } };
      return [{ ...object, metadata: { ...object.metadata, name }, spec }];
    }

    function namespaceOf(suffix: string, labels: Record<string, string> = {}): Json {
      const [object] = sample('namespace.yaml', { name: cluster.named(suffix), select: 'argocd' });
      return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } } };
    }

    async function health(): Promise<Health> {
      return healthOf([await cluster.api.get(`${POLICIES}/${policy.metadata.name}`)])[0] as Health;
    }

    async function becomes(status: string, says: RegExp = /./): Promise<void> {
      let last: Health | undefined;
      const look = async () => {
        last = await health();
        return last.status === status && says.test(last.message);
      };
      await eventually(`the policy to be ${status}`, look, 60_000).catch(() =>
        assert.deepEqual(last, { status, says }),
      );
    }

    async function labelsBecome({ metadata: { name } }: Json, labels: Record<string, string>): Promise<void> {
      let last: unknown;
      const look = async () => {
        last = (await podSecurityOf(cluster.api, name)).labels;
        return JSON.stringify(last) === JSON.stringify(labels);
      };
      await eventually(`the labels of ${name}`, look, 30_000).catch(() => assert.deepEqual(last, labels));
    }

    /** Syncs again and again, as Argo CD does when it heals what it finds changed: nobody writes anything for a while. */
    async function assertSettled(objects: readonly Json[], how: How = 'server-side'): Promise<void> {
      const versions = async () => {
        const all = [
          ...(await cluster.api.list(POLICIES)),
          ...(await cluster.api.list(NAMESPACES)),
          ...(await renderedObjects(cluster.api)),
        ];
        return all.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).sort();
      };
      // The first one of its kind leaves its mark, and what was done before may still have to be told.
      for (const object of objects) argo.sync(object, how);
      const before = await eventually('all to have been said', async () => {
        const found = await versions();
        await sleep(STILL_MS / 2);
        return isDeepStrictEqual(found, await versions()) && found;
      });
      for (let round = 0; round < 3; round++) {
        for (const object of objects) assert.equal(argo.difference(object, how), '');
        for (const object of objects) argo.sync(object, how);
        await sleep(STILL_MS / 3);
      }
      assert.deepEqual(await versions(), before);
    }

    it('shows a policy as progressing until it is in force, and then as healthy', async () => {
      const observation = await Observation.begin(cluster);
      const created = argo.sync(policy);
      assert.deepEqual(created.status, { observedGeneration: -1 });
      await becomes('Healthy', /in force on 1 of 1 API servers$/);
      const states = await observation.end(cluster, policy.metadata.name);
      const seen = healthOf([created, ...states]).map(({ status }) => status);
      assert.deepEqual([...new Set(seen)], ['Progressing', 'Healthy']);
      assert.equal(seen.lastIndexOf('Progressing') + 1, seen.indexOf('Healthy'));
      const waited = kstatusOf([created, ...states]);
      assert.deepEqual(
        waited,
        seen.map((status) => (status === 'Healthy' ? 'Current' : 'InProgress')),
      );
    });

    it('finds nothing of it out of sync, by either kind of comparison', () => {
      for (const how of ['server-side', 'client-side'] as const) assert.equal(argo.difference(policy, how), '');
    });

    it('takes nothing that was rendered for its own, so that it prunes nothing', async () => {
      const name = cluster.named('filled');
      const spec = {
        ...policy.spec,
        namespaceSelector: { matchLabels: { team: name } },
        usableBy: 'Subjects',
        subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: name }],
        defaulting: 'Enabled',
      };
      argo.sync({ ...policy, metadata: { ...policy.metadata, name }, spec });
      await cluster.programmed(name);
      const policies = await cluster.api.list(POLICIES);
      assert.ok(policies.every(isTracked));
      const rendered = await renderedObjects(cluster.api);
      assert.deepEqual(new Set(rendered.map(({ kind }) => kind)), new Set(Object.keys(COLLECTIONS)));
      for (const { kind, metadata } of rendered) {
        const what = `${kind} ${metadata.name}`;
        const marks = Object.keys({ ...metadata.labels, ...metadata.annotations });
        assert.ok(!isTracked({ metadata }) && !marks.some((key) => /argoproj|kubectl/.test(key)), what);
        // Whatever has an owner stands below it, and only what has none is pruned.
        const owners = metadata.ownerReferences.map(({ uid }: Json) => uid);
        assert.ok(
          policies.some((one) => owners.includes(one.metadata.uid)),
          what,
        );
      }
      await cluster.deletePolicy(name);
      await cluster.settled();
    });

    it('leaves the labels of a namespace alone that Git does not name', async () => {
      const namespace = namespaceOf('shop');
      for (const how of ['server-side', 'client-side'] as const) {
        argo.sync(namespace, how);
        await labelsBecome(namespace, { enforce: 'restricted', 'enforce-version': SERVER_VERSION });
        await becomes('Healthy', /in force on 1 of 1 API servers$/);
        await assertSettled([namespace, policy], how);
        await labelsBecome(namespace, { enforce: 'restricted', 'enforce-version': SERVER_VERSION });
      }
    });

    for (const how of ['server-side', 'client-side'] as const) {
      it(`wins, by ${how} apply, where Git names the label: the policy stays healthy and says so, and nothing flaps`, async () => {
        const plain = namespaceOf(`named-${how}`);
        argo.sync(plain, how);
        await labelsBecome(plain, { enforce: 'restricted', 'enforce-version': SERVER_VERSION });
        const named = namespaceOf(`named-${how}`, { [ENFORCE]: 'baseline' });
        assert.notEqual(argo.difference(named, how), '');
        argo.sync(named, how);
        const { name } = named.metadata;
        const said = `namespace ${name}: label ${ENFORCE} is "baseline" by argocd-controller, ours would be "restricted"`;
        await becomes('Healthy', new RegExp(said));
        await labelsBecome(named, { enforce: 'baseline' });
        await assertSettled([named, policy], how);
        await labelsBecome(named, { enforce: 'baseline' });

        argo.sync(plain, how);
        await labelsBecome(plain, { enforce: 'restricted', 'enforce-version': SERVER_VERSION });
        await becomes('Healthy', /in force on 1 of 1 API servers$/);
      });
    }

    it('leaves to us what Git names, with ignoreDifferences by our field manager', async () => {
      assert.deepEqual(managedFieldsManagers, [FIELD_MANAGER]);
      const path = `${NAMESPACES}/${cluster.named('ignored')}`;
      argo.sync(namespaceOf('ignored'), 'client-side');
      const wanted = { enforce: 'restricted', 'enforce-version': SERVER_VERSION };
      const named = namespaceOf('ignored', { [ENFORCE]: 'baseline' });
      await labelsBecome(named, wanted);
      assert.match(argo.difference(named, 'client-side'), /baseline/);
      const live = await cluster.api.get(path);
      await assertSettled([respecting(managedFieldsManagers, named, live)], 'client-side');
      await labelsBecome(named, wanted);
    });

    it('shows a policy whose text changed as progressing, and one that is not accepted as degraded', async () => {
      const { name } = policy.metadata;
      const observation = await Observation.begin(cluster);
      const changed = argo.sync({ ...policy, spec: { ...policy.spec, level: 'baseline' } });
      assert.equal(healthOf([changed])[0]?.status, 'Progressing');
      await becomes('Healthy');
      const seen = healthOf(await observation.end(cluster, name)).map(({ status }) => status);
      assert.deepEqual([...new Set(seen.slice(1))], ['Progressing', 'Healthy']);

      argo.sync({ ...policy, spec: { ...policy.spec, levelVersion: 'v1.99' } });
      await becomes('Degraded', /^spec\.levelVersion: v1\.99 is too new/);
      assert.deepEqual(kstatusOf([await cluster.api.get(`${POLICIES}/${name}`)]), ['Failed']);
      argo.sync(policy);
      await becomes('Healthy');
    });

    it('shows violations in the message of a healthy policy', async () => {
      const { spec } = baselinePod() as Json;
      const { name } = namespaceOf('shop').metadata;
      const template = { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name: 'loose' }, template: { spec } };
      await cluster.api.apply(`${NAMESPACES}/${name}/podtemplates/loose`, template);
      await becomes('Healthy', new RegExp(`1 of 1 workload violates the policy: PodTemplate ${name}/loose$`));
    });

    describe('takes, with no field that it does not know,', () => {
      before(async () => {
        for (const crd of ARGO_CRDS) await installPublishedCrd(cluster.api, crd);
        await cluster.api.apply(`${NAMESPACES}/argocd`, namespace('argocd'));
      });

      after(async () => {
        for (const crd of ARGO_CRDS) await removePublishedCrd(cluster.api, crd);
        await cluster.api.remove(`${NAMESPACES}/argocd`);
      });

      for (const [file, crd] of [
        ['application.yaml', ARGO_CRDS[0]],
        ['applicationset.yaml', ARGO_CRDS[1]],
      ] as const) {
        it(`config/argocd/${file}`, async () => {
          const objects = loadAll(read(file)) as Json[];
          for (const body of objects) {
            const query = { dryRun: 'All', fieldValidation: 'Strict' };
            const answer = await cluster.api.ask('POST', crd?.path ?? '', { body, query });
            assert.equal(answer.status, 201, answer.body.message);
          }
        });
      }
    });
  },
);

function namespace(name: string): Json {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function read(file: string): string {
  return readFileSync(join(CONFIG, 'argocd', file), 'utf8');
}
