/** The archives of cappol's executables in a release: where they can be downloaded, and their checksums. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { archiveName, PLATFORMS, type Platform } from './platforms.ts';

export interface Archive extends Platform {
  readonly url: string;
  readonly sha256: string;
}

export const REPOSITORY = 'https://github.com/capabilitypolicy/capabilitypolicy';

/**
 * @param folder with the archives' checksums @param url where they can be downloaded @throws Error if one is missing
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
