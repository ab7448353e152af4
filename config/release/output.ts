/** The target folder for the files of a release: dist/, or `--out FOLDER`. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const ROOT = join(import.meta.dirname, '..', '..');

/** Creates the target folder. @returns its path */
export function outputFolder(): string {
  const { values } = parseArgs({ options: { out: { type: 'string', default: join(ROOT, 'dist') } } });
  const folder = resolve(values.out);
  mkdirSync(folder, { recursive: true });
  return folder;
}
