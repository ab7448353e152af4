/** Tests that the state of a rollout can be written to ConfigMaps and read back. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { configMapsOf, keptIn, placed } from '../../operator/apply/rollout-config-maps.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import type { Entry, RolloutState } from '../../operator/promotion/state.ts';

const NONE = new Map<string, number>();

const ENTRY: fc.Arbitrary<Entry> = fc.record(
  {
    uid: fc.uuid(),
    state: fc.constantFrom('Undecided', 'Pending', 'Soaking', 'Blocked', 'Enforced'),
    since: fc.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 }),
  },
  { noNullPrototype: true },
);
const STATE: fc.Arbitrary<RolloutState> = fc
  .record({ begun: fc.boolean(), entries: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/), ENTRY) })
  .map(({ begun, entries }) => ({
    uid: 'p',
    begun,
    ...(begun && { selector: { matchLabels: { team: 'a' } }, lastPromotion: 1_700_000_000_000 }),
    namespaces: new Map(Object.entries(entries)),
  }));

function many(count: number): RolloutState {
  const names = Array.from({ length: count }, (_, i) => `namespace-${i}`);
  const entry = (name: string) =>
    [name, { uid: `uid-of-${name}`.padEnd(36, '0'), state: 'Soaking', since: 1 }] as const;
  return { uid: 'p', begun: true, selector: {}, namespaces: new Map(names.map(entry)) };
}

describe('the ConfigMaps of a rollout', () => {
  it('keep its state', () => {
    fc.assert(
      fc.property(STATE, (state) => {
        const maps = configMapsOf('it', state, placed(state, NONE), 'system');
        const { state: kept, placement } =
          keptIn([...maps.values()] as unknown as RawObject[]).get('it') ?? assert.fail();
        assert.deepEqual(sorted(kept), sorted(state));
        assert.deepEqual([...placement].sort(), [...placed(state, NONE)].sort());
      }),
    );
  });

  it('a rollout with many namespaces has several ConfigMaps, each far below the limit of 1 MiB', () => {
    const state = many(5_000);
    const maps = configMapsOf('it', state, placed(state, NONE), 'system');
    assert.equal(maps.size, 10);
    for (const one of maps.values()) assert.ok(JSON.stringify(one).length < 100_000);
  });

  it('a namespace stays in its ConfigMap, so that a change rewrites a single ConfigMap', () => {
    const state = many(1_200);
    const before = placed(state, NONE);
    const [first = ''] = state.namespaces.keys();
    const fewer = { ...state, namespaces: new Map([...state.namespaces].filter(([name]) => name !== first)) };
    const after = placed(fewer, before);
    for (const [name, index] of after) assert.equal(index, before.get(name));
    const more = {
      ...fewer,
      namespaces: new Map([...fewer.namespaces, ['new', { uid: 'u', state: 'Pending', since: 1 } as Entry]]),
    };
    assert.equal(placed(more, after).get('new'), 0);
  });

  it('have names that no other policy has', () => {
    const names = ['a', 'a.1', '1.a'].flatMap((name) =>
      [...configMapsOf(name, many(600), placed(many(600), NONE), 'system').values()].map(
        ({ metadata }) => metadata.name,
      ),
    );
    assert.equal(new Set(names).size, names.length);
  });

  it('ConfigMaps with broken entries are read as far as possible', () => {
    const [, owner] = [...configMapsOf('it', many(1), NONE, 'system')][0] ?? assert.fail();
    const data = {
      'rollout.json': '{',
      broken: 'no JSON',
      other: '{"uid": 1}',
      fine: JSON.stringify({ uid: 'u', state: 'Blocked', since: '2026-01-01T00:00:00Z' }),
    };
    const kept = keptIn([{ ...owner, data } as unknown as RawObject]).get('it');
    assert.deepEqual([kept?.state.begun, [...(kept?.state.namespaces.keys() ?? [])]], [false, ['fine']]);
  });
});

function sorted({ namespaces, ...rest }: RolloutState) {
  return { ...rest, namespaces: [...namespaces].sort(([a], [b]) => (a < b ? -1 : 1)) };
}
