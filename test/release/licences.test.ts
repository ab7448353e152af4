import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleOperator, licenceTexts } from '../../config/release/bundle.ts';
import {
  ALLOWED,
  licencesPage,
  productionPackages,
  REASONS,
  readLock,
  refusedLicences,
} from '../../config/release/licences.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const bundled = bundleOperator();

describe('the licences of what is shipped', () => {
  const packages = productionPackages(readLock());

  it('are allowed, each of them', () => {
    assert.ok(packages.length > 0);
    assert.deepEqual(refusedLicences(packages), []);
  });

  it('are what the packages themselves state', () => {
    const installed = packages.filter(({ path }) => existsSync(join(ROOT, path)));
    assert.ok(installed.length > packages.length / 2);
    for (const { path, name, version, licence } of installed) {
      const manifest = JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8'));
      assert.deepEqual([manifest.name, manifest.version, manifest.license], [name, version, licence], path);
    }
  });

  it('are listed on a page that `npm run generate` makes', async () => {
    const page = licencesPage(packages, await bundled);
    assert.equal(readFileSync(join(ROOT, 'docs/reference/licences.md'), 'utf8'), page);
  });

  it('go with the operator: each package in its file has its text there, or a licence that asks for nothing', async () => {
    const bundle = await bundled;
    const text = licenceTexts(bundle.packages);
    for (const path of bundle.packages) {
      const { name, version, license } = JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8'));
      const [, own = ''] = text.split(`${name} ${version} (${license})\n`);
      assert.ok(/^\s*\S/.test(own.split('-'.repeat(80))[0] ?? '') || ALLOWED[license] === 'nothing', name);
    }
  });

  it('fail the suite when nobody has allowed them, or when none is stated', () => {
    const lock = {
      packages: {
        '': { version: '0.1.0', license: 'Apache-2.0' },
        'node_modules/a': { version: '1.0.0', license: 'MIT' },
        'node_modules/a/node_modules/@b/c': { version: '2.0.0', license: 'AGPL-3.0-only' },
        'node_modules/d': { version: '3.0.0' },
        'node_modules/e': { version: '4.0.0', license: 'GPL-2.0-only', dev: true },
      },
    };
    assert.deepEqual(refusedLicences(productionPackages(lock)), ['@b/c 2.0.0: AGPL-3.0-only', 'd 3.0.0: none stated']);
  });
});

describe("the operator's file", () => {
  it('holds nothing of cappol, of migrate, or of the tests', async () => {
    const { sources } = await bundled;
    assert.ok(sources.includes('operator/main.ts'));
    assert.deepEqual(
      sources.filter((path) => !/^operator\/(?!cli\/|migrate\/)/.test(path)),
      [],
    );
  });

  it('imports no package without a reason on the page of licences', async () => {
    const { imported } = await bundled;
    assert.deepEqual(
      [...imported.keys()].map((path) => path.replace('node_modules/', '')),
      Object.keys(REASONS),
    );
  });
});
