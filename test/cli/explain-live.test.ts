/**
 * Tests `cappol explain` with names and --cluster. The command lists the workloads that hold a capability, or that use
 * the restricted feature of a rule. The command also names the policy that admits each workload.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import type { ExplainedTopic, ExplainedTopics } from '../../analysis/explain/explained.ts';
import { topicsText } from '../../cli/commands/explain/topics-text.ts';
import { PLAIN } from '../../cli/output/terminal.ts';
import type { Json } from '../../hack/controlplane/api.ts';
import { RULES } from '../../operator/rules/index.ts';
import { cappol, type Ran } from '../support/cappol.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { grant } from '../support/namespace-changes.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

const SCHEMA = join(import.meta.dirname, '..', '..', 'docs', 'reference', 'explain.schema.json');
/** If the CSV contained the reason of this policy unchanged, a spreadsheet would execute the reason as a formula. */
const REASON = '+TICKET-123, "ping"';
const EXPIRES = '2099-01-31T00:00:00Z';
const AT_RESTRICTED = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };

describe('cappol explain NAME --cluster, with an API server', function () {
  this.timeout(300_000);
  const cluster = useCluster('cli-explain');
  let net: string;
  let web: string;
  let free: string;
  let ping: string;
  let base: string;
  let audit: string;

  before(async () => {
    // Namespaces that are being deleted are left out, because the workloads in such a namespace vanish one by one. The
    // tests compare answers about all namespaces.
    const isActive = ({ status }: Json) => status.phase === 'Active';
    await eventually("the end of other files' namespaces", async () =>
      (await cluster.api.list(NAMESPACES)).every(isActive),
    );
    net = await cluster.namespace('net', { 'cli-explain': 'net' });
    web = await cluster.namespace('web', { 'cli-explain': 'web' });
    free = await cluster.namespace('free', { 'cli-explain': 'free' });
    await deploy(net, 'pinger', { add: ['NET_RAW'], drop: ['ALL'] });
    await deploy(net, 'sniffer', { add: ['NET_RAW', 'SYS_TIME'], drop: ['ALL'] });
    await deploy(web, 'plain', {});
    await deploy(free, 'agent', { add: ['CAP_NET_RAW'] }, true);
    ping = await cluster.policy('ping', {
      namespaceSelector: { matchLabels: { 'cli-explain': 'net' } },
      level: 'restricted',
      mode: 'Enforce',
      overrides: { capabilities: { allowedAdd: ['NET_RAW'] } },
      expires: EXPIRES,
      reason: REASON,
    });
    base = await cluster.policy('base', {
      namespaceSelector: { matchLabels: { 'cli-explain': 'web' } },
      level: 'restricted',
      mode: 'Enforce',
    });
    audit = await cluster.policy('audit', {
      namespaceSelector: { matchLabels: { 'cli-explain': 'free' } },
      level: 'restricted',
      mode: 'Audit',
    });
  });

  async function deploy(namespace: string, name: string, capabilities: object, isAgent = false): Promise<void> {
    const labels = { app: name };
    const securityContext = { allowPrivilegeEscalation: false, capabilities };
    const volumes = [{ name: 'socket', hostPath: { path: '/run/containerd/containerd.sock' } }];
    await cluster.api.apply(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            securityContext: AT_RESTRICTED,
            containers: [{ name: 'app', image: 'app', securityContext }],
            ...(isAgent && { hostNetwork: true, volumes }),
          },
        },
      },
    });
  }

  const explain = (...args: readonly string[]): Promise<Ran> =>
    cappol(['explain', ...args, '--cluster', '--kubeconfig', cluster.controlPlane.kubeconfig]);

  const inJson = async (...args: readonly string[]): Promise<ExplainedTopics> => {
    const { code, stdout, stderr } = await explain(...args, '-o', 'json');
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };

  /**
   * Returns only the results from the namespaces of this test file. Workloads of other test files may run in the same
   * cluster.
   */
  const own = (topic: ExplainedTopic | undefined) =>
    (topic?.found ?? []).filter(({ namespace }) => [net, web, free].includes(namespace));

  it('for NET_RAW, explain names the containers that hold the capability, and the policies that admit it with their end and reason', async () => {
    const { topics } = await inJson('NET_RAW', '-A');
    assert.partialDeepStrictEqual(own(topics[0]), [
      { name: 'agent', how: 'Added', admission: 'NoPolicy', policies: [{ policy: audit, answer: 'Refuses' }] },
      {
        name: 'pinger',
        how: 'Added',
        admission: 'Admitted',
        policies: [{ policy: ping, answer: 'Admits', expires: EXPIRES, reason: REASON }],
      },
      { name: 'sniffer', admission: 'Refused', policies: [{ policy: ping, answer: 'RefusesOtherwise' }] },
      { name: 'plain', how: 'ByDefault', admission: 'Refused', policies: [{ policy: base, answer: 'Refuses' }] },
    ]);
  });

  it('says the same as a table', async () => {
    const { code, stdout, stderr } = await explain('NET_RAW', '-A');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(
      stdout,
      /^NET_RAW: held by no running container, and asked for by \d+ containers of templates without pods in \d+ workloads in all namespaces: 1 admitted by a policy, /,
    );
    const reason = REASON.replace('+', '\\+');
    const rows = [
      `${net} +Deployment pinger +app +0 +added +baseline +admitted +${ping} +${EXPIRES} +${reason}`,
      `${net} +Deployment sniffer +app +0 +added +baseline +refused +${ping} +${EXPIRES} +${reason} +admits it, but refuses the pod because of capabilities`,
      `${web} +Deployment plain +app +0 +default of containerd, Docker +restricted +refused +${base} +never +- +container "app" must drop capability ALL in .*`,
      `${free} +Deployment agent +app +0 +added +baseline +open +${audit} \\(mode Audit\\) +never +- +container "app" must not add .*`,
    ];
    for (const row of rows) assert.match(stdout, new RegExp(`^${row}$`, 'm'));
  });

  it('on a terminal, explain lists the same uses by namespace and workload', async () => {
    const { stdout } = await explain('NET_RAW', '-n', net);
    assert.match(stdout, /^NAMESPACE /m);
    const shown = topicsText(await inJson('NET_RAW', '-n', net), { ...PLAIN, width: 100 });
    assert.equal(shown, onTerminal());
  });

  const onTerminal =
    () => `NET_RAW: held by no running container, and asked for by 2 containers of templates without pods in 2
  workloads in namespace ${net}: 1 admitted by a policy, 1 in pods that the policies would
  refuse today

Namespace ${net}
  Deployment pinger
    admitted container "app" holds it: added, beyond baseline
             ${ping} admits it, until ${EXPIRES}, because: ${REASON}
  Deployment sniffer
    refused  container "app" holds it: added, beyond baseline
             ${ping} admits it, but refuses the pod because of capabilities, until
             ${EXPIRES}, because: ${REASON}
`;

  it('for a rule, explain names the workloads that exceed the levels, and the policies that admit these workloads', async () => {
    const { topics } = await inJson('hostPath', 'hostNetwork', '-A');
    for (const [topic, name] of [
      [topics[0], 'hostPaths'],
      [topics[1], 'hostNetwork'],
    ] as const) {
      assert.equal(topic?.name, name);
      assert.partialDeepStrictEqual(own(topic), [{ name: 'agent', beyond: 'baseline', admission: 'NoPolicy' }]);
    }
  });

  it('the CSV has the same uses and policies as the JSON, and no cell that a spreadsheet executes', async () => {
    const { topics } = await inJson('NET_RAW', 'hostNetwork', '-A');
    const { code, stdout, stderr } = await explain('NET_RAW', 'hostNetwork', '-A', '-o', 'csv');
    assert.deepEqual([code, stderr], [0, '']);
    const [head = [], ...rows] = cellsOf(stdout);
    const column = (name: string) => rows.map((row) => row[head.indexOf(name)]);
    const flat = topics.flatMap(({ name, found }) =>
      found.flatMap((use) =>
        (use.policies.length > 0 ? use.policies : [undefined]).map((answer) => ({ name, use, answer })),
      ),
    );
    assert.deepEqual(
      column('topic'),
      flat.map(({ name }) => name),
    );
    assert.deepEqual(
      column('workload'),
      flat.map(({ use }) => use.name),
    );
    assert.deepEqual(
      column('answer'),
      flat.map(({ answer }) => answer?.answer ?? ''),
    );
    assert.ok(column('reason').includes(`'${REASON}`));
    for (const cell of rows.flat()) assert.doesNotMatch(cell, /^[=+\-@]/);
  });

  it('with --at after the expiry of the exception, no policy admits the uses', async () => {
    const { topics } = await inJson('NET_RAW', '-n', net, '--at', '2100-01-01T00:00:00Z');
    assert.deepEqual(
      own(topics[0]).map(({ admission, policies }) => [admission, policies]),
      [
        ['NoPolicy', []],
        ['NoPolicy', []],
      ],
    );
  });

  it('explain names the namespace that it searched if it found nothing', async () => {
    const nothing = 'SYS_ADMIN: no container in namespace cli-explain-web holds the capability (1 workload read)';
    const text = await explain('SYS_ADMIN', '-n', web);
    assert.deepEqual([text.code, text.stdout, text.stderr], [0, `${nothing}\n`, '']);
    const json = await explain('SYS_ADMIN', '-n', web, '-o', 'json');
    assert.deepEqual(JSON.parse(json.stdout).topics, [{ kind: 'Capability', name: 'SYS_ADMIN', found: [] }]);
    assert.equal(json.stderr, `cappol: ${nothing}\n`);
    const rule = await explain('hostNetwork', '-n', web);
    assert.match(
      rule.stdout,
      /^hostNetwork: no pod in namespace cli-explain-web exceeds levels baseline and restricted \(1 workload read\)$/m,
    );
    const none = await explain('SYS_ADMIN', '-n', 'nosuch');
    assert.deepEqual([none.code, none.stderr], [2, 'cappol: no namespace "nosuch" in the cluster\n']);
  });

  it('for adminAccess, explain names the namespaces with the label, and the policies that guard the label', async () => {
    const name = 'resource.kubernetes.io/admin-access';
    await cluster.api.patch(`${NAMESPACES}/${web}`, { metadata: { labels: { [name]: 'true' } } });
    try {
      const guarded = await cluster.policy('guarded', {
        namespaceSelector: { matchLabels: { 'cli-explain': 'web' } },
        level: 'restricted',
        mode: 'Enforce',
        adminAccessLabel: 'Guarded',
      });
      const answer = await inJson('adminAccess', 'NET_RAW', '-n', web);
      assert.deepEqual(answer.topics[0], {
        kind: 'NamespaceLabel',
        name,
        found: [],
        namespaces: [{ namespace: web, granted: true, guardedBy: [guarded] }],
        guards: [{ policy: guarded, namespaces: 1 }],
      });
      const isDocumented = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));
      assert.ok(isDocumented(answer), JSON.stringify(isDocumented.errors?.[0]));
      const text = await explain('adminAccess', '-n', web);
      assert.match(text.stdout, new RegExp(`^${web} +granted +${guarded}$`, 'm'));
      const csv = await explain('adminAccess', '-n', web, '-o', 'csv');
      assert.match(csv.stdout, new RegExp(`^${name},${web},.*,admin access granted,.*,${guarded},Enforce,`, 'm'));
      await cluster.api.remove(`${POLICIES}/${guarded}`);
    } finally {
      await cluster.api.patch(`${NAMESPACES}/${web}`, { metadata: { labels: { [name]: null } } });
    }
  });

  it('names all missing rights in one message', async () => {
    const kubeconfig = cluster.controlPlane.kubeconfigFor('explain-stranger');
    const { code, stdout, stderr } = await cappol([
      'explain',
      'NET_RAW',
      '--cluster',
      '-A',
      '--kubeconfig',
      kubeconfig,
    ]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(
      stderr,
      /^cappol: you may not list capabilitypolicies\S+, .*deployments\.apps.*, pods,.* in the cluster \(/,
    );
    assert.equal(stderr.split('\n').length, 2);
  });

  it('explain says that a user who may list only policies cannot read workloads', async () => {
    const user = 'explain-auditor';
    await grant(cluster.api, user, [
      { apiGroups: ['capabilitypolicy.dev'], resources: ['capabilitypolicies'], verbs: ['list'] },
    ]);
    const kubeconfig = cluster.controlPlane.kubeconfigFor(user);
    const { code, stdout, stderr } = await cappol([
      'explain',
      'NET_RAW',
      '--cluster',
      '-A',
      '--kubeconfig',
      kubeconfig,
    ]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(
      stderr,
      /^cappol: you may not list namespaces, pods, .*: the workloads cannot be evaluated; .*reader\.yaml/,
    );
  });

  it('JSON is as its schema says', async () => {
    const isDocumented = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));
    const used = JSON.stringify({
      observed: 'use',
      namespace: net,
      pod: 'pinger-6d5f9c7b4-x7k2q',
      container: 'app',
      capability: 'NET_RAW',
      outcome: 'granted',
      count: 12,
      last: '2026-11-08T09:00:00Z',
    });
    const kubeconfig = cluster.controlPlane.kubeconfig;
    const withEvidence = ['explain', 'NET_RAW', '--cluster', '-A', '--used', '-', '--kubeconfig', kubeconfig];
    const answers: readonly ExplainedTopics[] = [
      await inJson('NET_RAW', ...RULES.map(({ id }) => id), '-A'),
      JSON.parse((await cappol([...withEvidence, '-o', 'json'], `${used}\n`)).stdout),
    ];
    for (const answer of answers) {
      assert.ok(isDocumented(answer), JSON.stringify(isDocumented.errors?.[0]));
      assert.ok(!isDocumented({ ...answer, other: 1 }));
    }
    const table = (await cappol(withEvidence, `${used}\n`)).stdout;
    assert.match(table, /Deployment pinger .* used 12 times, last 2026-11-08T09:00:00\.000Z +admitted /);
    assert.match(table, /Deployment plain .* no evidence +refused /);
  });
});

/** Reads CSV (RFC 4180). */
function cellsOf(text: string): string[][] {
  return text
    .trimEnd()
    .split('\r\n')
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
        ([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain,
      ),
    );
}
