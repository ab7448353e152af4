/** Runs kubectl, helm and shell scripts on a control plane, as the cluster administrator. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findBinaries } from './controlplane/binaries.ts';
import { findHelm } from './controlplane/helm.ts';

const ROOT = join(import.meta.dirname, '..');

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

export class Tools {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #home: string;

  private constructor(environment: NodeJS.ProcessEnv, home: string) {
    this.#environment = environment;
    this.#home = home;
  }

  /** Finds kubectl. @param kubeconfig the path of the kubeconfig. It may be undefined if no tool needs a cluster */
  static async find(kubeconfig?: string): Promise<Tools> {
    const { kubectl } = await findBinaries();
    return Tools.#of([kubectl], kubeconfig);
  }

  /** Finds kubectl and helm. The first call on a machine builds helm. */
  static async withHelm(kubeconfig?: string): Promise<Tools> {
    const [{ kubectl }, helm] = await Promise.all([findBinaries(), findHelm()]);
    return Tools.#of([kubectl, helm], kubeconfig);
  }

  static #of(programs: readonly string[], kubeconfig: string | undefined): Tools {
    // The folder for helm's caches.
    const home = mkdtempSync(join(tmpdir(), 'capabilitypolicy-tools-'));
    const path = [...programs.map((program) => dirname(program)), pathWithoutNpm()].join(delimiter);
    return new Tools({ PATH: path, HOME: home, ...(kubeconfig !== undefined && { KUBECONFIG: kubeconfig }) }, home);
  }

  /** Runs a command in the project's folder. @throws Error with the command's output, if the command fails */
  async run(command: string, ...args: readonly string[]): Promise<Output> {
    const options = { cwd: ROOT, env: this.#environment, maxBuffer: 64 * 1024 * 1024 };
    return promisify(execFile)(command, args, options);
  }

  async shell(script: string): Promise<Output> {
    return this.run('sh', '-ec', script);
  }

  end(): void {
    rmSync(this.#home, { recursive: true });
  }
}

/**
 * Returns the PATH of a user's shell. In npm scripts, and therefore in the tests, PATH also has the programs of the
 * project.
 */
export function pathWithoutNpm(): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.filter((folder) => !folder.includes('node_modules')).join(delimiter);
}
