/**
 * Tests `cappol suggest --tighten` on an API server. The suggested patches can be applied, and refuse no running
 * workload.
 */
import assert from 'node:assert/strict';
import type { TightenedPolicy } from '../../analysis/suggest/tighten.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { cappol } from '../support/cappol.ts';
import { ADMITTED, eventually, useCluster } from '../support/harness.ts';
import { baselinePod, podManifest } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

describe('cappol suggest --tighten, with an API server', function () {
  this.timeout(300_000);
  const cluster = useCluster('tighten');
  let net: string;
  let web: string;
  let base: string;
  let ping: string;
  let idle: string;

  const select = (values: string[], rest: Partial<CapabilityPolicySpec>): CapabilityPolicySpec => ({
    namespaceSelector: { matchExpressions: [{ key: 'tighten', operator: 'In', values }] },
    level: 'baseline',
    mode: 'Enforce',
    ...rest,
  });
  const HOST_PORT = podManifest(
    { name: 'ports' },
    { containers: [{ name: 'app', image: 'app', ports: [{ containerPort: 80, hostPort: 8081 }] }] },
  );
  /** The pods that run, by namespace. */
  const running = () =>
    [
      [net, 'plain', baselinePod()],
      [net, 'ping', baselinePod({ add: ['NET_RAW'] })],
      [web, 'ports', HOST_PORT],
    ] as const;

  before(async () => {
    net = await cluster.namespace('net', { tighten: 'net' });
    web = await cluster.namespace('web', { tighten: 'web' });
    base = await cluster.policy(
      'base',
      select(['net', 'web'], {
        overrides: {
          hostNetwork: true,
          hostPorts: [
            { min: 8080, max: 8081 },
            { min: 9000, max: 9001 },
          ],
          seccomp: { types: ['RuntimeDefault', 'Localhost', 'Unconfined'] },
          readOnlyRootFilesystem: false,
        },
      }),
    );
    ping = await cluster.policy(
      'ping',
      select(['net'], {
        overrides: { capabilities: { allowedAdd: ['NET_RAW', 'SYS_TIME'] } },
        containers: [
          { names: ['debug'], overrides: { capabilities: { allowedAdd: ['SYS_PTRACE'] } } },
          { names: ['never'], overrides: { runAsNonRoot: true } },
        ],
      }),
    );
    idle = await cluster.policy('idle', select(['net'], { overrides: { hostIPC: true } }));
    await cluster.programmed(base, ping, idle);
    for (const [namespace, name, pod] of running()) {
      await cluster.api.create(`${NAMESPACES}/${namespace}/pods`, { ...pod, metadata: { name } });
    }
  });

  async function tightened(): Promise<TightenedPolicy[]> {
    const ran = await cappol([
      'suggest',
      '--cluster',
      '-A',
      '--tighten',
      '-o',
      'json',
      '--kubeconfig',
      cluster.controlPlane.kubeconfig,
    ]);
    assert.equal(ran.code, 0, ran.stderr);
    const { policies } = JSON.parse(ran.stdout) as { policies: TightenedPolicy[] };
    return policies.filter(({ policy }) => [base, ping, idle].includes(policy));
  }

  it('suggest --tighten names the grants that no workload needs, and since when', async () => {
    await eventually('the reports', async () => {
      const policies = await Promise.all([base, ping, idle].map((name) => cluster.api.get(`${POLICIES}/${name}`)));
      return policies.every(({ status }) => status?.workloads?.evaluated > 0 && status.unusedGrants?.length > 0);
    });
    const found = (await tightened()).map(({ policy, unused, removes }) => [
      policy,
      unused,
      removes.map(({ path, entry }) => `${path.replace('spec.', '')}${entry === undefined ? '' : ` ${entry}`}`),
    ]);
    assert.deepEqual(found, expected());
    for (const { removes } of await tightened()) for (const { since } of removes) assert.match(since ?? '', /^2\d{3}-/);
  });

  const expected = () => [
    [
      base,
      false,
      ['overrides.hostNetwork', 'overrides.hostPorts {"max":9001,"min":9000}', 'overrides.seccomp.types Unconfined'],
    ],
    [idle, true, ['overrides.hostIPC']],
    // Without the whole entry, the container could add NET_RAW, which the entry refuses.
    [
      ping,
      false,
      ['overrides.capabilities.allowedAdd SYS_TIME', 'containers[0].overrides.capabilities.allowedAdd SYS_PTRACE'],
    ],
  ];

  it('the API server accepts the patches and afterwards admits all running workloads, and no grant is unused', async () => {
    for (const { policy, patch } of await tightened()) {
      const { status, body } = await cluster.api.ask('PATCH', `${POLICIES}/${policy}`, {
        body: patch,
        contentType: 'application/merge-patch+json',
      });
      assert.equal(status, 200, body.message);
    }
    await cluster.api.remove(`${POLICIES}/${idle}`);
    await cluster.programmed(base, ping);
    const { overrides, containers } = (await cluster.api.get(`${POLICIES}/${ping}`)).spec;
    assert.deepEqual(overrides, { capabilities: { allowedAdd: ['NET_RAW'] } });
    assert.deepEqual(containers, [
      { names: ['debug'], overrides: { capabilities: { allowedAdd: [] } } },
      { names: ['never'], overrides: { runAsNonRoot: true } },
    ]);
    for (const [namespace, name, pod] of running()) {
      assert.equal(await cluster.admit({ ...pod, metadata: { name: `${name}-again` } }, namespace), ADMITTED, name);
    }
    assert.notEqual(await cluster.admit(baselinePod({ add: ['SYS_TIME'] }), net), ADMITTED);
    await eventually('no unused grant', async () => {
      const policies = await Promise.all([base, ping].map((name) => cluster.api.get(`${POLICIES}/${name}`)));
      return policies.every(
        ({ status }) => (status?.unusedGrants ?? []).length === 0 && status.workloads?.violating === 0,
      );
    });
    assert.deepEqual(await tightened(), []);
  });

  for (const [title, args, message] of [
    ['one namespace', ['-n', 'default'], /--tighten requires --cluster -A/],
    ['files', ['-f', 'config'], /--tighten requires --cluster -A/],
    ['another option of suggest', ['-A', '--narrow'], /--narrow cannot be combined with --tighten/],
    ['a policy of a file', ['-A', '--policy', 'p.yaml'], /--policy cannot be combined with --tighten/],
    ['an end of exceptions', ['-A', '--for', '30d'], /--for cannot be combined with --tighten/],
    ['a baseline', ['-A', '--baseline'], /--baseline cannot be combined with --tighten/],
  ] as const) {
    it(`refuses ${title}`, async () => {
      const files = args[0] === '-f' ? [] : ['--cluster'];
      const { code, stderr } = await cappol(['suggest', '--tighten', ...files, ...args, '--kubeconfig', 'none']);
      assert.deepEqual([code, message.test(stderr)], [2, true], stderr);
    });
  }

  it('-o patch goes only with --tighten', async () => {
    const { code, stderr } = await cappol(['suggest', '-f', 'config', '-o', 'patch']);
    assert.deepEqual([code, stderr], [2, 'cappol: -o patch requires --tighten\n']);
  });

  it('suggest --tighten requires the rights to read all workloads, because an unread workload may need a grant', async () => {
    const kubeconfig = cluster.controlPlane.kubeconfigFor('tighten-stranger');
    const { code, stdout } = await cappol(['suggest', '--cluster', '-A', '--tighten', '--kubeconfig', kubeconfig]);
    assert.deepEqual([code, stdout], [2, '']);
  });
});
