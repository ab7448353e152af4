/**
 * Tests the playground's comparison of two texts. The differences, sentences and problems must equal the output of
 * `cappol compare`.
 */
import assert from 'node:assert/strict';
import { dump, load } from 'js-yaml';
import { compare, DIRECTIONS } from '../../analysis/compare/compare.ts';
import { manifestOf } from '../../analysis/compare/witness.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { type CompareAnswer, type ComparedTexts, compareTexts } from '../../ui/worker/compare.ts';
import { type Spec, type Specs, setOf, textOf } from '../compare/sets.ts';
import { writtenPolicy } from '../support/policies.ts';

const NOON = Date.parse('2026-11-26T12:00:00Z');
const MOST_PODS = 20_000;

const RESTRICTED: Spec = { level: 'restricted', mode: 'Enforce', namespaceSelector: {} };
const TEAM = { matchLabels: { team: 'net' } };

interface Row {
  readonly title: string;
  readonly before: Specs;
  readonly now: Specs;
  /**
   * The differences as texts. Each text states the direction of a difference, the rule, the namespaces and the users.
   */
  readonly found: readonly string[];
}

const ROWS: readonly Row[] = [
  { title: 'the same text', before: { a: RESTRICTED }, now: { a: RESTRICTED }, found: [] },
  {
    title: 'an edit that opens',
    before: { a: RESTRICTED },
    now: { a: { ...RESTRICTED, overrides: { hostPID: true } } },
    found: ['opens rule hostPID, in every namespace'],
  },
  {
    title: 'an edit that closes',
    before: { a: { ...RESTRICTED, overrides: { hostPID: true } } },
    now: { a: RESTRICTED },
    found: ['closes rule hostPID, in every namespace'],
  },
  {
    title: 'an edit that opens and closes',
    before: { a: { ...RESTRICTED, overrides: { hostPID: true } } },
    now: { a: { ...RESTRICTED, overrides: { hostNetwork: true } } },
    found: ['opens rule hostNetwork, in every namespace', 'closes rule hostPID, in every namespace'],
  },
  {
    title: 'an exception for some users in some namespaces',
    before: { a: RESTRICTED },
    now: {
      a: RESTRICTED,
      b: {
        ...RESTRICTED,
        namespaceSelector: TEAM,
        usableBy: 'Bindings',
        overrides: { hostIPC: true },
      },
    },
    found: ['opens rule hostIPC, in namespaces with team=net, for users who may use policy b'],
  },
];

describe('the comparison of two texts', function () {
  this.timeout(120_000);

  for (const { title, before, now, found } of ROWS) {
    it(`has the differences of compare() for ${title}`, () => {
      const compared = comparedTexts(before, now);
      assert.deepEqual(
        compared.differences.items.map(({ direction, where }) => `${direction} ${where}`),
        found,
      );
      assertSameAsCompare(compared, before, now);
      const states = compared.summaries.map(({ state }) => state);
      const expected = DIRECTIONS.map((direction) =>
        found.some((one) => one.startsWith(direction)) ? direction : 'proved',
      );
      assert.deepEqual(states, found.length === 0 ? ['proved'] : expected);
    });
  }

  const WRONG = dump(writtenPolicy('wrong')).replace('level: restricted', 'level: restrictd');
  for (const [file, texts] of Object.entries({
    before: { before: WRONG, policies: textOf({ a: RESTRICTED }) },
    policies: { before: textOf({ a: RESTRICTED }), policies: `${textOf({ a: RESTRICTED })}---\n${WRONG}` },
  })) {
    it(`compares nothing if the text ${file} has an error, because a missing policy would make the result wrong`, () => {
      const { troubles, compared } = answerOf(texts);
      assert.equal(compared, undefined);
      assert.deepEqual(
        troubles.map((trouble) => [trouble.file, /spec\.level/.test(trouble.message)]),
        [[file, true]],
      );
    });
  }

  it('says what the answer leaves out', () => {
    const expiring: Spec = { ...RESTRICTED, expires: '2026-12-24T00:00:00Z' };
    assert.deepEqual(comparedTexts({ a: { ...RESTRICTED, mode: 'Audit' } }, {}).notes, [
      'this set has no policy that is in force',
      'modes Warn and Audit refuse nothing and are not compared: a',
    ]);
    assert.deepEqual(comparedTexts({ a: expiring }, { a: expiring }).notes, [
      'the answer holds until 2026-12-24T00:00:00Z, when a policy expires',
    ]);
  });

  it('counts all differences, and describes only the first 50', () => {
    const tenants = (hostPID: boolean): Specs =>
      Object.fromEntries(
        Array.from({ length: 60 }, (_, i) => {
          const namespaceSelector = { matchLabels: { tenant: `tenant-${i}` } };
          return [`tenant-${i}`, { ...RESTRICTED, level: 'privileged', namespaceSelector, overrides: { hostPID } }];
        }),
      );
    const { summaries, differences } = comparedTexts(tenants(false), tenants(true));
    assert.deepEqual([differences.items.length, differences.more], [50, 10]);
    assert.match(summaries[0]?.text ?? '', /: 60 differences/);
  });

  it('proves nothing if the time is over before the comparison begins', () => {
    const text = textOf({ a: RESTRICTED });
    const { compared } = compareTexts({
      before: text,
      policies: text,
      serverVersion: NEWEST_KNOWN_MINOR,
      at: NOON,
      until: 0,
    });
    assert.equal(compared?.isCut, true);
    assert.deepEqual(
      compared?.summaries.map(({ state }) => state),
      ['undecided', 'undecided'],
    );
  });
});

function assertSameAsCompare({ differences, undecided }: ComparedTexts, before: Specs, now: Specs): void {
  const expected = compare(setOf(before), setOf(now), { limit: MOST_PODS });
  assert.deepEqual(
    differences.items.map(({ direction, rule, pod }) => ({ direction, rule, pod: load(pod) })),
    DIRECTIONS.flatMap((direction) =>
      expected[direction].map(({ rules, pod }) => ({
        direction,
        rule: rules[0],
        pod: JSON.parse(JSON.stringify(manifestOf(pod))),
      })),
    ),
  );
  assert.equal(undecided.items.length + undecided.more, expected.undecided.length);
}

function comparedTexts(before: Specs, now: Specs): ComparedTexts {
  const { compared, troubles } = answerOf({ before: textOf(before), policies: textOf(now) });
  assert.ok(compared, JSON.stringify(troubles));
  return compared;
}

function answerOf(texts: { readonly before: string; readonly policies: string }): CompareAnswer {
  return compareTexts({ ...texts, serverVersion: NEWEST_KNOWN_MINOR, at: NOON });
}
