/**
 * Tests that only a small number of files name the newest Kubernetes version. So adding a version changes only a small
 * number of files.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubernetesVersion } from '../../hack/controlplane/binaries.ts';
import { withNewestVersion } from '../../hack/generate/newest-version.ts';
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { documentation, ROOT } from '../support/page.ts';
import { isRecord, mentions, mentionsIn, NAMED_IN, RECORDS } from './newest-version.ts';

/**
 * Lines with version 1.31. If the newest Kubernetes version is 1.31, the search must find the version in each of these
 * lines.
 */
const FOUND: Readonly<Record<string, readonly [file: string, line: string]>> = {
  'a version': ['a.ts', "const NEWEST = 'v1.31';"],
  'a version without v': ['a.yaml', 'version: ["1.30", "1.31"]'],
  'a release': ['a.md', 'beside a Kubernetes 1.31.2 API server'],
  'a level at a version': ['a.ts', "level: ['restricted:v1.31']"],
  'the end of a sentence': ['a.md', 'It runs on 1.31.'],
  'a minor number': ['a.ts', 'const standard = { level, minor: 31 };'],
  'a minor number in a list': ['a.ts', 'for (const oldestServer of [31, 35]) {'],
  'a module': ['a/go.mod', 'require k8s.io/api v0.31.2'],
  'the version of a module in a comment': ['a.ts', '// k8s.io/api v0.31'],
};
const NOT_FOUND: Readonly<Record<string, readonly [file: string, line: string]>> = {
  'another version': ['a.ts', "'v1.30', 'v1.310', 'v11.31'"],
  'a factor': ['a.md', '| 1.31× | 1.31 ms | 2.1.31 |'],
  "an image's tag": ['a.ts', "level: 'busybox:1.31'"],
  'a number about something else': ['a.ts', 'const MAX = 31;'],
  'an object identifier': ['a.ts', "server: '2.5.29.31'"],
  'another module': ['a/go.mod', 'golang.org/x/term v0.31.0'],
  'the version of another module': ['a/go.mod', 'go.opentelemetry.io/otel v1.31.0'],
  'the version of another project': ['a.md', '`docs/version-1.31/pages/policies.adoc`'],
};

describe('the newest Kubernetes version', () => {
  it('the newest version appears only in records and in the listed files: read it from NEWEST_KNOWN_MINOR elsewhere', () => {
    const elsewhere = mentions().filter(({ file }) => !NAMED_IN.includes(file) && !isRecord(file));
    assert.deepEqual(
      elsewhere.map(({ file, line, text }) => `${file}:${line}: ${text}`),
      [],
    );
  });

  it('each listed file names the newest version', () => {
    const files = new Set(mentions().map(({ file }) => file));
    assert.deepEqual(
      NAMED_IN.filter((file) => !files.has(file)),
      [],
    );
  });

  it('the tests start an API server of the newest version', () => {
    assert.equal(kubernetesVersion({}).replace(/\.\d+$/, ''), formatVersion(NEWEST_KNOWN_MINOR));
  });

  it('stands in the outputs that pages show', () => {
    const pages = documentation().filter(({ path }) => /^(README\.md|docs\/[^/]+\.md)$/.test(path));
    const stale = pages.filter(({ path }) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      return withNewestVersion(text) !== text;
    });
    assert.deepEqual(
      stale.map(({ path }) => path),
      [],
      'npm run generate',
    );
  });

  it('may be named by files that exist', () => {
    assert.deepEqual(
      Object.keys(RECORDS).filter((path) => !existsSync(join(ROOT, path))),
      [],
    );
  });
});

describe('the search for a Kubernetes version', () => {
  for (const [title, [file, line]] of Object.entries(FOUND)) {
    it(`finds ${title}`, () => assert.deepEqual(mentionsIn(file, `\n${line}`, 31), [{ file, line: 2, text: line }]));
  }
  for (const [title, [file, line]] of Object.entries(NOT_FOUND)) {
    it(`does not find ${title}`, () => assert.deepEqual(mentionsIn(file, line, 31), []));
  }

  it('the search skips the generated parts and the outputs in pages, but counts their lines', () => {
    const page = [
      '<!-- Written by `npm run generate` from a/. Do not edit. -->',
      '| 1.31 |',
      '<!-- End of what is written from a/. -->',
      '```text',
      'restricted:v1.31',
      '```',
      'Kubernetes 1.31',
    ].join('\n');
    assert.deepEqual(mentionsIn('a.md', page, 31), [{ file: 'a.md', line: 7, text: 'Kubernetes 1.31' }]);
  });
});
