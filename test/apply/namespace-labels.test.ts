/** Tests the plan for the Pod Security labels of one namespace. Other field managers own some of the labels. */
import assert from 'node:assert/strict';
import { planLabels } from '../../operator/apply/namespace-labels.ts';
import type { FieldOwner, NamespaceView } from '../../operator/model/objects.ts';

const [LABEL, VERSION] = ['pod-security.kubernetes.io/enforce', 'pod-security.kubernetes.io/enforce-version'];
const US: FieldOwner = { manager: 'capabilitypolicy.dev', operation: 'Apply' };
const ARGO: FieldOwner = { manager: 'argocd-controller', operation: 'Apply' };
const KUBECTL: FieldOwner = { manager: 'kubectl-label', operation: 'Update' };

function namespace(
  live: string | undefined,
  recorded: string | undefined,
  owners: readonly FieldOwner[],
): NamespaceView {
  return {
    name: 'net',
    uid: 'uid',
    terminating: false,
    labels: live === undefined ? {} : { [LABEL]: live },
    ...(recorded !== undefined && { recorded: JSON.stringify({ [LABEL]: recorded }) }),
    labelOwners: { [LABEL]: owners },
  };
}

describe('planLabels: a label that is changed to restricted', () => {
  const rows: readonly [string, NamespaceView, 'ours' | 'theirs'][] = [
    ['is not there', namespace(undefined, undefined, []), 'ours'],
    ['is ours', namespace('baseline', 'baseline', [US]), 'ours'],
    ['is ours, and was changed by hand', namespace('privileged', 'baseline', [KUBECTL]), 'ours'],
    ['is ours, and another manager states the same', namespace('baseline', 'baseline', [US, ARGO]), 'ours'],
    ['is ours, and all managed fields are missing', namespace('baseline', 'baseline', []), 'ours'],
    ['is ours, and the managed fields name another owner', namespace('baseline', 'baseline', [ARGO]), 'ours'],
    ['was ours, and was changed by apply', namespace('privileged', 'baseline', [ARGO]), 'theirs'],
    ['existed before us', namespace('baseline', undefined, [KUBECTL]), 'theirs'],
    ['was stated before we set the same value', namespace('baseline', undefined, [US, ARGO]), 'theirs'],
  ];
  for (const [title, view, whose] of rows) {
    it(`is ${whose} when it ${title}`, () => {
      const { labels, conflicts, record } = planLabels(view, { [LABEL]: 'restricted' });
      assert.deepEqual(
        { labels, record, conflicts: conflicts.length },
        whose === 'ours'
          ? { labels: { [LABEL]: 'restricted' }, record: JSON.stringify({ [LABEL]: 'restricted' }), conflicts: 0 }
          : { labels: {}, record: undefined, conflicts: 1 },
      );
    });
  }

  it('the operator does not record a label that another owner set before the operator', () => {
    const plan = planLabels(namespace('restricted', undefined, [ARGO]), { [LABEL]: 'restricted', [VERSION]: 'v1.36' });
    assert.deepEqual(plan.labels, { [LABEL]: 'restricted', [VERSION]: 'v1.36' });
    assert.equal(plan.record, JSON.stringify({ [VERSION]: 'v1.36' }));
  });
});
