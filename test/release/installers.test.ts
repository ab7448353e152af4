/**
 * Renders krew's manifest and Homebrew's formula from the executables of a release. Installs cappol with krew and with
 * Homebrew.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { archivesIn, writeArchive } from '../../config/release/archives.ts';
import { homebrewFormula } from '../../config/release/homebrew.ts';
import { krewManifest } from '../../config/release/krew.ts';
import { archiveName, executableName, PLATFORMS, type Platform, thisPlatform } from '../../config/release/platforms.ts';
import { findBinaries } from '../../hack/controlplane/binaries.ts';
import { describeWith } from '../support/needs.ts';
import { ROOT } from '../support/page.ts';
import { findKrew } from './krew-program.ts';
import { executableFolder, newFolder } from './packed.ts';

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const run = promisify(execFile);

describe('manifests for installers, rendered for the executables of a release', function () {
  this.timeout(180_000);
  let release: string;

  before(async () => {
    release = newFolder('release');
    cpSync(await executableFolder(), release, { recursive: true });
    for (const platform of PLATFORMS.filter((one) => archiveName(one) !== archiveName(thisPlatform())))
      packStandIn(platform, release);
  });

  it('the error names the missing executable if an executable was not built', () => {
    assert.throws(() => archivesIn(newFolder('empty'), 'https://example.com'), /cappol-darwin-amd64.tar.gz.sha256: no/);
  });

  describe('for krew', () => {
    let server: Server;
    let manifest: string;
    let environment: NodeJS.ProcessEnv;
    let krew: { readonly krew: string; readonly validate: string };

    before(async () => {
      krew = await findKrew();
      server = createServer((request, response) => response.end(readFileSync(join(release, `.${request.url}`))));
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const folder = newFolder('krew');
      manifest = join(folder, 'cappol.yaml');
      writeFileSync(manifest, krewManifest(version, archivesIn(release, url)));
      const programs = join(folder, 'programs');
      mkdirSync(programs);
      symlinkSync(krew.krew, join(programs, 'kubectl-krew'));
      symlinkSync((await findBinaries()).kubectl, join(programs, 'kubectl'));
      const path = [programs, join(folder, 'root', 'bin')].join(delimiter);
      environment = { PATH: path, HOME: folder, KREW_ROOT: join(folder, 'root') };
    });
    after(() => server?.close());

    it("krew's own validation accepts the manifest and installs cappol for every system and processor", async () => {
      const { stderr } = await run(krew.validate, ['-manifest', manifest], { env: environment });
      assert.match(stderr, /all 6 spec.platforms installed fine/);
    });

    it('krew installs cappol from a local archive, and kubectl runs cappol as a plugin', async () => {
      const archive = join(release, archiveName(thisPlatform()));
      const args = ['krew', 'install', `--manifest=${manifest}`, `--archive=${archive}`];
      await run('kubectl', args, { env: environment });
      const { stdout } = await run('kubectl', ['cappol', 'version'], { env: environment });
      assert.match(stdout, new RegExp(`^cappol +${version}$`, 'm'));
      const help = await run('kubectl', ['cappol', '--help'], { env: environment });
      assert.match(help.stdout, /^Usage: kubectl cappol /);
    });

    it('krew refuses to install another archive', async () => {
      const other = join(newFolder('other'), 'other.tar.gz');
      copyFileSync(join(release, archiveName({ os: 'windows', arch: 'arm64' })), other);
      const root = newFolder('root');
      const args = ['krew', 'install', `--manifest=${manifest}`, `--archive=${other}`];
      await assert.rejects(
        run('kubectl', args, { env: { ...environment, KREW_ROOT: root } }),
        /checksum does not match/,
      );
    });
  });

  describeWith({ programs: { ruby: 'apt-get install ruby' } }, 'for Homebrew', () => {
    it('the formula is Ruby, with the address and the checksum of each archive for macOS and Linux', () => {
      const archives = archivesIn(release, 'https://example.com/v1');
      const formula = join(newFolder('homebrew'), 'cappol.rb');
      writeFileSync(formula, homebrewFormula(version, archives));
      assert.equal(execFileSync('ruby', ['-wc', formula], { encoding: 'utf8' }), 'Syntax OK\n');
      const script = join(import.meta.dirname, 'formula.rb');
      const read = JSON.parse(execFileSync('ruby', [script, formula], { encoding: 'utf8' }));
      const expected = archives.filter(({ os }) => os !== 'windows').map(({ url, sha256 }) => ({ url, sha256 }));
      assert.deepEqual(read, { version, archives: expected });
    });
  });
});

/**
 * Packs a placeholder archive for a platform whose executable this machine cannot build. The archive has the form of a
 * real archive.
 */
function packStandIn(platform: Platform, release: string): void {
  const folder = newFolder('stand-in');
  const files = [executableName(platform), 'LICENSE', 'LICENSES.txt'];
  for (const file of files) writeFileSync(join(folder, file), `${platform.os} ${platform.arch}\n`, { mode: 0o755 });
  writeArchive(folder, release, platform);
}
