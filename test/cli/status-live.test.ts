/** Tests `cappol status` with a running operator. The tests also run the command as a user with too few rights. */
import assert from 'node:assert/strict';
import { Readable, Writable } from 'node:stream';
import type { ComplianceView } from '../../cli/commands/status/compliance-view.ts';
import type { StatusView, ViolationView } from '../../cli/commands/status/view.ts';
import { run } from '../../cli/program.ts';
import { cappol, type Ran } from '../support/cappol.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { OPERATOR_ACCOUNT } from '../support/rights.ts';

/** The number of violating workloads. The status of a policy has room for fewer workloads than this number. */
const MANY = 70;

describe('cappol status, with an API server', () => {
  const cluster = useCluster('cli-status');
  let namespace: string;
  let enforce: string;
  let bound: string;
  let excepted: string;
  let agents: string;

  before(async () => {
    enforce = cluster.named('enforce');
    namespace = await cluster.namespace('net', { 'cli-status': 'net' });
    const other = await cluster.namespace('web', { 'cli-status': 'web' });
    for (let i = 0; i < MANY; i++) await deploy(namespace, `bad-${i}`, ['SYS_ADMIN']);
    await deploy(other, 'good', []);
    await cluster.policy('enforce', {
      namespaceSelector: { matchLabels: { 'cli-status': 'net' } },
      level: 'restricted',
      mode: 'Enforce',
    });
    bound = await cluster.policy('bound', {
      namespaceSelector: { matchLabels: { 'cli-status': 'web' } },
      level: 'restricted',
      mode: 'Enforce',
      usableBy: 'Subjects',
      subjects: [{ kind: 'ServiceAccount', namespace: other, name: 'runner' }],
    });
    excepted = await cluster.namespace('agents', { 'cli-status': 'agents' });
    await deploy(excepted, 'agent', ['SYS_PTRACE']);
    agents = await cluster.policy('agents', {
      namespaceSelector: { matchLabels: { 'cli-status': 'agents' } },
      level: 'restricted',
      mode: 'Enforce',
      reason: 'traces processes, TICKET-7',
      expires: '2999-01-31T00:00:00Z',
      overrides: { capabilities: { allowedAdd: ['SYS_PTRACE'] } },
    });
    await cluster.programmed(enforce, bound, agents);
    await eventually('the operator to have evaluated', async () => {
      const { status } = await cluster.api.get(`/apis/capabilitypolicy.dev/v1alpha1/capabilitypolicies/${enforce}`);
      return status?.workloads?.violating === MANY;
    });
  });

  async function deploy(into: string, name: string, add: readonly string[]): Promise<void> {
    const matchLabels = { app: name };
    const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add } };
    await cluster.api.apply(`/apis/apps/v1/namespaces/${into}/deployments/${name}`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas: 0,
        selector: { matchLabels },
        template: {
          metadata: { labels: matchLabels },
          spec: {
            securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
            containers: [{ name: 'app', image: 'app', securityContext }],
          },
        },
      },
    });
  }

  const status = (args: readonly string[], user?: string): Promise<Ran> => {
    const { kubeconfig } = cluster.controlPlane;
    const file = user === undefined ? kubeconfig : cluster.controlPlane.kubeconfigFor(user);
    return cappol(['status', ...args, '--kubeconfig', file]);
  };

  it('reports everything that the operator reports', async () => {
    const { code, stdout, stderr } = await status(['-A', '-o', 'json']);
    assert.deepEqual([code, stderr], [0, '']);
    const { policies, mayUseAll }: StatusView = JSON.parse(stdout);
    const seen = policies.find(({ name }) => name === enforce);
    const live = await cluster.api.get(`/apis/capabilitypolicy.dev/v1alpha1/capabilitypolicies/${enforce}`);
    assert.deepEqual(seen?.workloads, live.status.workloads);
    assert.deepEqual(seen?.conditions, live.status.conditions);
    assert.equal(seen?.violations.length, MANY);
    assert.ok(live.status.violations.length < MANY);
    const reported: readonly ViolationView[] = live.status.violations;
    const byName = new Map(seen?.violations.map((one) => [one.name, one]));
    for (const violation of reported) assert.deepEqual(byName.get(violation.name), violation);
    const [user] = policies.find(({ name }) => name === bound)?.usedBy ?? [];
    assert.equal(user?.subject.name, 'runner');
    assert.ok(mayUseAll?.some(({ subject, wildcard }) => subject.name === 'system:masters' && wildcard));
    assert.ok(mayUseAll?.some(({ subject, wildcard }) => subject.name === OPERATOR_ACCOUNT && !wildcard));
  });

  it('status -o compliance-json names the failing workloads and the excepted workloads of each control', async () => {
    const { code, stdout, stderr } = await status(['-A', '-o', 'compliance-json']);
    assert.deepEqual([code, stderr], [0, '']);
    const { controls, exceptions }: ComplianceView = JSON.parse(stdout);
    const held = controls.find(({ id }) => id === '5.2.9');
    assert.deepEqual(
      held?.excepted.map(({ namespace, name, policies }) => [namespace, name, policies]),
      [[excepted, 'agent', [agents]]],
    );
    assert.equal(held?.failed.filter((one) => one.namespace === namespace).length, MANY);
    const [exception] = exceptions.filter(({ policy }) => policy === agents);
    assert.deepEqual(exception, {
      policy: agents,
      reason: 'traces processes, TICKET-7',
      expires: '2999-01-31T00:00:00Z',
    });
    const text = await status(['-n', namespace, '-o', 'compliance']);
    assert.equal(text.code, 0);
    assert.match(text.stdout, new RegExp(`^5\\.2\\.9 +0 +0 +${MANY} +0 +few containers that hold capabilities$`, 'm'));
    assert.match(
      text.stdout,
      new RegExp(`^5\\.2\\.9 +${MANY} +${namespace}/Deployment bad-0, .* and ${MANY - 3} more$`, 'm'),
    );
  });

  it('status NAME shows one policy, and names the existing policies if no policy has this name', async () => {
    const { code, stdout } = await status([bound]);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`${bound}: Programmed is True`));
    assert.doesNotMatch(stdout, new RegExp(`^${enforce} `, 'm'));
    const none = await status(['nosuch']);
    assert.equal(none.code, 2);
    assert.match(none.stderr, new RegExp(`^cappol: no policy "nosuch": there are .*${bound}`));
  });

  it('status -n shows one namespace, and the policies that select the namespace', async () => {
    const { code, stdout, stderr } = await status(['-n', namespace]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(
      stdout,
      new RegExp(`^1 policy for namespace ${namespace}: ${MANY} workloads in 1 namespace violate\\.$`, 'm'),
    );
    assert.match(stdout, new RegExp(`^${enforce} `, 'm'));
    assert.doesNotMatch(stdout, new RegExp(`^${bound} `, 'm'));
    const none = await status(['-n', 'nosuch']);
    assert.deepEqual([none.code, none.stderr], [2, 'cappol: no namespace "nosuch" in the cluster\n']);
    const excluded = await status(['-n', 'kube-system']);
    assert.match(excluded.stderr, /^cappol: no policy reaches namespace kube-system: /);
  });

  it("status says which rights are missing, and shows the policies' own status instead", async () => {
    const none = await status(['-A'], 'stranger');
    assert.equal(none.code, 2);
    assert.match(none.stderr, /^cappol: you may not list capabilitypolicies\.capabilitypolicy\.dev/);

    await grant('auditor', [
      { apiGroups: ['capabilitypolicy.dev'], resources: ['capabilitypolicies'], verbs: ['list'] },
    ]);
    const { code, stdout, stderr } = await status(['-A'], 'auditor');
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^cappol: you may not list namespaces, pods, .*deployments\.apps.*: only the violations that the operator reported last/m,
    );
    assert.match(
      stderr,
      /^cappol: you may not list .*rolebindings\.rbac\.authorization\.k8s\.io.*: the users of a policy are not known/m,
    );
    assert.match(stdout, new RegExp(`^${enforce} +restricted +Enforce .* ${MANY} +0 +True`, 'm'));
    assert.match(stdout, /Deployment bad-0 /);
    assert.match(stdout, /^Protected: False, as the operator reports: cluster administrators can change/m);
  });

  it('status says that no file of the API server protects the objects that enforce policies', async () => {
    const { stdout } = await status(['-A']);
    assert.match(stdout, /^Protected: False, cluster administrators can change the objects that enforce policies/m);
  });

  it('status --watch prints again after each change, until a signal stops the command', async () => {
    const stopping = new AbortController();
    let printed = '';
    let complained = '';
    const running = run(['status', '--watch', enforce, '--kubeconfig', cluster.controlPlane.kubeconfig], {
      stdin: Readable.from([]),
      stdout: told((text) => {
        printed += text;
      }),
      stderr: told((text) => {
        complained += text;
      }),
      env: {},
      cwd: import.meta.dirname,
      signal: stopping.signal,
    });
    await eventually('the first view', async () => printed.includes('Deployment bad-0 '));
    await deploy(namespace, 'one-more', ['SYS_TIME']);
    await eventually('the new violation', async () => printed.includes('Deployment one-more '));
    stopping.abort();
    await running;
    assert.equal(complained, '');
  });

  async function grant(user: string, rules: readonly object[]): Promise<void> {
    const group = 'rbac.authorization.k8s.io';
    const name = cluster.named(user);
    const root = `/apis/${group}/v1`;
    await cluster.api.apply(`${root}/clusterroles/${name}`, {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRole',
      metadata: { name },
      rules,
    });
    await cluster.api.apply(`${root}/clusterrolebindings/${name}`, {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name },
      subjects: [{ apiGroup: group, kind: 'User', name: user }],
    });
  }
});

function told(onText: (text: string) => void): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      onText(String(chunk));
      done();
    },
  });
}
