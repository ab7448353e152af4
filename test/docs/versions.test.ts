import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubernetesVersion, otherVersions } from '../../hack/controlplane/binaries.ts';
import { offeredSince } from '../../operator/standards/server-features.ts';

const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'operations.md');
/** Matches a row of the table of Kubernetes versions: | versions | what they offer | tested | */
const ROW = /^\| (1\.\d+(?:, 1\.\d+)*) \| (.*) \| ?(1\.\d+\.\d+(?:-beta\.\d+)?)? \|$/gm;

describe('the table of Kubernetes versions in operations.md', () => {
  const rows = Array.from(readFileSync(PAGE, 'utf8').matchAll(ROW), ([, versions = '', offered = '', tested]) => ({
    versions: versions.split(', '),
    offered,
    tested,
  }));

  it('the table lists every version once, from the oldest to the newest version', () => {
    const minors = rows.flatMap(({ versions }) => versions).map((version) => Number(version.split('.')[1]));
    assert.ok(minors.length > 0);
    assert.deepEqual(
      minors,
      Array.from(minors, (_, index) => (minors[0] ?? 0) + index),
    );
  });

  it('the table marks exactly the versions that test:versions runs as tested', () => {
    const run = [...otherVersions(), ''].map((version) => kubernetesVersion({ KUBERNETES_VERSION: version }));
    const tested = rows.flatMap(({ tested }) => tested ?? []);
    assert.deepEqual(tested.map((version) => `v${version}`).sort(), run.sort());
  });

  it('the table lists defaulting for the first version that offers defaulting', () => {
    const [first] = rows.filter(({ offered }) => offered.includes('defaulting'));
    assert.equal(`v${first?.versions[0]}`, offeredSince('mutatingAdmissionPolicies'));
  });
});
