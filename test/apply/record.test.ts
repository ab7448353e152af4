import assert from 'node:assert/strict';
import { Records, RulesetRecord } from '../../operator/apply/record.ts';
import { ApiError } from '../../operator/cluster/client.ts';
import type { AdmissionSet } from '../../operator/compile/admission-set.ts';

const set = (policy: string, ruleset: string): AdmissionSet => ({ policy, ruleset, objects: [], mutates: false });
const leaving = (ruleset: string) => ({ policy: 'it', ruleset, mutates: false, uses: [ruleset] });
const refusal = (status: number) =>
  new ApiError({ status, reason: 'Test', message: `refused with ${status}`, causes: [] });

let now: number;
const clock = { now: () => now };

beforeEach(() => {
  now = 0;
});

describe('RulesetRecord', () => {
  let record: RulesetRecord;

  beforeEach(() => {
    record = new RulesetRecord(clock);
    record.desired = set('it', 'new');
  });

  it('a ruleset that is being deleted is no longer in force, and another one remains in force', () => {
    record.inForce = { ruleset: 'new', servers: 1 };
    record.left(leaving('old'));
    assert.equal(record.isInForce, true);
    record.left(leaving('new'));
    assert.equal(record.isInForce, false);
    assert.equal(record.comesBack, true);
  });

  it('trusts at once that a ruleset is gone only if it was seen in force: otherwise its probe may never have been loaded', () => {
    record.cameIntoForce('new', 1);
    for (const ruleset of ['new', 'never']) record.left(leaving(ruleset));
    const trusted = () => record.trustedLeaving.map(({ ruleset }) => ruleset);
    assert.deepEqual(trusted(), ['new']);
    // The operator has to see a copy that comes back once more.
    record.gone('new');
    record.left(leaving('new'));
    assert.deepEqual(trusted(), []);
    now += 3_000;
    assert.deepEqual(trusted(), ['never', 'new']);
  });

  it('remembers all objects of a leaving ruleset', () => {
    record.left({ ...leaving('old'), mutates: true });
    record.left({ ...leaving('old'), uses: ['b'] });
    const [{ mutates, uses } = leaving('')] = record.leaving.values();
    assert.deepEqual([mutates, uses], [true, ['old', 'b']]);
  });

  for (const status of [403, 413, 422]) {
    it(`an error ${status} is a failure at once, but counts as permanent only later`, () => {
      record.refused(refusal(status));
      assert.deepEqual([record.failure, record.obstacle], [`refused with ${status}`, undefined]);
      assert.equal(record.isRefusedForGood, false);
      for (const later of [5_000, 9_999]) {
        now += later;
        record.refused(refusal(status));
        assert.equal(record.isRefusedForGood, false);
      }
      now += 1;
      assert.equal(record.isRefusedForGood, true);
    });
  }

  it('asks for a ruleset again only when API servers have had time to load what was written', () => {
    record.written = 'new';
    assert.equal(record.isProbed, true);
    record.distrustUntilCompiled();
    assert.equal(record.isProbed, false);
    now += 3_000;
    assert.equal(record.isProbed, true);
  });

  for (const status of [409, 429, 500, 503]) {
    it(`an error ${status} is an obstacle twice, and then a failure`, () => {
      for (let time = 0; time < 2; time++) {
        record.refused(refusal(status));
        assert.deepEqual([record.failure, record.obstacle], [undefined, `refused with ${status}`]);
      }
      record.refused(refusal(status));
      assert.deepEqual([record.failure, record.obstacle], [`refused with ${status}`, undefined]);
    });
  }
});

describe('Records', () => {
  it('forget: drops undesired rulesets once nothing of them is left', () => {
    const records = new Records(clock);
    records.begin([set('a', '1'), set('b', '1')], ['server']);
    records.of('a').left(leaving('0'));
    for (const name of ['a', 'b']) records.of(name).refused(refusal(403));
    records.begin([], ['server']);
    assert.deepEqual([...records.keys()], ['a']);
    assert.deepEqual([...records.refused()], []);
    records.of('a').leaving.clear();
    records.begin([], ['server']);
    assert.equal(records.size, 0);
  });

  it('begin: a ruleset in force counts as long as the API servers are the same', () => {
    const records = new Records(clock);
    const begin = (...servers: string[]) => records.begin([set('a', '1')], servers);
    begin('one');
    records.of('a').inForce = { ruleset: '1', servers: 1 };
    begin('one');
    assert.equal(records.of('a').isInForce, true);
    begin('one', 'other');
    assert.equal(records.of('a').isInForce, false);
  });
});
