/** Tests analysis/observe/raw-log.ts. */
import assert from 'node:assert/strict';
import { progressLine, RawLog, rawLines } from '../../analysis/observe/raw-log.ts';
import { ID, UID } from './trace-text.ts';

const group = { pod: UID, id: ID };
const counts = { checks: 3, lost: 0, unplaced: 0 };
const watch = { group, instance: ID, from: '2026-11-26T10:00:00.000Z', to: '2026-11-26T11:00:00.000Z', started: true };
const use = { group, capability: 'NET_RAW', outcome: 'granted', count: 1 } as const;
const END = { counts, seconds: 60, sawAll: true };
const PROGRESS = { seconds: 5, containers: 1, counts };

describe('the log of an observer', () => {
  it('says again what it was written from', () => {
    const log = new RawLog();
    const lines = [progressLine(PROGRESS), ...rawLines({ uses: [use], watches: [watch], ...END })];
    for (const line of lines) log.read(JSON.stringify(line));
    assert.deepEqual(
      { uses: log.uses, watches: log.watches, progress: log.progress, end: log.end },
      { uses: [use], watches: [watch], progress: PROGRESS, end: END },
    );
  });

  it('the messages of the log are the errors, without other text', () => {
    const log = new RawLog();
    const lines = [
      'cappol: observing the containers of this node for 1m',
      'cappol: observed 2 containers',
      '{',
      '7',
      '',
    ];
    for (const line of [...lines, 'cappol: this kernel, 6.1.0, is too old']) log.read(line);
    assert.deepEqual(log.messages, ['this kernel, 6.1.0, is too old']);
  });

  it('is incomplete without its end', () => {
    const log = new RawLog();
    log.read(JSON.stringify(progressLine(PROGRESS)));
    assert.equal(log.end, undefined);
  });
});
