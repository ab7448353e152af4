/** Builds the programs of the control plane with Go, once a machine. */
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Progress } from './progress.ts';

export interface Build {
  /** The folder of go.mod. */
  readonly module: string;
  /** Where the programs shall be; appears at once and whole. */
  readonly dir: string;
  readonly names: readonly string[];
  /** The Kubernetes version, as in v1.36.3. */
  readonly version: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Two processes that want the same build do it once: the second waits for the first. */
export async function buildBinaries(build: Build): Promise<void> {
  mkdirSync(dirname(build.dir), { recursive: true });
  const progress = new Progress(
    `building ${build.names.join(', ')} ${build.version} with Go (the first time: about 5 minutes on two cores)`,
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

/** The flags of `go build`: nothing of this machine or checkout in the result, and the version the servers report. */
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
  return ['-trimpath', '-mod=readonly', '-buildvcs=false', '-ldflags', linker.join(' ')];
}

/** @throws an error that says how to get the programs, unless there is a Go that can fetch the one go.mod asks for */
export function assertGo(environment: NodeJS.ProcessEnv, version: string): void {
  const { stdout } = spawnSync('go', ['version'], { env: environment, encoding: 'utf8' });
  const found = /go1\.(\d+)\S*/.exec(stdout ?? '');
  if (found === null || Number(found[1]) < 21) {
    const release = version.replace(/^v|\.\d+$/g, '');
    const problem = found ? `${found[0]} is too old (Go 1.21 and newer fetch what they need)` : 'there is no Go';
    throw new Error(
      [
        `A control plane needs etcd, kube-apiserver, kube-controller-manager and kubectl ${version}, and ${problem}. Either:`,
        '  - install Go 1.26 or newer from https://go.dev/dl/; the programs are then built from source, once;',
        '  - or set KUBEBUILDER_ASSETS to a folder that has them. On a machine with Go, setup-envtest fetches all but one:',
        `      go run sigs.k8s.io/controller-runtime/tools/setup-envtest@latest use ${release} -p path`,
        `    add kube-controller-manager from https://dl.k8s.io/${version}/bin/<os>/<arch>/kube-controller-manager;`,
        '  - or run the demo on a cluster that exists, with your KUBECONFIG: npm run demo -- --use-kubeconfig',
      ].join('\n'),
    );
  }
}

/** A lock that says who holds it: a symbolic link to a process id is made, with its content, in one step. */
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

async function compile({ module, dir, version, environment }: Build, progress: Progress): Promise<void> {
  removeLeftovers(`${dir}.building-`);
  const temporary = mkdtempSync(`${dir}.building-`);
  try {
    const args = ['build', '-v', ...buildFlags(version), '-o', `${temporary}/`, 'tool'];
    await run('go', args, module, { ...environment, CGO_ENABLED: '0', GOWORK: 'off' }, progress);
    // Go names a program after its folder, and etcd's is go.etcd.io/etcd/server.
    renameSync(join(temporary, 'server'), join(temporary, 'etcd'));
    if (!existsSync(dir)) {
      renameSync(temporary, dir);
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** What a build left that was killed: some hundred megabytes. Called with the lock held. */
function removeLeftovers(prefix: string): void {
  for (const name of readdirSync(dirname(prefix))) {
    if (name.startsWith(basename(prefix))) {
      rmSync(join(dirname(prefix), name), { recursive: true, force: true });
    }
  }
}

/** Runs `go`, showing the last thing it said; @throws with the end of its output when it fails. */
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
