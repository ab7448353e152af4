import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bundle, bundleCappol, bundleOperator, licenceTexts } from '../../config/release/bundle.ts';
import {
  ALLOWED,
  type BundledPackage,
  bundledPackages,
  licencesPage,
  REASONS,
  readLock,
  refusedLicences,
} from '../../config/release/licences.ts';

const ROOT = join(import.meta.dirname, '..', '..');

describe('the licences of what is shipped', () => {
  let operator: Bundle;
  let cappol: Bundle;
  let packages: BundledPackage[];

  before(async () => {
    [operator, cappol] = await Promise.all([bundleOperator(), bundleCappol()]);
    packages = bundledPackages(readLock(), operator, cappol);
  });

  it('are allowed, each of them', () => {
    assert.ok(packages.length > 0);
    assert.deepEqual(refusedLicences(packages), []);
  });

  it('are what the packages themselves state', () => {
    for (const { path, name, version, licence } of packages) {
      const manifest = JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8'));
      assert.deepEqual([manifest.name, manifest.version, manifest.license], [name, version, licence], path);
    }
  });

  it('all licences are listed on a page that `npm run generate` makes', () => {
    const page = licencesPage(packages, { operator, cappol });
    assert.equal(readFileSync(join(ROOT, 'docs/reference/licences.md'), 'utf8'), page);
  });

  it('a shipped file contains the licence text of each package in the file, if the licence requires the text', () => {
    for (const bundle of [operator, cappol]) {
      const text = licenceTexts(bundle.packages);
      for (const path of bundle.packages) {
        const { name, version, license } = JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8'));
        const [, own = ''] = text.split(`${name} ${version} (${license})\n`);
        assert.ok(/^\s*\S/.test(own.split('-'.repeat(80))[0] ?? '') || ALLOWED[license] === 'nothing', name);
      }
    }
  });

  it('the suite fails if a licence is not allowed, or if a package states no licence', () => {
    const lock = {
      packages: {
        '': { version: '0.1.0', license: 'Apache-2.0' },
        'node_modules/a': { version: '1.0.0', license: 'MIT' },
        'node_modules/a/node_modules/@b/c': { version: '2.0.0', license: 'AGPL-3.0-only' },
        'node_modules/d': { version: '3.0.0' },
        'node_modules/e': { version: '4.0.0', license: 'GPL-2.0-only' },
      },
    };
    const shipped = { packages: ['node_modules/a', 'node_modules/a/node_modules/@b/c', 'node_modules/d'] };
    assert.deepEqual(refusedLicences(bundledPackages(lock, shipped)), [
      '@b/c 2.0.0: AGPL-3.0-only',
      'd 3.0.0: none stated',
    ]);
  });

  it('the project imports each shipped package for a documented reason', () => {
    const imported = [operator, cappol].flatMap((bundle) => [...bundle.imported.keys()]);
    const names = new Set(imported.map((path) => path.replace('node_modules/', '')));
    assert.deepEqual([...names].sort(), Object.keys(REASONS).sort());
  });
});

describe("the operator's file", () => {
  it('the operator contains no source of cappol, of migrate, or of the tests', async () => {
    const { sources } = await bundleOperator();
    assert.ok(sources.includes('operator/main.ts'));
    assert.deepEqual(
      sources.filter((path) => !/^(?:engine|operator)\/(?!cli\/|migrate\/)/.test(path)),
      [],
    );
  });
});
