import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleOperator } from '../../config/release/bundle.ts';
import { bundledPackages, readLock } from '../../config/release/licences.ts';
import type { Sbom } from '../../config/release/sbom.ts';

describe('the SBOM', () => {
  const root = join(import.meta.dirname, '..', '..');
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  let sbom: Sbom;

  before(() => {
    const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-sbom-'));
    execFileSync(process.execPath, [join(root, 'config/release/sbom.ts'), '--out', folder]);
    sbom = JSON.parse(readFileSync(join(folder, `${name}-${version}.cdx.json`), 'utf8'));
    rmSync(folder, { recursive: true });
  });

  it('is CycloneDX, of this application', () => {
    const { component } = sbom.metadata;
    assert.equal(sbom.bomFormat, 'CycloneDX');
    assert.deepEqual([component.type, component.name, component.version], ['application', name, version]);
  });

  it('the SBOM names exactly the packages in the operator, each with its source, its hash and its licence', async () => {
    const packages = bundledPackages(readLock(), await bundleOperator());
    const wanted = new Set(packages.map((one) => `${one.name}@${one.version}`));
    assert.ok(wanted.size > 0);
    const found = sbom.components.map((one) => `${one.name}@${one.version}`);
    assert.deepEqual([...new Set(found)].sort(), [...wanted].sort());
    for (const { purl, hashes = [], licenses = [] } of sbom.components) {
      assert.match(purl, /^pkg:npm\//);
      assert.ok(hashes.length > 0 && licenses.length > 0, purl);
    }
  });

  it('has all dependencies, including indirect ones', () => {
    const known = new Set(sbom.dependencies.map(({ ref }) => ref));
    for (const { ref, dependsOn } of sbom.dependencies) {
      for (const needed of dependsOn) assert.ok(known.has(needed), `${ref} needs ${needed}`);
    }
    const reached = new Set<string>();
    const visit = (ref: string) => {
      if (reached.has(ref)) return;
      reached.add(ref);
      for (const next of sbom.dependencies.find((one) => one.ref === ref)?.dependsOn ?? []) visit(next);
    };
    visit(sbom.metadata.component['bom-ref']);
    for (const component of sbom.components) assert.ok(reached.has(component['bom-ref']), component['bom-ref']);
  });
});
