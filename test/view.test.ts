import assert from 'node:assert/strict';
import type { Cluster, NamespaceView } from '../operator/cluster/objects.ts';
import { View } from '../operator/view.ts';
import { policy } from './policy/policies.ts';

const LABEL = 'pod-security.kubernetes.io/enforce';

describe('what came of labelling a namespace, as long as nobody has told', () => {
  for (const [what, labels, applied] of [
    ['nothing, where the label is not there: its write may be refused', {}, undefined],
    ['the label that stands', { [LABEL]: 'restricted' }, 'restricted'],
  ] as const) {
    it(`is ${what}`, () => {
      const namespace: NamespaceView = { name: 'a', uid: 'u', terminating: false, labels, labelOwners: {} };
      const cluster = {
        policies: () => [policy('restricted')],
        rendered: () => [],
        namespace: () => namespace,
        oldestServer: 36,
      } as unknown as Cluster;
      const view = new View(cluster, { operatorNamespace: 'system', excludedNamespaces: [], podSecurityDefaults: {} });
      assert.equal(view.labelOutcomes(['a'], new Map()).get('a')?.applied[LABEL], applied);
    });
  }
});
