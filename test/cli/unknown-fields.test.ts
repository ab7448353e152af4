/** Tests unknown fields. `cappol check` reports the same unknown fields as the API server's strict decoding. */
import assert from 'node:assert/strict';
import { cappol, type Ran } from '../support/cappol.ts';
import { cpuMs } from '../support/measured.ts';
import { CONTAINER, DEPLOYMENT, ROWS } from './unknown-field-rows.ts';

const POLICY = `---
apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: restricted}
spec: {namespaceSelector: {}, level: restricted, mode: Enforce}
`;

describe('cappol check with a field that the API server does not know', () => {
  it('does not report known fields', async () => {
    const { code, stderr } = await cappol(['check', '-f', '-'], DEPLOYMENT + POLICY);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  });

  for (const { was, is, told, level, refused, marked } of ROWS) {
    it(`${is.split('\n').at(-1)?.trim()}: ${level === 'error' ? 'exits 2' : 'warns'}, and evaluates the rest`, async () => {
      assert.ok(DEPLOYMENT.includes(was));
      const { code, stdout, stderr } = await cappol(
        ['check', '-f', '-', '-o', 'json'],
        DEPLOYMENT.replace(was, is) + POLICY,
      );
      assert.equal(stderr, `cappol: ${told}\n`);
      const { items, problems, summary } = JSON.parse(stdout);
      assert.deepEqual([items.length, problems.length], [1, 1]);
      assert.equal(problems[0].severity, level);
      assert.deepEqual([summary.errors, summary.warnings], level === 'error' ? [1, 0] : [0, 1]);
      assert.equal(code, level === 'error' ? 2 : Number(refused ?? false));
      const messages = items[0].violations.map(({ message }: { message: string }) => message);
      if (marked)
        assert.ok(
          messages.some((message: string) => marked.test(message)),
          messages.join('\n'),
        );
    });
  }

  for (const [kind, manifest, path] of [
    ['Pod', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostPid: true, containers: []}\n', 'spec.hostPid'],
    [
      'CronJob',
      'apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec: {jobTemplate: {spec: {template: {spec: {hostPid: true, containers: []}}}}}\n',
      'spec.jobTemplate.spec.template.spec.hostPid',
    ],
    [
      'PodTemplate',
      'apiVersion: v1\nkind: PodTemplate\nmetadata: {name: a}\ntemplate: {spec: {hostPid: true, containers: []}}\n',
      'template.spec.hostPid',
    ],
  ] as const) {
    it(`names the field of a ${kind}`, async () => {
      const { code, stderr } = await cappol(['check', '-f', '-'], manifest + POLICY);
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`unknown field "${path.replaceAll('.', '\\.')}": did you mean "hostPID"\\?\\n$`));
    });
  }

  it('check warns about an unknown field in a custom resource, because the kind may have its own fields', async () => {
    const rollout = DEPLOYMENT.replace('apps/v1', 'argoproj.io/v1alpha1')
      .replace('Deployment', 'Rollout')
      .replace('capabilities:', 'capabilites:')
      .replace('enableServiceLinks: false', 'ownField: true')
      .replace('ports: [{containerPort: 80}]', 'mirrorVolumeMounts: true');
    const { code, stdout, stderr } = await cappol(['check', '-f', '-'], rollout + POLICY);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      `cappol: standard input:20: warning: Rollout web: unknown field "${CONTAINER}.securityContext.capabilites": did you mean "capabilities"?\n`,
    );
    assert.match(stdout, /line 20 has the unknown field "capabilites"/);
  });

  it('check quickly reports 100 unknown fields of an object, and the number of all other unknown fields', async () => {
    const check = async (count: number) => {
      const fields = Array.from({ length: count }, (_, index) => `  unknown${index}${'x'.repeat(50)}: 1\n`).join('');
      const text = `apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: []\n${fields}  ${'x'.repeat(1_000_000)}: 1\n`;
      let ran: Ran | undefined;
      const ms = await cpuMs(async () => {
        ran = await cappol(['check', '-f', '-'], text + POLICY);
      });
      assert.equal(ran?.code, 0);
      return { lines: ran.stderr.trimEnd().split('\n'), ms };
    };
    const few = await check(5_000);
    const { lines, ms } = await check(20_000);
    assert.equal(lines.length, 101);
    assert.match(lines.at(-1) ?? '', /^cappol: standard input:106: warning: Pod a: 19901 more unknown fields$/);
    assert.ok(ms < 5_000, `${ms} ms`);
    // Four times the fields take at most four times the time. With a comparison of all pairs, it would be 16 times.
    assert.ok(ms < 8 * few.ms, `${few.ms} ms for 5000 fields, ${ms} ms for 20000`);
  });

  for (const [what, manifest, line, told] of [
    [
      'labels of a Namespace',
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: net, lables: {team: net}}\n',
      3,
      'Namespace net: unknown field "metadata.lables": did you mean "labels"?',
    ],
    [
      'a label of another type of a Namespace',
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: net, labels: {team: 1}}\n',
      3,
      "Namespace net: metadata.labels.team: Invalid value: number: must be of type string: write '1', in quotes: YAML reads 1 without quotes as a number",
    ],
    [
      'subjects of a RoleBinding',
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a}\nsubject: []\nroleRef: {kind: Role, name: a}\n',
      4,
      'RoleBinding a: unknown field "subject": did you mean "subjects"?',
    ],
    [
      'verbs of a ClusterRole',
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}\nrules: [{verb: [use]}]\n',
      4,
      'ClusterRole a: unknown field "rules[0].verb": did you mean "verbs"?',
    ],
  ] as const) {
    it(`reports misspelt ${what}, among the manifests and beside the policies`, async () => {
      const expected = `cappol: standard input:${line}: ${told}\n`;
      const among = await cappol(['check', '-f', '-'], `${manifest}---\n${DEPLOYMENT}${POLICY}`);
      assert.deepEqual([among.code, among.stderr], [2, expected]);
      const beside = await cappol(
        ['check', '-f', '../../config/samples/ping.yaml', '--policy', '-'],
        manifest + POLICY,
      );
      assert.deepEqual([beside.code, beside.stderr], [2, expected]);
    });
  }

  it('suggest also reports an unknown field, and suggests a policy for the other fields of the manifest', async () => {
    const text = DEPLOYMENT.replace('capabilities:', 'capabilites:');
    const { code, stdout, stderr } = await cappol(['suggest', '-f', '-', '--level', 'restricted'], text);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^cappol: standard input:20: Deployment web: unknown field ".*": did you mean "capabilities"\?\n$/,
    );
    assert.match(stdout, /requiredDrop/);
    const wrong = await cappol(
      ['suggest', '-f', '-'],
      `${text.replace('drop: [ALL]', 'drop: ALL')}---\n${DEPLOYMENT.replace('runAsNonRoot: true', 'runAsNonRoot: "true"')}`,
    );
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /runAsNonRoot: Invalid value: string: must be of type boolean/);
  });

  it('check shows an unknown field in the formats for pull requests', async () => {
    const text = DEPLOYMENT.replace('capabilities:', 'capabilites:') + POLICY;
    const print = async (output: string) => (await cappol(['check', '-f', '-', '-o', output], text)).stdout;
    assert.match(await print('github'), /^::error line=20,title=cappol::Deployment web: unknown field/m);
    assert.match(await print('junit'), /<error message="Deployment web: unknown field [^>]*type="Problem"/);
    assert.match(await print('sarif'), /"ruleId": "InvalidManifest"/);
  });

  it('suggests the field of a CapabilityPolicy', async () => {
    const { code, stderr } = await cappol(
      ['check', '-f', '-'],
      DEPLOYMENT + POLICY.replace('mode: Enforce', 'overrides: {capabilites: {allowedAdd: [NET_RAW]}}'),
    );
    assert.equal(code, 2);
    assert.match(
      stderr,
      /spec\.overrides\.capabilites: no such field: did you mean capabilities\? the known fields are /,
    );
  });

  for (const [what, metadata, said] of [
    ['name', '{name: 0123}', "metadata.name: Invalid value: number: must be of type string: write '0123', in quotes"],
    ['namespace', '{name: a, namespace: [b]}', 'metadata.namespace: Invalid value: array: must be of type string'],
    ['label', '{name: a, labels: {app: true}}', 'metadata.labels.app: Invalid value: boolean: must be of type string'],
  ] as const) {
    for (const kind of ['v1 Pod', 'argoproj.io/v1alpha1 Rollout']) {
      it(`reports a ${what} of the wrong type in a ${kind}, and evaluates the rest`, async () => {
        const [apiVersion, own] = kind.split(' ');
        const wrong = `apiVersion: ${apiVersion}\nkind: ${own}\nmetadata: ${metadata}\nspec: {containers: [{name: a, image: a}]}\n---\n`;
        const { code, stderr } = await cappol(['check', '-f', '-'], wrong + DEPLOYMENT + POLICY);
        assert.equal(code, 2);
        assert.ok(stderr.startsWith(`cappol: standard input:3: ${own} `), stderr);
        assert.ok(stderr.includes(said), stderr);
      });
    }
  }
});
