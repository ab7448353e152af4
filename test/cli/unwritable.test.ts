/** Tests the commands that write files, with paths that cannot be written. Processes, because an endless loop must fail. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolders } from '../../cli/output/make-folders.ts';

const CAPPOL = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');
const DEPLOYMENT = JSON.stringify({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: { template: { spec: { containers: [{ name: 'web', image: 'app' }] } } },
});
const COMMANDS: readonly (readonly string[])[] = [
  ['render', '--static'],
  ['fix', '-f', 'web.json', '--level', 'restricted', '-o', 'kustomize'],
];
/** The last one is a path whose parent is a file. */
const PATHS = ['/proc/x', '/proc/x/y', '/dev/null/x', 'web.json', 'web.json/x'];
/** Far more than the program needs on a busy machine; without the fix, it never ends. */
const TIMEOUT_MS = 30_000;

describe('cappol, output folders that cannot be written', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'cappol-unwritable-'));
    writeFileSync(join(folder, 'web.json'), DEPLOYMENT);
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const command of COMMANDS) {
    for (const path of PATHS) {
      it(`${command.join(' ')} --directory ${path}: names the path, and writes nothing`, function () {
        if (path.startsWith('/proc') && process.platform !== 'linux') this.skip();
        const { status, stdout, stderr, error } = spawnSync(
          process.execPath,
          [CAPPOL, ...command, '--directory', path],
          { cwd: folder, encoding: 'utf8', timeout: TIMEOUT_MS, killSignal: 'SIGKILL' },
        );
        assert.equal(error, undefined);
        assert.equal(status, 2, stdout);
        const [first = ''] = path.split('/').filter((part) => part !== '');
        assert.match(stderr.trimEnd(), new RegExp(`^cappol: .*${first}[^\n]*$`));
        assert.deepEqual(readdirSync(folder), ['web.json']);
      });
    }
  }

  it('creates folders below an existing folder, and accepts existing ones', () => {
    const path = join(folder, 'a', 'b', 'c');
    makeFolders(path);
    makeFolders(path);
    assert.deepEqual(readdirSync(join(folder, 'a', 'b')), ['c']);
    rmSync(join(folder, 'a'), { recursive: true });
  });
});
