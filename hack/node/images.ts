/**
 * Builds the images that pods of a real node run. The images contain programs of this machine. The node has no
 * registry.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { Buildah } from '../image/stand-in.ts';

/**
 * The image with the programs of the tutorial's containers. Its entrypoint is `sleep`. The tools image is also the
 * pause image.
 */
export const TOOLS_IMAGE = 'localhost/capabilitypolicy/tools:test';

interface Program {
  /** The name of the program on this machine. */
  readonly from: string;
  /** Changes the copy of the program in the image. The function is absent if the copy stays unchanged. */
  readonly finish?: (file: string) => void;
}

const PROGRAMS: Readonly<Record<string, Program>> = {
  sh: { from: 'sh' },
  sleep: { from: 'sleep' },
  grep: { from: 'grep' },
  'grep-permitted': { from: 'grep', finish: (file) => setcap('cap_net_raw+p', file) },
  ping: { from: 'ping' },
  'ping-setuid': { from: 'ping', finish: (file) => chmodSync(file, 0o4755) },
  'ping-permitted': { from: 'ping', finish: (file) => setcap('cap_net_raw+p', file) },
  'ping-effective': { from: 'ping', finish: (file) => setcap('cap_net_raw+ep', file) },
};

/**
 * The entrypoint `sleep`. As the first process of a container, `sleep` ignores SIGTERM. The stop signal of the image is
 * therefore SIGKILL.
 */
const SLEEP = ['/bin/sleep', 'infinity'];

/**
 * Makes an image from this machine's programs.
 *
 * @param folder the folder for storage and archive. The caller removes the folder
 * @param entrypoint the entrypoint of the image. A pod may replace the entrypoint
 * @returns the path of an OCI archive
 */
export async function toolsArchive(
  folder: string,
  image: string = TOOLS_IMAGE,
  entrypoint: readonly string[] = SLEEP,
): Promise<string> {
  const buildah = new Buildah(join(folder, 'storage'));
  const programs = Object.entries(PROGRAMS);
  const sources = Object.fromEntries(programs.map(([name, { from }]) => [`/bin/${name}`, which(from)]));
  await buildah.standIn(image, sources, {}, (root) => {
    for (const [name, { finish }] of programs) finish?.(join(root, 'bin', name));
  });
  const container = await buildah.run('from', '--pull-never', image);
  await buildah.run('config', '--entrypoint', JSON.stringify(entrypoint), '--stop-signal', 'SIGKILL', container);
  await buildah.run('commit', '--quiet', container, image);
  await buildah.run('rm', container);
  return archiveOf(buildah, image, folder);
}

/** Writes an image from the storage of `buildah` to an OCI archive. @returns the path of the archive */
export async function archiveOf(buildah: Buildah, image: string, folder: string): Promise<string> {
  const file = join(folder, `${image.replaceAll(/\W+/g, '-')}.tar`);
  await buildah.run('push', '--quiet', image, `oci-archive:${file}:${image}`);
  return file;
}

function which(name: string): string {
  return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
}

function setcap(capabilities: string, file: string): void {
  execFileSync('setcap', [capabilities, file]);
}
