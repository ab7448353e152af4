/** `npm run test:argocd` runs acts.ts, and returns mocha's exit code. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { argumentsOrExit } from '../../hack/options-or-exit.ts';
import { findPrograms } from './programs.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MOCHA = join(ROOT, 'node_modules', '.bin', 'mocha');

const HELP = `Usage: npm run test:argocd -- [options of mocha]

Runs the operator beside a real Argo CD on a real control plane. The first run builds Argo CD. Needs git and
redis-server.

`;
argumentsOrExit('test:argocd', HELP, { strict: false });

await findPrograms();
const args = [MOCHA, join(import.meta.dirname, 'acts.ts'), ...process.argv.slice(2)];
process.exitCode = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
