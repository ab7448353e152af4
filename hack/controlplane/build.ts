/** Builds programs from Go modules. Each program is built only once on a machine. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { withMovedPackages } from './moved-packages.ts';
import { Progress } from './progress.ts';

export interface Build {
  /** The folder that contains go.mod. */
  readonly module: string;
  /** The folder for the built programs. Each program appears in the folder atomically. */
  readonly dir: string;
  readonly names: readonly string[];
  /** The packages to build, as arguments of `go build`. By default, `go build` builds the tools that go.mod lists. */
  readonly packages?: readonly string[];
  /** The version that go.mod requires, such as v1.33.13. */
  readonly version: string;
  /** The flags of `go build`. */
  readonly flags: readonly string[];
  readonly minutes: number;
  readonly environment: NodeJS.ProcessEnv;
}

/** Builds programs. If two processes need the same build, the second process waits for the first. */
export async function buildBinaries(build: Build): Promise<void> {
  mkdirSync(dirname(build.dir), { recursive: true });
  const progress = new Progress(
    `building ${build.names.join(', ')} ${build.version} with Go (the first time: about ${build.minutes} minutes on two cores)`,
  );
  const lock = `${build.dir}.lock`;
  try {
    while (!existsSync(build.dir)) {
      if (takeLock(lock)) {
        try {
          await compile(build, progress);
        } finally {
          rmSync(lock, { force: true });
        }
      } else {
        progress.doing('another process is building them');
        await sleep(500);
      }
    }
  } finally {
    progress.end();
  }
}

/**
 * The folder for a build in the cache. The cache is outside the checkout. The name of the folder depends on everything
 * that determines the result of the build.
 */
export function cacheFolder({ module, flags, environment }: Pick<Build, 'module' | 'flags' | 'environment'>): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) {
    hash.update(readFileSync(join(module, file)));
  }
  hash.update(JSON.stringify([flags, process.platform, process.arch]));
  const cache = environment.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'capabilitypolicy', basename(module), hash.digest('hex').slice(0, 16));
}

/**
 * Maps programs to their package folders. The map contains a program only if the package folder has a different name
 * than the program. Go names a program after the folder of its package.
 */
const FOLDERS = { etcd: 'server', argocd: 'cmd' };

/** With these flags of `go build`, the program contains no information about this machine and this checkout. */
export const REPRODUCIBLE = ['-trimpath', '-mod=readonly', '-buildvcs=false'];

/** The flags of `go build` for the servers of Kubernetes, including the version that the servers report. */
export function buildFlags(version: string): string[] {
  const [major, minor] = version.replace(/^v/, '').split('.');
  const variable = (name: string, value: string | undefined) => `-X k8s.io/component-base/version.${name}=${value}`;
  const linker = [
    '-s',
    '-w',
    variable('gitVersion', version),
    variable('gitMajor', major),
    variable('gitMinor', minor),
  ];
  return [...REPRODUCIBLE, '-ldflags', linker.join(' ')];
}

/**
 * The reason why nothing can be built. The result is undefined if Go is installed and can download the Go version that
 * go.mod requires.
 */
export function problemWithGo(environment: NodeJS.ProcessEnv): string | undefined {
  const { stdout } = spawnSync('go', ['version'], { env: environment, encoding: 'utf8' });
  const found = /go1\.(\d+)\S*/.exec(stdout ?? '');
  if (found === null) return 'there is no Go';
  return Number(found[1]) < 21 ? `${found[0]} is too old (Go 1.21 and newer fetch what they need)` : undefined;
}

/**
 * Checks that programs can be built.
 *
 * @throws an error if programs cannot be built. The error says how to get the programs
 */
export function assertGo(environment: NodeJS.ProcessEnv, version: string): void {
  const problem = problemWithGo(environment);
  if (problem !== undefined) {
    const release = version.replace(/^v(\d+\.\d+)\..*$/, '$1');
    throw new Error(
      [
        `A control plane needs etcd, kube-apiserver, kube-controller-manager and kubectl ${version}, and ${problem}. Either:`,
        '  - install Go 1.26 or newer from https://go.dev/dl/; the programs are then built from source, once;',
        '  - or set KUBEBUILDER_ASSETS to a folder that contains these programs. On a machine with Go, setup-envtest downloads all programs except kube-controller-manager:',
        `      go run sigs.k8s.io/controller-runtime/tools/setup-envtest@latest use ${release} -p path`,
        `    add kube-controller-manager from https://dl.k8s.io/${version}/bin/<os>/<arch>/kube-controller-manager;`,
        '  - or run the demo on an existing cluster, with your KUBECONFIG: npm run demo -- --use-kubeconfig',
      ].join('\n'),
    );
  }
}

/**
 * Takes a lock. The lock is a symbolic link. The target of the link is the process ID of the process that holds the
 * lock. The link and its target are created in one step.
 */
function takeLock(lock: string): boolean {
  try {
    symlinkSync(String(process.pid), lock);
    return true;
  } catch {
    if (holderIsGone(lock)) {
      rmSync(lock, { force: true });
    }
    return false;
  }
}

function holderIsGone(lock: string): boolean {
  try {
    process.kill(Number(readlinkSync(lock)), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

async function compile(
  { module, dir, flags, names, packages = ['tool'], environment }: Build,
  progress: Progress,
): Promise<void> {
  removeLeftovers(`${dir}.building-`);
  const temporary = mkdtempSync(`${dir}.building-`);
  try {
    const args = ['build', '-v', ...flags, '-o', `${temporary}/`, ...packages];
    const env = { ...withToolchain(module, environment), CGO_ENABLED: '0', GOWORK: 'off' };
    await run('go', args, withMovedPackages(module, `${temporary}/module`, env), env, progress);
    rmSync(`${temporary}/module`, { recursive: true, force: true });
    for (const [name, folder] of Object.entries(FOLDERS)) {
      if (names.includes(name)) renameSync(join(temporary, folder), join(temporary, name));
    }
    if (!existsSync(dir)) {
      renameSync(temporary, dir);
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Returns the environment with a GOTOOLCHAIN that selects the Go release in go.mod. If GOTOOLCHAIN is `local`, Go
 * ignores the release that go.mod names.
 */
function withToolchain(module: string, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const named = /^toolchain (\S+)$/m.exec(readFileSync(join(module, 'go.mod'), 'utf8'))?.[1];
  return named === undefined ? environment : { ...environment, GOTOOLCHAIN: named };
}

/**
 * Removes the files that a killed build left behind. The files have some hundred megabytes. Callers must hold the lock.
 */
function removeLeftovers(prefix: string): void {
  for (const name of readdirSync(dirname(prefix))) {
    if (name.startsWith(basename(prefix))) {
      rmSync(join(dirname(prefix), name), { recursive: true, force: true });
    }
  }
}

/** Runs `go`, and shows the last line of its output. @throws an error with the end of the output, if `go` fails */
async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  progress: Progress,
): Promise<void> {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line);
    progress.doing(line);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) {
    throw new Error(`${command} build failed in ${basename(cwd)}:\n${said.slice(-30).join('\n')}`);
  }
}
