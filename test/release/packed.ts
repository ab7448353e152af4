/** Builds cappol in the form of a release, once for all files of a mocha run. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { pathWithoutNpm } from '../../hack/tools.ts';
import { atTheEnd } from '../support/control-plane.ts';
import { ROOT } from '../support/page.ts';

let tarball: string | undefined;

/** @returns the path of the package that npm publishes */
export function packedPackage(): string {
  tarball ??= pack();
  return tarball;
}

function pack(): string {
  const folder = newFolder('package');
  const args = ['pack', '--json', '--silent', '--pack-destination', folder];
  const output = execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' });
  const [{ filename }] = JSON.parse(output.slice(output.indexOf('[\n')));
  return join(folder, filename);
}

let executable: Promise<string> | undefined;

/** @returns the folder with the archive of this machine's executable, and the archive's checksum */
export function executableFolder(): Promise<string> {
  executable ??= buildExecutable();
  return executable;
}

async function buildExecutable(): Promise<string> {
  const folder = newFolder('executable');
  await promisify(execFile)(process.execPath, [join(ROOT, 'config/release/executable.ts'), '--out', folder]);
  return folder;
}

/** A folder that is removed when the tests end. */
export function newFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `capabilitypolicy-${name}-`));
  atTheEnd(async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The environment of a user who has the same Node and npm as this process, and empty caches. */
export function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  const path = [dirname(process.execPath), pathWithoutNpm()].join(delimiter);
  // No registry is available, so the package has to contain everything.
  return { PATH: path, HOME: home, npm_config_registry: 'http://127.0.0.1:1', npm_config_update_notifier: 'false' };
}
