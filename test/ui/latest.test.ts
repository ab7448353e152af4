/** Tests questions to the worker while a user types. The worker answers the newest question. */
import assert from 'node:assert/strict';
import { firstThenFull } from '../../ui/worker/first-then-full.ts';
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

describe('questions that are asked again for a full answer', () => {
  /** Asks questions. If an answer begins with the text `cut`, the full answer must follow. */
  function asking() {
    const log: string[] = [];
    const work = { first: Promise.withResolvers<string>(), full: Promise.withResolvers<string>() };
    const answering = (phase: 'first' | 'full') => (question: string) => {
      log.push(`${phase} ${question}`);
      work[phase] = Promise.withResolvers();
      return work[phase].promise;
    };
    const { ask, drop } = firstThenFull(
      {
        first: answering('first'),
        full: answering('full'),
        isCut: (answer: string) => answer.startsWith('cut'),
        stop() {
          log.push('stop');
          work.full.reject(new Error('stopped'));
        },
      },
      { answer: (answer) => log.push(answer), error: (error) => log.push(String(error)) },
    );
    const turn = () => new Promise(setImmediate);
    const answer = (phase: 'first' | 'full', text: string) => {
      work[phase].resolve(text);
      return turn();
    };
    const fail = () => {
      work.full.reject(new Error('no'));
      return turn();
    };
    return { log, ask, drop, turn, answer, fail };
  }

  it('shows the first answer, and asks again only if the first answer is cut', async () => {
    const { log, ask, answer } = asking();
    ask('a');
    await answer('first', 'cut a');
    await answer('full', 'all of a');
    ask('b');
    await answer('first', 'all of b');
    assert.deepEqual(log, ['first a', 'cut a', 'full a', 'all of a', 'first b', 'all of b']);
  });

  it('stops the full answer when the question is dropped or replaced, and shows no error', async () => {
    const { log, ask, drop, turn, answer } = asking();
    ask('a');
    await answer('first', 'cut a');
    drop();
    await turn();
    ask('b');
    await answer('first', 'cut b');
    ask('c');
    await answer('first', 'all of c');
    assert.deepEqual(log, [
      ...['first a', 'cut a', 'full a', 'stop'],
      ...['first b', 'cut b', 'full b', 'stop'],
      ...['first c', 'all of c'],
    ]);
  });

  it('asks for no full answer if the question is dropped before the first answer', async () => {
    const { log, ask, drop, answer } = asking();
    ask('a');
    drop();
    await answer('first', 'cut a');
    assert.deepEqual(log, ['first a', 'cut a']);
  });

  it('asks for a full answer only to the newest question', async () => {
    const { log, ask, answer } = asking();
    ask('a');
    ask('b');
    await answer('first', 'cut a');
    await answer('first', 'cut b');
    assert.deepEqual(log, ['first a', 'cut a', 'first b', 'cut b', 'full b']);
  });

  it('shows an error of the full answer', async () => {
    const { log, ask, answer, fail } = asking();
    ask('a');
    await answer('first', 'cut a');
    await fail();
    assert.deepEqual(log, ['first a', 'cut a', 'full a', 'Error: no']);
  });
});
