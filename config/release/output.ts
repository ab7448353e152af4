/** Determines the folder for the files of a release, which is dist/ or the value of `--out FOLDER`. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argumentsOrExit } from '../../hack/options-or-exit.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

/**
 * Creates the folder for the files of a release, unless the command line asks for help.
 *
 * @param script the name of the npm script
 * @param does what the script writes, for its help
 * @returns the path of the folder
 */
export function outputFolder(script: string, does: string): string {
  const help = `Usage: npm run ${script} -- [--out FOLDER]\n\n${does}\n\n  --out FOLDER  where the files go (default: dist)\n`;
  const { values } = argumentsOrExit(script, help, {
    options: { out: { type: 'string', default: join(ROOT, 'dist') } },
  });
  const folder = resolve(values.out);
  mkdirSync(folder, { recursive: true });
  return folder;
}
