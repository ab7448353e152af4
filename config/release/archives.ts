/** Describes the archives of cappol's executables in a release: their files, their checksums, and their URLs. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archiveName, executableName, PLATFORMS, type Platform } from './platforms.ts';

export interface Archive extends Platform {
  readonly url: string;
  readonly sha256: string;
}

export const REPOSITORY = 'https://github.com/capabilitypolicy/capabilitypolicy';

/**
 * Packs the executable and its licences, which are in the folder `from`. The archive and its checksum are written to
 * `folder`.
 */
export function writeArchive(from: string, folder: string, platform: Platform): void {
  const name = archiveName(platform);
  const files = [executableName(platform), 'LICENSE', 'LICENSES.txt'];
  const packed = execFileSync('tar', ['-czf', '-', ...files], { cwd: from, maxBuffer: 2 ** 28 });
  writeFileSync(join(folder, name), packed);
  const checksum = createHash('sha256').update(packed).digest('hex');
  writeFileSync(join(folder, `${name}.sha256`), `${checksum}  ${name}\n`);
}

/**
 * Lists the archives of a release.
 *
 * @param folder the folder with the checksums of the archives
 * @param url the URL of the folder for downloads
 * @throws Error if a checksum is missing
 */
export function archivesIn(folder: string, url: string): Archive[] {
  return PLATFORMS.map((platform) => {
    const name = archiveName(platform);
    const file = join(folder, `${name}.sha256`);
    const [sha256 = ''] = existsSync(file) ? readFileSync(file, 'utf8').split(' ') : [];
    if (!/^[0-9a-f]{64}$/.test(sha256))
      throw new Error(`${file}: no checksum; npm run release:executable writes it on ${platform.os} ${platform.arch}`);
    return { ...platform, url: `${url}/${name}`, sha256 };
  });
}
