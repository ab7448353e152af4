/** Tests the operator on API servers whose Pod Security has defaults and exemptions in a configuration file. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { askDefault, isExempt, type PodSecurityAnswer } from '../../operator/apply/pod-security-probe.ts';
import { ApiClient } from '../../operator/cluster/client.ts';
import type { Context } from '../../operator/controllers/controller.ts';
import { PodSecurity } from '../../operator/controllers/pod-security.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { cappol } from '../support/cappol.ts';
import { ADMITTED, eventually, useCluster } from '../support/harness.ts';
import { LATEST } from '../support/latest.ts';
import { podSecurityOf, statusOf, vanish } from '../support/observed.ts';
import { restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';

const ENFORCE = 'pod-security.kubernetes.io/enforce';

interface PodSecuritySettings {
  readonly defaults: Readonly<Record<string, string>>;
  readonly exempt: readonly string[];
}

/** Writes the AdmissionConfiguration, which an API server reads when it starts. */
function write(file: string, { defaults, exempt }: PodSecuritySettings): void {
  const configuration = {
    apiVersion: 'pod-security.admission.config.k8s.io/v1',
    kind: 'PodSecurityConfiguration',
    defaults,
    exemptions: { namespaces: exempt },
  };
  const plugins = [{ name: 'PodSecurity', configuration }];
  // JSON is valid YAML.
  const content = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration', plugins };
  writeFileSync(file, JSON.stringify(content));
}

/** Starts a control plane with an AdmissionConfiguration. */
async function startWith(settings: PodSecuritySettings): Promise<ControlPlane> {
  const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-admission-'));
  const file = join(folder, 'admission.yaml');
  write(file, settings);
  try {
    return await startControlPlane({ quiet: true, apiServerFlags: [`--admission-control-config-file=${file}`] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Sets up a cluster with these settings and an operator with the flag `--psa-defaults`, for the tests of a `describe`. */
function useDefaults(prefix: string, settings: PodSecuritySettings, flag?: string) {
  let controlPlane: ControlPlane | undefined;
  const cluster = useCluster(prefix, {
    controlPlane: async () => {
      controlPlane = await startWith(settings);
      return controlPlane;
    },
    ...(flag && { args: [`--psa-defaults=${flag}`] }),
  });
  after(() => controlPlane?.stop());
  return cluster;
}

function select(team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
  return { namespaceSelector: { matchLabels: { team } }, level: 'baseline', mode: 'Enforce', ...rest };
}

/** A policy that admits NET_ADMIN, which the level baseline refuses. */
const ADMIN: Partial<CapabilityPolicySpec> = { overrides: { capabilities: { allowedAdd: ['NET_ADMIN'] } } };

function deploymentOf({ spec }: { spec?: object }): object {
  const labels = { app: 'admin' };
  const template = { metadata: { labels }, spec };
  return { metadata: { name: 'admin' }, spec: { selector: { matchLabels: labels }, template } };
}

const adminPod = () => restrictedPod({ add: ['NET_ADMIN'] });

describe('defaults of Pod Security', function () {
  this.timeout(300_000);

  describe('baseline, kube-system and another namespace are exempt, no flag', () => {
    const exempt = ['kube-system', 'defaults-exempt'];
    const cluster = useDefaults('defaults', { defaults: { enforce: 'baseline' }, exempt });
    const accepted = async (policy: string) => (await cluster.condition(policy, 'Accepted'))?.message ?? '';

    it('says in Accepted that the default refuses what the policy admits, and the column PSA shows no label', async () => {
      const namespace = await cluster.namespace('admin', { team: 'admin' });
      const policy = await cluster.policy('admin', select('admin', ADMIN));
      await cluster.programmed(policy);
      assert.match(await cluster.admit(adminPod(), namespace), /violates PodSecurity "baseline:latest"/);
      const command = `kubectl label namespace ${namespace} ${ENFORCE}=privileged`;
      const said = `warning: the default of Pod Security, baseline:v1.${NEWEST_KNOWN_MINOR}, refuses pods that the policy admits, in 1 namespace without the label ${ENFORCE}: ${namespace}. To admit them, run ${command}`;
      await eventually('the default in Accepted', async () => (await accepted(policy)).includes(said));
      assert.equal((await statusOf(cluster.api, policy)).rendered?.podSecurity, '-');

      await cluster.api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, deploymentOf(adminPod()));
      const { kubeconfig } = cluster.controlPlane;
      const shorter = `the default of Pod Security, baseline:v1.${NEWEST_KNOWN_MINOR}, refuses pods that the policy admits`;
      await eventually('the Deployment in explain', async () => {
        const { stdout } = await cappol([
          'explain',
          'NET_ADMIN',
          '--cluster',
          '-n',
          namespace,
          '--kubeconfig',
          kubeconfig,
        ]);
        return stdout.includes('NET_ADMIN: held by no running container, and asked for by 1 container of templates');
      });
      for (const args of [
        ['explain', 'NET_ADMIN', '--cluster', '-n', namespace],
        ['status', '-A'],
        ['check', '--cluster', '-A'],
      ]) {
        const { stdout, stderr } = await cappol([...args, '--kubeconfig', kubeconfig]);
        assert.ok((stdout + stderr).includes(shorter), `${args}: ${stdout}${stderr}`);
      }
      await cluster.api.patch(`${NAMESPACES}/${namespace}`, { metadata: { labels: { [ENFORCE]: 'privileged' } } });
      await eventually('the warning to be gone', async () => !(await accepted(policy)).includes('Pod Security'));
      assert.equal(await cluster.admit(adminPod(), namespace), ADMITTED);
      await vanish(cluster.byHand, namespace);
    });

    it('says nothing about exempt namespaces, about labels there, and about what the default admits', async () => {
      const namespace = await cluster.namespace('exempt', { team: 'exempt', [ENFORCE]: 'restricted' });
      const policies = [
        await cluster.policy('exempt', select('exempt', ADMIN)),
        await cluster.policy('fits', select('fits', { podSecurityLabels: 'Off' })),
        await cluster.policy('audits', select('fits', { ...ADMIN, mode: 'Audit' })),
      ];
      await cluster.namespace('fits', { team: 'fits' });
      await cluster.programmed(...policies);
      assert.equal(await cluster.admit(adminPod(), namespace), ADMITTED);
      await eventually('no conflict', async () => !(await cluster.condition(policies[0] ?? '', 'LabelConflict')));
      for (const policy of policies) assert.doesNotMatch(await accepted(policy), /default of Pod Security/);
      await cluster.api.patch(`${NAMESPACES}/${namespace}`, { metadata: { labels: { [ENFORCE]: null } } });
      await eventually('the label of a policy that wants one', async () => {
        const { labels } = await podSecurityOf(cluster.api, cluster.named('fits'));
        return labels.audit === undefined && !(await accepted(policies[0] ?? '')).includes('default of Pod Security');
      });
    });
  });

  describe('restricted, nothing is exempt, the flag says baseline', () => {
    const cluster = useDefaults('wrong-flag', { defaults: { enforce: 'restricted' }, exempt: [] }, 'enforce=baseline');

    it('sets no label that loosens the default, and names the wrong flag', async () => {
      const agents = await cluster.namespace('agents', { [ENFORCE]: 'privileged' });
      const pod = { ...restrictedPod(), metadata: { name: 'agent' } } as unknown as { spec: object };
      const spec = { ...pod.spec, hostNetwork: true };
      await cluster.api.create(`${NAMESPACES}/${agents}/pods`, { ...pod, spec });
      await cluster.operator.stop();
      const namespace = await cluster.namespace('team', { team: 'team' });
      const policy = await cluster.policy('team', select('team'));
      const tight = await cluster.policy('tight', select('tight', { level: 'restricted' }));
      const labelled = await cluster.namespace('tight', { team: 'tight' });
      await cluster.operator.startAndWatch();
      await cluster.programmed(policy, tight);
      const newest = `v1.${NEWEST_KNOWN_MINOR}`;
      const flag = `warning: --psa-defaults says enforce=baseline:${newest}, but API servers enforce restricted:${newest} by default; correct the flag`;
      await eventually('the wrong flag in Accepted', async () =>
        ((await cluster.condition(policy, 'Accepted'))?.message ?? '').includes(flag),
      );
      await eventually('a label as tight as the default', async () => {
        const { labels } = await podSecurityOf(cluster.api, labelled);
        return labels.enforce === 'restricted' && labels['enforce-version'] === LATEST;
      });
      assert.deepEqual((await podSecurityOf(cluster.api, namespace)).labels, {});
      const { message } = (await cluster.condition(policy, 'Accepted')) ?? {};
      assert.ok(message?.includes(`the default of Pod Security, restricted:${newest}, refuses pods`), message);
      assert.equal((await statusOf(cluster.api, policy)).rendered?.podSecurity, '-');
      const shown = async () => (await statusOf(cluster.api, tight)).rendered?.podSecurity;
      await eventually('the label in the status', async () => (await shown()) === `restricted:${LATEST}`);
      await vanish(cluster.byHand, agents);
    });
  });

  describe('askDefault', () => {
    const rows: readonly [string, PodSecuritySettings, Awaited<ReturnType<typeof askDefault>>['enforce']][] = [
      [
        'restricted, pinned',
        { defaults: { enforce: 'restricted', 'enforce-version': 'v1.30' }, exempt: ['kube-system'] },
        { level: 'restricted', minor: 30 },
      ],
      [
        'baseline, pinned to the first version',
        { defaults: { enforce: 'baseline', 'enforce-version': 'v1.0' }, exempt: ['kube-system'] },
        { level: 'baseline', minor: 0 },
      ],
      ['privileged', { defaults: {}, exempt: ['kube-system'] }, undefined],
    ];
    for (const [title, settings, enforce] of rows) {
      it(`finds ${title}, and the exempt namespaces`, async () => {
        const controlPlane = await startWith(settings);
        const config = new KubeConfig();
        config.loadFromFile(controlPlane.kubeconfig);
        const client = new ApiClient(config);
        try {
          const kubeSystem = { name: 'kube-system', labels: {}, hasPrivilegedPod: false };
          const answer = await askDefault(client, [{ ...kubeSystem, name: 'default' }, kubeSystem]);
          assert.deepEqual(answer, { isKnown: true, ...(enforce && { enforce }), message: '' });
          assert.deepEqual(await Promise.all(['kube-system', 'default'].map((name) => isExempt(client, name))), [
            true,
            false,
          ]);
          const unknown = await askDefault(client, [{ ...kubeSystem, name: 'default' }]);
          assert.equal(unknown.isKnown, false);
        } finally {
          await client.close();
          await controlPlane.stop();
        }
      });
    }
  });

  it('are asked for again an hour after each answer, and a change is noticed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-admission-'));
    const file = join(folder, 'admission.yaml');
    const exempt = ['kube-system'];
    write(file, { defaults: { enforce: 'baseline' }, exempt });
    const apiServerFlags = [`--admission-control-config-file=${file}`];
    const controlPlane = await startControlPlane({ quiet: true, apiServerFlags });
    const config = new KubeConfig();
    config.loadFromFile(controlPlane.kubeconfig);
    const client = new ApiClient(config);
    const found: unknown[] = [];
    const podSecurity: { current?: PodSecurityAnswer } = {};
    const kubeSystem = { name: 'kube-system', labels: {} };
    const controller = new PodSecurity(
      {
        client,
        signal: new AbortController().signal,
        cluster: {
          namespaces: () => [kubeSystem],
          namespace: (name: string) => (name === 'kube-system' ? kubeSystem : undefined),
          pods: () => [],
          policies: () => [],
        },
        state: { outcomes: { podSecurity }, wrongFlag: () => undefined },
        log: { info() {}, warn() {} },
        found: (change: unknown) => found.push(change),
      } as unknown as Context,
      'capabilitypolicy-system',
    );
    const ask = async () => {
      let againMs: number | undefined;
      await controller.reconcile('all', (ms) => {
        againMs = ms;
      });
      return [againMs, podSecurity.current?.enforce?.level, found.length];
    };
    try {
      const HOUR_MS = 3_600_000;
      assert.deepEqual(await ask(), [HOUR_MS, 'baseline', 1]);
      assert.deepEqual(await ask(), [HOUR_MS, 'baseline', 1]);
      write(file, { defaults: { enforce: 'restricted' }, exempt });
      await controlPlane.restartApiServer();
      assert.deepEqual(await ask(), [HOUR_MS, 'restricted', 2]);
      write(file, { defaults: {}, exempt });
      await controlPlane.restartApiServer();
      assert.deepEqual(await ask(), [HOUR_MS, undefined, 3]);
    } finally {
      await client.close();
      await controlPlane.stop();
      rmSync(folder, { recursive: true });
    }
  });
});
