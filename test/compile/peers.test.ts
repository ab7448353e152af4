/** Of policies that decide in the very same namespaces, one admission policy decides for all (docs/decisions/0006). */
import assert from 'node:assert/strict';
import { outcomeOf } from '../../operator/apply/progress.ts';
import { stale, standing } from '../../operator/apply/standing.ts';
import type { RenderedObject } from '../../operator/cluster/objects.ts';
import { type Compiled, compile } from '../../operator/compile/compile.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy } from '../policy/policies.ts';

const OPTIONS = {
  oldestServer: NEWEST_KNOWN_MINOR,
  operatorNamespace: 'capabilitypolicy-system',
  excludedNamespaces: [],
};
const NET = { matchLabels: { team: 'net' } };
const NET_RAW = { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } };

function rendered(...policies: Parameters<typeof policy>[]): Compiled {
  return compile(
    policies.map((args) => policy(...args)),
    OPTIONS,
  );
}

function setOf({ rendered }: Compiled, name: string) {
  const set = rendered.get(name)?.admission;
  assert.ok(set);
  return set;
}

/** The policies whose own admission policy is bound to pods. */
function bound(compiled: Compiled): string[] {
  return [...compiled.rendered].flatMap(([name, { admission }]) =>
    admission.objects.some(({ metadata }) => metadata.name === `capabilitypolicy-${name}-${admission.ruleset}-pods`)
      ? [name]
      : [],
  );
}

describe('of peers', () => {
  for (const [what, policies, expected] of [
    ['the first by name is bound', [['b', NET_RAW], ['a'], ['c']], ['a']],
    ['there are none without the same selector', [['a'], ['b', { namespaceSelector: NET }]], ['a', 'b']],
    ['there are none without the same priority', [['a'], ['b', { priority: 1 }]], ['a', 'b']],
    ['there are none without the same mode', [['a'], ['b', { mode: 'Audit' }]], ['a', 'b']],
    [
      'there may be several kinds',
      [['a'], ['b', { namespaceSelector: NET }], ['c'], ['d', { namespaceSelector: NET }]],
      ['a', 'b'],
    ],
  ] as [string, Parameters<typeof policy>[], string[]][]) {
    it(what, () => assert.deepEqual(bound(rendered(...policies)), expected));
  }

  it('all own what decides for them, and nobody else does', () => {
    const compiled = rendered(['a'], ['b'], ['c', { namespaceSelector: NET }]);
    const owners = (name: string) =>
      setOf(compiled, name).objects.map(({ metadata }) =>
        metadata.ownerReferences.map((owner) => (owner as { name: string }).name).join(' '),
      );
    assert.deepEqual([...new Set(owners('a'))], ['a b']);
    assert.deepEqual([...new Set(owners('b'))], ['b']);
  });

  it('each has another ruleset when one of them changes', () => {
    const before = rendered(['a'], ['b'], ['c']);
    const after = rendered(['a'], ['b'], ['c', NET_RAW]);
    for (const name of ['a', 'b', 'c']) {
      assert.notEqual(setOf(after, name).ruleset, setOf(before, name).ruleset, name);
    }
  });

  it('the old sets stay when the API server refuses what decides for them', () => {
    const objects = ({ rendered }: Compiled) =>
      [...rendered.values()].flatMap(({ admission }) => admission.objects) as unknown as RenderedObject[];
    const before = objects(rendered(['b'], ['d', { namespaceSelector: NET }]));
    const after = rendered(['a'], ['b', NET_RAW], ['d', { namespaceSelector: NET, level: 'baseline' }]);
    const leaving = (failed: string[]) =>
      new Set(
        stale(after, standing([...before, ...objects(after)]), new Set(failed)).map(
          ({ metadata }) => metadata.labels?.['capabilitypolicy.dev/policy'],
        ),
      );
    assert.deepEqual(leaving([]), new Set(['b', 'd']));
    assert.deepEqual(leaving(['a']), new Set(['d']));
  });

  describe('none is in force', () => {
    const compiled = rendered(['a'], ['b']);
    const inForce = (...names: string[]) =>
      new Map([...names, 'Guard'].map((name) => [name, { ruleset: rulesetOf(name), servers: 1 }]));
    const rulesetOf = (name: string) => (name === 'Guard' ? compiled.guard : setOf(compiled, name))?.ruleset ?? '';
    const outcome = (name: string, progress: object) => {
      const resolved = compiled.policies.find((one) => one.name === name);
      assert.ok(resolved);
      return outcomeOf(resolved, compiled, {
        failures: new Map(),
        inForce: inForce('a', 'b'),
        awaited: new Map(),
        outdated: new Map(),
        useAwaited: new Set(),
        known: new Map(),
        answering: 1,
        ...progress,
      });
    };

    it('but where what decides is', () => {
      assert.equal(outcome('b', {}).state, 'InForce');
      assert.deepEqual(outcome('b', { inForce: inForce('b') }).servers, { inForce: 0, answering: 1 });
      // It has been before: that its peer's objects were tampered with is not only the peer's to report.
      const known = new Map([['b', rulesetOf('b')]]);
      assert.equal(outcome('b', { inForce: inForce('b'), known }).state, 'Working');
    });

    it('where the API server refuses what decides', () => {
      const { state, message } = outcome('b', { failures: new Map([['a', 'too long']]) });
      assert.deepEqual([state, message], ['Failed', 'too long']);
    });
  });
});
