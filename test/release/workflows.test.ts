/**
 * Checks GitHub's workflows. actionlint must find no errors. The workflows must pin their actions, and must have no
 * unnecessary rights.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { kubernetesVersion, otherVersions } from '../../hack/controlplane/binaries.ts';
import { REPRODUCIBLE } from '../../hack/controlplane/build.ts';
import { findProgram } from '../../hack/controlplane/program.ts';

interface Step {
  readonly id?: string;
  readonly run?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: Readonly<Record<string, unknown>> };
  readonly steps?: readonly Step[];
}

const ROOT = join(import.meta.dirname, '..', '..');
const FOLDER = join(ROOT, '.github', 'workflows');

/** The write permissions of each job. */
const WRITES: Readonly<Record<string, readonly string[]>> = {
  'release.yml image': ['attestations', 'id-token', 'packages'],
  'release.yml npm': ['id-token'],
  'release.yml publish': ['contents', 'packages'],
  'release.yml site': ['id-token', 'pages'],
};

describe('the workflows', () => {
  it('pass actionlint', async function () {
    this.timeout(180_000);
    const actionlint = await findProgram({
      name: 'actionlint',
      module: join(import.meta.dirname, 'actionlint'),
      of: 'github.com/rhysd/actionlint',
      flags: () => [...REPRODUCIBLE, '-ldflags', '-s -w'],
      minutes: 1,
    });
    // actionlint does not run the machine's shellcheck. The output of actionlint therefore does not depend on the
    // machine.
    const { stdout, stderr, status } = spawnSync(actionlint, ['-no-color', '-shellcheck='], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    assert.equal(stdout + stderr, '');
    assert.equal(status, 0);
  });

  for (const file of readdirSync(FOLDER)) {
    describe(file, () => {
      const text = readFileSync(join(FOLDER, file), 'utf8');
      const workflow = load(text) as Workflow;
      const jobs = Object.entries(workflow.jobs);

      it('pins every action by its commit, and states the version next to the commit', () => {
        const used = [...text.matchAll(/uses: (.*)$/gm)].map(([, what = '']) => what);
        assert.ok(used.length > 0);
        for (const what of used) assert.match(what, /^(\.\/\S+|[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/);
      });

      it('gives no job write access without need', () => {
        assert.deepEqual(
          Object.values(workflow.permissions ?? { all: 'not stated' }).filter((right) => right !== 'read'),
          [],
        );
        for (const [name, { permissions = {} }] of jobs) {
          const writes = Object.keys(permissions).filter((what) => permissions[what] === 'write');
          assert.deepEqual(writes.sort(), WRITES[`${file} ${name}`] ?? [], name);
        }
      });

      it('a workflow leaves no token in a checkout, and runs no third-party code with a secret', () => {
        const steps = jobs.flatMap(([, job]) => job.steps ?? []);
        const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
        for (const step of checkouts) assert.equal(step.with?.['persist-credentials'], false);
        assert.ok(!('pull_request_target' in workflow.on));
      });

      it('runs only existing scripts', () => {
        const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
        for (const [, script = ''] of text.matchAll(/npm run ([\w:]+)/g)) assert.ok(script in scripts, script);
      });
    });
  }
});

describe('versions.yml', () => {
  it('the workflow tests the default Kubernetes version, and every Kubernetes version that the tests know', () => {
    const { jobs } = load(readFileSync(join(FOLDER, 'versions.yml'), 'utf8')) as Workflow;
    assert.match(String(jobs.version?.strategy?.matrix.version), /fromJSON\(needs\.list\.outputs\.versions\)/);
    const step = jobs.list?.steps?.find(({ id }) => id === 'list');
    const output = join(mkdtempSync(join(tmpdir(), 'capabilitypolicy-workflow-')), 'output');
    const { status, stderr } = spawnSync('bash', ['-e', '-c', step?.run ?? 'false'], {
      cwd: ROOT,
      env: { ...process.env, GITHUB_OUTPUT: output },
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    const [, defaultVersion = ''] = /^v(1\.\d+)\./.exec(kubernetesVersion({})) ?? [];
    const versions = JSON.stringify([...otherVersions(), defaultVersion]);
    assert.equal(readFileSync(output, 'utf8'), `versions=${versions}\n`);
  });

  it('starts every night', () => {
    const { on } = load(readFileSync(join(FOLDER, 'versions.yml'), 'utf8')) as Workflow;
    const [{ cron }] = on.schedule as [{ cron: string }];
    assert.match(cron, /^\d+ \d+ \* \* \*$/);
  });
});
