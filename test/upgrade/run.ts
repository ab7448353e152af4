/**
 * `npm run test:upgrade -- [VERSION]`: acts.ts, in a separate network; from Kubernetes VERSION to that of
 * KUBERNETES_VERSION.
 */
import { join } from 'node:path';
import { DEFAULT_OLDER, UPGRADE_FROM } from './apiserver.ts';
import { runInOwnNetwork } from './network.ts';

const MOCHA = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'mocha');

process.env[UPGRADE_FROM] = process.argv[2] ?? DEFAULT_OLDER;
process.exitCode = runInOwnNetwork([process.execPath, MOCHA, join(import.meta.dirname, 'acts.ts')]);
