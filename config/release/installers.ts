/**
 * `npm run release:installers` writes the manifest for krew and the formula for Homebrew. The manifest and the formula
 * contain the checksums of the executables' archives.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archivesIn, REPOSITORY } from './archives.ts';
import { homebrewFormula } from './homebrew.ts';
import { krewManifest } from './krew.ts';
import { outputFolder, ROOT } from './output.ts';

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const folder = outputFolder(
  'release:installers',
  'Writes the manifest for krew and the formula for Homebrew, with the checksums of the archives in the same folder.',
);
const archives = archivesIn(folder, `${REPOSITORY}/releases/download/v${version}`);
writeFileSync(join(folder, 'cappol.yaml'), krewManifest(version, archives));
writeFileSync(join(folder, 'cappol.rb'), homebrewFormula(version, archives));
