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

describe('planLabels: a label that is due to be removed', () => {
  const VELERO: FieldOwner = { manager: 'velero-server', operation: 'Update' };
  const copied = (view: NamespaceView) => ({ ...view, recordedBy: ['argocd-controller'] });
  const rows: readonly [string, NamespaceView, 'removed' | 'kept' | 'neither'][] = [
    ['is ours', namespace('baseline', 'baseline', [US]), 'removed'],
    ['was restored by another manager', namespace('baseline', 'baseline', [VELERO]), 'removed'],
    ['is ours again after a restore', namespace('baseline', 'baseline', [US, VELERO]), 'removed'],
    ['is applied with the record, as by a restore', copied(namespace('baseline', 'baseline', [ARGO])), 'removed'],
    ['is applied without the record, as by GitOps', namespace('baseline', 'baseline', [US, ARGO]), 'kept'],
    ['was restored and changed by hand', namespace('restricted', 'baseline', [KUBECTL]), 'kept'],
    ['was never ours', namespace('baseline', undefined, [KUBECTL]), 'neither'],
    ['is ours by managed fields, and the record is lost', namespace('baseline', undefined, [US]), 'removed'],
    ['is stated by two, and the record is lost', namespace('baseline', undefined, [US, KUBECTL]), 'kept'],
  ];
  for (const [title, view, what] of rows) {
    it(`is ${what} when it ${title}`, () => {
      const { remove, kept } = planLabels(view, {});
      assert.deepEqual(
        { remove, kept },
        { remove: what === 'removed' ? [LABEL] : [], kept: what === 'kept' ? [LABEL] : [] },
      );
    });
  }

  it('a restored label that stays wanted is adopted by a write, once', () => {
    const wanted = { [LABEL]: 'baseline' };
    assert.equal(planLabels(namespace('baseline', 'baseline', [VELERO]), wanted).changes, true);
    assert.equal(planLabels(namespace('baseline', 'baseline', [US, VELERO]), wanted).changes, false);
  });
});

describe('planLabels: a label of another owner that refuses what the policies admit', () => {
  const refuses = (labels: Readonly<Record<string, string>>) => labels[LABEL] === 'restricted';

  it('is a conflict, also if no label is wanted', () => {
    assert.deepEqual(planLabels(namespace('restricted', undefined, [KUBECTL]), {}, refuses).conflicts, [
      { label: LABEL, theirs: 'restricted', managers: ['kubectl-label'], refuses: true },
    ]);
  });

  it('is one conflict if another label is wanted', () => {
    const plan = planLabels(namespace('restricted', undefined, [KUBECTL]), { [LABEL]: 'baseline' }, refuses);
    const [conflict, ...more] = plan.conflicts;
    assert.deepEqual([conflict?.ours, conflict?.refuses, more], ['baseline', true, []]);
  });

  it('is none if the plan changes or removes the label', () => {
    const ours = namespace('restricted', 'restricted', [US]);
    for (const wanted of [{}, { [LABEL]: 'baseline' }])
      assert.deepEqual(planLabels(ours, wanted, refuses).conflicts, []);
  });

  it('is one if GitOps keeps the label that the operator withdraws', () => {
    const { conflicts } = planLabels(namespace('restricted', 'restricted', [US, ARGO]), {}, refuses);
    assert.deepEqual(
      conflicts.map(({ managers }) => managers),
      [['argocd-controller']],
    );
  });
});
