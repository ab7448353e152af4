import assert from 'node:assert/strict';
import { assertShown } from './shown.ts';

/**
 * Pairs of texts that count as equal. The first text of a pair is on a page, and the second text is the output of a
 * command.
 */
const SAME: Readonly<Record<string, readonly [string, string]>> = {
  'the same': ['namespace/net created\n', 'namespace/net created\n'],
  'columns of another width': ['NAME   AGE\nping   4s\n', 'NAME     AGE\nping     4s\n'],
  'a folded line': ['pods "ping" is forbidden:\n  it must not', 'pods "ping" is forbidden: it must not'],
  ages: ['ping  4s', 'ping  1m12s'],
  durations: ['ttl=64 time=0.05 ms', 'ttl=64 time=12 ms'],
  hashes: ['capabilitypolicy-ping-0123456789ab-pods', 'capabilitypolicy-ping-ba9876543210-pods'],
  'something left out in a line': ['adds NET_RAW; … user 1000', 'adds NET_RAW; drops ALL; runs as user 1000'],
  'lines left out': ['…\nB\n…\n', 'A\nB\nC\nD\n'],
  'something left out that the page does not mark': ['request: … allowed …', 'request: allowed'],
};

const OTHER: Readonly<Record<string, readonly [string, string]>> = {
  'another word': ['allowed: NET_RAW', 'allowed: NET_ADMIN'],
  'more than is shown': ['created', 'created\nWarning: would violate'],
  'less than is shown': ['created\nWarning: would violate', 'created'],
  'a line between': ['A\nC', 'A\nB\nC'],
  'another number that is not a duration': ['1 packets transmitted', '2 packets transmitted'],
  'text that only a regular expression would match': ['a.c', 'abc'],
};

describe('what a page shows', () => {
  for (const [title, [shown, printed]] of Object.entries(SAME)) {
    it(`matches the output: ${title}`, () => assertShown(shown, printed));
  }
  for (const [title, [shown, printed]] of Object.entries(OTHER)) {
    it(`does not match the output: ${title}`, () =>
      assert.throws(() => assertShown(shown, printed), assert.AssertionError));
  }
});
