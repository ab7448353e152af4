/** `npm run test:argocd -- [mocha's options]` runs acts.ts, and returns mocha's exit code. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findPrograms } from './programs.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MOCHA = join(ROOT, 'node_modules', '.bin', 'mocha');

await findPrograms();
const args = [MOCHA, join(import.meta.dirname, 'acts.ts'), ...process.argv.slice(2)];
process.exitCode = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
