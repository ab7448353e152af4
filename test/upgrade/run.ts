/** `npm run test:upgrade`: acts.ts, in a network of its own. */
import { join } from 'node:path';
import { runInOwnNetwork } from './network.ts';

const MOCHA = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'mocha');

process.exitCode = runInOwnNetwork([process.execPath, MOCHA, join(import.meta.dirname, 'acts.ts')]);
