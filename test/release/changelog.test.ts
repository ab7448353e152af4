/**
 * Tests that docs/CHANGELOG.md has the format of https://keepachangelog.com/en/1.1.0/. A release takes its release
 * notes from docs/CHANGELOG.md.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { notesOf } from '../../config/release/notes.ts';

const KINDS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];

describe('the changelog', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'CHANGELOG.md'), 'utf8');
  const versions = [...text.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => heading);

  it('the changelog lists the unreleased changes first, and then each version with its day, newest first', () => {
    assert.equal(versions[0], '[Unreleased]');
    const released = versions.slice(1);
    for (const heading of released) assert.match(heading, /^\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}$/);
    const days = released.map((heading) => heading.slice(-10));
    assert.deepEqual(days, days.toSorted().reverse());
  });

  it('sorts what changed by kind', () => {
    const kinds = [...text.matchAll(/^### (.*)$/gm)].map(([, kind = '']) => kind);
    assert.ok(kinds.length > 0);
    for (const kind of kinds) assert.ok(KINDS.includes(kind), `### ${kind} is none of ${KINDS.join(', ')}`);
  });

  it('links to the changes of each version', () => {
    for (const heading of versions) {
      const name = heading.replace(/^\[(.*?)\].*/, '$1');
      assert.match(text, new RegExp(`^\\[${name.replaceAll('.', '\\.')}\\]: https://`, 'm'), name);
    }
  });
});

describe('the notes of a release', () => {
  const changelog = `# Changelog

## [Unreleased]

## [0.2.0] - 2026-12-01

### Added

- Something.

## [0.1.0] - 2026-11-30

[Unreleased]: https://example.org/compare/v0.2.0...HEAD
[0.2.0]: https://example.org/releases/v0.2.0
[0.1.0]: https://example.org/releases/v0.1.0
`;

  it("are the version's section", () => assert.equal(notesOf(changelog, '0.2.0'), '### Added\n\n- Something.\n'));

  for (const [title, version] of [
    ['that the changelog lacks', '0.3.0'],
    ['without an entry in the changelog', '0.1.0'],
  ] as const) {
    it(`must exist for a version ${title}`, () => {
      assert.throws(() => notesOf(changelog, version), {
        message: new RegExp(`## \\[${version.replaceAll('.', '\\.')}\\]`),
      });
    });
  }
});
