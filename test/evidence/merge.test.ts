/**
 * Tests merged evidence. The merged evidence of several files must equal the evidence of one file with the same
 * records.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mergeEvidence } from '../../analysis/evidence/merge.ts';
import {
  type CapabilityUse,
  CHECK_OUTCOMES,
  type ContainerWatch,
  type Evidence,
  NOISE,
  type Noise,
} from '../../analysis/evidence/use.ts';

const WEB = { namespace: 'shop', pod: 'web-5d9c7b8f6d-x2x4z', container: 'web' };
const USE: CapabilityUse = { ...WEB, capability: 'CHOWN', outcome: 'granted', count: 1 };

const evidence = (uses: readonly CapabilityUse[], watches: readonly ContainerWatch[] = []): Evidence => ({
  uses,
  watches,
});

describe('merging evidence', () => {
  it('merging sums the counts of equal uses, and keeps the first and the last time', () => {
    const early = { ...USE, count: 2, first: '2026-11-01T10:00:00.000Z', last: '2026-11-01T10:00:01.000Z' };
    const late = { ...USE, count: 3, first: '2026-11-02T10:00:00.000Z', last: '2026-11-02T10:00:01.000Z' };
    assert.deepEqual(mergeEvidence([evidence([late]), evidence([early])]).uses, [
      { ...USE, count: 5, first: early.first, last: late.last },
    ]);
  });

  it('keeps one example, whatever the order', () => {
    const tar = { ...USE, example: { command: 'tar', callSite: 'SYS_FCHOWNAT' } };
    const chown = { ...USE, example: { command: 'chown' } };
    for (const uses of [
      [tar, USE, chown],
      [chown, tar, USE],
    ]) {
      assert.deepEqual(mergeEvidence([evidence(uses)]).uses, [{ ...USE, count: 3, example: chown.example }]);
    }
  });

  it('merging keeps uses separate if outcome, noise, container, pod or workload differ', () => {
    const uses: CapabilityUse[] = [
      USE,
      { ...USE, outcome: 'refused' },
      { ...USE, noise: 'NonAudit' },
      { ...USE, container: 'proxy' },
      { ...USE, pod: 'web-5d9c7b8f6d-aaaaa' },
      { ...USE, workload: { kind: 'Deployment', name: 'web' } },
    ];
    assert.equal(mergeEvidence([evidence(uses)]).uses.length, uses.length);
  });

  it('merging counts a watch once if two files contain the watch', () => {
    const watch = { ...WEB, from: '2026-11-01T10:00:00.000Z', to: '2026-11-01T11:00:00.000Z', started: true };
    const other = { ...watch, to: '2026-11-01T12:00:00.000Z' };
    assert.deepEqual(mergeEvidence([evidence([], [watch, other]), evidence([], [watch])]).watches, [watch, other]);
  });

  it('merging does not depend on the order of records, or on how files split the records', () => {
    const time = fc.integer({ min: 0, max: 9 }).map((second) => `2026-11-01T10:00:0${second}.000Z`);
    const use: fc.Arbitrary<CapabilityUse> = fc
      .record(
        {
          namespace: fc.constant('shop'),
          pod: fc.constantFrom('a', 'b'),
          container: fc.constantFrom('x', 'y'),
          capability: fc.constantFrom('CHOWN', 'KILL'),
          outcome: fc.constantFrom(...CHECK_OUTCOMES),
          noise: fc.constantFrom(...(Object.keys(NOISE) as Noise[])),
          count: fc.integer({ min: 1, max: 5 }),
          first: time,
          last: time,
          example: fc.record(
            { command: fc.constantFrom('sh', 'tar'), callSite: fc.constantFrom('SYS_OPEN', 'SYS_KILL') },
            { requiredKeys: ['command'], noNullPrototype: true },
          ),
        },
        {
          requiredKeys: ['namespace', 'pod', 'container', 'capability', 'outcome', 'count'],
          noNullPrototype: true,
        },
      )
      .map((one) => one as CapabilityUse);
    fc.assert(
      fc.property(
        fc.array(use, { maxLength: 12 }).chain((uses) => fc.tuple(fc.constant(uses), shuffled(uses), fc.nat(12))),
        ([uses, other, cut]) => {
          const split = mergeEvidence([
            mergeEvidence([evidence(other.slice(0, cut))]),
            mergeEvidence([evidence(other.slice(cut))]),
          ]);
          assert.deepEqual(split, mergeEvidence([evidence(uses)]));
        },
      ),
    );
  });
});

function shuffled<Value>(values: readonly Value[]): fc.Arbitrary<Value[]> {
  return fc.shuffledSubarray([...values], { minLength: values.length, maxLength: values.length });
}
