/** `npm run release:notes` writes notes.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputFolder, ROOT } from './output.ts';

/**
 * Finds the section of a version in the changelog.
 *
 * @param changelog the text of a changelog in the form of Keep a Changelog
 * @returns the section without its heading
 * @throws an error if the section is missing or empty. The error says what to write
 */
export function notesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^(?=## )/m);
  const section = sections.find((text) => text.startsWith(`## [${version}]`));
  const notes = section
    ?.replace(/^.*\n/, '')
    .replace(/^\[[^\]]+\]: .*$/gm, '')
    .trim();
  if (!notes)
    throw new Error(
      `docs/CHANGELOG.md: there is nothing under ## [${version}] - YYYY-MM-DD; move there what is under [Unreleased]`,
    );
  return `${notes}\n`;
}

if (import.meta.main) {
  const folder = outputFolder(
    'release:notes',
    'Writes notes.md: the section of docs/CHANGELOG.md for the version in package.json.',
  );
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const changelog = readFileSync(join(ROOT, 'docs', 'CHANGELOG.md'), 'utf8');
  try {
    writeFileSync(join(folder, 'notes.md'), notesOf(changelog, version));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
