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

  it('before the first answer, the time is the time of the local clock', () => {
    assert.equal(ahead().now(), NOON + HOUR + 5_000);
  });

  it('after an answer, the time is the time of the API server, even if the local clock differs', () => {
    const time = ahead();
    time.saw(NOON);
    monotonic += 1_500;
    assert.equal(time.now(), NOON + 1_500);
  });

  it('uses the quickest answer, because slower answers state an older time', () => {
    const time = ahead();
    time.saw(NOON);
    monotonic += 10_000;
    time.saw(NOON + 4_000);
    assert.equal(time.now(), NOON + 10_000);
    time.saw(NOON + 11_000);
    assert.equal(time.now(), NOON + 11_000);
  });

  it('adopts the new time when the server clock is set back, and after a suspension of this machine', () => {
    const time = ahead();
    time.saw(NOON);
    time.saw(NOON - HOUR);
    assert.equal(time.now(), NOON - HOUR);
    time.saw(NOON + HOUR);
    assert.equal(time.now(), NOON + HOUR);
  });
});
