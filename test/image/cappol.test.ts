/** Tests the contents of the image of cappol. The image must be able to check mounted files. */
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Buildah } from '../../hack/image/stand-in.ts';
import { newFolder } from '../release/packed.ts';
import { describeWith } from '../support/needs.ts';
import { ROOT } from '../support/page.ts';
import { operatorImage } from './operator-image.ts';

const NAME = 'ghcr.io/capabilitypolicy/cappol';
const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n';

describeWith({ root: true, programs: { buildah: 'apt-get install buildah' } }, 'the image of cappol', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  let buildah: Buildah;
  let container: string;
  let image: {
    readonly User: string;
    readonly WorkingDir: string;
    readonly Entrypoint: readonly string[];
    readonly Labels: Record<string, string>;
  };

  before(async function () {
    this.timeout(1_800_000);
    ({ buildah } = await operatorImage());
    const name = `${NAME}:v${version}`;
    await buildah.buildCappol(name);
    image = JSON.parse(await buildah.run('inspect', '--type', 'image', name)).OCIv1.config;
    container = await buildah.run('from', '--pull-never', name);
  });
  after(async () => void (await buildah?.run('rm', container)));

  it('the image runs as an unprivileged user, and has labels', () => {
    assert.equal(image.User, '65532:65532');
    assert.equal(image.Labels['org.opencontainers.image.version'], version);
    assert.equal(image.Labels['org.opencontainers.image.title'], 'cappol');
  });

  it('has cappol, the licences, and nothing else', async () => {
    const files = readdirSync(join(await buildah.run('mount', container), 'app'), { recursive: true }) as string[];
    const others = files.filter((path) => !path.endsWith('.mjs'));
    assert.deepEqual(others.sort(), ['LICENSE', 'cappol', 'cappol/LICENSES.txt', 'cappol/page.html']);
    assert.ok(files.includes('cappol/main.mjs'));
  });

  it('evaluates what is mounted where it starts', async () => {
    const folder = newFolder('mounted');
    // The folder gets the permissions of a checkout, because the user of the image must be able to read the files.
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'pod.yaml'), POD);
    const volume = `${folder}:${image.WorkingDir}:ro`;
    const command = [...image.Entrypoint, 'check', '-f', '.', '--level', 'restricted'];
    await assert.rejects(
      buildah.run('run', '--isolation=chroot', '--volume', volume, container, '--', ...command),
      ({ stdout }: { stdout: string }) => /must drop capability ALL/.test(stdout),
    );
  });
});
