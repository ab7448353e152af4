import assert from 'node:assert/strict';
import { durationMs } from '../../operator/promotion/duration.ts';

describe('durationMs', () => {
  const cases: [text: string, seconds: number][] = [
    ['24h', 86_400],
    ['90m', 5_400],
    ['90s', 90],
    ['1h30m', 5_400],
    ['2h3m4s', 7_384],
    ['0s', 0],
  ];
  for (const [text, seconds] of cases) it(text, () => assert.equal(durationMs(text), seconds * 1_000));
});
