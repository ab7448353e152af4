/** Tests questions to the worker while a user types. The worker answers the newest question. */
import assert from 'node:assert/strict';
import { latest } from '../../ui/worker/latest.ts';

describe('if only the newest question matters', () => {
  it('drops questions that were replaced while another question was pending', async () => {
    const asked: string[] = [];
    const shown: string[] = [];
    let finish = () => {};
    const ask = latest(
      (question: string) => {
        asked.push(question);
        const { promise, resolve } = Promise.withResolvers<string>();
        finish = () => resolve(`answer to ${question}`);
        return promise;
      },
      { answer: (answer) => shown.push(answer), error: () => {} },
    );
    for (const question of ['a', 'ab', 'abc', 'abcd']) ask(question);
    for (let turn = 0; turn < 4; turn++) {
      finish();
      await new Promise(setImmediate);
    }
    assert.deepEqual(asked, ['a', 'abcd']);
    assert.deepEqual(shown, ['answer to a', 'answer to abcd']);
  });

  it('goes on after an error', async () => {
    const shown: string[] = [];
    const ask = latest(
      async (question: string) => {
        if (question === 'bad') throw new Error('no');
        return question;
      },
      { answer: (answer) => shown.push(answer), error: (error) => shown.push(String(error)) },
    );
    ask('bad');
    await new Promise(setImmediate);
    ask('good');
    await new Promise(setImmediate);
    assert.deepEqual(shown, ['Error: no', 'good']);
  });
});

describe('questions whose work is stopped by a newer question', () => {
  /** Asks questions. The returned functions end the work on the question that is asked now. */
  function asking() {
    const log: string[] = [];
    let work = Promise.withResolvers<string>();
    const ask = latest(
      (question: string) => {
        log.push(`ask ${question}`);
        work = Promise.withResolvers();
        return work.promise;
      },
      { answer: (answer) => log.push(answer), error: (error) => log.push(String(error)) },
      () => {
        log.push('stop');
        work.reject(new Error('stopped'));
      },
    );
    const turn = () => new Promise(setImmediate);
    return { log, ask, turn, answer: (text: string) => work.resolve(text), fail: () => work.reject(new Error('no')) };
  }

  it('asks the newest question without waiting for the answer to the last one', async () => {
    const { log, ask, turn, answer } = asking();
    ask('a');
    ask('ab');
    ask('abc');
    await turn();
    answer('answer to abc');
    await turn();
    assert.deepEqual(log, ['ask a', 'stop', 'stop', 'ask abc', 'answer to abc']);
  });

  it('shows an error of the newest question', async () => {
    const { log, ask, turn, fail } = asking();
    ask('a');
    fail();
    await turn();
    ask('b');
    await turn();
    assert.deepEqual(log, ['ask a', 'Error: no', 'ask b']);
  });
});
