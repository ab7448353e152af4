/**
 * Makes stand-ins for the images that the Dockerfile names. The stand-ins are made from this machine's Node. With the
 * stand-ins, the Dockerfile can be built without a registry.
 */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
/** A build installs packages and bundles programs. On a busy machine, a build takes minutes. */
const TIMEOUT_MS = 1_200_000;
/**
 * The programs that `npm ci` needs in addition to Node. The instruction RUN needs a shell. The first line of npm's
 * script names `/usr/bin/env`.
 */
const TOOLS = ['/bin/sh', '/usr/bin/env'];

const IMAGES = { build: 'localhost/build', run: 'localhost/run' };

export class Buildah {
  readonly #folder: string;

  /** @param folder the folder in which buildah stores images. The caller removes the folder */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async run(...args: readonly string[]): Promise<string> {
    const storage = [
      '--storage-driver=vfs',
      '--root',
      join(this.#folder, 'root'),
      '--runroot',
      join(this.#folder, 'run'),
    ];
    const { stdout } = await run('buildah', [...storage, ...args], {
      cwd: ROOT,
      timeout: TIMEOUT_MS,
      maxBuffer: 2 ** 26,
    });
    return stdout.trim();
  }

  /** Mounts an image. @returns the folder with the files of the image */
  async mount(image: string): Promise<string> {
    return this.run('mount', await this.run('from', '--pull-never', image));
  }

  /** Builds the operator's image from the Dockerfile. Stand-ins replace the images that the Dockerfile names. */
  async buildOperator(tag: string): Promise<void> {
    await this.standInForBuilding(IMAGES.build);
    await this.standIn(IMAGES.run, { '/nodejs/bin/node': process.execPath });
    await this.#build(tag);
  }

  /** Builds the image of cappol. The build reuses the layers of the operator's image. */
  async buildCappol(tag: string): Promise<void> {
    await this.#build(tag, '--target', 'cappol');
  }

  /**
   * Builds the Dockerfile with packages from npm's cache. The cache contains all packages. The installation of the
   * dependencies for the tests has put the packages into the cache.
   */
  async #build(tag: string, ...flags: readonly string[]): Promise<void> {
    const npmrc = join(this.#folder, 'npmrc');
    const trusted = npmCertificates();
    const settings = [`registry=${npmConfig('registry')}`, 'cache=/npm-cache', 'prefer-offline=true'];
    writeFileSync(npmrc, [...settings, ...(trusted === undefined ? [] : ['cafile=/npm-ca.pem']), ''].join('\n'));
    const base = ['--build-arg', `BUILD_IMAGE=${IMAGES.build}`, '--build-arg', `RUN_IMAGE=${IMAGES.run}`];
    const mounted = [
      `${npmrc}:/root/.npmrc:ro`,
      `${npmConfig('cache')}:/npm-cache`,
      ...(trusted === undefined ? [] : [`${trusted}:/npm-ca.pem:ro`]),
    ];
    const volumes = mounted.flatMap((volume) => ['--volume', volume]);
    await this.run(
      'bud',
      '--isolation=chroot',
      '--pull-never',
      '--layers',
      ...flags,
      ...base,
      ...volumes,
      '--tag',
      tag,
      '.',
    );
  }

  /**
   * Makes an image of some programs and their libraries. `programs` gives the path of each program in the image.
   *
   * @param finish changes the files of the image before they are packed
   */
  async standIn(
    tag: string,
    programs: Readonly<Record<string, string>>,
    folders: Readonly<Record<string, string>> = {},
    finish: (root: string) => void = () => {},
  ) {
    const container = await this.run('from', 'scratch');
    const root = await this.run('mount', container);
    for (const [path, source] of Object.entries(programs)) {
      for (const [to, from] of [[path, source], ...libraries(source).map((library) => [library, library])]) {
        mkdirSync(dirname(join(root, to as string)), { recursive: true });
        cpSync(realpathSync(from as string), join(root, to as string));
      }
    }
    for (const [path, source] of Object.entries(folders))
      cpSync(source, join(root, path), { recursive: true, dereference: true });
    finish(root);
    await this.run('config', '--env', 'PATH=/usr/local/bin:/usr/bin:/bin', '--env', 'HOME=/root', container);
    await this.run('commit', '--quiet', container, tag);
    await this.run('rm', container);
  }

  /** Makes an image for building. The programs `node` and `npm` have the same paths as in the official image. */
  async standInForBuilding(tag: string): Promise<void> {
    const npm = join(execFileSync('npm', ['root', '--global'], { encoding: 'utf8' }).trim(), 'npm');
    const tools = Object.fromEntries(TOOLS.map((tool) => [tool, tool]));
    await this.standIn(tag, { ...tools, '/usr/local/bin/node': process.execPath }, { '/usr/local/lib/npm': npm });
    const container = await this.run('from', '--pull-never', tag);
    const root = await this.run('mount', container);
    writeFileSync(join(root, 'usr/local/bin/npm'), '#!/bin/sh\nexec node /usr/local/lib/npm/bin/npm-cli.js "$@"\n', {
      mode: 0o755,
    });
    mkdirSync(join(root, 'tmp'), { recursive: true });
    await this.run('commit', '--quiet', container, tag);
    await this.run('rm', container);
  }
}

function npmConfig(key: string): string {
  return execFileSync('npm', ['config', 'get', key], { encoding: 'utf8', cwd: ROOT }).trim();
}

/** The additional certificate authorities that npm trusts on this machine, for example because of a proxy. */
function npmCertificates(): string | undefined {
  const cafile = npmConfig('cafile');
  return cafile === 'null' ? process.env.NODE_EXTRA_CA_CERTS : cafile;
}

/** Finds the loader and the shared libraries that a program loads. @returns the paths of these files */
function libraries(program: string): string[] {
  const output = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...output.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path as string);
}
