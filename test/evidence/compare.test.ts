/**
 * Tests the comparison of a container with the evidence. The comparison lists the used, unused and refused capabilities
 * of the container, and the noise. The comparison also writes a pod that keeps only the used capabilities.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { comparePod } from '../../analysis/evidence/compare.ts';
import { coverageOf } from '../../analysis/evidence/coverage.ts';
import { keepUsed } from '../../analysis/evidence/keep.ts';
import { EvidenceIndex } from '../../analysis/evidence/matching.ts';
import { since } from '../../analysis/evidence/since.ts';
import type { CapabilityUse, ContainerWatch } from '../../analysis/evidence/use.ts';
import type { PodSpec } from '../../operator/model/objects.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';

const POD = { kind: 'Pod', namespace: 'net', name: 'p', labels: {} };
const OBSERVED = { namespace: 'net', pod: 'p', container: 'c' };

function spec(capabilities: object = {}, other: object = {}): PodSpec {
  return { containers: [{ name: 'c', securityContext: { capabilities, ...other } }] };
}

function use(capability: string, fields: Partial<CapabilityUse> = {}): CapabilityUse {
  return { ...OBSERVED, capability, outcome: 'granted', count: 1, ...fields };
}

function watch(fields: Partial<ContainerWatch> = {}): ContainerWatch {
  return { ...OBSERVED, from: '2026-11-01T10:00:00.000Z', to: '2026-11-01T11:00:00.000Z', started: false, ...fields };
}

function compared(pod: PodSpec, uses: readonly CapabilityUse[], watches: readonly ContainerWatch[] = []) {
  return comparePod(pod, POD, new EvidenceIndex({ uses, watches }));
}

const DROPPED = spec({ drop: ['ALL'], add: ['NET_RAW', 'CHOWN'] });
const names = (checks: readonly { readonly capability: string }[] = []) => checks.map(({ capability }) => capability);

describe('a container beside the evidence', () => {
  it('a capability that the container holds is used if the kernel granted a use, and unused otherwise', () => {
    const [{ evidence } = {}] = compared(DROPPED, [use('NET_RAW', { count: 2 }), use('NET_RAW')]);
    assert.deepEqual(evidence?.granted, ['CHOWN', 'NET_RAW']);
    assert.deepEqual(evidence?.used, [{ capability: 'NET_RAW', count: 3 }]);
    assert.deepEqual(evidence?.unused, ['CHOWN']);
  });

  it('a capability counts as refused only if the container never got the capability', () => {
    const [{ evidence } = {}] = compared(DROPPED, [
      use('CHOWN', { outcome: 'refused' }),
      use('CHOWN'),
      use('KILL', { outcome: 'refused' }),
    ]);
    assert.deepEqual([names(evidence?.used), names(evidence?.refused)], [['CHOWN'], ['KILL']]);
  });

  it('used and was refused nothing by noise', () => {
    const noise = [
      use('NET_RAW', { noise: 'RuntimeSetup' }),
      use('SYS_ADMIN', { outcome: 'refused', noise: 'MemoryOvercommit' }),
    ];
    const [{ evidence } = {}] = compared(DROPPED, noise);
    assert.deepEqual([evidence?.used, evidence?.refused], [[], []]);
    assert.deepEqual(
      evidence?.noise.map(({ capability, outcome, noise: reason }) => [capability, outcome, reason]),
      [
        ['SYS_ADMIN', 'refused', 'MemoryOvercommit'],
        ['NET_RAW', 'granted', 'RuntimeSetup'],
      ],
    );
  });

  it('a use without an outcome counts as used if the manifest grants the capability, and as refused otherwise', () => {
    const [{ evidence } = {}] = compared(DROPPED, [
      use('NET_RAW', { outcome: 'unknown' }),
      use('KILL', { outcome: 'unknown' }),
    ]);
    assert.deepEqual(evidence?.used, [{ capability: 'NET_RAW', count: 1, assumed: true }]);
    assert.deepEqual(names(evidence?.refused), ['KILL']);
  });

  it('if a container has a capability that the manifest does not grant, the capability counts as granted elsewhere', () => {
    const [{ evidence } = {}] = compared(DROPPED, [use('SYS_TIME')]);
    assert.deepEqual([names(evidence?.grantedElsewhere), names(evidence?.used)], [['SYS_TIME'], []]);
  });

  it('a container has evidence only from records of its own name and its own pod', () => {
    assert.deepEqual(compared(DROPPED, [use('CHOWN', { container: 'd' }), use('CHOWN', { pod: 'q' })]), [
      { name: 'c', privileged: false },
    ]);
  });

  it('a watched container has evidence even without a use', () => {
    assert.deepEqual(compared(DROPPED, [], [watch()])[0]?.evidence?.unused, ['CHOWN', 'NET_RAW']);
  });
});

describe('a pod that keeps what it used', () => {
  const kept = (pod: PodSpec, uses: readonly CapabilityUse[], watches: readonly ContainerWatch[] = []) =>
    keepUsed(pod, compared(pod, uses, watches));

  it('drops ALL and adds what it used', () => {
    assert.deepEqual(
      kept(spec({}, { runAsUser: 0 }), [use('CHOWN'), use('SYS_TIME'), use('KILL', { outcome: 'refused' })]),
      {
        containers: [{ name: 'c', securityContext: { runAsUser: 0, capabilities: { drop: ['ALL'], add: ['CHOWN'] } } }],
      },
    );
  });

  it('adds nothing if it used nothing', () => {
    assert.deepEqual(kept(DROPPED, [], [watch()]), spec({ drop: ['ALL'] }));
  });

  it('a pod without evidence and a privileged pod stay unchanged', () => {
    assert.deepEqual(kept(DROPPED, []), DROPPED);
    const privileged = spec({}, { privileged: true });
    assert.deepEqual(kept(privileged, [use('CHOWN')]), privileged);
  });

  it('keeps init containers by their own evidence', () => {
    const pod = { initContainers: [{ name: 'i' }], containers: [{ name: 'c' }] };
    const { initContainers, containers } = kept(pod, [use('CHOWN', { container: 'i' })]);
    assert.deepEqual(initContainers, [
      { name: 'i', securityContext: { capabilities: { drop: ['ALL'], add: ['CHOWN'] } } },
    ]);
    assert.deepEqual(containers, [{ name: 'c' }]);
  });

  it('the narrowed pod holds all used capabilities and no new capabilities, and a second narrowing changes nothing', () => {
    const some = fc.subarray([...CAPABILITIES]);
    const uses = fc.array(
      fc.tuple(fc.constantFrom(...CAPABILITIES), fc.constantFrom('granted', 'refused', 'unknown'), fc.boolean()),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(some, fc.constantFrom([], ['ALL'], ['CHOWN', 'KILL']), uses, (add, drop, seen) => {
        const pod = spec({ add, drop });
        const records = seen.map(([name, outcome, isNoise]) =>
          use(name, { outcome, ...(isNoise && { noise: 'NonAudit' as const }) }),
        );
        const once = kept(pod, records, [watch()]);
        const [before] = compared(pod, records, [watch()]);
        const [after] = compared(once, records, [watch()]);
        assert.deepEqual(after?.evidence?.granted, names(before?.evidence?.used));
        assert.deepEqual(after?.evidence?.unused, []);
        assert.deepEqual(kept(once, records, [watch()]), once);
      }),
    );
  });
});

describe('the coverage of evidence', () => {
  it('the coverage counts overlapping times of several instances once, and counts each start', () => {
    const watches = [
      watch({ instance: 'a', started: true }),
      watch({ instance: 'b', from: '2026-11-01T10:30:00.000Z', to: '2026-11-01T11:30:00.000Z', started: true }),
      watch({ instance: 'b', from: '2026-11-02T10:00:00.000Z', to: '2026-11-02T10:00:30.000Z', lost: 4 }),
    ];
    assert.deepEqual(coverageOf(watches), {
      seconds: 90 * 60 + 30,
      instances: 2,
      starts: 2,
      lost: 4,
      from: '2026-11-01T10:00:00.000Z',
      to: '2026-11-02T10:00:30.000Z',
    });
  });

  it('has no time without watches', () => {
    assert.deepEqual(coverageOf([]), { instances: 0, starts: 0, lost: 0 });
  });
});

describe('evidence since a time', () => {
  const TIME = '2026-11-01T10:30:00.000Z';
  const last = (at: string) => use('CHOWN', { first: '2026-11-01T09:00:00.000Z', last: at });

  it('evidence since a time contains the uses from this time on, and uses without a time', () => {
    const uses = [last('2026-11-01T10:29:59.999Z'), last(TIME), use('CHOWN')];
    assert.deepEqual(since(TIME, { uses, watches: [] }).uses, uses.slice(1));
  });

  it('evidence since a time shortens a watch that began earlier, and drops the start of the watch', () => {
    const watches = [
      watch({ started: true }),
      watch({ to: TIME.replace('30', '29') }),
      watch({ from: TIME, started: true }),
    ];
    assert.deepEqual(since(TIME, { uses: [], watches }).watches, [
      watch({ from: TIME }),
      watch({ from: TIME, started: true }),
    ]);
  });
});
