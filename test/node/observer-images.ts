/**
 * Images for tests of `cappol observe` on a node: the image of cappol, and an image of the program with known needs.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleCappol } from '../../config/release/bundle.ts';
import { Buildah } from '../../hack/image/stand-in.ts';
import { archiveOf } from '../../hack/node/images.ts';
import { writeNeeds } from '../kernel/needy-containers.ts';

export const CAPPOL_IMAGE = 'localhost/capabilitypolicy/cappol:test';
export const NEEDS_IMAGE = 'localhost/capabilitypolicy/needs:test';

/**
 * @param folder the folder for storage and archives. The caller removes the folder.
 * @returns the paths of OCI archives
 */
export async function observerArchives(folder: string): Promise<string[]> {
  const buildah = new Buildah(join(folder, 'storage'));
  const { files } = await bundleCappol();
  await buildah.standIn(CAPPOL_IMAGE, { '/nodejs/bin/node': process.execPath }, {}, (root) => {
    mkdirSync(join(root, 'app'));
    for (const [name, text] of files) writeFileSync(join(root, 'app', name), text);
  });
  await setEntrypoint(buildah, CAPPOL_IMAGE, ['/nodejs/bin/node', '/app/main.mjs']);
  const container = await buildah.run('from', 'scratch');
  await writeNeeds(await buildah.run('mount', container));
  await buildah.run('commit', '--quiet', container, NEEDS_IMAGE);
  await setEntrypoint(buildah, NEEDS_IMAGE, ['/needs']);
  return [await archiveOf(buildah, CAPPOL_IMAGE, folder), await archiveOf(buildah, NEEDS_IMAGE, folder)];
}

async function setEntrypoint(buildah: Buildah, image: string, entrypoint: readonly string[]): Promise<void> {
  const container = await buildah.run('from', '--pull-never', image);
  await buildah.run('config', '--entrypoint', JSON.stringify(entrypoint), container);
  await buildah.run('commit', '--quiet', container, image);
}
