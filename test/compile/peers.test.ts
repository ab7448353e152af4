/**
 * Among policies that decide in exactly the same namespaces, one admission policy decides for all
 * (docs/decisions/0006).
 */
import assert from 'node:assert/strict';
import { outcomeOf, type Seen } from '../../operator/apply/progress.ts';
import { standing, unwanted } from '../../operator/apply/standing.ts';
import { type Compiled, compile } from '../../operator/compile/compile.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy } from '../support/policies.ts';

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

  it('all own the deciding set, and nobody else does', () => {
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

  describe('the old sets', () => {
    const objects = ({ rendered }: Compiled) =>
      [...rendered.values()].flatMap(({ admission }) => admission.objects) as unknown as RenderedObject[];
    /** The policies whose old sets are deleted. */
    const leaving = (before: Compiled, after: Compiled, failed: string[]) => {
      const live = standing([...objects(before), ...objects(after)]);
      const { stale } = unwanted(after, live, new Set(failed));
      return [...new Set(stale.map(({ metadata }) => metadata.labels?.['capabilitypolicy.dev/policy']))];
    };

    it('stay when the API server refuses the deciding set', () => {
      const before = rendered(['b'], ['d', { namespaceSelector: NET }]);
      const after = rendered(['a'], ['b', NET_RAW], ['d', { namespaceSelector: NET, level: 'baseline' }]);
      assert.deepEqual(leaving(before, after, []), ['b', 'd']);
      assert.deepEqual(leaving(before, after, ['a']), ['d']);
    });

    for (const [what, ...rest] of [
      ['is gone'],
      ['has another selector', ['a', { namespaceSelector: NET }]],
      ['has another priority', ['a', { priority: -1 }]],
    ] as [string, ...Parameters<typeof policy>[]][]) {
      it(`stay when the first ${what}, and the API server refuses the set that would decide instead`, () => {
        const [before, after] = [rendered(['a'], ['b']), rendered(...rest, ['b'])];
        assert.deepEqual(leaving(before, after, []), ['a', 'b']);
        assert.deepEqual(leaving(before, after, ['b']), []);
      });
    }

    it('stay for a peer that cannot be compiled any more, and was never accepted', () => {
      const before = rendered(['a'], ['b']);
      for (const others of [[['a', NET_RAW]], []] as Parameters<typeof policy>[][]) {
        const after = rendered(...others, ['b', { levelVersion: 'v1.99' }]);
        assert.deepEqual([...after.refusals.keys()], ['b']);
        assert.deepEqual(leaving(before, after, []), []);
      }
    });

    it('do not include objects that somebody else named as we do, even with our managed-by label', () => {
      const theirs = { apiVersion: 'v1', kind: 'ClusterRole', metadata: { name: 'capabilitypolicy-viewer' } };
      assert.deepEqual(unwanted(rendered(['a']), standing([theirs]), new Set()), { stale: [], kept: [] });
    });

    it("are deleted when only the object that answers a peer's probe is refused", () => {
      assert.deepEqual(leaving(rendered(['a'], ['b']), rendered(['a', NET_RAW], ['b']), ['b']), ['a']);
    });
  });

  describe('none is in force', () => {
    const compiled = rendered(['a'], ['b']);
    const rulesetOf = (name: string) =>
      (name === 'Guard' ? compiled.guards[0]?.admission : setOf(compiled, name))?.ruleset ?? '';
    const NOTHING = {
      failure: undefined,
      inForce: undefined,
      obstacle: undefined,
      usersWait: false,
      programmed: undefined,
    };
    const inForce = (...names: string[]) =>
      [...names, 'Guard'].map((name): [string, Seen] => [
        name,
        { ...NOTHING, inForce: { ruleset: rulesetOf(name), servers: 1 } },
      ]);
    const outcome = (name: string, ...records: readonly (readonly [string, Seen])[]) => {
      const resolved = compiled.policies.find((one) => one.name === name);
      assert.ok(resolved);
      return outcomeOf(resolved, compiled, { records: new Map(records), outdated: new Map(), answering: 1 });
    };

    it('unless the deciding set is', () => {
      assert.equal(outcome('b', ...inForce('a', 'b')).state, 'InForce');
      assert.deepEqual(outcome('b', ...inForce('b')).servers, { inForce: 0, answering: 1 });
      // It was in force before: if somebody tampers with its peer's objects, the peer is not the only one to report it.
      const [before = NOTHING] = inForce('b').map(([, record]) => ({ ...record, programmed: rulesetOf('b') }));
      assert.equal(outcome('b', ['b', before]).state, 'Working');
    });

    it('if the API server refuses the deciding set', () => {
      const { state, message } = outcome('b', ...inForce('b'), ['a', { ...NOTHING, failure: 'too long' }]);
      assert.deepEqual([state, message], ['Failed', 'too long']);
    });
  });
});
