/** The page about migration, as a reader follows it. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPage } from '../docs/page.ts';
import { pasteBlocks } from '../docs/pasted.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'operator', 'cli', 'main.ts');

describe('docs/migrating-from-psp.md', () => {
  const bin = mkdtempSync(join(tmpdir(), 'cappol-'));

  before(() => {
    const cappol = join(bin, 'cappol');
    writeFileSync(cappol, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
    chmodSync(cappol, 0o755);
  });
  after(() => rmSync(bin, { recursive: true }));

  pasteBlocks(readPage('docs/migrating-from-psp.md'), {
    environment: async () => ({ PATH: `${bin}:${process.env.PATH}`, TMPDIR: bin }),
  });
});
