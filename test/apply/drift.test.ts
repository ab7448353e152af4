import assert from 'node:assert/strict';
import { hasDrifted } from '../../operator/apply/drift.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';

const owner = (name: string) => ({
  apiVersion: 'capabilitypolicy.dev/v1alpha1',
  kind: 'CapabilityPolicy',
  name,
  uid: name,
});

/**
 * An entry of managedFields. The entry states that the given field manager owns the owner references with the given
 * uids.
 */
const states = (manager: string, uids: readonly string[], operation = 'Apply') => ({
  manager,
  operation,
  fieldsV1: {
    'f:metadata': { 'f:ownerReferences': Object.fromEntries(uids.map((uid) => [`k:{"uid":"${uid}"}`, {}])) },
  },
});

const ROLE = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', rules: [] };

function drifted(wanted: readonly string[], live: readonly string[], managedFields: readonly object[]): boolean {
  const metadata = { name: 'it', labels: {} };
  const existing = { ...ROLE, metadata: { ...metadata, ownerReferences: live.map(owner), managedFields } };
  const manifest = { ...ROLE, metadata: { ...metadata, ownerReferences: wanted.map(owner) } };
  return hasDrifted(existing as RenderedObject, manifest);
}

describe('the owners of rendered objects', () => {
  const cases: readonly [string, boolean, readonly string[], readonly string[], readonly object[]][] = [
    ['are as they should be', false, ['a', 'b'], ['a', 'b'], [states('capabilitypolicy.dev', ['a', 'b'])]],
    ['lack one', true, ['a', 'b'], ['a'], [states('capabilitypolicy.dev', ['a'])]],
    ['have a former owner', true, ['a'], ['a', 'b'], [states('capabilitypolicy.dev', ['a', 'b'])]],
    [
      'have a former owner after our replacement',
      true,
      ['a'],
      ['a', 'b'],
      [states('capabilitypolicy.dev', ['a']), states('capabilitypolicy.dev', ['a', 'b'], 'Update')],
    ],
    [
      'have one that another writer rightly added',
      false,
      ['a'],
      ['a', 'b'],
      [states('capabilitypolicy.dev', ['a']), states('kubectl-edit', ['b'], 'Update')],
    ],
    ['come without managed fields', false, ['a'], ['a'], []],
  ];
  for (const [title, expected, wanted, live, managedFields] of cases) {
    it(`${expected ? 'have drifted' : 'have not drifted'} when they ${title}`, () => {
      assert.equal(drifted(wanted, live, managedFields), expected);
    });
  }
});
