/** Tests the rendered objects of policies in Argo CD's resource tree. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../hack/controlplane/api.ts';
import { COLLECTIONS, renderedObjects } from '../../hack/controlplane/rendered.ts';
import { eventually } from '../support/harness.ts';
import { application } from './applications.ts';
import { OPERATOR_APPLICATION } from './documented.ts';
import { policyOf, SERVER_SIDE } from './objects.ts';
import type { Scenario } from './side-by-side.ts';
import type { Stage } from './stage.ts';

/** Policies share the compiled objects, so this CRD owns all compiled objects. */
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/capabilitypolicies.capabilitypolicy.dev';

export function treeScenarios(stage: () => Stage): Scenario[] {
  return [
    {
      title: 'neither compares nor prunes the compiled objects',
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
  await stage.inForce(name);
  assert.deepEqual(
    status.resources.map(({ kind }: Json) => kind),
    ['CapabilityPolicy'],
  );
  const kinds = (await renderedObjects(stage.api)).map(({ kind }) => kind);
  assert.deepEqual(new Set(kinds), new Set(Object.keys(COLLECTIONS)));
  // All policies share the programs, so other scenarios change the programs, too.
  const versions = async () => [
    (await stage.policy(name))?.status.conditions.find(({ type }: Json) => type === 'Programmed').message,
    ...(await renderedObjects(stage.api, name)).map(({ metadata }) => metadata.resourceVersion),
  ];
  const before = await versions();
  assert.equal(before.length, 3);
  const again = repository.commit({ 'policy.yaml': [policy], 'more.txt': 'no manifest' });
  await stage.applications.healthy(name, again);
  await stage.applications.compared(name);
  assert.deepEqual(await versions(), before);
}

/**
 * Checks the resource tree of the operator's Application of config/argocd. Argo CD must show the rendered objects below
 * the CustomResourceDefinition.
 */
export async function assertOwnedInTree({ api, argocd }: Stage): Promise<void> {
  const { uid } = (await api.get(CRD)).metadata;
  const isOwned = ({ uid: owner }: Json) => owner === uid;
  const key = ({ kind, name }: Json) => `${kind} ${name}`;
  let shown: string[] = [];
  let owned: string[] = [];
  const look = async () => {
    const { nodes, orphanedNodes = [] } = await argocd.get(`applications/${OPERATOR_APPLICATION}/resource-tree`);
    shown = nodes
      .filter(({ kind, parentRefs = [] }: Json) => Object.hasOwn(COLLECTIONS, kind) && parentRefs.some(isOwned))
      .map(key)
      .sort();
    owned = (await renderedObjects(api))
      .filter(({ metadata }) => metadata.ownerReferences?.some(isOwned))
      .map(({ kind, metadata }) => key({ kind, name: metadata.name }))
      .sort();
    return orphanedNodes.length === 0 && isDeepStrictEqual(shown, owned);
  };
  await eventually('the compiled objects below the CustomResourceDefinition', look).catch((error) => {
    assert.deepEqual(shown, owned);
    throw error;
  });
  for (const part of ['capabilitypolicy.dev:use:', 'capabilitypolicy.enforce', 'capabilitypolicy.guard']) {
    assert.ok(
      owned.some((one) => one.includes(part)),
      part,
    );
  }
}
