import assert from 'node:assert/strict';
import { Rounds } from '../../operator/apply/rounds.ts';

describe('Rounds of questions about rulesets', () => {
  let now: number;
  let asked: string[];
  let rounds: Rounds;
  const set = (name: string) => ({ name });

  beforeEach(() => {
    now = 0;
    asked = [];
    rounds = new Rounds({ now: () => now });
  });

  /** @returns the names that were asked about */
  async function round(
    sets: readonly { readonly name: string }[],
    isWanted: (name: string) => boolean,
    ms = 1,
  ): Promise<string[]> {
    asked = [];
    await rounds.ask(sets, async ({ name }) => {
      asked.push(name);
      now += ms;
      return isWanted(name);
    });
    return asked;
  }

  it('asks about all, as long as the answers are the wanted ones', async () => {
    const sets = Array.from({ length: 50 }, (_, index) => set(`set-${index}`));
    const answered = await round(sets, () => true);
    assert.deepEqual(
      answered,
      sets.map(({ name }) => name),
    );
  });

  it('asks about few, when the answers are not the wanted ones', async () => {
    const answered = await round(
      Array.from({ length: 50 }, (_, index) => set(`set-${index}`)),
      () => false,
    );
    assert.ok(answered.length >= 3 && answered.length < 8, `asked about ${answered.length}`);
  });

  it('asks about one ruleset ten times in its first second, and then ever more rarely', async () => {
    const one = set('one');
    const times: number[] = [];
    for (; now <= 40_000; now += 10) if ((await round([one], () => false, 0)).length > 0) times.push(now);
    const within = (from: number, to: number) => times.filter((time) => time >= from && time < to).length;
    assert.equal(within(0, 1_000), 10);
    assert.ok(within(10_000, 20_000) <= 8, `asked ${within(10_000, 20_000)} times between 10 and 20 s`);
    assert.ok(within(20_000, 40_000) >= 4, 'gave up');
  });

  it('pauses after unwanted answers, so that they take at most a fifth of the time', async () => {
    const sets = Array.from({ length: 50 }, (_, index) => set(`set-${index}`));
    let spent = 0;
    for (let look = 0; look < 400; look++) {
      const before = now;
      await round(sets, () => false, 20);
      spent += now - before;
      now += 10;
    }
    assert.ok(spent / now < 0.25, `${Math.round((100 * spent) / now)} % of the time`);
  });

  it('begins with those that have waited longest', async () => {
    const [early, late] = [set('early'), set('late')];
    await round([early], () => false);
    now += 5_000;
    assert.deepEqual(await round([late, early], () => true), ['early', 'late']);
  });

  it('asks at once about a ruleset that waits again', async () => {
    const one = set('one');
    await round([one], () => false);
    now += 60_000;
    await round([one], () => true);
    assert.deepEqual(await round([one], () => false), ['one']);
    now += 100;
    assert.deepEqual(await round([one], () => false), ['one']);
  });
});
