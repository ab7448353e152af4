import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { licencesPage, productionPackages, readLock, refusedLicences } from '../../config/release/licences.ts';

const ROOT = join(import.meta.dirname, '..', '..');

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

  it('are listed on a page that `npm run generate` makes', () => {
    assert.equal(readFileSync(join(ROOT, 'docs/reference/licences.md'), 'utf8'), licencesPage(packages));
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
