import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const DEMO = join(import.meta.dirname, '..', '..', 'hack', 'demo', 'demo.ts');

describe('npm run demo -- --node', () => {
  it('on a machine that cannot run a node, the demo names the missing requirement and starts nothing', () => {
    const options = { encoding: 'utf8', env: { ...process.env, PATH: '/nonexistent' } } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [DEMO, '--node', '--once'], options);
    assert.match(stderr, /^The demo failed: this machine cannot run a node, it needs (Linux|root: \S|containerd: \S)/m);
    assert.equal(stdout, '');
    assert.equal(status, 1);
  });

  it('refuses to use an existing cluster', () => {
    const { status, stderr } = spawnSync(process.execPath, [DEMO, '--node', '--use-kubeconfig'], { encoding: 'utf8' });
    assert.match(stderr, /--node and --use-kubeconfig exclude each other/);
    assert.equal(status, 2);
  });
});
