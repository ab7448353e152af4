/**
 * Keeps compiled scripts for this process and those that it starts: without that, each start of the operator or of
 * `cappol` takes half a second of CPU longer, and the tests start them hundreds of times. .mocharc.json requires it first.
 */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'compiled');

process.env.NODE_COMPILE_CACHE ??= FOLDER;
enableCompileCache(process.env.NODE_COMPILE_CACHE);
