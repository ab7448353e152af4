import assert from 'node:assert/strict';
import { formatTime, NEVER, nextStageAt, parseTime, stageOf } from '../../operator/policy/expiry.ts';

const DAY = 86_400_000;

describe('times', () => {
  for (const [text, utc] of [
    ['2027-01-31T00:00:00Z', '2027-01-31T00:00:00Z'],
    ['2027-01-31T00:00:00+05:30', '2027-01-30T18:30:00Z'],
    ['2028-02-29T23:59:59-01:00', '2028-03-01T00:59:59Z'],
  ] as const) {
    it(`${text} is ${utc}`, () => assert.equal(formatTime(parseTime(text) ?? 0), utc));
  }

  for (const text of [
    '',
    'tomorrow',
    '2027-01-31',
    '2027-01-31T00:00:00',
    '2027-01-31T00:00:00.5Z',
    '2027-02-30T00:00:00Z',
    '2027-02-29T00:00:00+01:00',
    '2027-01-31T24:00:00Z',
    '2027-01-31T00:00:60Z',
    '2027-01-31t00:00:00z',
    ' 2027-01-31T00:00:00Z',
    '+002027-01-31T00:00:00Z',
  ]) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(parseTime(text), undefined));
  }
});

describe('the stages before an end', () => {
  const end = parseTime('2027-01-31T00:00:00Z') as number;
  for (const [left, stage, next] of [
    [400 * DAY, 'Later', end - 7 * DAY],
    [7 * DAY + 1, 'Later', end - 7 * DAY],
    [7 * DAY, 'WithinAWeek', end - DAY],
    [DAY, 'WithinADay', end],
    [1, 'WithinADay', end],
    [0, 'Expired', NEVER],
    [-DAY, 'Expired', NEVER],
  ] as const) {
    it(`${left} ms before: ${stage}`, () => {
      assert.deepEqual([stageOf(end, end - left), nextStageAt(end, end - left)], [stage, next]);
    });
  }
});
