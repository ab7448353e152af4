/** Tests findings about one set of policies in the output of `cappol compare` and `cappol check`. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { dump, load } from 'js-yaml';
import { FINDING_KINDS } from '../../analysis/compare/finding.ts';
import { OPERATOR_NAMESPACE } from '../../operator/model/namespaces.ts';
import { cappol } from '../support/cappol.ts';
import { policy, writtenPolicy } from '../support/policies.ts';
import { takenSnapshot } from '../support/snapshots.ts';
import { clusterOf, wholeCluster } from '../support/views.ts';

const SCHEMA = join(import.meta.dirname, '..', '..', 'docs', 'reference', 'compare-findings.schema.json');
const AT = ['--at', '2026-11-29T00:00:00Z'];

const files = (...policies: readonly object[]) => policies.map((one) => dump(one)).join('---\n');
const NETWORK = { overrides: { hostNetwork: true } };
const RANGE = (min: number) => ({ overrides: { runAsGroup: { rule: 'MustRunAs', ranges: [{ min, max: min + 9 }] } } });

const EXCEPTION = writtenPolicy('net', {
  ...NETWORK,
  usableBy: 'Subjects',
  subjects: [{ kind: 'ServiceAccount', namespace: 'net', name: 'proxy' }],
});
const FILES = {
  'fine.yaml': files(writtenPolicy('all'), writtenPolicy('net', { ...NETWORK, usableBy: 'Bindings' })),
  'net.yaml': files(writtenPolicy('all', NETWORK), EXCEPTION),
  'every.yaml': files(
    writtenPolicy('all', NETWORK),
    EXCEPTION,
    writtenPolicy('copy', NETWORK),
    writtenPolicy('expired', { expires: '2026-01-01T00:00:00Z' }),
    writtenPolicy('high', { ...NETWORK, priority: 2, namespaceSelector: { matchLabels: { team: 'a' } } }),
    writtenPolicy('late', { mode: 'Audit', rollout: {} }),
    // Up to v1.24, the Standards require a seccomp profile of pods for Windows, too.
    writtenPolicy('none', {
      levelVersion: 'v1.24',
      overrides: { seccomp: { types: ['Localhost'], localhostProfiles: [] } },
    }),
    writtenPolicy('windows', { overrides: { seccomp: { types: ['Localhost'], localhostProfiles: [] } } }),
  ),
  'proof.yaml': files(writtenPolicy('all', RANGE(1)), writtenPolicy('other', RANGE(2))),
  'wrong.yaml': files(writtenPolicy('all', { level: 'strict' })),
  'snapshot.json': JSON.stringify(takenSnapshot(wholeCluster(clusterOf([]), [policy('a'), policy('b')], []))),
  'moved.json': JSON.stringify(
    takenSnapshot(
      wholeCluster(
        clusterOf([]),
        [policy('ops', { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': OPERATOR_NAMESPACE } } })],
        [],
      ),
    ),
  ),
  'pod.yaml': files({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'web',
          image: 'web',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  }),
};

describe('a finding about one set of policies', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'findings-'));
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  });
  after(() => rmSync(folder, { recursive: true }));
  const run = (...args: string[]) => cappol(args, FILES['net.yaml'], folder);
  const compared = (name: string, ...args: string[]) => run('compare', name, ...args, ...AT);

  it('a finding is printed in one line, with the place of the policy', async () => {
    assert.deepEqual(await compared('net.yaml'), {
      code: 0,
      stdout: `net.yaml: 1 finding about 2 policies
OPENS NOTHING  policy net (net.yaml:12): this exception opens nothing: for each user of policy net, policy all admits every pod that policy net admits; you can delete policy net
`,
      stderr: '',
    });
  });

  it('is not printed if there is none', async () => {
    const { code, stdout } = await compared('fine.yaml', '--fail-on', 'findings');
    assert.deepEqual([code, stdout], [0, 'fine.yaml: no finding about 2 policies\n']);
  });

  const CODES: readonly (readonly [args: string, code: number])[] = [
    ['net.yaml --fail-on findings', 1],
    ['- --fail-on findings', 1],
    ['snapshot.json --fail-on findings', 1],
    ['restricted --fail-on findings', 0],
    ['moved.json --fail-on findings', 0],
    ['moved.json --fail-on findings --operator-namespace capabilitypolicy-system', 1],
    ['proof.yaml --limit 5', 0],
    ['proof.yaml --limit 5 --fail-on findings', 2],
  ];
  for (const [args, code] of CODES) {
    it(`ends with exit code ${code}: ${args}`, async () => {
      const [name = '', ...others] = args.split(' ');
      assert.equal((await compared(name, ...others)).code, code);
    });
  }

  const WRONG: Readonly<Record<string, RegExp>> = {
    'wrong.yaml': /level/,
    'missing.yaml': /missing\.yaml/,
    'net.yaml --all': /^cappol: --all compares two sets: name NEW, too, or leave out --all$/m,
    'net.yaml --fail-on opens':
      /^cappol: --fail-on opens compares two sets: name NEW, too, or write --fail-on findings$/m,
    'net.yaml net.yaml --fail-on findings': /^cappol: --fail-on findings is for one set: leave out NEW$/m,
  };
  for (const [args, message] of Object.entries(WRONG)) {
    it(`refuses: ${args}`, async () => {
      const [name = '', ...others] = args.split(' ');
      const { code, stdout, stderr } = await compared(name, ...others);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
    });
  }

  it('findings of every kind are printed as JSON that follows the schema, and as YAML with the same content', async function () {
    this.timeout(60_000);
    const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));
    const kinds = new Set<string>();
    for (const args of [['every.yaml'], ['snapshot.json'], ['proof.yaml', '--limit', '5']] as const) {
      const [name, ...others] = args;
      const { stdout } = await compared(name, ...others, '-o', 'json');
      const document = JSON.parse(stdout);
      const isValid: boolean = validate(document);
      assert.ok(isValid, JSON.stringify(validate.errors));
      if (name !== 'every.yaml')
        assert.deepEqual(load((await compared(name, ...others, '-o', 'yaml')).stdout), document);
      for (const { kind } of document.findings) kinds.add(kind);
      assert.equal(document.undecided.length > 0, name === 'proof.yaml');
    }
    assert.deepEqual([...kinds].sort(), [...FINDING_KINDS].sort());
  });

  it('a finding is an item of a list in Markdown', async () => {
    const { stdout } = await compared('net.yaml', '-o', 'markdown');
    assert.match(
      stdout,
      /^- \*\*opens nothing\*\* `policy net \(net\.yaml:12\)`: `this exception opens nothing: .*`$/m,
    );
  });

  it('that was not decided is named', async () => {
    const { stdout } = await compared('proof.yaml', '--limit', '5');
    assert.match(stdout, /^proof\.yaml: no finding about 2 policies; \d questions? not decided$/m);
    assert.match(stdout, /^NOT DECIDED {2}policy all, .*: more than 5 pods$/m);
  });

  it('check prints a finding as a warning, and keeps its exit code', async () => {
    const { code, stderr } = await run('check', '-f', 'pod.yaml', '--policy', 'net.yaml');
    assert.equal(code, 0);
    assert.equal(
      stderr,
      'cappol: net.yaml:12: warning: CapabilityPolicy net: this exception opens nothing: for each user of policy net, policy all admits every pod that policy net admits; you can delete policy net\n',
    );
  });

  it('check leaves out a finding that needs a proof about all pods', async () => {
    const { code, stderr } = await run('check', '-f', 'pod.yaml', '--policy', 'proof.yaml');
    assert.deepEqual([code, stderr], [1, '']);
  });
});
