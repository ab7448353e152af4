/**
 * Tests `cappol observe` on containers of runc with known needs. The test test/node/observe.test.ts tests `cappol
 * observe` on pods.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CapabilityUse, ObservedLine } from '../../analysis/evidence/use.ts';
import { RUNTIME_DEFAULT } from '../../operator/standards/capabilities.ts';
import { namesIn } from '../support/capability-masks.ts';
import { describeWith } from '../support/needs.ts';
import { ROOT } from '../support/page.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { bitsOfThisMachine } from './containers.ts';
import { NEEDS } from './needs.ts';
import { NeedyContainers } from './needy-containers.ts';
import { instances, OBSERVER_NEEDS, Observer } from './observer.ts';
import { beyondRestricted, suggestedFor } from './suggested.ts';

/** The noise of every container. The noise comes from memory, from overlayfs, and from the set-up of the container. */
const USUAL = ['RuntimeSetup', 'MemoryOvercommit', 'MountersCredentials', 'NonAudit'];
const FORKS = 400;
const ROUNDS = 5;

describeWith(OBSERVER_NEEDS, 'cappol observe', () => {
  let containers: NeedyContainers;

  before(async () => {
    containers = await NeedyContainers.create();
  });
  after(() => containers?.remove());

  describe('beside containers with known needs', () => {
    const all = namesIn(bitsOfThisMachine());
    let lines: readonly ObservedLine[];
    let stdout: string;
    let stderr: string;

    before(async () => {
      const observer = await observe();
      for (const [pod, { args = [pod], holds = all }] of Object.entries(NEEDS)) {
        const { error } = await containers.run({ pod, args, capabilities: holds });
        assert.equal(error, '', pod);
      }
      ({ lines, stdout, stderr } = await observer.end());
    });

    for (const [pod, { args = [pod], needs, refused = [], noise = [] }] of Object.entries(NEEDS)) {
      it(`${pod} uses ${needs.join(', ') || 'nothing'}`, () => {
        const own = usesOf(lines, pod);
        assert.deepEqual(
          namesOf(own, (use) => use.noise === undefined && use.outcome === 'granted'),
          needs,
        );
        assert.deepEqual(
          namesOf(own, (use) => use.noise === undefined && use.outcome === 'refused'),
          refused,
        );
        const unusual = own.filter((use) => use.noise !== undefined && !USUAL.includes(use.noise));
        assert.deepEqual(
          unusual.map((use) => `${use.capability} ${use.noise}`),
          noise,
        );
      });

      it(`${pod} works with these alone, and not without one of them`, async () => {
        assert.equal((await containers.run({ pod, args, capabilities: needs })).error, '');
        for (const missing of needs) {
          const capabilities = needs.filter((name) => name !== missing);
          assert.equal((await containers.run({ pod, args, capabilities })).ok, false, `without ${missing}`);
        }
      });
    }

    it('suggest --used suggests exactly the needed capabilities for each container', async () => {
      const pods = Object.entries(NEEDS).map(([name, { holds = ['ALL'] }]) =>
        podManifest(
          { name },
          { containers: [{ name: 'app', image: 'needs', securityContext: { capabilities: { add: holds } } }] },
        ),
      );
      const suggested = await suggestedFor(pods, stdout, 'default');
      for (const [pod, { needs, refused = [] }] of Object.entries(NEEDS)) {
        const { noise: _noise, ...found } = suggested(pod);
        assert.deepEqual(found, { used: needs, refused, allowed: beyondRestricted(needs) }, pod);
      }
    });

    it('observe watches each container from its start, and loses no event', () => {
      const watches = lines.filter((line) => line.observed === 'watch');
      assert.deepEqual(watches.map(({ pod }) => pod).sort(), Object.keys(NEEDS).sort());
      assert.ok(watches.every(({ started, lost }) => started && lost === undefined));
      assert.match(stderr, /, 0 events lost$/m);
    });

    it('observe gives an example of each use: the command and the call site', () => {
      const [use] = usesOf(lines, 'ping').filter(({ noise }) => noise === undefined);
      assert.deepEqual(use?.example, { command: 'needs', callSite: 'inet_create, sys_socket' });
    });
  });

  it('observe loses no event while 20 containers start at once', async () => {
    const observer = await observe();
    const pods = Array.from({ length: 20 }, (_, index) => `start-${index}`);
    const ended = await Promise.all(
      pods.map((pod) => containers.run({ pod, args: ['daemon'], capabilities: RUNTIME_DEFAULT })),
    );
    assert.deepEqual(
      ended.filter(({ ok }) => !ok),
      [],
    );
    const { lines, stderr } = await observer.end();
    assert.match(stderr, /, 0 events lost$/m);
    for (const pod of pods) {
      assert.deepEqual(
        namesOf(usesOf(lines, pod), ({ noise }) => noise === undefined),
        ['SETGID', 'SETUID'],
        pod,
      );
    }
  });

  it('observe ignores a trace line that a process forges in the name of its program', async () => {
    const observer = await observe();
    const path = `${containers.cgroup}/default/forged/app`;
    const line = `  x-1  [000] ..... 1.0: cgroup_attach_task: dst_root=1 dst_id=1 dst_level=1 dst_path=${path} pid=1 comm=x`;
    const { error } = await containers.run({ pod: 'forger', args: ['forge', line], capabilities: [] });
    assert.equal(error, '');
    const { lines } = await observer.end();
    assert.deepEqual([...new Set(lines.map(({ pod }) => pod))], ['forger']);
  });

  it('observe removes only its own tracing instance, at its end or, after a kill, at the next start', async () => {
    const killed = await observe();
    const other = await observe();
    await killed.kill();
    assert.equal(instances().length, 2);
    const next = await observe();
    assert.equal(instances().length, 2);
    await next.end();
    assert.equal(instances().length, 1);
    await other.end();
    assert.deepEqual(instances(), []);
  });

  it('observe increases the processor time of a constantly forking container by less than half', async () => {
    const measured = { unobserved: [] as number[], observed: [] as number[] };
    const forks = async () => {
      const { output, error } = await containers.run({ pod: 'forks', args: ['forks', `${FORKS}`], capabilities: [] });
      assert.equal(error, '');
      return Number(output);
    };
    for (let round = 0; round < ROUNDS; round++) {
      measured.unobserved.push(await forks());
      const observer = await observe();
      measured.observed.push(await forks());
      assert.match((await observer.end()).stderr, /, 0 events lost$/m);
    }
    const ratio = median(measured.observed) / median(measured.unobserved);
    console.log(`      ${FORKS} forks, ms: ${JSON.stringify(measured)}, ratio of the medians ${ratio.toFixed(2)}`);
    assert.ok(ratio < 1.5, `${ratio}`);
  });

  describe('that cannot observe', () => {
    const observeHere = (...command: string[]) => {
      const [program = '', ...args] = [...command, process.execPath, join(ROOT, 'cli', 'main.ts'), 'observe'];
      return spawnSync(program, args, { encoding: 'utf8' });
    };

    it('says that it needs root', () => {
      const { status, stderr } = observeHere('unshare', '--user');
      assert.match(stderr, /^cappol: `cappol observe` must run as root/);
      assert.equal(status, 2);
    });

    it('says that the kernel is too old', () => {
      const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-tracefs-'));
      try {
        mkdirSync(join(folder, 'instances'));
        const args = [join(ROOT, 'cli', 'main.ts'), 'observe', '--tracefs', folder];
        const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
        assert.match(stderr, /^cappol: this kernel, \S+, has no tracepoint capability:cap_capable: .* Linux 6\.14/);
        assert.equal(status, 2);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });

  function observe(): Promise<Observer> {
    return Observer.start('--cgroup', containers.cgroup);
  }
});

function usesOf(lines: readonly ObservedLine[], pod: string): CapabilityUse[] {
  return lines.filter((line) => line.observed === 'use').filter((use) => use.pod === pod);
}

function namesOf(uses: readonly CapabilityUse[], is: (use: CapabilityUse) => boolean): string[] {
  return [...new Set(uses.filter(is).map(({ capability }) => capability))].sort();
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;
}
