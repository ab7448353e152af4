/**
 * The baseline for the measurement of `check`: a separate process that parses manifests with js-yaml, and does nothing
 * else.
 *
 *   node parse-yaml.ts whole FILE
 *
 * With `whole`, the process parses a whole stream, and keeps all documents in memory.
 *
 *   node parse-yaml.ts each FILE
 *   node parse-yaml.ts each FOLDER
 *
 * With `each`, the process parses a stream document by document, or a folder file by file, and keeps no document.
 */
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';

const SEPARATOR = '\n---\n';

const [how, path = ''] = process.argv.slice(2);
process.stdout.write(`${how === 'whole' ? loadAll(readFileSync(path, 'utf8')).length : await countEach()} documents\n`);

async function countEach(): Promise<number> {
  let count = 0;
  for await (const text of statSync(path).isDirectory() ? filesIn(path) : documentsIn(path)) {
    if (load(text)) count += 1;
  }
  return count;
}

function* filesIn(folder: string): Generator<string> {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.yaml')) yield readFileSync(join(folder, name), 'utf8');
  }
}

async function* documentsIn(file: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(file, 'utf8')) {
    const texts = `${rest}${chunk}`.split(SEPARATOR);
    rest = texts.pop() ?? '';
    yield* texts;
  }
  yield rest;
}
