/** Tests the inputs, outputs and exit codes of `cappol compare`. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Ajv } from 'ajv';
import { dump, load } from 'js-yaml';
import { COMPARED } from '../../hack/bench/compare-topologies.ts';
import { OPERATOR_NAMESPACE } from '../../operator/model/namespaces.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { cappol } from '../support/cappol.ts';
import { policy, writtenPolicy } from '../support/policies.ts';
import { takenSnapshot } from '../support/snapshots.ts';
import { clusterOf, wholeCluster } from '../support/views.ts';

const REFERENCE = join(import.meta.dirname, '..', '..', 'docs', 'reference');
const RESTRICTED = dump(writtenPolicy('restricted'));
const WITH_NETWORK = dump(writtenPolicy('restricted', { overrides: { hostNetwork: true } }));

const SNAPSHOT = JSON.stringify(takenSnapshot(wholeCluster(clusterOf([]), [policy('restricted')], [])));

const inNamespace = (name: string) => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } });
/** A snapshot of a cluster whose operator runs in the namespace `operator`, with a policy for each given namespace. */
const withPolicyIn = (...namespaces: string[]) =>
  JSON.stringify(
    takenSnapshot(
      wholeCluster(
        clusterOf([]),
        namespaces.map((name) => policy(name, inNamespace(name))),
        [],
      ),
    ),
  );
/** The policy of a cluster whose API servers fill in a field that this release does not know. */
const FILLING = {
  ...policy('restricted'),
  status: { serverDefaults: ['spec.containers.securityContext.foo=true'] },
};

/** Two sets whose comparison takes several seconds of CPU time. */
const LARGE = COMPARED['exceptions for everybody, all loosened']?.(80);
/** A set whose findings take more than a second of CPU time. */
const MANY = COMPARED['exceptions for teams']?.(200);

const OPENED = `standard input admits pods that restricted refuses: 1 difference, and no others
standard input closes nothing: standard input admits every pod that restricted admits (proved)

OPENS  rule hostNetwork, in every namespace
  refused before by policy level-restricted:
    - pod must not set hostNetwork=true
  admitted now by policy restricted
  the smallest such pod (its names and images are placeholders):
    apiVersion: v1
    kind: Pod
    metadata:
      name: witness
    spec:
      hostNetwork: true
`;

describe('cappol compare', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'compare-'));
    writeFileSync(join(folder, 'old.yaml'), RESTRICTED);
    writeFileSync(join(folder, 'new.yaml'), WITH_NETWORK);
    writeFileSync(join(folder, 'monday.json'), SNAPSHOT);
    writeFileSync(join(folder, 'monday.json.gz'), gzipSync(SNAPSHOT));
    writeFileSync(join(folder, 'default.json'), withPolicyIn(OPERATOR_NAMESPACE));
    writeFileSync(join(folder, 'own.json'), withPolicyIn('operator'));
    writeFileSync(join(folder, 'none.json'), withPolicyIn());
    const excluding = { ...JSON.parse(withPolicyIn('kube-public', 'other')), excludedNamespaces: ['kube-system'] };
    writeFileSync(join(folder, 'public.json'), JSON.stringify(excluding));
    writeFileSync(join(folder, 'other.yaml'), dump(writtenPolicy('other', inNamespace('other'))));
    writeFileSync(join(folder, 'own.yaml'), dump(writtenPolicy('own', inNamespace('operator'))));
    const filling = takenSnapshot(wholeCluster(clusterOf([]), [FILLING], []));
    writeFileSync(join(folder, 'filling.json'), JSON.stringify(filling));
  });
  after(() => rmSync(folder, { recursive: true }));
  const compared = (...args: string[]) => cappol(['compare', ...args], WITH_NETWORK, folder);

  it('compare shows what a policy newly admits, with a pod as an example', async () => {
    const { code, stdout, stderr } = await compared('restricted', '-');
    assert.deepEqual([code, stdout.slice(0, OPENED.length), stderr], [1, OPENED, '']);
    assert.ok(stdout.split('\n').every((line) => line.length <= 100));
  });

  it('says that two sets are the same', async () => {
    assert.deepEqual(await compared('restricted', 'old.yaml', '--fail-on', 'differs'), {
      code: 0,
      stdout: 'same: old.yaml and restricted admit the same pods, in namespaces with the same labels (proved)\n',
      stderr: '',
    });
  });

  const CODES: readonly (readonly [args: string, code: number])[] = [
    ['old.yaml new.yaml', 1],
    ['old.yaml new.yaml --fail-on closes', 0],
    ['old.yaml new.yaml --fail-on differs', 1],
    ['new.yaml old.yaml', 0],
    ['new.yaml old.yaml --fail-on closes', 1],
    ['old.yaml new.yaml --limit 5', 2],
    ['baseline:v1.30 baseline:v1.30', 0],
    ['monday.json monday.json.gz', 0],
    ['monday.json new.yaml', 1],
    ['new.yaml monday.json.gz', 0],
    ['default.json none.json', 1],
    ['own.json none.json', 0],
    ['own.yaml none.json', 0],
    ['none.json own.yaml --fail-on differs', 0],
    ['own.json none.json --operator-namespace other', 1],
    ['public.json other.yaml', 1],
    ['public.json other.yaml --excluded-namespaces kube-*', 0],
    ['default.json none.json --operator-namespace capabilitypolicy-system', 0],
    ['filling.json old.yaml --fail-on differs', 0],
    ['restricted filling.json --fail-on differs', 0],
  ];
  for (const [args, code] of CODES) {
    it(`ends with exit code ${code}: ${args}`, async () => {
      assert.equal((await compared(...args.split(' '))).code, code);
    });
  }

  const WRONG: Readonly<Record<string, RegExp>> = {
    '- -': /^cappol: only one of the two sets can be standard input$/m,
    'restricted:1.30 restricted': /^cappol: restricted:1\.30: write a version such as restricted:v1\.30/m,
    'restricted:v1.99 restricted': /levelVersion: v1\.99 is too new/,
    'missing.yaml restricted': /missing\.yaml/,
    'restricted restricted --limit 0': /write a whole number above 0/,
    'restricted restricted --timeout 0s': /write hours, minutes and seconds, such as 90s or 1h30m/,
    'restricted restricted --timeout 90': /write hours, minutes and seconds, such as 90s or 1h30m/,
  };
  for (const [args, message] of Object.entries(WRONG)) {
    it(`refuses: ${args}`, async () => {
      const { code, stdout, stderr } = await compared(...args.split(' '));
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
    });
  }

  it('compare prints JSON that follows the schema, and YAML with the same content', async () => {
    for (const args of [
      ['old.yaml', 'new.yaml'],
      ['baseline', 'restricted'],
      ['old.yaml', 'new.yaml', '--limit', '5'],
    ]) {
      const { stdout } = await compared(...args, '-o', 'json');
      const document = JSON.parse(stdout);
      assertFollows('compare', document);
      assert.deepEqual(load((await compared(...args, '-o', 'yaml')).stdout), document);
    }
  });

  it('names the change that causes a difference, with its line', async () => {
    for (const output of ['text', 'markdown']) {
      const { stdout } = await compared('old.yaml', 'new.yaml', '-o', output);
      const line = WITH_NETWORK.split('\n').findIndex((text) => text.includes('hostNetwork')) + 1;
      assert.match(
        stdout,
        new RegExp(`caused by spec\\.overrides\\.hostNetwork of policy restricted \\(new\\.yaml:${line}\\)`),
      );
    }
  });

  it('writes a long list of a pod on one line', async () => {
    for (const [name, requiredDrop] of Object.entries({ all: CAPABILITIES, most: CAPABILITIES.slice(1) })) {
      const overrides = { capabilities: { requiredDrop, dropByName: true } };
      writeFileSync(join(folder, `${name}.yaml`), dump(writtenPolicy('baseline', { overrides })));
    }
    const { stdout } = await compared('all.yaml', 'most.yaml');
    assert.match(stdout, /^ +drop: \[ (\w+, ){35,}\w+ \]$/m);
  });

  it('folds the pods in Markdown', async () => {
    const { stdout } = await compared('old.yaml', 'new.yaml', '-o', 'markdown');
    assert.match(stdout, /^### CapabilityPolicy: the change admits more pods$/m);
    assert.match(stdout, /^- `new\.yaml admits pods that old\.yaml refuses: 1 difference, and no others`$/m);
    assert.match(stdout, /<details><summary>the smallest pod that shows it<\/summary>\n\n```yaml\napiVersion: v1\n/);
  });

  it('names what was not decided', async () => {
    const { stdout } = await compared('old.yaml', 'new.yaml', '--limit', '5');
    assert.match(stdout, /^NOT DECIDED {2}opens, in namespaces .*: there is too much to compare: more than 5 pods$/m);
    assert.doesNotMatch(stdout, /same/);
  });

  it('compare and its findings name what was not decided when the time of --timeout was over', async () => {
    for (const [file, topology] of Object.entries({
      before: LARGE?.old ?? [],
      after: LARGE?.new ?? [],
      many: MANY?.new ?? [],
    }))
      writeFileSync(
        join(folder, `${file}.yaml`),
        topology.map((one) => dump(writtenPolicy(one.name, one.spec))).join('---\n'),
      );
    const { code, stdout } = await compared('before.yaml', 'after.yaml', '--timeout', '1s');
    assert.notEqual(code, 0);
    assert.match(stdout, /^NOT DECIDED {2}opens and closes: the time was over; /m);
    assert.doesNotMatch(stdout, /same|no others|proved/);
    const found = await compared('many.yaml', '--timeout', '1s', '--fail-on', 'findings');
    assert.match(found.stdout, /^many\.yaml: .* about \d+ policies; the time was over$/m);
    assert.match(found.stdout, /^NOT DECIDED {2}the time was over before all policies were examined$/m);
    assert.notEqual(found.code, 0);
    const document = JSON.parse((await compared('many.yaml', '--timeout', '1s', '-o', 'json')).stdout);
    assertFollows('compare-findings', document);
    const message = 'the time was over before all policies were examined';
    assert.deepEqual(document.undecided.at(-1), { kind: null, policy: null, message });
  });

  it('names policies that refuse nothing', async () => {
    writeFileSync(join(folder, 'warn.yaml'), dump(writtenPolicy('warned', { mode: 'Warn' })));
    const { stderr } = await compared('warn.yaml', 'warn.yaml');
    assert.equal(stderr, 'cappol: modes Warn and Audit refuse nothing and are not compared: warned\n');
  });
});

/** @param schema the name of a JSON Schema in docs/reference */
function assertFollows(schema: string, document: unknown): void {
  const text = readFileSync(join(REFERENCE, `${schema}.schema.json`), 'utf8');
  const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(JSON.parse(text));
  assert.ok(validate(document), JSON.stringify(validate.errors));
}
