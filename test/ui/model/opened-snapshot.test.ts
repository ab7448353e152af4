/** Tests opening snapshots and other files. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { snapshotIn } from '../../../ui/model/opened-snapshot.ts';
import { createAnswers } from '../../../ui/worker/answers.ts';
import { arbitraryCluster } from '../../snapshot/clusters.ts';
import { SEED } from '../../support/seed.ts';
import { takenSnapshot } from '../../support/snapshots.ts';

const OPTIONS = { operatorNamespace: 'capabilitypolicy-system', excludedNamespaces: ['kube-system'], context: 'one' };

const snapshot = arbitraryCluster.map((cluster) => takenSnapshot(cluster, OPTIONS));

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

describe(`a snapshot from a file (SEED=${SEED})`, () => {
  it('is read as it is and compressed', async () => {
    const property = fc.asyncProperty(snapshot, async (one) => {
      const text = JSON.stringify(one);
      assert.deepEqual(await snapshotIn(bytesOf(text)), one);
      assert.deepEqual(await snapshotIn(new Uint8Array(gzipSync(text))), one);
    });
    await fc.assert(property, { seed: SEED, numRuns: 20 });
  });

  const refused: readonly (readonly [string, Uint8Array<ArrayBuffer>, RegExp])[] = [
    ['a picture', new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0xff]), /not text/],
    ['YAML', bytesOf('apiVersion: v1\nkind: Pod\n'), /not JSON/],
    ['another object', bytesOf('{"apiVersion":"v1","kind":"List","items":[]}'), /not a snapshot/],
    ['null', bytesOf('null'), /not a snapshot/],
    ['half of a compressed file', new Uint8Array(gzipSync('{}'.repeat(500)).subarray(0, 20)), /damaged/],
    [
      'a later version',
      bytesOf('{"apiVersion":"snapshot.capabilitypolicy.dev/v9","kind":"Snapshot"}'),
      /this version reads snapshot.capabilitypolicy.dev\/v1/,
    ],
  ];
  for (const [what, bytes, message] of refused) {
    it(`is not ${what}`, async () => {
      await assert.rejects(snapshotIn(bytes), message);
    });
  }

  it('the error names a missing field or a wrong reference, so that every accepted snapshot can be evaluated', async () => {
    const [one] = fc.sample(
      snapshot.filter(({ shapes, policies }) => shapes.length > 0 && policies.length > 0),
      { numRuns: 1, seed: SEED },
    );
    for (const field of ['policies', 'namespaces', 'shapes', 'violations', 'context']) {
      await assert.rejects(snapshotIn(bytesOf(JSON.stringify({ ...one, [field]: undefined }))), new RegExp(field));
    }
    await assert.rejects(snapshotIn(bytesOf(JSON.stringify({ ...one, shapes: [] }))), /without a shape/);
    const answers = createAnswers();
    answers.load(await snapshotIn(bytesOf(JSON.stringify(one))));
    for (const { name } of one?.policies ?? []) answers.policy({ policy: name });
    answers.reevaluate({ policies: '' });
  });
});
