/** Tests that the output of each tool is read into the same records. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RecordError } from '../../analysis/evidence/fields.ts';
import { mergeEvidence } from '../../analysis/evidence/merge.ts';
import type { Noise } from '../../analysis/evidence/use.ts';
import { observedLines } from '../../analysis/evidence/use.ts';
import {
  applicationProfile,
  builtInEvent,
  containerProfile,
  evidenceIn,
  gadgetEvent,
  observedUse,
  observedWatch,
} from './records.ts';

type Fields = Readonly<Record<string, unknown>>;

const POD = { namespace: 'net', pod: 'pinger-6d5f9c7b4-x7k2q', container: 'ping' };
const WORKLOAD = { namespace: 'net', workload: { kind: 'Deployment', name: 'pinger' } };

describe("evidence of Inspektor Gadget's trace_capabilities", () => {
  it('a use has the container, the outcome, the time in UTC and the system call', () => {
    const at = '2026-11-01T10:00:00.208Z';
    assert.deepEqual(evidenceIn(gadgetEvent()).uses, [
      {
        ...POD,
        podLabels: { app: 'pinger' },
        capability: 'NET_RAW',
        outcome: 'granted',
        count: 1,
        first: at,
        last: at,
        example: { command: 'ping', callSite: 'SYS_SOCKET' },
      },
    ]);
  });

  it('events of the built-in gadget of older releases are also read, with times in nanoseconds since 1970', () => {
    const [use] = evidenceIn(builtInEvent(), { type: 'ready', node: 'n1' }).uses;
    assert.equal(use?.capability, 'SYS_CHROOT');
    assert.equal(use?.outcome, 'granted');
    assert.equal(use?.first, '2026-11-01T08:00:00.123Z');
    assert.equal(evidenceIn(builtInEvent({ verdict: 'Deny' })).uses[0]?.outcome, 'refused');
  });

  it('a use names the owner of the pod if the gadget names the owner', () => {
    const k8s = {
      namespace: 'net',
      podName: 'p',
      containerName: 'ping',
      owner: { kind: 'Deployment', name: 'pinger' },
    };
    assert.deepEqual(evidenceIn(gadgetEvent({ k8s })).uses[0]?.workload, WORKLOAD.workload);
  });

  it('a call of setuid or setgid counts as a use, because a process that gives up root needs both calls', () => {
    assert.equal(evidenceIn(gadgetEvent({ cap: 'CAP_SETUID', insetid: 1 })).uses[0]?.noise, undefined);
  });

  const noises: readonly [what: string, fields: Fields, noise: Noise | undefined][] = [
    ['runc before the first program', { proc: { comm: 'runc:[2:INIT]' } }, 'RuntimeSetup'],
    ['crun before the first program', { proc: { comm: 'crun' } }, 'RuntimeSetup'],
    ['a program whose name only begins like the runtime', { proc: { comm: 'runcible' } }, undefined],
    ['a check without audit', { cap: 'CAP_SYS_PTRACE', audit: 0, capable: false, syscall: 'SYS_READ' }, 'NonAudit'],
    ['fork, SYS_ADMIN', { cap: 'CAP_SYS_ADMIN', audit: 0, capable: false, syscall: 'SYS_CLONE' }, 'MemoryOvercommit'],
    [
      "memory by the kernel's stack",
      {
        cap: 'CAP_SYS_ADMIN',
        audit: 0,
        syscall: 'SYS_WRITE',
        kstack: '[0]cap_capable; [1]security_vm_enough_memory_mm; ',
      },
      'MemoryOvercommit',
    ],
    [
      "no memory by the kernel's stack",
      { cap: 'CAP_SYS_ADMIN', audit: 0, syscall: 'SYS_MMAP', kstack: '[0]cap_capable; [1]ns_capable_noaudit; ' },
      'NonAudit',
    ],
    ['mount', { cap: 'CAP_SYS_ADMIN', audit: 1, capable: false, syscall: 'SYS_MOUNT' }, undefined],
    ['a user namespace of its own', { cap: 'CAP_SYS_ADMIN', target_userns: 4026532999 }, 'OwnUserNamespace'],
    ['the user namespace of its pod', { current_userns: 4026532999, target_userns: 4026532999 }, undefined],
  ];
  for (const [what, fields, noise] of noises) {
    it(`${noise ? `calls it ${noise}` : 'counts it as a use'}: ${what}`, () => {
      assert.equal(evidenceIn(gadgetEvent(fields)).uses[0]?.noise, noise);
    });
  }

  it('a watch lasts from the first event of a container to the last event, and the set-up shows the start', () => {
    const { watches } = evidenceIn(
      gadgetEvent({ timestamp: '2026-11-01T11:00:00Z' }),
      gadgetEvent({ timestamp: '2026-11-01T10:00:00Z', proc: { comm: 'runc:[2:INIT]' } }),
      gadgetEvent({ timestamp: '2026-11-01T12:00:00Z', runtime: { containerId: 'another' } }),
    );
    const watch = { ...POD, podLabels: { app: 'pinger' } };
    const [ten, eleven, twelve] = [10, 11, 12].map((hour) => `2026-11-01T${hour}:00:00.000Z`);
    assert.deepEqual(watches, [
      { ...watch, instance: 'c0ffee', from: ten, to: eleven, started: true },
      { ...watch, instance: 'another', from: twelve, to: twelve, started: false },
    ]);
  });

  it('has nothing about processes outside of pods', () => {
    assert.deepEqual(evidenceIn(gadgetEvent({ k8s: { node: 'n1' } })), { uses: [], watches: [] });
  });

  it('the evidence does not depend on the order of the lines', () => {
    const seconds = fc
      .integer({ min: 0, max: 59 })
      .map((second) => `2026-11-01T10:00:${String(second).padStart(2, '0')}Z`);
    const event = fc
      .record({
        timestamp: seconds,
        cap: fc.constantFrom('CAP_CHOWN', 'CAP_KILL'),
        capable: fc.boolean(),
        audit: fc.constantFrom(0, 1),
        proc: fc.record({ comm: fc.constantFrom('sh', 'runc') }),
        runtime: fc.record({ containerId: fc.constantFrom('a', 'b') }),
      })
      .map(gadgetEvent);
    const both = fc
      .array(event, { maxLength: 10 })
      .chain((events) => fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })));
    fc.assert(
      fc.property(both, ([events, shuffled]) => {
        assert.deepEqual(mergeEvidence([evidenceIn(...shuffled)]), mergeEvidence([evidenceIn(...events)]));
        // Two files have the same uses as one file with all events. The watched time of a container differs, because
        // the watched time ends where the container's file ends.
        const split = mergeEvidence([evidenceIn(...events.slice(0, 3)), evidenceIn(...events.slice(3))]);
        assert.deepEqual(split.uses, mergeEvidence([evidenceIn(...events)]).uses);
      }),
    );
  });
});

describe("evidence of Kubescape's profiles", () => {
  const unknown = { outcome: 'unknown', count: 1 } as const;

  it('an ApplicationProfile gives evidence of all kinds of containers, and its labels name the workload', () => {
    const { uses, watches } = evidenceIn(applicationProfile());
    const last = '2026-11-01T10:00:00.000Z';
    assert.deepEqual(
      uses.map(({ last: _, ...use }) => use),
      [
        { ...WORKLOAD, container: 'ping', capability: 'NET_RAW', ...unknown },
        { ...WORKLOAD, container: 'ping', capability: 'SYS_ADMIN', ...unknown },
        { ...WORKLOAD, container: 'setup', capability: 'CHOWN', ...unknown },
      ],
    );
    const watch = { ...WORKLOAD, from: last, to: last, started: true };
    assert.deepEqual(watches, [
      { ...watch, container: 'ping' },
      { ...watch, container: 'setup' },
    ]);
  });

  it("a ContainerProfile with times in Go's form gives evidence", () => {
    const { uses, watches } = evidenceIn(containerProfile());
    const [from, to] = ['2026-11-01T10:00:00.000Z', '2026-11-01T11:30:00.500Z'];
    assert.deepEqual(uses, [{ ...WORKLOAD, container: 'ping', capability: 'NET_RAW', ...unknown, last: to }]);
    assert.deepEqual(watches, [{ ...WORKLOAD, container: 'ping', from, to, started: false }]);
  });

  it('the first second of the year 1 in a profile counts as a missing time', () => {
    const annotations = { 'kubescape.io/report-timestamp': '0001-01-01 00:00:00 +0000 UTC' };
    const at = '2026-11-01T10:00:00.000Z';
    const [{ from, to } = { from: '', to: '' }] = evidenceIn(containerProfile({ annotations })).watches;
    assert.deepEqual([from, to], [at, at]);
  });

  it('the wlid names the workload if labels do not name the workload', () => {
    const annotations = { 'kubescape.io/wlid': 'wlid://cluster-c/namespace-net/deployment-pinger' };
    const [use] = evidenceIn(applicationProfile({ labels: {}, annotations })).uses;
    assert.deepEqual(use?.workload, { kind: 'deployment', name: 'pinger' });
    assert.equal(use?.namespace, 'net');
  });

  it('the instance ID names the container if labels do not name the container', () => {
    const annotations = {
      'kubescape.io/instance-id':
        'apiVersion-apps/v1/namespace-net/kind-ReplicaSet/name-pinger-6d5f9c7b4/containerName-web',
    };
    const labels = { 'kubescape.io/workload-container-name': undefined };
    assert.equal(evidenceIn(containerProfile({ labels, annotations })).uses[0]?.container, 'web');
  });

  it('is read from lists', () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [containerProfile(), containerProfile({ spec: { capabilities: null } })],
    };
    assert.equal(evidenceIn(list).uses[0]?.count, 1);
  });
});

describe('evidence of cappol observe', () => {
  it('is read as it is written', () => {
    const example = { command: 'ping', callSite: 'sys_socket' };
    const [first, last] = ['2026-11-01T10:00:00.000Z', '2026-11-01T11:00:00.000Z'];
    const workload = { kind: 'ReplicaSet', name: 'pinger-6d5f9c7b4' };
    const evidence = evidenceIn(
      observedUse({ first, last, example, workload }),
      observedUse({ noise: 'NonAudit', outcome: 'refused' }),
      observedWatch({ lost: 2 }),
    );
    assert.equal(evidence.uses.length + evidence.watches.length, 3);
    assert.deepEqual(evidenceIn(...observedLines(evidence)), evidence);
  });
});

describe('a value that is no evidence', () => {
  const rows: readonly [what: string, value: unknown, message: RegExp][] = [
    [
      'a Pod',
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } },
      /not evidence: name files with lines of Inspektor Gadget/,
    ],
    ['a number', 7, /not evidence/],
    ['an unknown capability', gadgetEvent({ cap: 'CAP_FLY' }), /unknown capability "CAP_FLY"/],
    ['an event without an outcome', builtInEvent({ verdict: 'Maybe' }), /neither capable nor verdict: "Maybe"/],
    ['an event with no time', gadgetEvent({ timestamp: 'yesterday' }), /not a time: "yesterday"/],
    ['an unknown outcome', observedUse({ outcome: 'perhaps' }), /unknown outcome "perhaps": granted, refused, unknown/],
    ['an unknown noise', observedUse({ noise: 'toString' }), /unknown noise "toString"/],
    ['a count that is none', observedUse({ count: -1 }), /not a count: -1/],
    [
      'a record without a pod',
      observedUse({ pod: null }),
      /needs the fields "namespace", "container", and "pod" or "workload"/,
    ],
    ['a watch without an end', observedWatch({ to: undefined }), /needs the fields "from" and "to"/],
    ['an unknown record', { observed: 'guess' }, /unknown record "guess": use, watch/],
    ['another kind of Kubescape', { ...containerProfile(), kind: 'SBOMSyft' }, /SBOMSyft does not hold capabilities/],
    [
      'a profile that a user wrote',
      containerProfile({ annotations: { 'kubescape.io/managed-by': 'User' } }),
      /allowed capabilities instead of used capabilities/,
    ],
    [
      'a profile that grew too large',
      containerProfile({ annotations: { 'kubescape.io/status': 'too-large' } }),
      /too large/,
    ],
    ['a profile of no workload', applicationProfile({ labels: {} }), /names no workload/],
  ];
  for (const [what, value, message] of rows) {
    it(`is refused with the reason: ${what}`, () => {
      assert.throws(
        () => evidenceIn(value),
        (error) => error instanceof RecordError && message.test(error.message),
      );
    });
  }
});
