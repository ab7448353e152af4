/** Tests the first texts of the playground: policies and pods of a snapshot. */
import assert from 'node:assert/strict';
import { parseDocument } from '../../analysis/manifests/document.ts';
import { podText, policyText } from '../../ui/worker/texts.ts';
import { policy } from '../support/policies.ts';
import { settledSnapshot } from '../support/settled-snapshot.ts';
import { clusterOf, podView, wholeCluster } from '../support/views.ts';

/** Words that some versions of YAML read as booleans, numbers, times or null. */
const WORDS = [
  'no',
  'yes',
  'on',
  'off',
  'n',
  'true',
  'null',
  '~',
  '017',
  '0o17',
  '1_000',
  '1e3',
  '12:30:45',
  '2026-11-26',
];

describe('a text of the playground', () => {
  for (const word of WORDS) {
    const labels = { word };
    const one = policy(word, { namespaceSelector: { matchLabels: labels } });
    const pod = podView(word, { namespace: word, annotations: labels, spec: { containers: [{ name: word }] } });
    const namespace = { name: word, uid: word, terminating: false, labels, labelOwners: {} };
    const snapshot = settledSnapshot(wholeCluster(clusterOf([], [pod]), [one], [namespace]));

    it(`has the name and the labels ${JSON.stringify(word)} of a policy as texts`, () => {
      const { metadata, spec } = parsed(policyText(snapshot, word));
      assert.deepEqual(metadata, { name: word });
      assert.deepEqual(spec.namespaceSelector, { matchLabels: labels });
    });

    it(`has the names and annotations ${JSON.stringify(word)} of a pod as texts`, () => {
      const { metadata, spec } = parsed(podText(snapshot, { shape: 0, namespace: word, name: word }));
      assert.deepEqual(metadata, { name: word, namespace: word, annotations: labels });
      assert.deepEqual(spec.containers, [{ name: word }]);
    });
  }
});

/** Parses a text in the same way as cappol and kubectl. */
function parsed(text: string): { readonly metadata: object; readonly spec: Readonly<Record<string, unknown>> } {
  return parseDocument(text, 1)?.value as ReturnType<typeof parsed>;
}
