/** Tests questions to the worker while a user types. The worker answers the newest question. */
import assert from 'node:assert/strict';
import { latest } from '../../ui/worker/latest.ts';

describe('questions of which only the newest one matters', () => {
  it('drops those that were replaced while another one was asked', async () => {
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
