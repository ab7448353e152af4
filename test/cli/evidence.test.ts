/** Tests that `cappol suggest --used` and `cappol explain --used` read evidence from files. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { CapabilityPolicy } from '../../operator/api/capability-policy.ts';
import { applicationProfile, containerProfile, gadgetEvent, observedUse, observedWatch } from '../evidence/records.ts';
import { cappol, type Ran } from '../support/cappol.ts';

type Fields = Readonly<Record<string, unknown>>;

const HARDENED = { allowPrivilegeEscalation: false, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };

function pinger(securityContext: Fields = {}, kind: string = 'Deployment'): Fields {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'pinger', namespace: 'net' },
    spec: {
      template: {
        metadata: { labels: { app: 'pinger' } },
        spec: {
          serviceAccountName: 'pinger',
          initContainers: [{ name: 'setup', image: 'app', securityContext: HARDENED }],
          containers: [{ name: 'ping', image: 'app', securityContext: { ...HARDENED, ...securityContext } }],
        },
      },
    },
  };
}

describe('cappol with evidence', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'evidence-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const lines = (...records: readonly unknown[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('');

  /** Runs `cappol suggest --used` with the Deployment on standard input. */
  async function suggested(files: readonly string[], args: readonly string[] = [], given = pinger()): Promise<Ran> {
    return cappol(['suggest', '-f', '-', '--used', ...files, ...args], JSON.stringify(given), folder);
  }

  async function evidenceOf(files: readonly string[], args: readonly string[] = []) {
    const { stdout } = await suggested(files, ['-o', 'json', ...args]);
    const { evidence } = JSON.parse(stdout);
    return Object.fromEntries(
      evidence[0].containers.map((one: { name: string; evidence?: { used: { capability: string }[] } }) => [
        one.name,
        one.evidence?.used.map(({ capability }) => capability),
      ]),
    );
  }

  it('suggest prints a policy that admits the used capabilities and drops all other capabilities', async () => {
    const refused = gadgetEvent({ cap: 'CAP_SYS_ADMIN', capable: false, syscall: 'SYS_MOUNT' });
    write('trace.jsonl', lines(gadgetEvent(), refused, observedWatch({ container: 'setup' })));
    const { code, stdout, stderr } = await suggested(['trace.jsonl']);
    assert.equal(stderr, '');
    assert.equal(code, 0);
    const [exception, base] = (loadAll(stdout) as CapabilityPolicy[]).map(({ spec }) => spec);
    assert.equal(base?.level, 'restricted');
    assert.deepEqual(exception?.containers, [
      {
        names: ['ping'],
        images: ['app'],
        overrides: { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } },
      },
    ]);
    assert.match(stdout, /# {3}Deployment net\/pinger, container ping: Keeps NET_RAW, drops CHOWN, .* and \d+ more\./);
    assert.match(
      stdout,
      /The kernel refused every check of SYS_ADMIN \(once, ping in SYS_MOUNT\)\. A check does not show whether the container works or fails without these capabilities/,
    );
    assert.match(stdout, /container setup: Keeps no capability, drops CHOWN, /);
    assert.match(stdout, /level restricted admits 0 of 1 workload with the capabilities that they used\./);
  });

  it('suggest keeps the capabilities of a container without evidence', async () => {
    write('trace.jsonl', lines(gadgetEvent()));
    const { stdout } = await suggested(['trace.jsonl']);
    assert.match(stdout, /container setup: No evidence: the container keeps the capabilities in its manifest\./);
    const [exception] = (loadAll(stdout) as CapabilityPolicy[]).map(({ spec }) => spec);
    assert.deepEqual(exception?.overrides?.capabilities?.requiredDrop, []);
  });

  it('suggest requires the drop of ALL even at the level baseline, which requires no drop', async () => {
    write('both.jsonl', lines(observedUse(), observedWatch({ container: 'setup' })));
    const { stdout } = await suggested(['both.jsonl'], ['--level', 'baseline']);
    const [exception] = (loadAll(stdout) as CapabilityPolicy[]).map(({ spec }) => spec);
    assert.deepEqual(exception?.overrides?.capabilities, { allowedAdd: ['NET_RAW'], requiredDrop: ['ALL'] });
  });

  it('cappol reads several files of several tools like a single file', async () => {
    write('one.jsonl', lines(gadgetEvent({ cap: 'CAP_CHOWN' })));
    write(
      'two.yaml',
      `---\n${JSON.stringify(applicationProfile(), null, 2)}\n---\n${JSON.stringify(containerProfile())}\n`,
    );
    write('three.ndjson', lines(observedUse({ capability: 'KILL' }), observedWatch()));
    const expected = { ping: ['CHOWN', 'KILL', 'NET_RAW'], setup: ['CHOWN'] };
    assert.deepEqual(await evidenceOf(['one.jsonl', 'two.yaml', 'three.ndjson']), expected);
    assert.deepEqual(await evidenceOf(['three.ndjson', 'two.yaml', 'one.jsonl']), expected);
  });

  it('reads standard input', async () => {
    write('pinger.json', JSON.stringify(pinger()));
    const { stdout, code } = await cappol(
      ['explain', '-f', 'pinger.json', '--used', '-', '-o', 'json'],
      lines(observedUse()),
      folder,
    );
    const [setup, ping] = JSON.parse(stdout).items[0].containers;
    assert.equal(code, 0);
    assert.equal(setup.evidence, null);
    assert.deepEqual(ping.evidence.used, [{ capability: 'NET_RAW', count: 3 }]);
  });

  it('with --since, cappol counts only the uses after a time or within a duration', async () => {
    const old = observedUse({ capability: 'CHOWN', last: '2020-01-01T00:00:00Z' });
    const recent = observedUse({ capability: 'KILL', last: new Date().toISOString() });
    write('since.jsonl', lines(old, recent));
    assert.deepEqual((await evidenceOf(['since.jsonl'], ['--since', '2020-01-01T00:00:01Z'])).ping, ['KILL']);
    assert.deepEqual((await evidenceOf(['since.jsonl'], ['--since', '1d12h'])).ping, ['KILL']);
    assert.deepEqual((await evidenceOf(['since.jsonl'], ['--since', '2019-12-31T00:00:00Z'])).ping, ['CHOWN', 'KILL']);
  });

  it('explain shows the used capabilities beside the held capabilities, and how weak the evidence is', async () => {
    write(
      'observed.jsonl',
      lines(
        observedWatch({ lost: 3 }),
        observedUse({ first: '2026-11-01T10:00:00Z', last: '2026-11-01T11:00:00Z', example: { command: 'ping' } }),
        observedUse({ capability: 'SYS_ADMIN', outcome: 'refused', noise: 'MemoryOvercommit', count: 120 }),
      ),
    );
    const { stdout } = await cappol(
      ['explain', '-f', '-', '--used', 'observed.jsonl'],
      JSON.stringify(pinger()),
      folder,
    );
    for (const line of [
      /^used +NET_RAW +3 +2026-11-01T10:00:00\.000Z +2026-11-01T11:00:00\.000Z +ping$/m,
      /^noise, refused +SYS_ADMIN +120$/m,
      /^unused: CHOWN, DAC_OVERRIDE, /m,
      /^Not counted as use: SYS_ADMIN 120 times \(the kernel makes this check whenever a process allocates memory/m,
      /^Watched for 2 h, in 1 instance, with 1 start seen\.$/m,
      /^Weak evidence that capabilities are unnecessary: /m,
      /^The tool lost 3 checks, so a used capability may be missing\.$/m,
      /^evidence: none for this container$/m,
    ]) {
      assert.match(stdout, line);
    }
  });

  const strengths: readonly [strength: string, to: string, started: boolean, text: RegExp][] = [
    ['very weak', '2026-11-01T10:30:00Z', true, /^Watched for 30 min.*\nVery weak evidence/m],
    ['weak', '2026-11-01T20:30:00Z', true, /^Watched for 10 h 30 min.*\nWeak evidence/m],
    ['fair', '2026-11-09T10:00:00Z', true, /^Watched for 8 d, .*\nFair evidence/m],
    ['fair', '2026-11-02T10:00:00Z', false, /with 0 starts seen.*\nFair evidence.*\nNo start was seen/m],
  ];
  for (const [strength, to, started, text] of strengths) {
    it(`calls evidence ${strength} that lasts until ${to}${started ? '' : ', without a start'}`, async () => {
      write('strength.jsonl', lines(observedWatch({ from: '2026-11-01T10:00:00Z', to, started })));
      const { stdout } = await cappol(
        ['explain', '-f', '-', '--used', 'strength.jsonl'],
        JSON.stringify(pinger()),
        folder,
      );
      assert.match(stdout, text);
    });
  }

  it('explain calls evidence good after a week and two starts', async () => {
    const [from, to] = ['2026-11-01T10:00:00Z', '2026-11-09T10:00:00Z'];
    write('good.jsonl', lines(observedWatch({ from, to }), observedWatch({ from, to, instance: 'b' })));
    const { stdout } = await cappol(['explain', '-f', '-', '--used', 'good.jsonl'], JSON.stringify(pinger()), folder);
    assert.match(stdout, /^Good evidence that capabilities are unnecessary, but no proof/m);
  });

  describe('cappol keeps the records that it can read, and says where it cannot read a record', () => {
    const good = JSON.stringify(observedUse());
    const rows: readonly [what: string, text: string, stderr: RegExp, code: number][] = [
      ['a line that is no JSON', `${good}\nnonsense\n`, /^cappol: bad\.jsonl:2: not JSON: "nonsense"$/m, 2],
      ['a message of a tool at the beginning', `WARN[0000] no runtime\n${good}\n`, /bad\.jsonl:1: not JSON: "WARN/, 2],
      [
        'a line of another tool',
        `${good}\n{"a":1}\n`,
        /bad\.jsonl:2: not evidence: name files with lines of Inspektor Gadget/,
        2,
      ],
      [
        'an unknown capability',
        `${good}\n${JSON.stringify(gadgetEvent({ cap: 'CAP_FLY' }))}\n`,
        /:2: unknown capability/,
        2,
      ],
      [
        'a last line that a killed tool cut',
        `${good}\n${good.slice(0, 40)}`,
        /:2: warning: the last line has only the beginning of a/,
        0,
      ],
      [
        'checks outside of pods',
        `${good}\n${JSON.stringify(gadgetEvent({ k8s: {} }))}\n`,
        /warning: left out 1 check/,
        0,
      ],
      ['many wrong lines', `${good}\n${'x\n'.repeat(9)}`, /bad\.jsonl:6: .*\n.*bad\.jsonl:10: and 4 more records/, 2],
    ];
    for (const [what, text, expected, code] of rows) {
      it(what, async () => {
        write('bad.jsonl', text);
        const ran = await suggested(['bad.jsonl']);
        assert.match(ran.stderr, expected);
        assert.equal(ran.code, code);
        assert.match(ran.stdout, /container ping: Keeps NET_RAW/);
      });
    }
  });

  describe('refuses', () => {
    const rows: readonly [what: string, args: readonly string[], stderr: RegExp][] = [
      ['no file', ['suggest', '-f', 'pinger.json', '--used'], /name files with evidence after --used/],
      [
        'a file that does not exist',
        ['suggest', '-f', 'pinger.json', '--used', 'none.jsonl'],
        /none\.jsonl: no such file/,
      ],
      ['--since alone', ['suggest', '-f', 'pinger.json', '--since', '24h'], /--since requires --used/],
      ['no time', ['suggest', '-f', 'pinger.json', '--used', 'x', '--since', 'noon'], /write a duration, such as 24h/],
      ['standard input twice', ['suggest', '-f', '-', '--used', '-'], /only one of -f and --used/],
      [
        'evidence about the name of a capability',
        ['explain', 'NET_RAW', '--used', 'x'],
        /--used requires -f|name capabilities/,
      ],
      [
        'a table',
        ['suggest', '-f', 'pinger.json', '--used', 'table.txt'],
        /table\.txt:1: the file contains a table instead of JSON: .* -o json/,
      ],
    ];
    for (const [what, args, expected] of rows) {
      it(what, async () => {
        write('pinger.json', JSON.stringify(pinger()));
        write('table.txt', 'K8S.NODE   K8S.NAMESPACE   COMM\nn1   net   ping\n');
        const { code, stderr } = await cappol(args, '', folder);
        assert.match(stderr, expected);
        assert.equal(code, 2);
      });
    }
  });
});
