import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubernetesVersion, otherVersions } from '../../hack/controlplane/binaries.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { lacksFeatures, leftOutIn } from './needs.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const TESTS = `
import { describeIfOffered, itIfOffered } from '${join(import.meta.dirname, 'needs.ts')}';

describe('policies', () => {
  it('refuse', () => {});
  itIfOffered('mutatingAdmissionPolicies', 'fill in', () => {});
  describeIfOffered('mutatingAdmissionPolicies', 'with defaulting', () => {
    before(() => {
      if (process.env.LEAVES_OUT) throw new Error('a hook of what is left out has run');
    });
    it('fill in containers', () => {});
    describe('later', () => {
      it('fill in ephemeral containers', () => {});
    });
  });
  // The newest known version of the API server does not offer the feature seccompFromOci.
  itIfOffered('seccompFromOci', 'admit a profile from a registry', () => {});
  describeIfOffered('seccompFromOci', 'with references', () => {
    it('refuse another profile', () => {});
  });
});
`;
const NEWER = otherVersions().filter((version) => minorOf(version) > NEWEST_KNOWN_MINOR);
const OLD = otherVersions().filter((version) => lacksFeatures(minorOf(version)));

describe('tests that need a feature of the API server', () => {
  let folder: string;
  let file: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-needs-'));
    file = join(folder, 'fixture.test.ts');
    writeFileSync(file, TESTS);
  });

  after(() => rmSync(folder, { recursive: true }));

  /** Runs tests with `--forbid-pending`, as CI does, so that a skipped test fails. */
  function run(version: string): { status: number | null; output: string } {
    const mocha = [
      'hack/preflight.js',
      'mocha',
      '--no-config',
      '--forbid-pending',
      '--reporter',
      'test/support/reporter.ts',
    ];
    const env = { ...process.env, KUBERNETES_VERSION: version, LEAVES_OUT: OLD.includes(version) ? 'yes' : '' };
    const { status, stdout, stderr } = spawnSync(process.execPath, [...mocha, file], {
      cwd: ROOT,
      env,
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  }

  it('tests run on the default version if they need a feature of the API server', () => {
    const { status, output } = run('');
    assert.equal(status, 0, output);
    assert.match(output, /^4 passed, 0 failed$/m);
    assert.deepEqual(leftOutIn(output), []);
  });

  for (const version of NEWER) {
    it(`run on ${version}, which has features that the newest known version lacks`, () => {
      const { status, output } = run(version);
      assert.equal(status, 0, output);
      assert.match(output, /^6 passed, 0 failed$/m);
      assert.deepEqual(leftOutIn(output), []);
    });
  }

  for (const version of OLD) {
    it(`are skipped on ${version}, one by one and with the reason, and count neither as passed nor as failed`, () => {
      const { status, output } = run(version);
      assert.equal(status, 0, output);
      assert.match(output, /^1 passed, 0 failed$/m);
      const reason = 'needs MutatingAdmissionPolicy v1, offered since v1.36';
      assert.deepEqual(leftOutIn(output), [
        { title: 'policies fill in', reason },
        { title: 'policies with defaulting fill in containers', reason },
        { title: 'policies with defaulting later fill in ephemeral containers', reason },
      ]);
    });
  }

  it('tests are skipped on some known version, and never on the default version', () => {
    assert.ok(OLD.length > 0);
    assert.ok(!lacksFeatures(minorOf(kubernetesVersion({}))));
  });
});

function minorOf(version: string): number {
  return Number(version.split('.')[1]);
}
