/**
 * Tests the memory of a live snapshot. The command `cappol ui` may run for days with a cluster that changes all the
 * time.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Measured } from './live-memory.ts';

const MEASURE = new URL('./live-memory.ts', import.meta.url);
/** The maximum growth of the memory in bytes. One document would take more memory. */
const MOST_GROWTH = 1_000_000;
/** The minimum number of bytes that the pages are sent. */
const LEAST_SENT = 200_000;
/**
 * The maximum number of bytes of memory for each byte of the document's text. The snapshot shares names and labels with
 * the cluster. However, each object of the snapshot has a separate header in memory.
 */
const MOST_OF_TEXT = 2;

describe('the memory of cappol ui', () => {
  let measured: Measured;

  before(async () => {
    [measured] = await once(new Worker(MEASURE), 'message');
  });

  it('does not grow with changes, even if one of two pages stops reading', () => {
    const { growth, sent } = measured.edits;
    assert.ok(sent > LEAST_SENT, `${sent} bytes were sent`);
    assert.ok(growth < MOST_GROWTH, `${growth} bytes after changes, whose text has ${sent}`);
  });

  it(`grows with the number of namespaces by less than ${MOST_OF_TEXT} times the text of the document`, () => {
    const { heap, text } = measured.namespaces;
    console.log(`      ${heap} bytes for ${text} bytes of text`);
    assert.ok(heap < MOST_OF_TEXT * text, `${heap} bytes for ${text} bytes of text`);
  });
});
