import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type SelectedNamespace, selectedNamespaces } from '../../analysis/policies/selected-namespaces.ts';
import { deciding, isReached } from '../../operator/policy/deciding.ts';
import { partsOf } from '../../operator/policy/parts.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { matches } from '../../operator/policy/selector.ts';
import { resolved } from '../support/policies.ts';
import { SELECTOR, UNIVERSE } from '../support/random-selectors.ts';

const EXCLUDED = ['kube-*'];
const NAMESPACE = { terminating: false, labels: {} };
const one = <Of>(list: readonly Of[]): Of => {
  assert.equal(list.length, 1);
  return list[0] as Of;
};

function selectedIn(
  parts: readonly ResolvedPolicy[],
  all: readonly ResolvedPolicy[],
  namespaces: readonly { name: string; terminating: boolean; labels: Record<string, string> }[],
): SelectedNamespace[] {
  const labels = new Map(namespaces.map((namespace) => [namespace.name, namespace.labels]));
  const selecting = (name: string) => all.filter(({ selector }) => matches(selector, labels.get(name) ?? {}));
  return selectedNamespaces(parts, { namespaces, excluded: EXCLUDED, selecting });
}

describe('where a policy decides', () => {
  const low = resolved('low');
  const high = resolved('high', { priority: 5, namespaceSelector: { matchLabels: { team: 'net' } } });
  const other = resolved('other');
  const rolling = partsOf(resolved('rolling', { rollout: {} }), { begun: true });
  const pending = { name: 'a', terminating: false, labels: { 'rollout.capabilitypolicy.dev/rolling': 'pending' } };

  it('a policy that decides alone names the policies that it takes precedence over', () => {
    const all = [low, high];
    const net = { ...NAMESPACE, name: 'net', labels: { team: 'net' } };
    assert.deepEqual(one(selectedIn([high], all, [net, { ...NAMESPACE, name: 'web' }])), {
      namespace: 'net',
      mode: 'Enforce',
      pending: false,
      role: { name: 'Decides', over: [{ policy: 'low', priority: 0 }] },
    });
    assert.deepEqual(one(selectedIn([low], all, [net])).role, {
      name: 'Overridden',
      by: [{ policy: 'high', priority: 5 }],
    });
  });

  it('together with those of its priority', () => {
    const [found] = selectedIn([low], [low, other], [{ ...NAMESPACE, name: 'web' }]);
    assert.deepEqual(found?.role, { name: 'Shares', with: [{ policy: 'other', priority: 0 }], over: [] });
  });

  it('in a pending namespace, a policy decides in the mode of the rollout, in addition to an enforced policy', () => {
    const [found] = selectedIn(rolling, [...rolling, low], [pending]);
    assert.deepEqual(found, { namespace: 'a', mode: 'Warn', pending: true, role: { name: 'Decides', over: [] } });
    assert.equal(selectedIn(rolling, rolling, [{ ...pending, labels: {} }])[0]?.pending, false);
  });

  it('no policy decides in excluded namespaces, or in namespaces that are being deleted', () => {
    const names = selectedIn(
      [low],
      [low],
      [
        { ...NAMESPACE, name: 'kube-system', terminating: true },
        { ...NAMESPACE, name: 'old', terminating: true },
      ],
    ).map(({ namespace, role }) => [namespace, role.name]);
    assert.deepEqual(names, [
      ['kube-system', 'Excluded'],
      ['old', 'Terminating'],
    ]);
  });

  it('the result agrees with deciding() for random policies and namespaces', () => {
    const policies = fc.array(
      fc.record({
        namespaceSelector: fc.oneof(SELECTOR, fc.constant({})),
        priority: fc.integer({ min: 0, max: 2 }),
        mode: fc.constantFrom('Enforce' as const, 'Warn' as const),
        rolls: fc.boolean(),
      }),
      { minLength: 1, maxLength: 5 },
    );
    const namespaces = fc.array(
      fc.record({ labels: fc.constantFrom(...UNIVERSE), terminating: fc.boolean(), pending: fc.boolean() }),
      { maxLength: 4 },
    );
    let compared = 0;
    fc.assert(
      fc.property(policies, namespaces, (specs, given) => {
        const parts = specs.map(({ rolls, ...spec }, index) =>
          partsOf(resolved(`p${index}`, { ...spec, ...(rolls && { rollout: {} }) }), { begun: true }),
        );
        const all = parts.flat();
        const label = { 'rollout.capabilitypolicy.dev/p0': 'pending' };
        const spaces = given.map(({ pending, ...rest }, index) => ({
          ...rest,
          name: index === 0 ? 'kube-a' : `n${index}`,
          labels: { ...rest.labels, ...(pending && label) },
        }));
        for (const own of parts) {
          const byName = new Map(selectedIn(own, all, spaces).map((found) => [found.namespace, found]));
          for (const namespace of spaces) {
            const selected = own.filter(({ selector }) => matches(selector, namespace.labels));
            const found = byName.get(namespace.name);
            assert.equal(found !== undefined, selected.length > 0);
            if (!found) continue;
            compared += 1;
            const deciders = deciding(all, found.mode, namespace.labels);
            const decides = isReached(namespace, EXCLUDED) && deciders.includes(one(selected));
            assert.equal(found.role.name === 'Decides' || found.role.name === 'Shares', decides);
            const named = 'with' in found.role ? found.role.with : 'by' in found.role ? found.role.by : [];
            if (isReached(namespace, EXCLUDED))
              assert.deepEqual(
                named.map(({ policy }) => policy),
                deciders.filter((other) => !own.includes(other)).map(({ name }) => name),
              );
          }
        }
      }),
      { numRuns: 500 },
    );
    assert.ok(compared > 500, `${compared}`);
  });
});
