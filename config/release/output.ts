/** Determines the folder for the files of a release, which is dist/ or the value of `--out FOLDER`. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const ROOT = join(import.meta.dirname, '..', '..');

/** Creates the folder for the files of a release. @returns the path of the folder */
export function outputFolder(): string {
  const { values } = parseArgs({ options: { out: { type: 'string', default: join(ROOT, 'dist') } } });
  const folder = resolve(values.out);
  mkdirSync(folder, { recursive: true });
  return folder;
}
