import assert from 'node:assert/strict';
import type { Cluster, NamespaceView } from '../operator/cluster/objects.ts';
import { NEWEST_KNOWN_MINOR } from '../operator/standards/level-version.ts';
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
        oldestServer: NEWEST_KNOWN_MINOR,
      } as unknown as Cluster;
      const view = new View(cluster, { operatorNamespace: 'system', excludedNamespaces: [], podSecurityDefaults: {} });
      assert.equal(view.labelOutcomes(['a'], new Map()).get('a')?.applied[LABEL], applied);
    });
  }
});

describe('a policy that is changed into what cannot be compiled', () => {
  it('stays as it was, though its admission policy has not been seen yet', () => {
    const spec = { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } } as const;
    let now = policy('exception', spec as never);
    const cluster = { policies: () => [now, policy('default')], rendered: () => [], oldestServer: NEWEST_KNOWN_MINOR };
    const options = { operatorNamespace: 'system', excludedNamespaces: [], podSecurityDefaults: {} };
    const view = new View(cluster as unknown as Cluster, options);
    const before = view.compiled;
    now = policy('exception', { levelVersion: 'v1.99' });
    for (let time = 0; time < 2; time++) {
      view.forgetPolicies();
      assert.deepEqual([...view.compiled.refusals.keys()], ['exception']);
      assert.deepEqual(view.compiled.rendered, before.rendered);
    }
    // Another leader may have accepted another since.
    view.forgetAccepted();
    view.forgetPolicies();
    assert.deepEqual([...view.compiled.rendered.keys()], ['default']);
  });
});
