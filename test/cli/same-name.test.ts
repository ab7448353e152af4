/**
 * Tests two policies with the same name. Only one of the two policies can be in force, and cappol does not guess which
 * policy is in force.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { cappol } from '../support/cappol.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { writtenPolicy } from '../support/policies.ts';

const STRICT = writtenPolicy('team', { level: 'restricted' });
const LOOSE = writtenPolicy('team', { level: 'privileged' });
const POD = podManifest({ name: 'a' }, { hostNetwork: true, containers: [{ name: 'a', image: 'a' }] });

describe('two policies of one name', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'same-name-'));
    write('a.yaml', STRICT);
    write('pod.yaml', POD);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(name: string, ...objects: readonly object[]): void {
    writeFileSync(join(folder, name), objects.map((one) => dump(one, { noRefs: true })).join('---\n'));
  }

  const run = (...args: readonly string[]) => cappol(args, '', folder);
  const TOLD =
    /^cappol: b\.yaml:1: CapabilityPolicy team is also at a\.yaml:1, with another spec: keep only one of the two$/m;

  it('two policies of one name and different specs are an error, in a folder, in --policy, and in both', async () => {
    write('b.yaml', LOOSE);
    for (const args of [
      ['check', '-f', '.'],
      ['check', '-f', 'pod.yaml', '--policy', 'a.yaml', 'b.yaml'],
      ['check', '--policy', 'a.yaml', '-f', 'b.yaml', 'pod.yaml'],
      ['render', '--policy', 'a.yaml', 'b.yaml'],
      ['fix', '-f', '.'],
    ]) {
      const { code, stderr } = await run(...args);
      assert.match(stderr, TOLD, args.join(' '));
      assert.equal(code, 2, args.join(' '));
    }
  });

  it('are an error in one file', async () => {
    write('a.yaml', STRICT, LOOSE);
    const { code, stderr } = await run('check', '-f', '.');
    assert.match(stderr, /^cappol: a\.yaml:\d+: CapabilityPolicy team is also at a\.yaml:1, with another spec/m);
    assert.equal(code, 2);
  });

  it('two policies of one name and the same spec are no error, even if only one policy states the defaults', async () => {
    write('b.yaml', writtenPolicy('team', { level: 'restricted', priority: 0 }));
    const { code, stderr } = await run('check', '-f', '.', '--policy', 'a.yaml', 'a.yaml');
    assert.deepEqual([code, stderr], [1, '']);
  });

  it('are no error where --level replaces them', async () => {
    write('b.yaml', LOOSE);
    assert.deepEqual((await run('check', '-f', '.', '--level', 'privileged')).stderr, '');
  });
});
