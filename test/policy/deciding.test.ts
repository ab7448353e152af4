import assert from 'node:assert/strict';
import fc from 'fast-check';
import { deciding, influencing, isExcluded } from '../../operator/policy/deciding.ts';
import { resolved } from '../support/policies.ts';
import { SELECTOR, UNIVERSE } from '../support/random-selectors.ts';

/** Random policies. Some of the policies have equal selectors. */
const SOME = fc.array(
  fc.record({
    namespaceSelector: fc.oneof(SELECTOR, fc.constantFrom({}, { matchLabels: { team: 'net' } })),
    priority: fc.integer({ min: 0, max: 2 }),
    mode: fc.constantFrom('Enforce', 'Warn'),
  }),
  { maxLength: 5 },
);
const NET = { matchLabels: { team: 'net' } };
const names = (policies: readonly { name: string }[]) => policies.map(({ name }) => name);

describe('the deciding policies of a namespace', () => {
  it('nobody, without policies', () => assert.deepEqual(deciding([], 'Enforce', {}), []));

  it('select it', () => {
    const policies = [resolved('all'), resolved('net', { namespaceSelector: NET })];
    assert.deepEqual(names(deciding(policies, 'Enforce', {})), ['all']);
    assert.deepEqual(names(deciding(policies, 'Enforce', { team: 'net' })), ['all', 'net']);
  });

  it('the deciding policies of a namespace are all policies with the highest priority', () => {
    const policies = [resolved('low'), resolved('high-a', { priority: 5 }), resolved('high-b', { priority: 5 })];
    assert.deepEqual(names(deciding(policies, 'Enforce', {})), ['high-a', 'high-b']);
  });

  it('a policy of a lower priority decides if no policy of a higher priority selects the namespace', () => {
    const policies = [resolved('low', { priority: -1 }), resolved('high', { priority: 1, namespaceSelector: NET })];
    assert.deepEqual(names(deciding(policies, 'Enforce', {})), ['low']);
  });

  it('are separate for each mode', () => {
    const policies = [resolved('enforce'), resolved('audit', { mode: 'Audit', priority: 9 })];
    assert.deepEqual(names(deciding(policies, 'Enforce', {})), ['enforce']);
    assert.deepEqual(names(deciding(policies, 'Audit', {})), ['audit']);
    assert.deepEqual(names(deciding(policies, 'Warn', {})), []);
  });
});

describe('the policies that influence another one', () => {
  it('the influencing policies have the same mode, at least the same priority, and an overlapping selector', () => {
    const own = resolved('own', { namespaceSelector: NET });
    const policies = [
      own,
      resolved('equal'),
      resolved('higher', { priority: 1 }),
      resolved('lower', { priority: -1 }),
      resolved('other-mode', { mode: 'Warn' }),
      resolved('elsewhere', { namespaceSelector: { matchLabels: { team: 'db' } } }),
    ];
    assert.deepEqual(names(influencing(own, policies)), ['equal', 'higher']);
  });

  it('are all that the decision depends on', () => {
    fc.assert(
      fc.property(SOME, fc.constantFrom(...UNIVERSE), (specs, labels) => {
        const policies = specs.map((spec, index) => resolved(`policy-${index}`, spec));
        for (const policy of deciding(policies, 'Enforce', labels)) {
          const known = [policy, ...influencing(policy, policies)];
          assert.deepEqual(
            names(deciding(known, 'Enforce', labels)).sort(),
            names(deciding(policies, 'Enforce', labels)).sort(),
          );
        }
      }),
    );
  });
});

describe('excluded namespaces', () => {
  const patterns = ['kube-system', 'openshift-*'];
  for (const name of ['kube-system', 'openshift-', 'openshift-dns']) {
    it(`include ${name}`, () => assert.ok(isExcluded(name, patterns)));
  }
  for (const name of ['kube-system-2', 'my-openshift-dns', 'openshift', 'default']) {
    it(`do not include ${name}`, () => assert.ok(!isExcluded(name, patterns)));
  }
});
