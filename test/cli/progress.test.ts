/**
 * Tests the progress line. The progress line appears only on a terminal, and only during long work. At the end of the
 * work, cappol removes the line.
 */
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Progress } from '../../cli/output/progress.ts';

/** A time in ms. If a command prints nothing for this time, a user expects to see progress. */
const LONG_MS = 800;

describe('progress', () => {
  function standardError(isTTY: boolean) {
    const written: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        written.push(String(chunk));
        done();
      },
    });
    return { stderr: Object.assign(stream, { isTTY }), written };
  }

  it('progress is shown on a terminal, in one line that is erased at the end', async () => {
    const { stderr, written } = standardError(true);
    const progress = new Progress({ stderr });
    progress.at(() => assert.fail('too early'));
    await sleep(LONG_MS);
    progress.at(() => '1 evaluated');
    // If two updates follow each other immediately, the second update must not be shown, because no user could read the
    // first update.
    progress.at(() => assert.fail('too often'));
    progress.clear();
    progress.clear();
    assert.deepEqual(written, ['\r\x1b[K1 evaluated', '\r\x1b[K']);
  });

  it('is not shown in a pipe', async () => {
    const { stderr, written } = standardError(false);
    const progress = new Progress({ stderr });
    await sleep(LONG_MS);
    progress.at(() => assert.fail('in a pipe'));
    progress.clear();
    assert.deepEqual(written, []);
  });
});
