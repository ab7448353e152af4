/** Tests that the CRD of policies owns the rendered objects. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../hack/controlplane/api.ts';
import { renderedObjects } from '../../hack/controlplane/rendered.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { operatorRights, without } from '../install/single-rights.ts';
import { ADMITTED, eventually, installCrd, useCluster } from '../support/harness.ts';
import { itUnprotected } from '../support/needs.ts';
import { baselinePod } from '../support/pod-manifests.ts';

const NAME = 'capabilitypolicies.capabilitypolicy.dev';
const PATH = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${NAME}`;
/**
 * The maximum time in ms to wait for the garbage collector. The garbage collector learns of a new CRD within half a
 * minute.
 */
const COLLECTION_MS = 90_000;
/** The time in ms within which the garbage collector deletes an object whose owner no longer exists. */
const COLLECTED_MS = 5_000;
const KEEPS_CRD = 'the protection lets nobody delete the CRD';

describe('the CRD of policies', function () {
  this.timeout(240_000);
  const cluster = useCluster('definition');
  let namespace: string;

  const spec: CapabilityPolicySpec = {
    namespaceSelector: { matchLabels: { team: 'definition' } },
    level: 'restricted',
    mode: 'Enforce',
    defaulting: 'Enabled',
    podSecurityLabels: 'Off',
    usableBy: 'Subjects',
    subjects: [{ kind: 'User', name: 'jane' }],
  };

  before(async () => {
    namespace = await cluster.namespace('team', { team: 'definition' });
  });

  afterEach(async () => {
    await installCrd(cluster.api);
    await cluster.operator.start();
  });

  async function owners(): Promise<Set<string>> {
    const objects = await renderedObjects(cluster.api);
    assert.ok(objects.length > 5, `${objects.length} objects`);
    return new Set(objects.map(({ metadata }) => JSON.stringify(metadata.ownerReferences)));
  }

  async function wantedOwners(): Promise<Set<string>> {
    const { metadata } = await cluster.api.get(PATH);
    const owner = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      name: NAME,
      uid: metadata.uid,
    };
    return new Set([JSON.stringify([owner])]);
  }

  async function identities(): Promise<Json[]> {
    const objects = await renderedObjects(cluster.api);
    return objects.map(({ kind, metadata }) => [kind, metadata.name, metadata.uid, metadata.resourceVersion]);
  }

  /** Waits until pods are admitted. An API server learns of deletions through its watches. */
  async function admitted(): Promise<void> {
    const look = async () => (await cluster.admit(baselinePod(), namespace)) === ADMITTED;
    await eventually('the pod to be admitted', look);
  }

  async function deleteCrd(): Promise<void> {
    await cluster.api.remove(PATH);
    const isGone = async () => (await cluster.api.ask('GET', PATH)).status === 404;
    await eventually('the CRD to be gone', isGone, COLLECTION_MS);
  }

  it('owns everything that the operator renders', async () => {
    await cluster.programmed(await cluster.policy('it', spec));
    assert.deepEqual(await owners(), await wantedOwners());
  });

  it('if a policy is deleted while the operator is stopped, all objects stay in force until the operator runs again', async () => {
    const policy = await cluster.policy('it', spec);
    await cluster.programmed(policy);
    await cluster.operator.stop();
    const before = await identities();
    await cluster.deletePolicy(policy);
    await sleep(COLLECTED_MS);
    assert.deepEqual(await identities(), before);
    assert.match(await cluster.admit(baselinePod(), namespace), /forbidden/);
    await cluster.operator.startAndWatch();
    await eventually('the rendered objects to be gone', async () => (await renderedObjects(cluster.api)).length === 0);
    await admitted();
  });

  itUnprotected(KEEPS_CRD, 'takes everything that was rendered along, with the operator stopped', async () => {
    await cluster.programmed(await cluster.policy('it', spec));
    await cluster.operator.stop();
    await deleteCrd();
    const isGone = async () => (await renderedObjects(cluster.api)).length === 0;
    await eventually('the rendered objects to be gone', isGone, COLLECTION_MS);
    await admitted();
  });

  itUnprotected(
    KEEPS_CRD,
    'owns everything again once it was created again, beside an operator that runs',
    async () => {
      await cluster.programmed(await cluster.policy('it', spec));
      const before = await wantedOwners();
      await deleteCrd();
      await installCrd(cluster.api);
      await cluster.programmed(await cluster.policy('it', spec));
      assert.notDeepEqual(await wantedOwners(), before);
      assert.deepEqual(await owners(), await wantedOwners());
      const written = await identities();
      await sleep(COLLECTED_MS);
      assert.deepEqual(await identities(), written);
      assert.match(await cluster.admit(baselinePod(), namespace), /forbidden/);
    },
  );

  it('an operator without the right to read the CRD sets no owners, and otherwise works', async () => {
    const right = operatorRights().find(({ resource }) => resource === 'customresourcedefinitions');
    assert.ok(right);
    await cluster.operator.stop();
    await without(cluster.api, right, async () => {
      await cluster.operator.startAndWatch();
      await cluster.programmed(await cluster.policy('it', { ...spec, priority: 1 }));
      assert.deepEqual(await owners(), new Set([JSON.stringify(undefined)]));
      assert.match(await cluster.admit(baselinePod(), namespace), /forbidden/);
      const told = cluster.operator.log.filter(({ message }) =>
        message.startsWith('the operator may not read the CRD'),
      );
      assert.equal(told.length, 1);
      await cluster.operator.stop();
    });
    await cluster.operator.startAndWatch();
    await cluster.programmed(await cluster.policy('it', { ...spec, priority: 2 }));
    await eventually('the owner', async () => [...(await owners())].join() === [...(await wantedOwners())].join());
  });
});
