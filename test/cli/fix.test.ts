import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { applyPatch } from 'diff';
import { load } from 'js-yaml';
import type { FixResult } from '../../analysis/fix/result.ts';
import { replaceText } from '../../cli/output/write-file.ts';
import { cappol } from '../support/cappol.ts';

const SCHEMA = join(import.meta.dirname, '..', '..', 'docs', 'reference', 'fix.schema.json');
const isDocumented = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));

const DEPLOYMENT = `# the shop
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web # serves
          image: "nginx"
          securityContext:
            capabilities: {add: [CAP_NET_BIND_SERVICE]}
`;
const FIXED = `# the shop
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: web # serves
          image: "nginx"
          securityContext:
            capabilities: {add: [NET_BIND_SERVICE], drop: [ALL]}
            allowPrivilegeEscalation: false
`;
const CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a:   "b"} # as it is\n';
const HOST = `apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: shop}
spec:
  hostNetwork: true
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - {name: a, image: b, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}
`;
const RESTRICTED = ['--level', 'restricted'];

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: a\n    image: b\n';
const POD_EDITS = `  securityContext:
    runAsNonRoot: true
    seccompProfile:
      type: RuntimeDefault
    securityContext:
      capabilities:
        drop:
        - ALL
      allowPrivilegeEscalation: false
`;
/**
 * Texts that `fix` must keep. If other tools edit a document and print the whole document again, the tools damage these
 * texts.
 */
const KEPT: readonly (readonly [what: string, text: string])[] = [
  ['two spaces before a comment (kubeaudit#554)', `${POD}    args: []  # none\n`],
  ['a comment after a separator (kubeaudit#152)', `---\n#This is a comment 3\n${POD}#This is a comment 5\n`],
  ['the separator at the beginning (kubeaudit#178, kubescape#1255)', `---\n${POD}`],
  ['separators of documents (kubeaudit#92)', `${CONFIG}---\n---\n${POD}---\n`],
  [
    '--- in a text (kubeaudit#582)',
    `${CONFIG.replace('{a:   "b"} # as it is', '\n  k1: |\n    ---\n    x\n  k2: |\n    --\n    y')}---\n${POD}`,
  ],
  [
    'comments in lists of mappings (kubeaudit#167)',
    `${POD}    ports: # p\n    # one\n    - containerPort: 80 # http\n    # two\n    - containerPort: 81\n`,
  ],
];

describe('fix', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'fix-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  let count = 0;
  /** Writes a file for one test. */
  const file = (text: string, ending = 'yaml') => {
    count += 1;
    const path = join(folder, `f${count}.${ending}`);
    writeFileSync(path, text);
    return path;
  };
  const fix = (...args: string[]) => cappol(['fix', ...args], '', folder);

  it('fix prints a unified diff that the command patch can apply, and writes no file', async () => {
    const path = file(DEPLOYMENT);
    const { code, stdout } = await fix('-f', path, ...RESTRICTED);
    assert.equal(code, 1);
    assert.ok(stdout.startsWith(`--- ${path}\n+++ ${path}\n@@ `), stdout);
    assert.equal(applyPatch(DEPLOYMENT, stdout), FIXED);
    assert.equal(readFileSync(path, 'utf8'), DEPLOYMENT);
  });

  it('prints the diff that docs/fixing-manifests.md shows', async () => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'fixing-manifests.md'), 'utf8');
    const [, text = ''] = /<<'EOF'\n([\s\S]*?)^EOF$/m.exec(page) ?? [];
    const [, diff = ''] = /^```text\n([\s\S]*?)^```$/m.exec(page) ?? [];
    writeFileSync(join(folder, 'web.yaml'), text);
    const { stdout } = await fix('-f', 'web.yaml', ...RESTRICTED);
    assert.equal(stdout, diff);
  });

  for (const [what, text] of KEPT) {
    it(`keeps ${what}`, async () => {
      const path = file(text);
      await fix('-f', path, ...RESTRICTED, '--write');
      const after = readFileSync(path, 'utf8');
      assert.match(after, /runAsNonRoot: true/);
      assert.deepEqual(
        text.split('\n').filter((line) => !after.split('\n').includes(line)),
        [],
      );
      assert.equal(after.length - text.length, POD_EDITS.length);
    });
  }

  it('fix prints the risk of each edit and the number of edits on standard error, with the riskiest class first', async () => {
    const { stderr: wrapped } = await fix('-f', file(DEPLOYMENT), ...RESTRICTED);
    assert.ok(wrapped.split('\n').every((line) => line.length <= 100));
    const stderr = wrapped.replaceAll('\n    ', ' ');
    assert.match(
      stderr,
      /^Check before you apply:\n {2}capabilities: the container loses the default capabilities of container runtimes/,
    );
    assert.match(stderr, /runAsNonRoot: the kubelet does not start a container .* \(Deployment shop\/web\)\n/);
    assert.match(
      stderr,
      /allowPrivilegeEscalation: .*set-user-ID programs, such as sudo, .* \(Deployment shop\/web\)\n/,
    );
    const classes = [...stderr.matchAll(/^(?:Check before|Edits of class (\w+)).*:$/gm)].map(([, name]) => name);
    assert.deepEqual(classes, [undefined, 'safe', 'spelling']);
    assert.match(stderr, /\nEdits of class safe:\n {2}seccomp: rare system calls fail, .* \(Deployment shop\/web\)\n/);
    assert.match(stderr, /\nEdits of class spelling:\n {2}capabilities: containerd ignores the old spelling .*\n/);
    assert.match(
      stderr,
      /\n5 edits \(1 spelling, 1 safe, 3 check\) in 1 file: 1 of 1 violating workload complies after the edits\n$/,
    );
  });

  it('--only spelling,safe keeps sudo working in a CI runner', async () => {
    const path = file(
      `apiVersion: v1
kind: Pod
metadata: {name: runner}
spec:
  containers:
    - name: runner
      image: ci/runner-with-sudo
      securityContext: {runAsUser: 1001, runAsNonRoot: true, capabilities: {drop: [ALL], add: [CAP_NET_BIND_SERVICE]}}
`,
    );
    const { code, stdout } = await fix('-f', path, ...RESTRICTED, '--write', '--only', 'spelling,safe');
    assert.equal(code, 1);
    assert.doesNotMatch(readFileSync(path, 'utf8'), /allowPrivilegeEscalation/);
    assert.match(readFileSync(path, 'utf8'), /add: \[NET_BIND_SERVICE\]/);
    assert.match(
      stdout,
      /allowPrivilegeEscalation: no fix: the fix is of class check, and --only leaves out this class/,
    );
  });

  it('--write edits in place, once', async () => {
    const path = file(DEPLOYMENT);
    const { code, stdout } = await fix('-f', path, ...RESTRICTED, '--write');
    assert.equal(code, 0);
    assert.match(stdout, /in 1 file, written: /);
    assert.equal(readFileSync(path, 'utf8'), FIXED);
    const again = await fix('-f', path, ...RESTRICTED, '--write');
    assert.deepEqual([again.code, again.stdout], [0, 'nothing to fix: no violation in 1 workload\n']);
    assert.equal((await cappol(['check', '-f', path, ...RESTRICTED])).code, 0);
  });

  it('--write keeps the mode of a file and a link to the file, and leaves no other files behind', async () => {
    const inside = join(folder, 'linked');
    mkdirSync(inside);
    const path = join(inside, 'web.yaml');
    const link = join(inside, 'link.yaml');
    writeFileSync(path, DEPLOYMENT);
    chmodSync(path, 0o640);
    symlinkSync('web.yaml', link);
    assert.equal((await fix('-f', link, path, inside, ...RESTRICTED, '--write')).code, 0);
    assert.ok(lstatSync(link).isSymbolicLink());
    assert.equal(statSync(path).mode & 0o777, 0o640);
    assert.equal(readFileSync(path, 'utf8'), FIXED);
    assert.deepEqual(readdirSync(inside), ['link.yaml', 'web.yaml']);
  });

  it('--write writes only files with edits', async () => {
    const path = file(CONFIG);
    const { mtimeMs } = statSync(path);
    await fix('-f', path, ...RESTRICTED, '--write');
    assert.equal(statSync(path).mtimeMs, mtimeMs);
  });

  it('fix keeps other documents, line breaks and the byte order mark', async () => {
    const text = `\ufeff${CONFIG}---\n${DEPLOYMENT}---\n# nothing\n---\n${CONFIG}`.replaceAll('\n', '\r\n');
    const path = file(text);
    await fix('-f', path, ...RESTRICTED, '--write');
    const wanted = `\ufeff${CONFIG}---\n${FIXED}---\n# nothing\n---\n${CONFIG}`.replaceAll('\n', '\r\n');
    assert.equal(readFileSync(path, 'utf8'), wanted);
  });

  it('edits the items of lists, and JSON', async () => {
    const pod = {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'a', image: 'b' }] },
    };
    const list = { apiVersion: 'v1', kind: 'List', items: [{ ...pod, spec: { ...pod.spec, hostname: 'x' } }, pod] };
    const path = file(`${JSON.stringify(list, null, 4)}\n`, 'json');
    assert.equal((await fix('-f', path, ...RESTRICTED, '--write')).code, 0);
    const text = readFileSync(path, 'utf8');
    const { items } = JSON.parse(text);
    const securityContext = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
    const own = { capabilities: { drop: ['ALL'] }, allowPrivilegeEscalation: false };
    assert.deepEqual(items[1].spec, { containers: [{ name: 'a', image: 'b', securityContext: own }], securityContext });
    assert.equal(`${JSON.stringify({ ...list, items }, null, 4)}\n`, text);
  });

  it('fix edits each item of a long list that kubectl wrote', async () => {
    const pod = (name: string) =>
      `- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: ${name}\n  spec:\n    containers:\n    - image: b\n      name: a\n`;
    const filling = `- apiVersion: v1\n  data:\n    a: ${'x'.repeat(1.2e6)}\n  kind: ConfigMap\n  metadata:\n    name: c\n`;
    const text = `apiVersion: v1\nitems:\n${pod('p')}${filling}${pod('q')}kind: List\nmetadata: {}\n`;
    const path = file(text);
    assert.equal((await fix('-f', path, ...RESTRICTED, '--write')).code, 0);
    const after = readFileSync(path, 'utf8');
    assert.ok(after.includes(filling) && after.endsWith('kind: List\nmetadata: {}\n'));
    assert.equal(after.match(/runAsNonRoot: true/g)?.length, 2);
    assert.equal((await cappol(['check', '-f', path, ...RESTRICTED])).code, 0);
  });

  it('edits the templates of custom resources', async () => {
    const rollout = DEPLOYMENT.replace('apps/v1', 'argoproj.io/v1alpha1').replace('Deployment', 'Rollout');
    const path = file(rollout);
    assert.equal((await fix('-f', path, ...RESTRICTED, '--write')).code, 0);
    assert.equal(
      readFileSync(path, 'utf8'),
      FIXED.replace('apps/v1', 'argoproj.io/v1alpha1').replace('Deployment', 'Rollout'),
    );
  });

  it("fix edits an Argo Workflow's containers, and the pod's fields beside the containers", async () => {
    const path = file(`apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: w-}
spec:
  templates:
  - name: a
    container: {image: b}
  - name: c
    container:
      image: d
`);
    assert.equal((await fix('-f', path, ...RESTRICTED, '--write')).code, 0);
    const { spec } = load(readFileSync(path, 'utf8')) as { spec: { templates: object[] } };
    assert.deepEqual(spec.templates[1], {
      name: 'c',
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      container: { image: 'd', securityContext: { capabilities: { drop: ['ALL'] }, allowPrivilegeEscalation: false } },
    });
    assert.equal((await cappol(['check', '-f', path, ...RESTRICTED])).code, 0);
  });

  it('fix names the objects in which it found no pod to evaluate, in the same way as check', async () => {
    const custom = (apiVersion: string, kind: string) =>
      `${JSON.stringify({ apiVersion, kind, metadata: { name: 'a' } })}\n`;
    const prometheus = custom('monitoring.coreos.com/v1', 'Prometheus');
    const path = file([POD, prometheus, prometheus, custom('example.com/v1', 'Widget')].join('---\n'));
    const lines = [
      'not evaluated, and their operators make pods: Prometheus.monitoring.coreos.com 2',
      'not evaluated, no pod template found: Widget.example.com 1',
    ];
    const { stderr } = await fix('-f', path, ...RESTRICTED);
    assert.deepEqual(stderr.trimEnd().split('\n').slice(-2), lines);
    const result = JSON.parse((await fix('-f', path, ...RESTRICTED, '-o', 'json')).stdout) as FixResult;
    assert.ok(isDocumented(result), JSON.stringify(isDocumented.errors));
    assert.deepEqual(result.summary.notEvaluated, [
      { kind: 'Prometheus.monitoring.coreos.com', count: 2, makesPods: true },
      { kind: 'Widget.example.com', count: 1, makesPods: null },
    ]);
    const { stdout } = await fix('-f', path, ...RESTRICTED, '--write');
    assert.deepEqual(stdout.trimEnd().split('\n').slice(-2), lines);
  });

  it('--only makes the edits of the given classes, and names the remaining violations', async () => {
    const path = file(DEPLOYMENT);
    const { code, stdout } = await fix('-f', path, ...RESTRICTED, '--write', '--only', 'Spelling,safe');
    assert.equal(code, 1);
    assert.match(
      stdout,
      /\n {2}capabilities: no fix: the fix is of class check, and --only leaves out this class\n {4}.*: container "web" must drop /,
    );
    const text = readFileSync(path, 'utf8');
    assert.match(text, /add: \[NET_BIND_SERVICE\]\}/);
    assert.doesNotMatch(text, /runAsNonRoot|drop/);
  });

  it('fix names each violation that no edit ends, with the line and the reason', async () => {
    const { code, stdout, stderr } = await fix('-f', file(HOST), ...RESTRICTED);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /^Left:\n {2}hostNetwork: no fix: the pod requests .*\n(?: {4}.*\n)* {4}.*f\d+\.yaml:5: Pod shop\/agent: pod must not set hostNetwork=true\n/,
    );
    assert.match(stderr, /\n0 edits in 0 files: 0 of 1 violating workload comply after the edits, 1 violation left\n$/);
  });

  it('fix names each reason once, for any number of objects and policies', async () => {
    const volumes = 'volumes: [{name: logs, hostPath: {path: /var/log}}]';
    const pod = (name: string) =>
      `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [{name: a, image: a}], ${volumes}}\n`;
    const policy = (name: string, level: string) =>
      `apiVersion: capabilitypolicy.dev/v1alpha1\nkind: CapabilityPolicy\nmetadata: {name: ${name}}\nspec: {namespaceSelector: {}, level: ${level}, mode: ${level === 'baseline' ? 'Enforce' : 'Warn'}}\n`;
    const all = [policy('one', 'baseline'), policy('two', 'restricted'), pod('first'), pod('second')];
    const { stderr } = await fix('-f', file(all.join('---\n')));
    const [, left = ''] = /^Left:\n(.*?)\n\n/ms.exec(stderr) ?? [];
    assert.equal(left.match(/volumes: no fix: /g)?.length, 1, left);
    const lines = left.split('\n').filter((line) => line.includes('Pod default/'));
    assert.deepEqual(
      lines.map((line) => line.replace(/^ {4}.*?: /, '')),
      ['first', 'second'].map((name) => `Pod default/${name}: volume "logs" must not be of type hostPath`),
    );
  });

  it('fix follows the policies among the manifests, in the namespaces that the policies select', async () => {
    const policy = `apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: names}
spec:
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}
  level: baseline
  overrides: {capabilities: {requiredDrop: [NET_RAW]}}
`;
    const { stdout } = await fix(
      '-f',
      file(`${policy}---\n${DEPLOYMENT}---\n${DEPLOYMENT.replace('namespace: shop', 'namespace: other')}`),
      '-o',
      'json',
    );
    const { edits, summary }: FixResult = JSON.parse(stdout);
    assert.deepEqual(
      edits.map(({ path, after }) => [path.replace('spec.template.spec.containers[0].securityContext.', ''), after]),
      [
        ['capabilities.add', ['NET_BIND_SERVICE']],
        ['capabilities.drop', ['NET_RAW']],
      ],
    );
    assert.deepEqual([summary.workloads, summary.notSelected, summary.violating], [2, 1, 1]);
  });

  it('if several policies decide, fix follows the policy with the safest edits', async () => {
    const policy = (name: string, spec: string) =>
      `apiVersion: capabilitypolicy.dev/v1alpha1\nkind: CapabilityPolicy\nmetadata: {name: ${name}}\nspec: {namespaceSelector: {}, mode: Enforce, ${spec}}\n`;
    const loose = policy('loose', 'level: privileged, overrides: {seccomp: {types: [RuntimeDefault], unset: Refused}}');
    const policies = file(`${policy('a-strict', 'level: restricted')}---\n${loose}`);
    const { stdout } = await fix('-f', file(DEPLOYMENT), '--policy', policies, '-o', 'json');
    assert.deepEqual(
      (JSON.parse(stdout) as FixResult).edits.map(({ policy: of, class: fixClass }) => [of, fixClass]),
      [['loose', 'safe']],
    );
  });

  it('fix makes no edit for a policy if the edit violates a policy of a stricter mode', async () => {
    const policy = (name: string, mode: string, user: number) =>
      `apiVersion: capabilitypolicy.dev/v1alpha1\nkind: CapabilityPolicy\nmetadata: {name: ${name}}\nspec: {namespaceSelector: {}, mode: ${mode}, level: privileged, overrides: {runAsUser: {rule: MustRunAs, ranges: [{min: ${user}, max: ${user}}]}}}\n`;
    const path = file(`${policy('a', 'Enforce', 5)}---\n${policy('b', 'Warn', 6)}---\n${DEPLOYMENT}`);
    const { code, stdout } = await fix('-f', path, '--write');
    assert.equal(code, 1);
    assert.match(readFileSync(path, 'utf8'), /runAsUser: 5/);
    assert.match(stdout, /runAsUser: no fix: the fix would violate a policy of a stricter mode/);
    assert.match((await fix('-f', path, '--write')).stdout, /^Left:\n(?: .*\n)+\n0 edits in 0 files/);
  });

  it('-o manifests prints the whole text of files and of standard input', async () => {
    const { code, stdout } = await cappol(['fix', '-f', '-', ...RESTRICTED, '-o', 'manifests'], DEPLOYMENT);
    assert.deepEqual([code, stdout], [0, FIXED]);
    const two = await fix('-f', file(DEPLOYMENT), file(CONFIG), ...RESTRICTED, '-o', 'manifests');
    assert.equal(two.stdout, `${FIXED}---\n${CONFIG}`);
  });

  it('-o json has each edit with its class, path, line, reason and risk', async () => {
    const path = file(DEPLOYMENT);
    const { code, stdout, stderr } = await fix('-f', path, ...RESTRICTED, '-o', 'json');
    assert.deepEqual([code, stderr], [1, '']);
    const result: FixResult = JSON.parse(stdout);
    assert.ok(isDocumented(result), JSON.stringify(isDocumented.errors));
    assert.deepEqual(result.edits[0], {
      file: path,
      kind: 'Deployment',
      namespace: 'shop',
      name: 'web',
      class: 'spelling',
      path: 'spec.template.spec.containers[0].securityContext.capabilities.add',
      line: 14,
      before: ['CAP_NET_BIND_SERVICE'],
      after: ['NET_BIND_SERVICE'],
      policy: 'level-restricted',
      rule: 'capabilities',
      container: 'web',
      reason: 'container "web" must not add capability CAP_NET_BIND_SERVICE (allowed: NET_BIND_SERVICE)',
      risk: 'containerd ignores the old spelling and adds no capability; with the new spelling, every runtime adds the capability',
    });
    assert.equal(result.edits.length, 5);
  });

  it('-o kustomize prints a kustomization with a strategic merge patch for each object', async () => {
    const path = file(DEPLOYMENT);
    const { code, stdout } = await fix('-f', path, ...RESTRICTED, '-o', 'kustomize');
    assert.equal(code, 0);
    const { resources, patches } = load(stdout) as {
      resources: string[];
      patches: { patch: string; target: object }[];
    };
    assert.deepEqual(resources, [path]);
    assert.deepEqual(patches[0]?.target, {
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
      name: 'web',
      namespace: 'shop',
    });
    assert.deepEqual(load(patches[0]?.patch ?? ''), {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'shop' },
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: 'web',
                securityContext: {
                  capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
                  allowPrivilegeEscalation: false,
                },
              },
            ],
            securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          },
        },
      },
    });
    assert.match(
      patches[0]?.patch ?? '',
      /^# spelling: spec\.template\.spec\.containers\[0\]\.securityContext\.capabilities\.add: /,
    );
  });

  it('-o kustomize --directory writes the files, and copies manifests from other folders', async () => {
    const rollout = DEPLOYMENT.replace('apps/v1', 'argoproj.io/v1alpha1').replace('Deployment', 'Rollout');
    const path = file(`${DEPLOYMENT}---\n${rollout}`);
    const directory = join(folder, 'fixes');
    assert.equal((await fix('-f', path, ...RESTRICTED, '-o', 'kustomize', '--directory', directory)).code, 0);
    assert.deepEqual(readdirSync(directory), [
      'deployment-shop-web.patch.yaml',
      'kustomization.yaml',
      'manifests.yaml',
      'rollout-shop-web.patch.yaml',
    ]);
    const { resources, patches } = load(readFileSync(join(directory, 'kustomization.yaml'), 'utf8')) as {
      resources: string[];
      patches: { path: string }[];
    };
    assert.deepEqual(resources, ['manifests.yaml']);
    assert.deepEqual(
      patches.map((patch) => patch.path),
      ['deployment-shop-web.patch.yaml', 'rollout-shop-web.patch.yaml'],
    );
    const operations = load(readFileSync(join(directory, 'rollout-shop-web.patch.yaml'), 'utf8')) as {
      op: string;
      path: string;
    }[];
    assert.deepEqual(
      operations.map(({ op, path: at }) => `${op} ${at}`),
      [
        'replace /spec/template/spec/containers/0/securityContext/capabilities/add',
        'add /spec/template/spec/containers/0/securityContext/capabilities/drop',
        'add /spec/template/spec/containers/0/securityContext/allowPrivilegeEscalation',
        'add /spec/template/spec/securityContext',
        'add /spec/template/spec/securityContext/seccompProfile',
      ],
    );
  });

  describe('of bad input', () => {
    it('fix does not change a file that has an unreadable document, and names the file', async () => {
      const broken = file(`${DEPLOYMENT}---\na: [\n`);
      const good = file(DEPLOYMENT);
      const { code, stderr } = await fix('-f', broken, good, ...RESTRICTED, '--write');
      assert.equal(code, 2);
      assert.match(
        stderr,
        /^cappol: .*:\d+: not YAML: .*\ncappol: .*: warning: not changed, because the document has errors\n$/,
      );
      assert.equal(readFileSync(broken, 'utf8'), `${DEPLOYMENT}---\na: [\n`);
      assert.equal(readFileSync(good, 'utf8'), FIXED);
    });

    it('fix does not claim to have written a path that is not a regular file', async () => {
      const pipe = join(folder, 'pipe');
      execFileSync('mkfifo', [pipe]);
      const child = spawn('bash', ['-c', 'cat > "$0"', pipe], { stdio: ['pipe', 'ignore', 'ignore'] });
      child.stdin.end(DEPLOYMENT);
      const { code, stdout, stderr } = await fix('-f', pipe, ...RESTRICTED, '--write');
      assert.equal(code, 2);
      assert.match(stderr, /^cappol: .*pipe: not written: the input is not a regular file\n$/);
      assert.match(stdout, /^0 edits in 0 files, written: 0 of 1 /);
    });

    it('fix does not change an object that the API server would refuse', async () => {
      const path = file(`${HOST.replace('hostNetwork', 'hostNetwrk')}---\n${DEPLOYMENT}`);
      const { code, stderr } = await fix('-f', path, ...RESTRICTED, '--write');
      assert.equal(code, 2);
      assert.match(
        stderr,
        /^cappol: .*:5: Pod agent: unknown field "spec.hostNetwrk": did you mean "hostNetwork"\?\n$/,
      );
      assert.equal(readFileSync(path, 'utf8'), `${HOST.replace('hostNetwork', 'hostNetwrk')}---\n${FIXED}`);
    });

    it('fix does not overwrite a file that another program has changed in the meantime', () => {
      const path = file(DEPLOYMENT);
      const beside = readdirSync(folder);
      assert.throws(() => replaceText(path, 'before', 'after'), /another program has changed the file in the meantime/);
      assert.equal(readFileSync(path, 'utf8'), DEPLOYMENT);
      assert.deepEqual(readdirSync(folder), beside);
    });

    it('in folders, fix skips and reports documents that are not Kubernetes objects', async () => {
      const inside = join(folder, 'chart');
      mkdirSync(inside);
      writeFileSync(join(inside, 'values.yaml'), 'image:   nginx\n');
      writeFileSync(join(inside, 'web.yaml'), DEPLOYMENT);
      const { code, stdout } = await fix('-f', inside, ...RESTRICTED, '--write');
      assert.equal(code, 0);
      assert.match(stdout, /\nskipped 1 document, no Kubernetes objects: Helm values 1\n$/);
      assert.equal(readFileSync(join(inside, 'values.yaml'), 'utf8'), 'image:   nginx\n');
    });

    for (const [args, told] of [
      [['-f', 'missing.yaml', ...RESTRICTED], /^cappol: missing.yaml: no such file or folder\n/],
      [RESTRICTED, /^cappol: nothing to fix: name files with -f\n/],
      [['-f', '-'], /^cappol: no policy to comply with: /],
      [['-f', '-', ...RESTRICTED, '--write'], /^cappol: --write cannot edit standard input: use -o manifests\n/],
      [
        ['-f', 'x', ...RESTRICTED, '--write', '-o', 'json'],
        /^cappol: --write edits the files and -o json prints the result: /,
      ],
      [['-f', 'x', ...RESTRICTED, '--directory', 'y'], /^cappol: --directory requires -o kustomize\n/],
      [['-f', 'x', ...RESTRICTED, '--only', 'all'], /"all" is not one of spelling, safe, check\./],
      [['-f', 'x', '--level-version', 'v1.30'], /^cappol: --level-version requires --level\n/],
    ] as const) {
      it(`refuses fix ${args.join(' ')}`, async () => {
        const { code, stdout, stderr } = await cappol(['fix', ...args], DEPLOYMENT, folder);
        assert.equal(code, 2, stdout);
        assert.match(stderr, told);
      });
    }
  });
});
