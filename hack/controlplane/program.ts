/** Finds a program in the cache. If the program is missing, it is built from its own Go module. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildBinaries, cacheFolder, problemWithGo } from './build.ts';

export interface GoProgram {
  readonly name: string;
  /** The folder of go.mod and go.sum, which determine the versions to build. */
  readonly module: string;
  /** The Go module of the program. go.mod requires a version of this module, and the program gets this version. */
  readonly of: string;
  /** Returns the flags of `go build` for a version such as v1.33.13. */
  readonly flags: (version: string) => readonly string[];
  /** The time in minutes that the first build takes on two cores. */
  readonly minutes: number;
  /** The only Go version that can build the program, such as go1.20.14. */
  readonly toolchain?: string;
  /** An alternative to installing Go. The error message begins with `install Go …, or` and ends with this text. */
  readonly otherwise?: string;
}

/**
 * Finds a program. If the program is missing, it is built.
 *
 * @returns the path of the program
 * @throws an error if Go is missing. The error says how to get the program
 */
export async function findProgram(program: GoProgram, environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { name, module, of, minutes, toolchain, otherwise } = program;
  const version = requiredVersion(module, of);
  const build = {
    module,
    flags: program.flags(version),
    environment: { ...environment, ...(toolchain !== undefined && { GOTOOLCHAIN: toolchain }) },
  };
  const dir = cacheFolder(build);
  if (!existsSync(dir)) {
    const problem = problemWithGo(environment);
    if (problem !== undefined) {
      const go = 'install Go 1.26 or newer from https://go.dev/dl/';
      const ways = otherwise === undefined ? go : `${go}, or ${otherwise}`;
      throw new Error(`${name} ${version} is not built yet, and ${problem}: ${ways}.`);
    }
    await buildBinaries({ ...build, dir, names: [name], version, minutes });
  }
  return join(dir, name);
}

/** The version of a module that the go.mod in a folder requires, in the form v1.N.2. */
export function requiredVersion(module: string, of: string): string {
  const lines = readFileSync(join(module, 'go.mod'), 'utf8').split('\n');
  const required = lines
    .map((line) =>
      line
        .replace(/^require /, '')
        .trim()
        .split(' '),
    )
    .find(([path]) => path === of);
  const version = required?.[1];
  if (version === undefined) throw new Error(`${join(module, 'go.mod')} requires no ${of}`);
  return version;
}
