/** Lists the files of the repository that people write. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { mapOutputs } from '../../hack/generate/newest-version.ts';
import { ROOT } from './page.ts';

const BINARY = /\.(png|gz|ico|woff2?)$/;
const GENERATED_PART = /<!-- Written by `npm run generate` from [\s\S]*?<!-- End of what is written/g;

/**
 * The text files that git tracks, and new text files that git does not ignore. Files that .gitattributes marks as
 * generated are left out.
 */
export function writtenFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
  const generated = readFileSync(join(ROOT, '.gitattributes'), 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(' linguist-generated'))
    .map((line) => line.split(' ')[0] ?? '');
  return [...new Set(String(listed).split('\n'))].filter(
    (file) => file !== '' && !BINARY.test(file) && !generated.some((pattern) => matchesGlob(file, pattern)),
  );
}

/**
 * A page without generated parts and without the outputs of commands. The other lines keep their line numbers. A file
 * that is not a page is returned unchanged.
 */
export function writtenPart(file: string, text: string): string {
  const blank = (part: string) => part.replaceAll(/[^\n]/g, '');
  return file.endsWith('.md') ? mapOutputs(text.replaceAll(GENERATED_PART, blank), blank) : text;
}
