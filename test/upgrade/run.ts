/**
 * `npm run test:upgrade -- [VERSION]` runs acts.ts in a separate network. The test upgrades from Kubernetes VERSION to
 * the version in KUBERNETES_VERSION.
 */
import { join } from 'node:path';
import { DEFAULT_OLDER, UPGRADE_FROM } from './apiserver.ts';
import { runInOwnNetwork } from './network.ts';

const MOCHA = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'mocha');

process.env[UPGRADE_FROM] = process.argv[2] ?? DEFAULT_OLDER;
process.exitCode = runInOwnNetwork([process.execPath, MOCHA, join(import.meta.dirname, 'acts.ts')]);
