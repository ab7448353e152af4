/** Tests the output formats of `cappol check` that have no separate test file. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { cappol } from '../support/cappol.ts';
import { sarifRun } from '../support/sarif.ts';

const MANIFESTS = `apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: baseline}
spec: {namespaceSelector: {}, level: baseline, mode: Enforce}
---
apiVersion: v1
kind: Pod
metadata: {name: good, namespace: net}
spec:
  containers: [{name: main, image: app, securityContext: {capabilities: {drop: [ALL]}}}]
---
apiVersion: v1
kind: Pod
metadata: {name: bad, namespace: net}
spec:
  hostNetwork: true
  containers:
  - name: main
    image: app
    securityContext:
      capabilities:
        add: [SYS_TIME]
---
apiVersion: v1
kind: Pod
metadata: {name: "\\e[2J%,<&\\u0001"}
spec: {hostPID: true, containers: []}
`;
const ROOT = join(import.meta.dirname, '..', '..');
const ADD = /container "main" must not add capability SYS_TIME \(allowed: .*NET_BIND_SERVICE.*\)/;

describe('check -o', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'outputs-'));
    writeFileSync(join(folder, 'all in one.yaml'), MANIFESTS);
  });
  after(() => rmSync(folder, { recursive: true }));

  async function print(output: string): Promise<string> {
    const { code, stdout, stderr } = await cappol(['check', '-f', 'all in one.yaml', '-o', output], '', folder);
    assert.deepEqual({ code, stderr }, { code: 1, stderr: '' });
    return stdout;
  }

  it('-o table prints a row for each violation, and the totals', async () => {
    const lines = (await print('table')).split('\n');
    assert.match(lines[0] ?? '', /^WHERE +WORKLOAD +RESULT +POLICY +RULE +MESSAGE$/);
    assert.match(
      lines[1] ?? '',
      /^all in one\.yaml:22 +Pod net\/bad +refused +baseline +capabilities +container "main" must/,
    );
    assert.match(lines[2] ?? '', /^all in one\.yaml:16 +Pod net\/bad +refused +baseline +hostNetwork +pod must/);
    assert.equal(lines.length, 8);
    assert.match(lines[5] ?? '', /^3 workloads evaluated against 1 policy: 1 compliant, 2 violating \(3 violations\)$/);
    assert.match(lines[6] ?? '', /^1 note on capabilities held by default: -o wide shows/);
  });

  it('-o table prints a row for each capability without its expected effect', async () => {
    const [policy = ''] = MANIFESTS.split('---\n');
    const pod = `apiVersion: v1
kind: Pod
metadata: {name: misspelt}
spec: {containers: [{name: main, image: app, securityContext: {capabilities: {drop: [CAP_KILL]}}}]}
`;
    const { code, stdout } = await cappol(['check', '-f', '-'], [policy, pod].join('---\n'));
    assert.equal(code, 0);
    const [, note = '', , sum, hidden] = stdout.split('\n');
    assert.match(
      note,
      /^stdin:9 +Pod default\/misspelt +note +IneffectiveDrop +container "main" drops capability CAP_KILL/,
    );
    assert.match(sum ?? '', /^1 workload evaluated against 1 policy: 1 compliant, 0 violating$/);
    assert.match(hidden ?? '', /^1 note on capabilities held by default/);
  });

  it('-o table says how to make a policy select the namespace', async () => {
    const policy = 'config/samples/restricted.yaml';
    const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: []}\n';
    const { code, stdout } = await cappol(['check', '-f', '-', '--policy', policy], pod, ROOT);
    assert.equal(code, 0);
    assert.match(stdout, /1 that no policy decides about\nPolicies select namespaces .*--namespace-labels/);
  });

  it('-o wide also shows compliant workloads, fields and notes', async () => {
    const text = await print('wide');
    assert.match(text, /^all in one\.yaml:6 +Pod net\/good +admitted$/m);
    assert.match(
      text,
      /refused +baseline +capabilities +spec\.containers\[0\]\.securityContext\.capabilities\.add +container/,
    );
    assert.match(text, /Pod net\/bad +note +HeldByRuntimeDefault/);
  });

  it('table prints no control characters from names', async () => {
    for (const output of ['table', 'wide']) assert.doesNotMatch((await print(output)).replaceAll('\n', ''), /\p{Cc}/u);
  });

  it('github points at the lines of files', async () => {
    const lines = (await print('github')).split('\n');
    assert.match(
      lines.find((line) => line.includes('SYS_TIME')) ?? '',
      /^::error file=all in one\.yaml,line=22,title=Pod net\/bad::CapabilityPolicy baseline: capabilities: container/,
    );
    assert.ok(lines.some((line) => line.startsWith('::notice file=all in one.yaml,line=')));
    assert.ok(lines.some((line) => line.includes('title=Pod default/ [2J%25%2C<& ::')));
  });

  it('-o github also shows what could not be read', async () => {
    writeFileSync(join(folder, 'broken.yaml'), 'a: 1\na: 2\n');
    const { code, stdout } = await cappol(['check', '-f', '.', '-o', 'github'], '', folder);
    rmSync(join(folder, 'broken.yaml'));
    assert.equal(code, 2);
    assert.match(stdout, /^::error file=broken\.yaml,line=2,title=cappol::not YAML: the key a occurs twice/m);
  });

  it('-o sarif has a result for each violation and note, and declares the rule of each result', async () => {
    const { results } = sarifRun(await print('sarif'));
    assert.deepEqual([...new Set(results.map(({ level }) => level))].sort(), ['error', 'note']);
    const [add] = results.find(({ message }) => ADD.test(message.text))?.locations ?? [];
    const { artifactLocation, region } = add?.physicalLocation ?? {};
    assert.deepEqual([artifactLocation?.uri, region?.startLine], ['all%20in%20one.yaml', 22]);
    assert.match(add?.logicalLocations?.[0]?.fullyQualifiedName ?? '', /^Pod net\/bad\/spec\.containers\[0\]/);
  });

  it('junit has a test for each workload', async () => {
    const text = await print('junit');
    assert.match(text, /<testsuite name="all in one\.yaml" tests="3" failures="2" errors="0" skipped="0">/);
    assert.match(text, /<testcase name="Pod net\/good"/);
    assert.match(
      text,
      /<failure message="2 violations" type="Violating"><!\[CDATA\[all in one\.yaml:22: CapabilityPolicy baseline/,
    );
    // XML 1.0 forbids nearly all control characters. In the XML output, line breaks are the only control characters.
    assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u);
  });

  describe('names the recommendations of hardening guides', () => {
    const HOST_NETWORK = "CIS Kubernetes Benchmark v2.0.1 5.2.5: few containers with the node's network";
    const BREAKOUT =
      'NSA/CISA Kubernetes Hardening Guide v1.2: deny features that are often used to break out: hostPID, hostIPC, hostNetwork, allowedHostPath';

    it('sarif as tags of the rule', async () => {
      const { rules } = sarifRun(await print('sarif')).tool.driver;
      const tagsOf = (rule: string) => rules.find(({ id }) => id === rule)?.properties?.tags;
      assert.deepEqual(tagsOf('hostNetwork'), ['security', HOST_NETWORK, BREAKOUT]);
      assert.equal(tagsOf('hostProbes'), undefined);
    });

    it('-o junit has the recommendations as properties of the test, by rule', async () => {
      const text = (await print('junit')).replaceAll('&apos;', "'");
      const [, test = ''] = /<testcase name="Pod net\/bad".*?>(.*?)<\/testcase>/s.exec(text) ?? [];
      for (const reference of [HOST_NETWORK, BREAKOUT]) {
        assert.ok(test.includes(`<property name="hostNetwork" value="${reference}"/>`), test);
      }
      assert.match(test, /<property name="capabilities" value="CIS Kubernetes Benchmark v2\.0\.1 5\.2\.9: /);
      assert.doesNotMatch(/<testcase name="Pod net\/good".*?(?:\/>|<\/testcase>)/s.exec(text)?.[0] ?? '', /property/);
    });

    for (const output of ['json', 'yaml']) {
      it(`${output} with the rules that are broken, and no others`, async () => {
        const { rules } = load(await print(output)) as { rules: { id: string; references: object[] }[] };
        assert.deepEqual(
          rules.map(({ id }) => id),
          ['capabilities', 'hostNetwork', 'hostPID'],
        );
        assert.deepEqual(rules[1]?.references, [
          {
            guide: 'CIS Kubernetes Benchmark v2.0.1',
            control: '5.2.5',
            about: "few containers with the node's network",
          },
          {
            guide: 'NSA/CISA Kubernetes Hardening Guide v1.2',
            control: null,
            about: BREAKOUT.slice(BREAKOUT.indexOf('deny')),
          },
        ]);
      });
    }
  });
});
