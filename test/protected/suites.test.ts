import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { resultOf } from '../versions/runs.ts';
import { LEFT_OUT, runs, SUITES } from './suites.ts';

const INTEGRATION = join(import.meta.dirname, '..', 'integration');

describe('the suites under protection', () => {
  it('every integration test either runs under protection, or is left out with a reason', () => {
    const files = readdirSync(INTEGRATION).flatMap((file) => /^(.*)\.test\.ts$/.exec(file)?.[1] ?? []);
    assert.deepEqual([...SUITES, ...Object.keys(LEFT_OUT)].sort(), files.sort());
  });

  it('a suite passes only if the API server received writes of the operator and refused none of these writes', () => {
    const [run] = runs();
    assert.ok(run);
    const ended = (line: string) => resultOf(run, { code: 0, output: `${line}\n15 passed, 0 failed\n` });
    assert.deepEqual(ended('the protection refused 0 of 431 writes of the operator'), {
      ok: true,
      summary: '15 passed, 0 failed, refused 0 of 431 writes',
      leftOut: [],
    });
    assert.ok(!ended('').ok);
    assert.ok(!ended('the protection refused 0 of 0 writes of the operator').ok);
    assert.ok(!ended('the protection refused 2 of 431 writes of the operator').ok);
  });
});
