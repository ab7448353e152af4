/**
 * `npm run release:executable` builds cappol as one executable. The executable is for the system and processor of the machine on which the script runs. The executable contains the Node that runs
 * the script. The script also writes an archive of the executable and the licences, and the checksum of the archive.
 *
 * The method is described in https://nodejs.org/docs/latest-v24.x/api/single-executable-applications.html.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeArchive } from './archives.ts';
import { bundleExecutable, licenceTexts } from './bundle.ts';
import { outputFolder, ROOT } from './output.ts';
import { executableName, type Platform, thisPlatform } from './platforms.ts';

const POSTJECT = join(ROOT, 'node_modules', 'postject', 'dist', 'cli.js');
/**
 * The name under which Node looks for the program in the executable. When postject adds the program, it changes the
 * last digit of `FUSE`.
 */
const RESOURCE = 'NODE_SEA_BLOB';
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

async function writeExecutable(folder: string, platform: Platform): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'cappol-executable-'));
  try {
    const program = join(scratch, executableName(platform));
    const licences = await build(program, scratch);
    writeFileSync(join(scratch, 'LICENSES.txt'), licences);
    copyFileSync(join(ROOT, 'LICENSE'), join(scratch, 'LICENSE'));
    writeArchive(scratch, folder, platform);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Builds the executable. @returns the licences of the software in the executable */
async function build(program: string, scratch: string): Promise<string> {
  const { files, packages } = await bundleExecutable();
  for (const [name, text] of files) writeFileSync(join(scratch, name), text);
  const [blob, config] = [join(scratch, 'cappol.blob'), join(scratch, 'sea.json')];
  const settings = {
    main: join(scratch, 'main.cjs'),
    output: blob,
    assets: { 'evaluation-thread': join(scratch, 'evaluation-thread.cjs'), 'page.html': join(scratch, 'page.html') },
    disableExperimentalSEAWarning: true,
    // A code cache makes the start faster, but works only for one system, one processor and one version of V8.
    useCodeCache: true,
  };
  writeFileSync(config, JSON.stringify(settings));
  execFileSync(process.execPath, ['--experimental-sea-config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  copyFileSync(process.execPath, program);
  chmodSync(program, 0o755);
  signedByNobody(program, () => {
    const mac = process.platform === 'darwin' ? ['--macho-segment-name', 'NODE_SEA'] : [];
    const args = [POSTJECT, program, RESOURCE, blob, '--sentinel-fuse', FUSE, ...mac];
    // Standard error is not shown, because postject writes warnings about sections without a name.
    execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  });
  return [nodeLicence(), licenceTexts(packages)].join(`\n\n${'-'.repeat(80)}\n\n`);
}

/**
 * Changes a program, and signs it again. macOS runs only signed programs, and a change breaks the signature. With the
 * argument `-`, codesign makes a signature without an identity.
 */
function signedByNobody(program: string, change: () => void): void {
  const isSigned = process.platform === 'darwin';
  if (isSigned) execFileSync('codesign', ['--remove-signature', program]);
  change();
  if (isSigned) execFileSync('codesign', ['--sign', '-', program]);
}

/**
 * The licence of Node. In the archives of nodejs.org, the file LICENSE is one folder above the program. In the archives
 * for Windows, LICENSE is in the same folder as the program.
 */
function nodeLicence(): string {
  const folder = dirname(process.execPath);
  const file = [dirname(folder), folder].map((path) => join(path, 'LICENSE')).find((path) => existsSync(path));
  const text =
    file === undefined ? 'https://github.com/nodejs/node/blob/main/LICENSE' : readFileSync(file, 'utf8').trim();
  return `node ${process.versions.node} (MIT, and those of what it contains)\n\n${text}`;
}

if (import.meta.main) {
  const does =
    'Builds cappol as one executable for this system and processor, with an archive of it and the checksum of the archive.';
  await writeExecutable(outputFolder('release:executable', does), thisPlatform());
}
