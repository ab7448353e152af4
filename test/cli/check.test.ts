/**
 * Tests the verdicts and line numbers of `cappol check -f`. Also tests the objects in the manifests that affect the
 * evaluation.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { dump, load } from 'js-yaml';
import { cappol } from '../support/cappol.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { writtenPolicy } from '../support/policies.ts';

const REFERENCE = join(import.meta.dirname, '..', '..', 'docs', 'reference');
const schema = JSON.parse(readFileSync(join(REFERENCE, 'check.schema.json'), 'utf8')) as object;
const isDocumented = new Ajv({ strict: false }).compile(schema);

// biome-ignore lint/suspicious/noExplicitAny: tests read any field of the output of -o json
type Json = any;

const RESTRICTED = writtenPolicy('restricted');

function podSpec(add: readonly string[] = [], spec: object = {}): object {
  const capabilities = { drop: ['ALL'], ...(add.length > 0 && { add }) };
  return {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [{ name: 'main', image: 'app', securityContext: { allowPrivilegeEscalation: false, capabilities } }],
    ...spec,
  };
}

function pod(name: string, add: readonly string[] = [], { namespace, ...spec }: Record<string, unknown> = {}): object {
  return podManifest({ name, ...(namespace !== undefined && { namespace }) }, podSpec(add, spec));
}

function yaml(...objects: readonly object[]): string {
  return objects.map((object) => dump(object, { noRefs: true })).join('---\n');
}

/** Checks a stream and compares the output with the documented schema. */
async function check(stdin: string, ...args: readonly string[]): Promise<{ code: number; json: Json; stderr: string }> {
  const { code, stdout, stderr } = await cappol(['check', '-f', '-', '-o', 'json', ...args], stdin);
  const json = JSON.parse(stdout);
  assert.ok(isDocumented(json), JSON.stringify(isDocumented.errors));
  return { code, json, stderr };
}

function verdicts({ items }: Json): Record<string, string> {
  return Object.fromEntries(items.map(({ namespace, name, verdict }: Json) => [`${namespace}/${name}`, verdict]));
}

describe('check -f', () => {
  it('check -f evaluates each pod, and exits 1 if a pod violates a policy', async () => {
    const { code, json } = await check(yaml(RESTRICTED, pod('good'), pod('bad', ['NET_RAW'])));
    assert.equal(code, 1);
    assert.deepEqual(verdicts(json), { 'default/good': 'Compliant', 'default/bad': 'Violating' });
    const { items, compliant, violating, violations } = json.summary;
    assert.deepEqual(
      { items, compliant, violating, violations },
      { items: 2, compliant: 1, violating: 1, violations: 1 },
    );
  });

  it('check -f evaluates the claims of a StatefulSet as volumes of its pods, and names the place of each claim', async () => {
    const volumes = [
      { name: 'tmp', emptyDir: {} },
      { name: 'log', hostPath: { path: '/var/log' } },
    ];
    const claims = ['data', 'log'].map((name) => ({ metadata: { name }, spec: {} }));
    const statefulSet = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db' },
      spec: {
        selector: { matchLabels: { app: 'db' } },
        template: { metadata: { labels: { app: 'db' } }, spec: podSpec([], { volumes }) },
        volumeClaimTemplates: claims,
      },
    };
    const ephemeral = writtenPolicy('ephemeral', { overrides: { volumes: ['emptyDir', 'projected'] } });
    const { code, json } = await check(yaml(ephemeral, statefulSet));
    assert.equal(code, 1);
    const [{ violations }] = json.items;
    assert.deepEqual(
      violations.map(({ message, path, line }: Json) => [message.split(' must')[0], path, line > 0]),
      [
        ['volume "log"', 'spec.volumeClaimTemplates[1]', true],
        ['volume "data"', 'spec.volumeClaimTemplates[0]', true],
      ],
    );
    const claimed = writtenPolicy('claimed', {
      overrides: { volumes: ['emptyDir', 'projected', 'persistentVolumeClaim'] },
    });
    assert.equal((await check(yaml(claimed, statefulSet))).code, 0, 'the claim replaces the hostPath');
  });

  it('exits 0 when none does', async () => {
    const { code, stderr } = await check(yaml(RESTRICTED, pod('good')));
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  });

  const template = { metadata: { labels: { app: 'a' } }, spec: podSpec(['NET_RAW']) };
  const WORKLOADS: readonly (readonly [apiVersion: string, kind: string, body: object, path: string])[] = [
    ['v1', 'Pod', { spec: template.spec }, 'spec'],
    ['v1', 'PodTemplate', { template }, 'template.spec'],
    ['v1', 'ReplicationController', { spec: { template } }, 'spec.template.spec'],
    ['apps/v1', 'Deployment', { spec: { template } }, 'spec.template.spec'],
    ['apps/v1', 'ReplicaSet', { spec: { template } }, 'spec.template.spec'],
    ['apps/v1', 'StatefulSet', { spec: { template } }, 'spec.template.spec'],
    ['apps/v1', 'DaemonSet', { spec: { template } }, 'spec.template.spec'],
    ['batch/v1', 'Job', { spec: { template } }, 'spec.template.spec'],
    ['batch/v1', 'CronJob', { spec: { jobTemplate: { spec: { template } } } }, 'spec.jobTemplate.spec.template.spec'],
  ];

  for (const [apiVersion, kind, body, path] of WORKLOADS) {
    it(`names the field of a ${kind}, its line, and what would be accepted`, async () => {
      const text = yaml(RESTRICTED, { apiVersion, kind, metadata: { name: 'a' }, ...body });
      const { json } = await check(text);
      const [{ violations }] = json.items;
      assert.deepEqual(violations, [
        {
          policy: 'restricted',
          mode: 'Enforce',
          rule: 'capabilities',
          container: 'main',
          message: 'container "main" must not add capability NET_RAW (allowed: NET_BIND_SERVICE)',
          path: `${path}.containers[0].securityContext.capabilities.add`,
          line: text.split('\n').findIndex((line) => line.trim() === 'add:') + 1,
        },
      ]);
    });
  }

  describe('in the namespaces', () => {
    const TEAM = writtenPolicy('team', { namespaceSelector: { matchLabels: { team: 'net' } } });
    const BY_NAME = writtenPolicy('named', {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'net' } },
    });
    const net = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'net', labels: { team: 'net' } } };

    it('check reads a Namespace manifest even if it comes after the evaluated pods', async () => {
      const text = yaml(pod('bad', ['NET_RAW'], { namespace: 'net' }), pod('free', ['NET_RAW']), net, TEAM);
      assert.deepEqual(verdicts((await check(text)).json), { 'net/bad': 'Violating', 'default/free': 'NotSelected' });
    });

    it('of -n, for manifests that state none', async () => {
      const text = yaml(pod('bad', ['NET_RAW']), net, TEAM);
      assert.deepEqual(verdicts((await check(text, '-n', 'net')).json), { 'net/bad': 'Violating' });
    });

    it('check uses the labels of --namespace-labels if the manifests contain no Namespace', async () => {
      const text = yaml(pod('bad', ['NET_RAW']), TEAM);
      const { json } = await check(text, '--namespace-labels', 'team=net,stage=prod');
      assert.deepEqual(verdicts(json), { 'default/bad': 'Violating' });
    });

    it('the last of several manifests of a Namespace counts, as if all manifests were applied', async () => {
      const notNet = writtenPolicy('others', {
        namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['net'] }] },
      });
      const bare = { ...net, metadata: { name: 'net' } };
      const bad = pod('bad', ['NET_RAW'], { namespace: 'net' });
      assert.deepEqual(verdicts((await check(yaml(notNet, net, bare, bad))).json), { 'net/bad': 'Violating' });
      assert.deepEqual(verdicts((await check(yaml(notNet, bare, net, bad))).json), { 'net/bad': 'NotSelected' });
    });

    it('check reads a Namespace manifest whose kind is written with an escape', async () => {
      const escaped = JSON.stringify(net).replace('Namespace', 'Name\\u0073pace');
      const text = `${yaml(pod('bad', ['NET_RAW'], { namespace: 'net' }), TEAM)}---\n${escaped}\n`;
      assert.deepEqual(verdicts((await check(text)).json), { 'net/bad': 'Violating' });
    });

    it('policies select namespaces by name, because the API server adds the name as a label', async () => {
      const { json } = await check(yaml(pod('bad', ['NET_RAW']), BY_NAME), '-n', 'net');
      assert.deepEqual(verdicts(json), { 'net/bad': 'Violating' });
    });

    it('check evaluates no pods in namespaces that no policy reaches', async () => {
      const text = yaml(RESTRICTED, pod('bad', ['NET_RAW'], { namespace: 'kube-system' }));
      const { json } = await check(text);
      assert.deepEqual(verdicts(json), { 'kube-system/bad': 'NotSelected' });
      assert.equal(json.items[0].notSelected, 'ExcludedNamespace');
      assert.deepEqual([json.summary.excluded, json.summary.excludedNamespaces], [1, ['kube-system']]);
    });

    for (const namespace of ['kube-system', 'kube-public', 'kube-node-lease', 'capabilitypolicy-system', 'mine']) {
      it(`says that no policy reaches ${namespace}, and advises no labels`, async () => {
        const text = yaml(RESTRICTED, pod('bad', ['NET_RAW'], { namespace }));
        const { code, stdout } = await cappol(
          ['check', '-f', '-', '--excluded-namespaces', 'kube-system,kube-public,kube-node-lease,mi*'],
          text,
        );
        assert.equal(code, 0);
        assert.match(stdout, new RegExp(`^no policy reaches ${namespace}: 1 workload there$`, 'm'));
        assert.doesNotMatch(stdout, /--namespace-labels|no policy decides/);
      });
    }

    it('advises labels for the other namespaces only', async () => {
      const text = yaml(
        writtenPolicy('team', { namespaceSelector: { matchLabels: { team: 'net' } } }),
        pod('system', [], { namespace: 'kube-system' }),
        pod('free', [], { namespace: 'shop' }),
      );
      const { stdout } = await cappol(['check', '-f', '-'], text);
      assert.match(stdout, /1 that no policy decides about, 1 in excluded namespaces/);
      assert.match(stdout, /^no policy reaches kube-system: 1 workload there$/m);
      assert.match(stdout, /--namespace-labels/);
      const { json } = await check(text);
      assert.deepEqual(
        json.items.map((one: Json) => one.notSelected),
        ['ExcludedNamespace', 'NoPolicy'],
      );
    });

    it('check reports a finished Job as not selected, because the Job makes no pods any more', async () => {
      const job = {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'done' },
        spec: { template: { spec: podSpec() } },
        status: { conditions: [{ type: 'Complete', status: 'True' }] },
      };
      const { json } = await check(yaml(RESTRICTED, job));
      assert.deepEqual([json.items[0].verdict, json.items[0].notSelected], ['NotSelected', 'NoPods']);
    });
  });

  describe('with several policies', () => {
    const PING = writtenPolicy('ping', { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } });

    it("a pod must comply with one of the deciding policies, and check gives each policy's reasons", async () => {
      const { json } = await check(yaml(RESTRICTED, PING, pod('ping', ['NET_RAW']), pod('time', ['SYS_TIME'])));
      assert.deepEqual(verdicts(json), { 'default/ping': 'Compliant', 'default/time': 'Violating' });
      assert.deepEqual(
        json.items[1].violations.map((one: Json) => one.policy),
        ['ping', 'restricted'],
      );
    });

    it('evaluates each mode separately', async () => {
      const audit = writtenPolicy('audit', { mode: 'Audit', level: 'baseline' });
      const { json } = await check(yaml(audit, RESTRICTED, pod('ping', ['SYS_TIME'])));
      assert.deepEqual(
        json.items[0].violations.map((one: Json) => one.policy),
        ['restricted', 'audit'],
      );
    });

    const subjects = [{ kind: 'ServiceAccount', name: 'pinger', namespace: 'default' }];
    const SUBJECTS = { ...PING, spec: { ...(PING as Json).spec, usableBy: 'Subjects', subjects } };

    it('the subjects that a policy names may use the policy', async () => {
      const may = pod('may', ['NET_RAW'], { serviceAccountName: 'pinger' });
      const { json } = await check(yaml(SUBJECTS, RESTRICTED, may, pod('perhaps', ['NET_RAW'])));
      // A file does not say whether the creator of a bare pod may use the policy.
      assert.deepEqual(verdicts(json), { 'default/may': 'Compliant', 'default/perhaps': 'Unknown' });
    });

    it('subjects may use a policy if a binding in the manifests grants the use', async () => {
      const bound = { ...PING, spec: { ...(PING as Json).spec, usableBy: 'Bindings' } };
      const binding = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'pingers', namespace: 'default' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'capabilitypolicy.dev:use:ping' },
        subjects: [{ kind: 'ServiceAccount', name: 'pinger', namespace: 'default' }],
      };
      const deployment = (name: string, serviceAccountName: string) => ({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name },
        spec: { template: { spec: podSpec(['NET_RAW'], { serviceAccountName }) } },
      });
      const { json } = await check(yaml(bound, binding, deployment('may', 'pinger'), deployment('may-not', 'default')));
      assert.deepEqual(verdicts(json), { 'default/may': 'Compliant', 'default/may-not': 'Violating' });
      assert.equal(json.items[1].violations[0].rule, 'use');
    });

    it('check evaluates a pod as it will be after defaulting', async () => {
      const bare = podManifest({ name: 'bare' }, { containers: [{ name: 'main', image: 'app' }] });
      const filling = writtenPolicy('filling', { defaulting: 'Enabled' });
      assert.deepEqual(verdicts((await check(yaml(filling, bare))).json), { 'default/bare': 'Compliant' });
      const older = await check(yaml(filling, bare), '--server-version', 'v1.35');
      assert.deepEqual(verdicts(older.json), { 'default/bare': 'Violating' });
    });
  });

  describe('tells of', () => {
    const BROKEN: readonly (readonly [what: string, objects: string, told: RegExp])[] = [
      [
        'a policy that the API server would refuse',
        yaml(writtenPolicy('wrong', { overrides: { capabilities: { allowedAdd: ['CAP_NET_RAW'] } } })),
        /^cappol: standard input:\d+: CapabilityPolicy wrong: spec\.overrides\.capabilities\.allowedAdd\[0\]: .*write NET_RAW/,
      ],
      [
        'a policy that cannot be compiled',
        yaml(writtenPolicy('future', { levelVersion: 'v1.99' })),
        /^cappol: standard input:\d+: CapabilityPolicy future: spec\.levelVersion: v1\.99 is too new/,
      ],
      [
        'an unknown kind',
        yaml({ apiVersion: 'apps/v1', kind: 'Deploymnt', metadata: { name: 'a' } }),
        /no kind Deploymnt is known in apps\/v1: did you mean Deployment\?/,
      ],
      [
        'a kind in a removed version',
        yaml({ apiVersion: 'extensions/v1beta1', kind: 'Deployment', metadata: { name: 'a' } }),
        /no API server serves Deployment of extensions\/v1beta1: write apiVersion: apps\/v1/,
      ],
      [
        'a kind in the wrong group',
        yaml({ apiVersion: 'v1', kind: 'Deployment', metadata: { name: 'a' } }),
        /no kind Deployment is known in v1: write apiVersion: apps\/v1/,
      ],
      [
        'a value of the wrong type',
        yaml(podManifest({ name: 'a' }, { hostNetwork: 'true', containers: [] })),
        /Pod a: spec\.hostNetwork: Invalid value: string: must be of type boolean/,
      ],
      [
        'a workload without a template',
        yaml({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' }, spec: {} }),
        /Deployment a: spec\.template: Required value/,
      ],
    ];

    for (const [what, text, told] of BROKEN) {
      it(`${what}, exits 2, and evaluates the rest`, async () => {
        const { code, json, stderr } = await check([yaml(RESTRICTED), text, yaml(pod('good'))].join('---\n'));
        assert.equal(code, 2);
        assert.match(stderr, told);
        assert.equal(stderr.trimEnd().split('\n').length, 1);
        assert.equal(json.summary.errors, 1);
        assert.deepEqual(verdicts(json), { 'default/good': 'Compliant' });
      });
    }

    it('input that holds nothing', async () => {
      const { code, stderr } = await check('# nothing\n', '--policy', '../../config/samples/restricted.yaml');
      assert.deepEqual({ code, stderr }, { code: 2, stderr: 'cappol: standard input: no Kubernetes object in it\n' });
    });

    it('no policy', async () => {
      const { code, stderr, stdout } = await cappol(['check', '-f', '-'], yaml(pod('good')));
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
      assert.match(stderr, /^cappol: no policy to evaluate against: name a policy with --policy FILE/);
    });

    it('check prints no error about objects that make no pods', async () => {
      const { code, json } = await check(
        yaml(
          RESTRICTED,
          pod('good'),
          { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } },
          { apiVersion: 'monitoring.coreos.com/v1', kind: 'ServiceMonitor', metadata: { name: 'b' } },
        ),
      );
      assert.deepEqual([code, json.summary.skipped, json.summary.items], [0, 2, 1]);
    });
  });

  it('check reads files and folders, and reports them under the given names', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'check-'));
    try {
      writeFileSync(join(folder, 'pod.yaml'), yaml(pod('bad', ['NET_RAW'])));
      writeFileSync(join(folder, 'policy.yaml'), yaml(RESTRICTED));
      const { stdout } = await cappol(['check', '-f', '.', '-o', 'json'], '', folder);
      const { items, policies } = JSON.parse(stdout);
      assert.deepEqual([items[0].file, items[0].line, policies[0].file], ['pod.yaml', 1, 'policy.yaml']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('prints the same as YAML', async () => {
    const text = yaml(RESTRICTED, pod('good'), pod('bad', ['NET_RAW']));
    const { stdout } = await cappol(['check', '-f', '-', '-o', 'yaml'], text);
    assert.deepEqual(load(stdout), (await check(text)).json);
    const none = await cappol(['check', '-f', '-', '-o', 'yaml'], yaml(RESTRICTED));
    assert.deepEqual(load(none.stdout), (await check(yaml(RESTRICTED))).json);
  });

  it('gives advice, which changes no verdict', async () => {
    const { code, json } = await check(
      yaml(writtenPolicy('ping', { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } }), pod('a', ['NET_RAW'])),
    );
    assert.equal(code, 0);
    const [finding] = json.items[0].findings;
    assert.match(finding.path, /^spec\.containers\[0\]\.securityContext\.capabilities\.add/);
    assert.ok(finding.line > 0);
  });
});
