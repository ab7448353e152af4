/** `npm run test:corpus` runs the tests of the corpus on manifests of other projects. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argumentsOrExit } from '../../hack/options-or-exit.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const HELP = `Usage: npm run test:corpus -- FOLDER...

Runs the tests of the corpus on manifests of other projects. Each folder is one set of manifests.

`;
const { positionals } = argumentsOrExit('test:corpus', HELP, { allowPositionals: true });
const folders = positionals.map((folder) => resolve(folder));
const wrong = folders.filter((folder) => !statSync(folder, { throwIfNoEntry: false })?.isDirectory());

if (folders.length === 0 || wrong.length > 0) {
  console.error(wrong.length > 0 ? `not a folder: ${wrong.join(', ')}` : HELP.trim());
  process.exitCode = 2;
} else {
  const mocha = join(ROOT, 'node_modules', '.bin', 'mocha');
  const { status } = spawnSync(process.execPath, [mocha, join(import.meta.dirname, '*.test.ts')], {
    cwd: ROOT,
    env: { ...process.env, CORPUS: folders.join('\n') },
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}
