/** Tests the files of a release: one manifest, and a packed chart. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { Json } from '../../hack/controlplane/api.ts';
import { Tools } from '../../hack/tools.ts';
import { CONFIG, OPERATOR_NAMESPACE } from '../support/rights.ts';

describe('the files of a release', function () {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-release-'));
  const { version } = JSON.parse(readFileSync(join(CONFIG, '..', 'package.json'), 'utf8'));
  let tools: Tools;

  before(async () => {
    tools = await Tools.withHelm();
    // With this PATH, the script finds neither kubectl nor helm.
    const env = { ...process.env, PATH: dirname(process.execPath) };
    execFileSync(process.execPath, [join(CONFIG, 'release', 'manifests.ts'), '--out', folder], { env });
  });

  after(() => {
    tools.end();
    rmSync(folder, { recursive: true });
  });

  it('install.yaml contains everything in config/default, for kubectl', async () => {
    const { stdout } = await tools.run('kubectl', 'kustomize', 'config/default');
    const found = loadAll(readFileSync(join(folder, 'install.yaml'), 'utf8')) as Json[];
    // The namespace must be first, because kubectl applies the objects in order.
    assert.equal(found[0].kind, 'Namespace');
    assert.deepEqual(found, loadAll(stdout));
  });

  it('the packed chart for helm gives the same objects as config/helm', async () => {
    const template = async (chart: string) => {
      const release = ['capabilitypolicy', chart, '--namespace', OPERATOR_NAMESPACE, '--kube-version', '1.36.0'];
      return loadAll((await tools.run('helm', 'template', ...release)).stdout);
    };
    const packed = await template(join(folder, `capabilitypolicy-${version}.tgz`));
    assert.deepEqual(packed, await template('config/helm/capabilitypolicy'));
  });
});
