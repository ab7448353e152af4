/**
 * Tests the lines about a node in the output of `cappol observe --cluster`. Also tests the flags that the command
 * refuses.
 */
import assert from 'node:assert/strict';
import { observerJob } from '../../analysis/observe/job.ts';
import { RawLog, rawLines } from '../../analysis/observe/raw-log.ts';
import { reportLines } from '../../cli/commands/observe/text.ts';
import { cappol } from '../support/cappol.ts';

const COUNTS = { checks: 3, lost: 0, unplaced: 0 };
const END = { counts: COUNTS, seconds: 60, sawAll: true };
const SUMMARY = 'node-a: 0 containers for 1m, 3 capability checks';

function logOf(end: Partial<typeof END>, ...messages: readonly string[]): RawLog {
  const log = new RawLog();
  for (const line of rawLines({ uses: [], watches: [], ...END, ...end })) log.read(JSON.stringify(line));
  for (const message of messages) log.read(`cappol: ${message}`);
  return log;
}

describe('what observe --cluster says about a node', () => {
  const lines = (log: RawLog) => reportLines({ name: 'node-a', log, waiting: undefined });

  it('the report has a single line if the observer saw everything', () => {
    assert.deepEqual(lines(logOf({})), [`${SUMMARY}, 0 events lost`]);
  });

  it('the report says that containers from before the observation are left out', () => {
    const [, ...notes] = lines(logOf({ sawAll: false, counts: { ...COUNTS, unplaced: 7 } }));
    assert.deepEqual(notes, [
      'node-a: the observer cannot see all processes of the node, so containers that started before the observer are left out',
    ]);
  });

  it('the report counts the checks of processes that ended while the observation began', () => {
    const [, ...notes] = lines(logOf({ counts: { ...COUNTS, unplaced: 7 } }));
    assert.deepEqual(notes, ['node-a: 7 checks are left out, since their processes ended while the observation began']);
  });

  it('if events were lost, the report says that uses may be missing, and names the flag for a larger buffer', () => {
    const [, ...notes] = lines(logOf({ counts: { ...COUNTS, lost: 9 } }));
    assert.deepEqual(notes, [
      'node-a: some uses may be missing, since events were lost: choose a larger --buffer-size',
    ]);
  });

  it('the report contains each message of a complete log once', () => {
    const [, ...notes] = lines(
      logOf({ counts: { ...COUNTS, unplaced: 7 } }, 'the clock is wrong', 'the clock is wrong'),
    );
    assert.deepEqual(notes, [
      'node-a: 7 checks are left out, since their processes ended while the observation began',
      'node-a: the clock is wrong',
    ]);
  });

  it('says why a node was not observed', () => {
    const log = new RawLog();
    assert.deepEqual(reportLines({ name: 'node-a', log, waiting: 'ErrImagePull: none' }), [
      'node-a: not observed, ErrImagePull: none',
    ]);
    log.read('cappol: this kernel, 6.1.0, has no tracepoint');
    log.read('cappol: another problem');
    assert.deepEqual(lines(log), [
      'node-a: not observed, this kernel, 6.1.0, has no tracepoint',
      'node-a: another problem',
    ]);
    assert.deepEqual(lines(new RawLog()), ['node-a: not observed, its pod did not report']);
  });
});

describe('the flags of observe', () => {
  const observe = (...args: string[]) => cappol(['observe', ...args]);

  for (const [args, message] of [
    [
      ['--cluster', '--for', '1m', '--cgroup', '/x'],
      '--cgroup cannot be combined with --cluster: run cappol observe on the node itself, or leave out --cgroup',
    ],
    [
      ['--cluster', '--for', '1m', '--tracefs', '/x'],
      '--tracefs cannot be combined with --cluster: run cappol observe on the node itself, or leave out --tracefs',
    ],
    [
      ['--cluster', '--for', '1m', '-o', 'raw'],
      '-o raw cannot be combined with --cluster: run cappol observe on the node itself, or leave out -o raw',
    ],
    [
      ['--cluster', '--log', 'x', '--buffer-size', '8192'],
      '--buffer-size cannot be combined with --log, which reads an earlier observation: leave out --buffer-size',
    ],
    [
      ['--cluster', '--log', 'x', '--for', '1m'],
      '--for cannot be combined with --log, which reads an earlier observation: leave out --for',
    ],
    [
      ['--cluster', '--log', 'x', '--node', 'a'],
      '--node cannot be combined with --log, which reads an earlier observation: leave out --node',
    ],
    [
      ['--cluster', '--log', 'x', '--image', 'a'],
      '--image cannot be combined with --log, which reads an earlier observation: leave out --image',
    ],
    [['--image', 'a'], '--image requires --cluster: add --cluster, or leave out --image'],
    [['--node', 'a'], '--node requires --cluster: add --cluster, or leave out --node'],
    [['--log', 'a'], '--log requires --cluster: add --cluster, or leave out --log'],
    [['--kubeconfig', 'a'], '--kubeconfig requires --cluster: add --cluster, or leave out --kubeconfig'],
    [['--context', 'a'], '--context requires --cluster: add --cluster, or leave out --context'],
  ] as const) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { code, stderr } = await observe(...args);
      assert.deepEqual([code, stderr], [2, `cappol: ${message}\n`]);
    });
  }

  it('passes the buffer size to the pods of the Job', () => {
    const { spec } = observerJob({ name: 'a', image: 'b', seconds: 1, count: 1, bufferKb: 8192 });
    assert.ok(spec.template.spec.containers[0]?.args.includes('--buffer-size=8192'));
  });
});
