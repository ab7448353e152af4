/**
 * Runs real containers with runc. The root file system of the containers has one program. The program reports its own
 * capabilities.
 */
import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FileCapabilities } from '../../analysis/capabilities/held-by-process.ts';
import { maskOf } from '../support/capability-masks.ts';

const run = promisify(execFile);
const SOURCE = join(import.meta.dirname, 'probe', 'main.go');
/** The timeout is long, because a busy machine starts containers slowly. */
const TIMEOUT_MS = 60_000;

/** The content of a process's /proc/self/status. If the kernel did not execute the program, the value is the error. */
export type Process = { readonly error: string } | ProcessStatus;

export interface ProcessStatus {
  readonly uid: number;
  readonly noNewPrivileges: boolean;
  readonly bounding: bigint;
  readonly permitted: bigint;
  readonly effective: bigint;
  readonly inheritable: bigint;
  readonly ambient: bigint;
}

/** The attributes of a program's file. These attributes change the capabilities of the program's process. */
export interface ProgramFile {
  readonly capabilities?: FileCapabilities;
  /** Whether the file is owned by root and has the set-user-ID bit. */
  readonly setuid?: boolean;
}

export interface ContainerSpec {
  readonly uid: number;
  readonly noNewPrivileges: boolean;
  /** The names of the capabilities in the container's bounding, permitted and effective sets, with the prefix CAP_. */
  readonly capabilities: readonly string[];
  /** The names of programs. The first program is the entrypoint. The entrypoint starts the other programs. */
  readonly programs: readonly [string, ...string[]];
}

export class Containers {
  readonly #folder: string;
  #count = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param programs the program files by their names in the containers */
  static async create(programs: Readonly<Record<string, ProgramFile>>): Promise<Containers> {
    const containers = new Containers(mkdtempSync(join(tmpdir(), 'capabilities-')));
    try {
      await containers.#build(programs);
    } catch (error) {
      containers.remove();
      throw error;
    }
    return containers;
  }

  /**
   * Runs a container until it ends.
   * @returns the capabilities of each program by the program's name
   */
  async run({ uid, noNewPrivileges, capabilities, programs }: ContainerSpec): Promise<Map<string, Process>> {
    this.#count += 1;
    const id = `capabilities-${process.pid}-${this.#count}`;
    const bundle = join(this.#folder, id);
    mkdirSync(bundle);
    const config = {
      ociVersion: '1.0.2',
      process: {
        user: { uid, gid: uid },
        args: programs.map((name) => `/${name}`),
        cwd: '/',
        capabilities: { bounding: capabilities, permitted: capabilities, effective: capabilities },
        noNewPrivileges,
      },
      root: { path: join(this.#folder, 'rootfs'), readonly: true },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        // Containers that run at the same time share the root file system. Therefore each container gets its own /dev.
        // runc creates devices in this folder.
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
      ],
      linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }] },
    };
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
    try {
      const args = ['--root', join(this.#folder, 'state'), 'run', '--bundle', bundle, id];
      const { stdout } = await run('runc', args, { timeout: TIMEOUT_MS });
      return processesIn(stdout);
    } catch (error) {
      const { stderr = '' } = error as { stderr?: string };
      if (!/exec .*operation not permitted/.test(stderr)) throw error;
      return new Map([[programs[0], { error: 'operation not permitted' }]]);
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #build(programs: Readonly<Record<string, ProgramFile>>): Promise<void> {
    const probe = join(this.#folder, 'probe');
    await buildProgram(SOURCE, probe);
    const rootfs = join(this.#folder, 'rootfs');
    for (const mounted of ['proc', 'dev']) mkdirSync(join(rootfs, mounted), { recursive: true });
    for (const [name, { capabilities, setuid }] of Object.entries(programs)) {
      const program = join(rootfs, name);
      copyFileSync(probe, program);
      if (setuid) chmodSync(program, 0o4755);
      if (!capabilities) continue;
      const mask = maskOf(capabilities.permitted).toString(16);
      await run(probe, ['grant', program, mask, capabilities.effective ? 'effective' : 'permitted']);
    }
  }
}

/** Builds a Go program that needs no other file in a container. */
export async function buildProgram(source: string, program: string): Promise<void> {
  await run('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', program, source], {
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' },
  });
}

/** The bounding set of the test's own process. No container can have more capabilities than the test's own process. */
export function bitsOfThisMachine(): bigint {
  return statusIn(readFileSync('/proc/self/status', 'utf8')).bounding;
}

function processesIn(output: string): Map<string, Process> {
  const parts = output.split(/^== \//m).slice(1);
  return new Map(
    parts.map((part): [string, Process] => {
      const [name = '', ...rest] = part.split('\n');
      const text = rest.join('\n');
      const error = /^error: (.*)$/m.exec(text)?.[1];
      return [name, error === undefined ? statusIn(text) : { error: error.replace(/^.*: /, '') }];
    }),
  );
}

/** @param text the content of /proc/…/status */
export function statusIn(text: string): ProcessStatus {
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(text)?.[1] ?? '';
  const mask = (name: string) => BigInt(`0x${field(name)}`);
  return {
    uid: Number(field('Uid')),
    noNewPrivileges: field('NoNewPrivs') === '1',
    bounding: mask('CapBnd'),
    permitted: mask('CapPrm'),
    effective: mask('CapEff'),
    inheritable: mask('CapInh'),
    ambient: mask('CapAmb'),
  };
}
