/** Tests `cappol report`, which makes a page from stored snapshots. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { snapshotOf } from '../../cli/commands/snapshot/run.ts';
import { reportPage } from '../../cli/page/report-page.ts';
import { writePage } from '../../config/release/page.ts';
import { arbitraryCluster } from '../snapshot/clusters.ts';
import { cappol } from '../support/cappol.ts';
import { ALL_RIGHTS } from '../support/snapshots.ts';

const OPTIONS = { operatorNamespace: 'operator', excludedNamespaces: [], at: 0 };
const HOSTILE = `"><script>alert(1)</script><b a='&amp;\u202e--> $& $'`;
/** The maximum size of a page without data, in bytes. */
const MOST_BYTES = 2 * 1024 * 1024;

describe('cappol report', () => {
  let page: string;
  let folder: string;
  before(async () => {
    page = await writePage();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cappol-report-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function snapshot(context: string, missing: readonly string[] = []): Snapshot {
    const [cluster] = fc.sample(arbitraryCluster, { numRuns: 1, seed: 7 });
    assert.ok(cluster);
    return snapshotOf(cluster, { ...ALL_RIGHTS, missing }, { ...OPTIONS, context });
  }

  function stored(name: string, text: string | Buffer): string {
    writeFileSync(join(folder, name), text);
    return name;
  }

  const report = (...args: string[]) => cappol(['report', ...args], '', folder);

  /** Decodes the snapshots in a page in the same way as the script of the page. */
  function embedded(html: string): Snapshot[] {
    const elements = html.matchAll(/<script type="application\/gzip" data-context="[^"]*">([^<]*)<\/script>/g);
    return [...elements].map(([, data = '']) => JSON.parse(gunzipSync(Buffer.from(data, 'base64')).toString()));
  }

  it('report writes a page that contains the snapshots, compressed or not', async () => {
    const [one, two] = [snapshot('one'), snapshot('two')];
    const files = [stored('1.json', JSON.stringify(one)), stored('2.json.gz', gzipSync(JSON.stringify(two)))];
    assert.deepEqual(await report('--html', 'out.html', '--from', ...files), { code: 0, stdout: '', stderr: '' });
    const html = readFileSync(join(folder, 'out.html'), 'utf8');
    assert.deepEqual(embedded(html), JSON.parse(JSON.stringify([one, two])));
    assert.deepEqual(readdirSync(folder).sort(), ['1.json', '2.json.gz', 'out.html']);
  });

  it('the page is smaller than 2 MiB without the data', () => {
    const size = Buffer.byteLength(reportPage(page, []));
    assert.ok(size < MOST_BYTES, `${size} bytes`);
  });

  it('lets the page make no request', () => {
    const [, policy = ''] =
      /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(reportPage(page, [])) ?? [];
    const directives = new Map(policy.split('; ').map((one) => [one.split(' ')[0], one.split(' ').slice(1)]));
    assert.deepEqual(directives.get('default-src'), ["'none'"]);
    assert.deepEqual(directives.get('connect-src'), ["'none'"]);
    assert.deepEqual(
      directives.get('script-src')?.filter((source) => !source.startsWith("'sha256-")),
      [],
    );
  });

  it('a context whose name contains HTML adds no element to the page', () => {
    const html = reportPage(page, [{ ...snapshot('one'), context: HOSTILE }]);
    const count = (text: string, what: RegExp) => text.match(what)?.length ?? 0;
    const [before, after] = [reportPage(page, []), html];
    assert.equal(count(after, /<script/g), count(before, /<script/g) + 1);
    assert.equal(count(after, /<b a/g), 0);
    const [, name = ''] = /data-context="([^"]*)"/.exec(html) ?? [];
    const unescaped = name.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
    assert.equal(unescaped, HOSTILE);
    assert.equal(embedded(html)[0]?.context, HOSTILE);
  });

  it('prints it to standard output', async () => {
    const { code, stdout } = await report('--html', '-', '--from', stored('a.json', JSON.stringify(snapshot('one'))));
    assert.equal(code, 0);
    assert.match(stdout, /^<!doctype html>/);
    assert.equal(embedded(stdout)[0]?.context, 'one');
  });

  it('report exits with 2 for an incomplete snapshot', async () => {
    const file = stored('a.json', JSON.stringify(snapshot('one', ['you may not list pods: nothing is evaluated'])));
    assert.equal((await report('--html', 'out.html', '--from', file)).code, 2);
    assert.equal(embedded(readFileSync(join(folder, 'out.html'), 'utf8')).length, 1);
  });

  it('report keeps the mode of a file that it replaces, and writes through a symbolic link', async () => {
    stored('real.html', 'before');
    const { mode } = statSync(join(folder, 'real.html'));
    symlinkSync('real.html', join(folder, 'link.html'));
    const file = stored('a.json', JSON.stringify(snapshot('one')));
    assert.equal((await report('--html', 'link.html', '--from', file)).code, 0);
    assert.equal(statSync(join(folder, 'real.html')).mode, mode);
    assert.match(readFileSync(join(folder, 'real.html'), 'utf8'), /^<!doctype html>/);
  });

  it('leaves nothing behind when it cannot write', async () => {
    const file = stored('a.json', JSON.stringify(snapshot('one')));
    const { code, stderr } = await report('--html', 'none/out.html', '--from', file);
    assert.equal(code, 2);
    assert.match(stderr, /^cappol: .*none\/out\.html: ENOENT/);
    assert.deepEqual(readdirSync(folder), ['a.json']);
  });

  it('report refuses files that are no snapshots, and two snapshots of the same context', async () => {
    const one = stored('a.json', JSON.stringify(snapshot('one')));
    for (const [text, why] of [
      ['{"kind":"Pod"}', /bad\.json: not a snapshot that `cappol snapshot` wrote/],
      ['null', /not a snapshot/],
      [
        JSON.stringify({ ...snapshot('one'), shapes: undefined }),
        /bad\.json: the snapshot is damaged: shapes is not list/,
      ],
      ['{', /bad\.json: .*JSON/],
    ] as const) {
      const { code, stderr } = await report('--html', 'out.html', '--from', stored('bad.json', text));
      assert.equal(code, 2);
      assert.match(stderr, why);
    }
    const twice = await report('--html', 'out.html', '--from', one, stored('b.json', JSON.stringify(snapshot('one'))));
    assert.deepEqual([twice.code, twice.stderr], [2, 'cappol: --from: two snapshots are of the context "one"\n']);
    assert.ok(!readdirSync(folder).includes('out.html'));
  });
});
