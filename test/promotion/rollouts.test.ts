/** Tests the labels of namespaces under rollouts, and the objects that the operator has seen in these namespaces. */
import assert from 'node:assert/strict';
import type { PodView } from '../../operator/model/objects.ts';
import { Rollouts, stagesOf } from '../../operator/promotion/rollouts.ts';
import { SeenObjects } from '../../operator/promotion/seen.ts';
import type { Entry } from '../../operator/promotion/state.ts';
import { policy } from '../support/policies.ts';
import { podView } from '../support/views.ts';

const LABEL = 'rollout.capabilitypolicy.dev/it';

function rolloutsWith(state: Entry['state'], uid = 'uid'): Rollouts {
  const rollouts = new Rollouts();
  rollouts.set('it', { uid: 'p', begun: true, selector: {}, namespaces: new Map([['a', { uid, state, since: 0 }]]) });
  return rollouts;
}

const namespace = (value?: string) => ({
  name: 'a',
  uid: 'uid',
  labels: (value === undefined ? {} : { [LABEL]: value }) as Record<string, string>,
});

describe('the labels of a namespace under a rollout', () => {
  const rows: readonly [
    Entry['state'],
    string | undefined,
    set: boolean,
    removed: boolean,
    effective: string | undefined,
  ][] = [
    ['Pending', undefined, true, false, 'pending'],
    ['Blocked', 'pending', true, false, 'pending'],
    ['Soaking', 'other', true, false, 'pending'],
    // Somebody has promoted the namespace, but the state does not show the promotion yet.
    ['Soaking', 'enforced', false, false, 'pending'],
    ['Undecided', undefined, false, false, 'pending'],
    ['Enforced', 'pending', false, true, undefined],
    ['Enforced', 'enforced', false, true, undefined],
    ['Enforced', undefined, false, false, undefined],
  ];
  for (const [state, value, set, removed, effective] of rows) {
    it(`${state}, where its value is ${value}`, () => {
      const rollouts = rolloutsWith(state);
      const labels = rollouts.labelsOf(namespace(value));
      assert.deepEqual(labels.set, set ? { [LABEL]: 'pending' } : {});
      assert.deepEqual(labels.remove, removed ? [LABEL] : []);
      assert.equal(rollouts.effective(namespace(value))[LABEL], effective);
    });
  }

  it('a rollout sets no labels on a namespace that was created again', () => {
    const rollouts = rolloutsWith('Pending', 'earlier');
    assert.deepEqual(rollouts.labelsOf(namespace()), { set: {}, remove: [] });
    assert.deepEqual(rollouts.effective(namespace()), {});
  });

  it('if a label was seen and then disappears, the label counts as missing again, but only once', () => {
    const rollouts = rolloutsWith('Pending');
    const set = { [LABEL]: 'pending' };
    assert.deepEqual(rollouts.missingAgain(namespace(), set), []);
    assert.deepEqual(rollouts.missingAgain(namespace('pending'), set), []);
    assert.deepEqual(rollouts.missingAgain(namespace(), set), [LABEL]);
    assert.deepEqual(rollouts.missingAgain(namespace(), set), []);
  });

  it('forgets the labels of a deleted namespace', () => {
    const rollouts = rolloutsWith('Pending');
    const set = { [LABEL]: 'pending' };
    assert.deepEqual(rollouts.missingAgain(namespace('pending'), set), []);
    rollouts.forget(namespace().name);
    assert.deepEqual(rollouts.missingAgain(namespace(), set), []);
  });

  it('when a rollout continues after a rest, its label does not count as missing again', () => {
    const rollouts = rolloutsWith('Pending');
    const set = { [LABEL]: 'pending' };
    assert.deepEqual(rollouts.missingAgain(namespace('pending'), set), []);
    rollouts.delete('it');
    assert.deepEqual(rollouts.missingAgain(namespace(), set), []);
  });

  it('until the state of the rollout is read, every apply contains the pending label, so that no apply removes the label', () => {
    const rollouts = new Rollouts();
    assert.deepEqual(rollouts.labelsOf(namespace('pending')), { set: { [LABEL]: 'pending' }, remove: [] });
    assert.deepEqual(rollouts.labelsOf(namespace('enforced')), { set: {}, remove: [] });
  });

  it('are removed once nothing asks for them', () => {
    const rollouts = new Rollouts();
    assert.deepEqual(rollouts.labelsOf(namespace('pending')).remove, []);
    rollouts.unused = new Set([LABEL]);
    assert.deepEqual(rollouts.labelsOf(namespace('pending')).remove, [LABEL]);
  });
});

describe('the record of a namespace under a rollout', () => {
  const recorded = (...labels: string[]) => JSON.stringify(Object.fromEntries(labels.map((one) => [one, 'enforced'])));
  const inForce = (state: Entry['state'] | undefined, selector: object | undefined = {}): Rollouts => {
    const rollouts = new Rollouts();
    const namespaces = new Map(state ? [['a', { uid: 'uid', state, since: 0 }]] : []);
    rollouts.set('it', { uid: 'p', begun: true, selector: {}, ...(selector && { inForce: selector }), namespaces });
    return rollouts;
  };
  const rows: readonly [
    title: string,
    rollouts: Rollouts,
    label: string | undefined,
    before: string,
    after: string[],
  ][] = [
    ['without an entry, the policy is enforced', inForce(undefined), undefined, '', [LABEL]],
    ['a promotion is recorded with the removal of the label', inForce('Enforced'), 'pending', '', [LABEL]],
    ['a pending namespace is not recorded', inForce('Soaking'), 'pending', recorded(LABEL), []],
    ['the step has not seen the label yet', inForce(undefined), 'pending', recorded(LABEL), [LABEL]],
    [
      'the policy no longer selects the namespace',
      inForce(undefined, { matchLabels: { x: 'y' } }),
      undefined,
      recorded(LABEL),
      [],
    ],
    ['the policy does not exist or rests', new Rollouts(), undefined, recorded(LABEL), [LABEL]],
    ['the policy is unknown, and nothing is recorded', new Rollouts(), undefined, '', []],
    ['the record cannot be read', new Rollouts(), undefined, `{"${LABEL}`, []],
    [
      'the record has the name of no policy',
      new Rollouts(),
      undefined,
      recorded('rollout.capabilitypolicy.dev/A b'),
      [],
    ],
  ];
  for (const [title, rollouts, label, before, after] of rows) {
    it(title, () => {
      const one = { ...namespace(label), ...(before && { recorded: before }) };
      assert.deepEqual(rollouts.enforcedIn(one), after);
    });
  }

  it('stays while the selector is not in force yet', () => {
    const rollouts = new Rollouts();
    rollouts.set('it', { uid: 'p', begun: true, selector: {}, namespaces: new Map() });
    assert.deepEqual(rollouts.enforcedIn({ ...namespace(), recorded: recorded(LABEL) }), [LABEL]);
    assert.deepEqual(rollouts.enforcedIn(namespace()), []);
  });

  it('is dropped when the rollout is over, until the policy rolls out again', () => {
    const one = { ...namespace(), recorded: recorded(LABEL) };
    const rollouts = new Rollouts();
    rollouts.end('it');
    assert.deepEqual(rollouts.enforcedIn(one), []);
    rollouts.set('it', { uid: 'p', begun: false, namespaces: new Map() });
    assert.deepEqual(rollouts.enforcedIn(one), [LABEL]);
  });

  it('has a limited number of policies that are not known', () => {
    const many = Array.from({ length: 100 }, (_, index) => `rollout.capabilitypolicy.dev/p${index}`);
    assert.equal(new Rollouts().enforcedIn({ ...namespace(), recorded: recorded(...many) }).length, 64);
  });
});

describe('the stage of a rollout', () => {
  const it1 = policy('it', { rollout: {} });
  const { uid = '' } = it1.metadata as { uid?: string };

  it('a rollout has not begun if no part of the policy is enforced', () => {
    assert.deepEqual(stagesOf([it1], new Rollouts(), new Map(), new Map()).get('it'), { begun: false });
  });

  it('a rollout has begun, with the selector in force, if the enforced part exists', () => {
    const selector = { matchLabels: { team: 'a' } };
    const existing = new Map([['it', { ...it1.spec, namespaceSelector: selector }]]);
    assert.deepEqual(stagesOf([it1], new Rollouts(), existing, new Map()).get('it'), { begun: true, selector });
  });

  it('an enforced part leaves out the same namespaces by name until the state of the rollout has been read', () => {
    const existing = new Map([['it', it1.spec]]);
    const leftOut = new Map([['it', ['a', 'b']]]);
    assert.deepEqual(stagesOf([it1], new Rollouts(), existing, leftOut).get('it')?.leftOut, ['a', 'b']);
    const rollouts = new Rollouts();
    rollouts.set('it', { uid, begun: true, selector: {}, namespaces: new Map() });
    assert.equal(stagesOf([it1], rollouts, existing, leftOut).get('it')?.leftOut, undefined);
  });

  it('the stage comes from the state of the rollout, if the state belongs to the same policy', () => {
    const rollouts = new Rollouts();
    rollouts.set('it', { uid: 'of an earlier policy', begun: true, selector: {}, namespaces: new Map() });
    assert.equal(stagesOf([it1], rollouts, new Map(), new Map()).get('it')?.begun, false);
    rollouts.set('it', { uid, begun: true, selector: {}, namespaces: new Map() });
    assert.equal(stagesOf([it1], rollouts, new Map(), new Map()).get('it')?.begun, true);
  });
});

describe('objects seen in a pending namespace', () => {
  const spec = { containers: [{ name: 'main' }] };
  const annotations = {};
  const pod = (name: string, rest: Partial<PodView> = {}) =>
    podView(name, { namespace: 'a', annotations, spec, ...rest });

  it('equal objects are kept once, with the time when the last of these objects was seen', () => {
    const seen = new SeenObjects();
    seen.add('a', [pod('one')], 1);
    seen.add('a', [pod('two')], 2);
    assert.deepEqual(
      seen.take('a').map(({ at }) => at),
      [2],
    );
    assert.deepEqual(seen.in('a'), []);
  });

  it('finished objects are left out, because a list shows finished objects long afterwards', () => {
    const seen = new SeenObjects();
    seen.add('a', [pod('one', { finished: true })], 1);
    assert.deepEqual(seen.in('a'), []);
  });

  it('the number of seen objects is limited, and the last objects are kept', () => {
    const seen = new SeenObjects();
    for (let at = 0; at < 1_000; at++) seen.add('a', [pod(`pod-${at}`, { spec: { ...spec } })], at);
    const kept = seen.take('a');
    assert.deepEqual([kept.length, kept.at(-1)?.at], [256, 999]);
  });

  it('restores objects if their evaluation did not end and nobody saw the objects again', () => {
    const seen = new SeenObjects();
    seen.add('a', [pod('one')], 1);
    const taken = seen.take('a');
    seen.add('a', [pod('one')], 5);
    seen.restore('a', taken);
    assert.deepEqual(
      seen.take('a').map(({ at }) => at),
      [5],
    );
    seen.restore('a', taken);
    assert.deepEqual(
      seen.take('a').map(({ at }) => at),
      [1],
    );
  });
});
