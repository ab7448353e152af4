import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKubeConfig } from '../../operator/cluster/kubeconfig.ts';

const TWO = {
  clusters: ['a', 'b'].map((name) => ({ name, cluster: { server: `https://${name}` } })),
  users: [{ name: 'me', user: {} }],
  contexts: ['a', 'b'].map((name) => ({ name, context: { cluster: name, user: 'me' } })),
  'current-context': 'a',
};

describe('the kubeconfig', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
  after(() => rmSync(folder, { recursive: true }));

  const fileOf = (text: string) => {
    const file = join(folder, 'config');
    writeFileSync(file, text);
    return file;
  };
  const message = (options: Parameters<typeof loadKubeConfig>[0]) => {
    try {
      loadKubeConfig(options);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };

  it('gives the current context, or the requested one', () => {
    const kubeconfig = fileOf(JSON.stringify(TWO));
    assert.equal(loadKubeConfig({ kubeconfig }).getCurrentCluster()?.server, 'https://a');
    assert.equal(loadKubeConfig({ kubeconfig, context: 'b' }).getCurrentCluster()?.server, 'https://b');
  });

  it('says in one line which contexts there are', () => {
    const kubeconfig = fileOf(JSON.stringify(TWO));
    assert.equal(message({ kubeconfig, context: 'c' }), 'no context "c" in the kubeconfig: it has a, b');
  });

  it('says in one line that a file is missing, or not YAML', () => {
    assert.match(message({ kubeconfig: join(folder, 'missing') }) ?? '', /^kubeconfig: ENOENT.*$/);
    assert.match(message({ kubeconfig: fileOf('a: [') }) ?? '', /^kubeconfig: .*$/);
  });
});
