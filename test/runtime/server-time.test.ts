import assert from 'node:assert/strict';
import { ServerTime } from '../../operator/runtime/clock.ts';

const NOON = Date.parse('2026-01-01T12:00:00Z');
const HOUR = 3_600_000;

describe("the API server's time", () => {
  let monotonic = 0;
  const ahead = () =>
    new ServerTime(
      () => monotonic,
      () => NOON + HOUR + monotonic,
    );

  beforeEach(() => {
    monotonic = 5_000;
  });

  it('is that of our own clock before the first answer', () => {
    assert.equal(ahead().now(), NOON + HOUR + 5_000);
  });

  it('is that of the answers, whatever our own clock says', () => {
    const time = ahead();
    time.saw(NOON);
    monotonic += 1_500;
    assert.equal(time.now(), NOON + 1_500);
  });

  it('goes by the answer that was quickest: the others state a time that has passed', () => {
    const time = ahead();
    time.saw(NOON);
    monotonic += 10_000;
    time.saw(NOON + 4_000);
    assert.equal(time.now(), NOON + 10_000);
    time.saw(NOON + 11_000);
    assert.equal(time.now(), NOON + 11_000);
  });

  it('follows when the clock of the server is set back, and when this machine was suspended', () => {
    const time = ahead();
    time.saw(NOON);
    time.saw(NOON - HOUR);
    assert.equal(time.now(), NOON - HOUR);
    time.saw(NOON + HOUR);
    assert.equal(time.now(), NOON + HOUR);
  });
});
