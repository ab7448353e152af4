/** `npm run test:upgrade` runs acts.ts in a separate network. */
import { join } from 'node:path';
import { argumentsOrExit } from '../../hack/options-or-exit.ts';
import { DEFAULT_OLDER, UPGRADE_FROM } from './apiserver.ts';
import { runInOwnNetwork } from './network.ts';

const MOCHA = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'mocha');

const HELP = `Usage: npm run test:upgrade -- [VERSION]

Upgrades a cluster under a running operator, from Kubernetes VERSION (default: ${DEFAULT_OLDER}) to the version in
KUBERNETES_VERSION, or to the newest known version. The first run builds the older version.

`;
const { positionals } = argumentsOrExit('test:upgrade', HELP, { allowPositionals: true });

process.env[UPGRADE_FROM] = positionals[0] ?? DEFAULT_OLDER;
process.exitCode = runInOwnNetwork([process.execPath, MOCHA, join(import.meta.dirname, 'acts.ts')]);
