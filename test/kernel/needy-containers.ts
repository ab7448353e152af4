/**
 * Runs containers that need known capabilities. The containers run with runc and without a kubelet. The program in the
 * containers is in needs/. The file system is an overlayfs, as in a pod.
 */
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { createCgroup, foldersOfCgroup, removeCgroup } from '../../hack/node/cgroup.ts';
import { buildProgram } from './containers.ts';

const run = promisify(execFile);
const SOURCE = join(import.meta.dirname, 'needs', 'main.go');
/** The timeout is long, because a busy machine starts containers slowly. */
const TIMEOUT_MS = 120_000;
const OTHER = 1000;

export interface NeedyContainer {
  readonly pod: string;
  /** The arguments state the actions of the program. */
  readonly args: readonly string[];
  /**
   * The names of the capabilities in the container's bounding, permitted and effective sets, without the prefix CAP_.
   */
  readonly capabilities: readonly string[];
}

export interface Ended {
  readonly ok: boolean;
  /** The output of runc and of the program if the run failed. */
  readonly error: string;
  readonly output: string;
}

export class NeedyContainers {
  readonly #folder: string;
  #count = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(): Promise<NeedyContainers> {
    const containers = new NeedyContainers(mkdtempSync(join(tmpdir(), 'capabilitypolicy-needs-')));
    try {
      await containers.#build();
    } catch (error) {
      await containers.remove();
      throw error;
    }
    return containers;
  }

  /** The control group of all containers. Within this control group, each container has a group `default/POD/app`. */
  get cgroup(): string {
    return `/${basename(this.#folder)}`;
  }

  /** Runs a container until it ends. */
  async run({ pod, args, capabilities }: NeedyContainer): Promise<Ended> {
    this.#count += 1;
    const id = `${basename(this.#folder)}-${this.#count}`;
    const bundle = join(this.#folder, id);
    for (const folder of ['root', 'upper', 'work']) mkdirSync(join(bundle, folder), { recursive: true });
    const names = capabilities.map((name) => `CAP_${name}`);
    const config = {
      ociVersion: '1.0.2',
      process: {
        user: { uid: 0, gid: 0 },
        args: ['/needs', ...args],
        cwd: '/',
        capabilities: { bounding: names, permitted: names, effective: names },
      },
      root: { path: join(bundle, 'root') },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
      ],
      linux: {
        cgroupsPath: `${this.cgroup}/default/${pod}/app`,
        namespaces: ['pid', 'mount', 'network', 'ipc', 'uts'].map((type) => ({ type })),
      },
    };
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
    const layers = `lowerdir=${join(this.#folder, 'image')},upperdir=${bundle}/upper,workdir=${bundle}/work`;
    const script = `mount -t overlay -o ${layers} overlay ${bundle}/root && exec runc --root ${this.#folder}/state run --bundle ${bundle} ${id}`;
    try {
      // The container's overlay is mounted in a separate mount namespace, so that the overlay is not visible on the
      // machine.
      const { stdout } = await run('unshare', ['--mount', 'sh', '-c', script], { timeout: TIMEOUT_MS });
      return { ok: true, error: '', output: stdout };
    } catch (error) {
      const { stderr = '', message } = error as Error & { stderr?: string };
      return { ok: false, error: stderr || message, output: '' };
    }
  }

  async remove(): Promise<void> {
    for (const folder of foldersOfCgroup(basename(this.#folder))) await removeCgroup(folder);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #build(): Promise<void> {
    createCgroup(basename(this.#folder));
    const image = join(this.#folder, 'image');
    for (const folder of ['proc', 'dev']) mkdirSync(join(image, folder), { recursive: true });
    await writeNeeds(image);
  }
}

/**
 * Writes the program and the files that the program works on.
 * @param root the folder with the files of an image
 */
export async function writeNeeds(root: string): Promise<void> {
  mkdirSync(join(root, 'mnt'));
  await buildProgram(SOURCE, join(root, 'needs'));
  for (const name of ['file', 'foreign', 'setuid']) writeFileSync(join(root, name), '', { mode: 0o600 });
  chownSync(join(root, 'foreign'), OTHER, OTHER);
  chmodSync(join(root, 'setuid'), 0o4755);
}
