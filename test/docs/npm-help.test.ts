/** Tests `--help` of all scripts in package.json. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..', '..');
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};
/** The programs of others print their own help. */
const USAGE = /^(usage|mocha \[|tsc: )/im;

/** The caches of npm, of the Node that runs npm, and of Biome. */
const CACHES = ['npm', 'node-compile-cache', 'biome'];

describe('npm run', () => {
  /** The home of the scripts and their folder for temporary files. It is empty, and so shows what they create. */
  let home = '';
  before(() => {
    home = mkdtempSync(join(tmpdir(), 'npm-help-'));
  });
  after(() => rmSync(home, { recursive: true }));

  for (const name of Object.keys(scripts)) {
    it(`${name} -- --help prints help, and does nothing else`, async () => {
      const written = filesOf('dist');
      const { stdout } = await promisify(execFile)('npm', ['run', '--silent', name, '--', '--help'], {
        cwd: ROOT,
        env: {
          PATH: process.env.PATH,
          HOME: home,
          TMPDIR: home,
          XDG_CACHE_HOME: home,
          npm_config_cache: join(home, 'npm'),
          npm_config_update_notifier: 'false',
        },
        timeout: 60_000,
      });
      assert.match(stdout, USAGE);
      assert.deepEqual(
        readdirSync(home).filter((entry) => !CACHES.includes(entry)),
        [],
      );
      assert.deepEqual(filesOf('dist'), written);
    });
  }
});

/** The files below a folder of the project, with the times of their last change. */
function filesOf(folder: string): string[] {
  const path = join(ROOT, folder);
  if (!statSync(path, { throwIfNoEntry: false })) return [];
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).map(
    (file) => `${file} ${statSync(join(path, file)).mtimeMs}`,
  );
}
