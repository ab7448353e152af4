/** Tests analysis/observe/observation.ts. */
import assert from 'node:assert/strict';
import { Observation } from '../../analysis/observe/observation.ts';
import type { LookUp } from '../../analysis/observe/tasks.ts';
import { attach, check, event, exec, exit, fork, ID, PATH, stack, UID } from './trace-text.ts';

const GROUP = { pod: UID, id: ID };
const OTHER_ID = 'cd'.repeat(32);
const SOCKET = ['security_capable', 'ns_capable', 'inet_create', '__sock_create', '__sys_socket', '__x64_sys_socket'];
const PERMISSION = ['security_capable', 'capable_wrt_inode_uidgid', 'generic_permission', '__x64_sys_openat'];
const NET_RAW = 13;
const GONE: LookUp = () => undefined;

/** In these events, process 100 executes the first program of a container. */
const STARTED = [attach(100, 1, PATH), exec(100, 1.1, '/bin/ping')];

describe('an observation', () => {
  it('records the capability checks of a container with count, times, command and call site', () => {
    const lines = [
      ...STARTED,
      check(100, 2, NET_RAW, 0, 'ping'),
      ...stack(100, 2, SOCKET, 'ping'),
      check(100, 3, NET_RAW, 0, 'ping'),
      ...stack(100, 3, SOCKET, 'ping'),
    ];
    assert.deepEqual(observed(lines).uses, [
      {
        group: GROUP,
        capability: 'NET_RAW',
        outcome: 'granted',
        count: 2,
        first: '1970-01-01T00:00:02.000Z',
        last: '1970-01-01T00:00:03.000Z',
        example: { command: 'ping', callSite: 'inet_create, sys_socket' },
      },
    ]);
  });

  it('counts a process that a child of the container forks, even if the process ends before /proc is read', () => {
    const lines = [...STARTED, fork(100, 2, 101), fork(101, 2, 102), check(102, 2, NET_RAW, 0), exit(102, 2)];
    assert.deepEqual(summary(lines), ['NET_RAW granted 1']);
  });

  it('forgets an ended process, because a process outside the container may get the same number', () => {
    const lines = [...STARTED, fork(100, 2, 101), exit(101, 2), fork(7, 3, 101), check(101, 3, NET_RAW, 0)];
    assert.deepEqual(summary(lines), []);
  });

  it('when a new process gets a known number, forgets the earlier process, even if the event of its end was lost', () => {
    assert.deepEqual(summary([...STARTED, fork(7, 3, 100), check(100, 3, NET_RAW, 0)]), []);
  });

  it('before the runtime executes the first program of the container, checks count as set-up by the runtime', () => {
    const lines = [
      attach(100, 1, PATH),
      exec(100, 1, '/proc/self/fd/7'),
      check(100, 1, 21, 0, 'runc'),
      exec(100, 2, '/bin/sh'),
      check(100, 2, 21, 0),
    ];
    assert.deepEqual(summary(lines), ['SYS_ADMIN granted RuntimeSetup 1', 'SYS_ADMIN granted 1']);
  });

  it('when a thread executes a program and takes over the process number, the process stays in the container', () => {
    const lines = [...STARTED, fork(100, 2, 105), exec(100, 2, '/bin/x', 105), check(100, 2, NET_RAW, -1)];
    assert.deepEqual(summary(lines), ['NET_RAW refused 1']);
  });

  it('each check keeps its own stack when processors interleave their events', () => {
    const overcommit = ['security_vm_enough_memory_mm', 'dup_mmap', '__do_sys_clone'];
    const lines = [
      ...STARTED,
      fork(100, 2, 101),
      check(100, 2, 21, -1),
      check(101, 2, 21, -1),
      ...stack(101, 2, ['security_capable', 'ns_capable', 'path_mount', '__x64_sys_mount']),
      ...stack(100, 2, overcommit),
    ];
    assert.deepEqual(summary(lines), ['SYS_ADMIN refused MemoryOvercommit 1', 'SYS_ADMIN refused 1']);
  });

  it('does not count a refused capability as a need if the kernel then accepts another capability instead', () => {
    const granted = [check(100, 2, 1, 0), ...stack(100, 2, PERMISSION)];
    const refused = [check(100, 2, 2, -1), ...stack(100, 2, PERMISSION)];
    assert.deepEqual(summary([...STARTED, ...refused, ...granted]), [
      'DAC_READ_SEARCH refused OtherCapability 1',
      'DAC_OVERRIDE granted 1',
    ]);
    const elsewhere = [check(100, 2, 1, 0), ...stack(100, 2, SOCKET)];
    assert.deepEqual(summary([...STARTED, ...refused, ...elsewhere]), [
      'DAC_READ_SEARCH refused 1',
      'DAC_OVERRIDE granted 1',
    ]);
  });

  it('marks checks in a user namespace of the process, if the observation saw the set-up of the container', () => {
    const elsewhere = check(100, 3, 18, 0).replace(/target_ns \w+/, 'target_ns 00000000c0ffee00');
    const setup = [attach(100, 1, PATH), check(100, 1, 21, 0, 'runc'), exec(100, 1.1, '/bin/sh')];
    assert.deepEqual(summary([...setup, check(100, 2, 18, 0), elsewhere]), [
      'SYS_ADMIN granted RuntimeSetup 1',
      'SYS_CHROOT granted 1',
      'SYS_CHROOT granted OwnUserNamespace 1',
    ]);
    assert.deepEqual(summary([...STARTED, elsewhere]), ['SYS_CHROOT granted 1']);
  });

  it('watches a container from the start until the last process ends or the observation ends', () => {
    const other = PATH.replace(ID, OTHER_ID);
    const lines = [...STARTED, fork(100, 2, 101), exit(100, 3), exit(101, 4), attach(200, 5, other)];
    assert.deepEqual(observed(lines, 9).watches, [
      {
        group: GROUP,
        instance: ID,
        from: '1970-01-01T00:00:01.000Z',
        to: '1970-01-01T00:00:04.000Z',
        started: true,
      },
      {
        group: { pod: UID, id: OTHER_ID },
        instance: OTHER_ID,
        from: '1970-01-01T00:00:05.000Z',
        to: '1970-01-01T00:00:09.000Z',
        started: true,
      },
    ]);
  });

  it('finds in /proc the containers that ran before the observation', () => {
    const observation = create(GONE);
    observation.existing(100, { container: GROUP, setup: false }, 1);
    observation.read(check(100, 2, NET_RAW, 0));
    const { uses, watches } = observation.finished(3);
    assert.equal(uses.length, 1);
    assert.equal(watches[0]?.started, false);
  });

  it('if a runtime starts a process in the control group of a container, looks up the container of the process', () => {
    const lookUp: LookUp = (pid) => ({ container: pid === 101 ? GROUP : undefined, setup: false });
    const lines = [exec(100, 1, '/usr/sbin/runc'), fork(100, 1, 101), exec(101, 1, '/bin/ls'), check(101, 2, 1, 0)];
    assert.deepEqual(summary(lines, lookUp), ['DAC_OVERRIDE granted 1']);
  });

  it('counts lost events in total and for each watch, and counts checks by unknown processes', () => {
    const { counts, watches } = observed([...STARTED, 'CPU:1 [LOST 12 EVENTS]', check(500, 2, 1, 0)]);
    assert.deepEqual(counts, { checks: 1, lost: 12, unplaced: 1 });
    assert.equal(watches[0]?.lost, 12);
  });

  it('reports each container once, when it starts', () => {
    const seen: string[] = [];
    const observation = create(GONE, (id) => seen.push(id));
    for (const path of [PATH, PATH, `${PATH}/child`]) observation.read(attach(100, 1, path));
    assert.deepEqual(seen, [ID]);
  });

  describe('with a hostile process', () => {
    it('a line break in the name of a process adds no frame to the stack of another process', () => {
      const name = '\n => x_noaudit\n';
      const lines = [...STARTED, check(100, 2, NET_RAW, 0), ...stack(100, 2, SOCKET), check(666, 2, 1, 0, name)];
      assert.deepEqual(summary(printed(lines)), ['NET_RAW granted 1']);
    });

    it('reads no event out of its name', () => {
      const end = event(666, 2, 'sched_process_exit: comm=\nA-100 [0] . 1: pid=666 prio=120 group_dead=true');
      assert.deepEqual(summary(printed([...STARTED, end, check(100, 3, NET_RAW, 0)])), ['NET_RAW granted 1']);
    });
  });
});

function create(lookUp: LookUp, onContainer: (id: string) => void = () => {}): Observation {
  return new Observation({
    lookUp,
    epochMs: (seconds) => seconds * 1000,
    onContainer: ({ id }) => onContainer(id),
  });
}

function observed(lines: readonly string[], now = 10, lookUp: LookUp = GONE) {
  const observation = create(lookUp);
  for (const line of lines) observation.read(line);
  return observation.finished(now);
}

function summary(lines: readonly string[], lookUp?: LookUp): string[] {
  return observed(lines, 10, lookUp).uses.map(({ capability, outcome, noise, count }) =>
    [capability, outcome, noise, count].filter((part) => part !== undefined).join(' '),
  );
}

/** Returns the lines that a reader of the log gets. A name with a line break becomes several lines. */
function printed(lines: readonly string[]): string[] {
  return lines.join('\n').split('\n');
}
