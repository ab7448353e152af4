/**
 * Keeps compiled scripts for this process and the processes that it starts. Without the cache, each start of the
 * operator or of `cappol` takes half a second more CPU time. The tests start these programs hundreds of times. The file
 * .mocharc.json requires this file first.
 */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'compiled');

process.env.NODE_COMPILE_CACHE ??= FOLDER;
enableCompileCache(process.env.NODE_COMPILE_CACHE);
