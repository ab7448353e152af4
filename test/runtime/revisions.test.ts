import assert from 'node:assert/strict';
import { Revisions } from '../../operator/runtime/revisions.ts';

describe('the revision of the storage', () => {
  const reported: [string, string][] = [];
  const revisions = () => new Revisions((seen, found) => reported.push([seen, found]));
  beforeEach(() => reported.splice(0));
  const ask = (one: Revisions, version: string | undefined) =>
    one.asking(
      async () => version,
      (text) => text,
    );

  it('is reported once when it goes back, and again when it goes back again', async () => {
    const one = revisions();
    for (const version of ['999', '1000', '800', '801', '1000', '10']) await ask(one, version);
    assert.deepEqual(reported, [
      ['1000', '800'],
      ['1000', '10'],
    ]);
  });

  it('is not reported while it grows or stays, as numbers and not as texts', async () => {
    const one = revisions();
    for (const version of ['9', '10', '10', '9007199254740993', '9007199254740994']) await ask(one, version);
    assert.deepEqual(reported, []);
  });

  it('is not compared if it is no number, or if the object is missing', async () => {
    const one = revisions();
    for (const version of ['10', 'abc', undefined, '', '-1', '11']) await ask(one, version);
    assert.deepEqual(reported, []);
  });

  it('an answer that arrives late says nothing, because its request began before the newer answer', async () => {
    const one = revisions();
    const { promise, resolve } = Promise.withResolvers<string>();
    const late = one.asking(
      () => promise,
      (version) => version,
    );
    await ask(one, '20');
    resolve('10');
    await late;
    assert.deepEqual(reported, []);
  });

  it('several answers from the older storage are reported once', async () => {
    const one = revisions();
    await ask(one, '20');
    await Promise.all(['10', '11', '12'].map((version) => ask(one, version)));
    assert.deepEqual(reported, [['20', '10']]);
  });
});
