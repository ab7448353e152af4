/**
 * Caches compiled scripts for this process and for processes that this process starts. Without the cache, each start of
 * the operator or of `cappol` takes half a second more CPU time. The tests start these programs hundreds of times.
 * mocha loads this file first, because .mocharc.json requires this file.
 */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'compiled');

process.env.NODE_COMPILE_CACHE ??= FOLDER;
enableCompileCache(process.env.NODE_COMPILE_CACHE);
