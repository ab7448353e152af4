/** The objects of a compiled policy in Argo CD's tree. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../hack/controlplane/api.ts';
import { COLLECTIONS, renderedObjects } from '../../hack/controlplane/rendered.ts';
import { eventually } from '../support/harness.ts';
import { application } from './applications.ts';
import { policyOf, SERVER_SIDE } from './objects.ts';
import type { Scenario } from './side-by-side.ts';
import type { Stage } from './stage.ts';

export function treeScenarios(stage: () => Stage): Scenario[] {
  return [
    {
      title: 'shows the compiled objects below the policy, and neither compares nor prunes them',
      run: () => tree(stage()),
    },
  ];
}

async function tree(stage: Stage): Promise<void> {
  const name = 'argo-tree';
  const repository = stage.repository();
  const subjects = [{ kind: 'ServiceAccount', name: 'default', namespace: name }] as const;
  const policy = policyOf(name, { usableBy: 'Subjects', subjects: [...subjects], defaulting: 'Enabled' });
  await stage.applications.create(application(name, { url: repository.url, options: [SERVER_SIDE] }));
  const { status } = await stage.applications.healthy(name, repository.commit({ 'policy.yaml': [policy] }));
  const { uid } = (await stage.inForce(name)).metadata;
  assert.deepEqual(
    status.resources.map(({ kind }: Json) => kind),
    ['CapabilityPolicy'],
  );
  const kinds = (await renderedObjects(stage.api, name)).map(({ kind }) => kind);
  assert.deepEqual(new Set(kinds), new Set(Object.keys(COLLECTIONS)));
  await assertOwnedInTree(stage, name, uid);
  const versions = () =>
    renderedObjects(stage.api, name).then((all) => all.map(({ metadata }) => metadata.resourceVersion));
  const before = await versions();
  const again = repository.commit({ 'policy.yaml': [policy], 'more.txt': 'no manifest' });
  await stage.applications.healthy(name, again);
  await stage.applications.compared(name);
  assert.deepEqual(await versions(), before);
}

/** Includes the guard, which all policies own. The operator replaces it when a policy changes. */
async function assertOwnedInTree({ api, argocd }: Stage, name: string, uid: string): Promise<void> {
  const isOwned = ({ uid: owner }: Json) => owner === uid;
  const key = ({ kind, name }: Json) => `${kind} ${name}`;
  let shown: string[] = [];
  let owned: string[] = [];
  const look = async () => {
    const { nodes, orphanedNodes = [] } = await argocd.get(`applications/${name}/resource-tree`);
    shown = nodes
      .filter(({ parentRefs = [] }: Json) => parentRefs.some(isOwned))
      .map(key)
      .sort();
    owned = (await renderedObjects(api))
      .filter(({ metadata }) => metadata.ownerReferences?.some(isOwned))
      .map(({ kind, metadata }) => key({ kind, name: metadata.name }))
      .sort();
    return orphanedNodes.length === 0 && isDeepStrictEqual(shown, owned);
  };
  await eventually('the compiled objects below the policy', look).catch((error) => {
    assert.deepEqual(shown, owned);
    throw error;
  });
  assert.ok(owned.some((one) => one.includes(name)));
}
