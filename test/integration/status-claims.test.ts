/**
 * Tests the status of a policy, its columns and its Events. The status and the Events must contain all true statements,
 * and no false statement.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import type { Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { ApiClient, ApiError } from '../../operator/cluster/client.ts';
import { EventRecorder } from '../../operator/report/recorder.ts';
import { writeReport } from '../../operator/report/writer.ts';
import { cappol } from '../support/cappol.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { eventsAbout, statusOf } from '../support/observed.ts';
import { baselinePod } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

const PAST = '2020-01-01T00:00:00Z';

describe('what a status claims', function () {
  this.timeout(180_000);
  const cluster = useCluster('claims');

  function select(team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
    return { namespaceSelector: { matchLabels: { team } }, level: 'baseline', mode: 'Enforce', ...rest };
  }

  async function deploy(namespace: string, name: string, add: string[]): Promise<void> {
    const labels = { app: name };
    const { spec } = baselinePod({ add }) as Json;
    await cluster.api.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec },
      },
    });
  }

  async function violating(policy: string, count: number): Promise<void> {
    const look = async () => (await statusOf(cluster.api, policy)).workloads?.violating === count;
    await eventually(`${count} violating workloads`, look);
  }

  async function kubectl(...args: string[]): Promise<string> {
    const { kubectl: program, kubeconfig } = cluster.controlPlane;
    return (await promisify(execFile)(program, ['--kubeconfig', kubeconfig, ...args])).stdout;
  }

  /** The text of a cell in the output of `kubectl get -o wide`. */
  async function cell(policy: string, column: string): Promise<string> {
    const [head = '', row = ''] = (await kubectl('get', 'cappol', policy, '-o', 'wide')).split('\n');
    const at = head.indexOf(column);
    return row.slice(at).split(/ {2,}/)[0] ?? '';
  }

  function cappolStatus(...args: string[]) {
    return cappol(['status', '-A', '--kubeconfig', cluster.controlPlane.kubeconfig, ...args]);
  }

  describe('the status of a policy that is deleted and created again', () => {
    const status = {
      observedGeneration: 1,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'InForce',
          message: 'in force',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    } as unknown as NonNullable<CompletePolicy['status']>;

    before(() => cluster.operator.stop());
    after(() => cluster.operator.startAndWatch());

    /** Writes the status like an operator that has not yet seen the deletion of the policy. */
    async function write(seen: CompletePolicy): Promise<void> {
      const config = new KubeConfig();
      config.loadFromFile(cluster.operatorKubeconfig);
      const client = new ApiClient(config);
      const recorder = new EventRecorder(client);
      await writeReport(client, (events) => recorder.tell(events), seen, status, []).finally(() => client.close());
    }

    async function created(): Promise<CompletePolicy> {
      const name = await cluster.policy('again', select('again'));
      return (await cluster.api.get(`${POLICIES}/${name}`)) as unknown as CompletePolicy;
    }

    const rows: [string, (name: string) => Promise<unknown>][] = [
      [
        'to a new policy with the same text',
        async (name) => {
          await cluster.deletePolicy(name);
          await cluster.policy('again', select('again'));
        },
      ],
      [
        'to a new policy with another text and the same generation',
        async (name) => {
          await cluster.deletePolicy(name);
          await cluster.policy('again', select('again', { mode: 'Audit' }));
        },
      ],
      ['where there is no policy any more', (name) => cluster.deletePolicy(name)],
    ];
    for (const [title, replace] of rows) {
      it(`is not written ${title}`, async () => {
        const seen = await created();
        await replace(cluster.named('again'));
        await assert.rejects(write(seen), ApiError);
        const { body } = await cluster.api.ask('GET', `${POLICIES}/${cluster.named('again')}`);
        assert.equal(body.status?.conditions, undefined, JSON.stringify(body.status));
      });
    }

    it('a status is written if the policy is still the same object', async () => {
      await write(await created());
      assert.equal((await cluster.condition(cluster.named('again'), 'Ready'))?.status, 'True');
      await cluster.deletePolicy(cluster.named('again'));
    });
  });

  describe('the status of a policy with a rollout that is pending in a namespace', () => {
    let policy: string;
    let pending: string;
    let enforced: string;

    before(async () => {
      pending = await cluster.namespace('pending', { team: 'pending' });
      enforced = await cluster.namespace('enforced', { team: 'pending' });
      await deploy(pending, 'bad', ['NET_ADMIN']);
      await deploy(enforced, 'bad', ['NET_ADMIN']);
      policy = await cluster.policy('pending', select('pending', { rollout: { soak: '1h' } }));
      await cluster.programmed(policy);
      await violating(policy, 2);
      await eventually('the label', async () => {
        const { metadata } = await cluster.api.get(`${NAMESPACES}/${enforced}`);
        return metadata.labels[`rollout.capabilitypolicy.dev/${policy}`] === 'pending';
      });
      await cluster.api.patch(`${NAMESPACES}/${enforced}`, {
        metadata: { labels: { [`rollout.capabilitypolicy.dev/${policy}`]: 'enforced' } },
      });
      await eventually('the promotion', async () => {
        const { rollout, workloads } = await statusOf(cluster.api, policy);
        return rollout?.progress === '1/2' && workloads?.violating === 2;
      });
    });

    const modes = { pending: 'Warn', enforced: 'Enforce' } as const;

    it('is the mode that holds there', async () => {
      const found = async () => {
        const { violations = [] } = await statusOf(cluster.api, policy);
        return Object.fromEntries(violations.map((one) => [one.namespace, one.mode]));
      };
      const wanted = { [pending]: modes.pending, [enforced]: modes.enforced };
      await eventually('the modes', async () => (await found())[enforced] === modes.enforced).catch(() => {});
      assert.deepEqual(await found(), wanted);
    });

    it('is not an Event of mode Enforce', async () => {
      const events = await eventsAbout(cluster.api, 'Deployment', 'bad', pending);
      const notes = events.map(({ note }) => note);
      assert.ok(notes.length > 0);
      for (const note of notes) assert.match(note, /\(mode Warn\)/);
      const onPolicy = await eventsAbout(cluster.api, 'CapabilityPolicy', policy);
      const violations = onPolicy.filter(({ reason }) => reason === 'WorkloadViolates');
      assert.ok(violations.length > 0);
      for (const { note } of violations) assert.match(note, /\(mode Warn\)/);
    });

    it('is not refused in cappol status', async () => {
      const { stdout } = await cappolStatus();
      const results = new Map(
        stdout
          .split('\n')
          .filter((line) => line.includes('Deployment bad') && line.includes(policy))
          .map((line) => line.split(/ {2,}/))
          .map(([namespace = '', , , result = '']) => [namespace, result]),
      );
      assert.equal(results.get(pending), 'warned', stdout);
      assert.equal(results.get(enforced), 'refused', stdout);
    });
  });

  describe('the status of a policy after a refused edit', () => {
    const reported = ({ namespaces, workloads, violations, violationsTotal, rollout, rendered }: Json) => ({
      namespaces,
      workloads,
      violations,
      violationsTotal,
      rollout,
      rendered,
    });
    const edits: [string, Partial<CapabilityPolicySpec>][] = [
      ['as it was', {}],
      ['in another mode', { mode: 'Audit', rollout: undefined }],
      ['with another selector', { namespaceSelector: { matchLabels: { team: 'nobody' } } }],
    ];
    for (const [index, [title, edit]] of edits.entries()) {
      it(`is what the text in force still does: ${title}`, async () => {
        const suffix = `refused-${index}`;
        const namespace = await cluster.namespace(suffix, { team: suffix });
        await deploy(namespace, 'bad', ['NET_ADMIN']);
        const spec = select(suffix, { rollout: { soak: '1h' } });
        const policy = await cluster.policy(suffix, spec);
        await cluster.programmed(policy);
        await violating(policy, 1);
        await eventually('the rollout and the label', async () => {
          const { rollout, namespaces } = await statusOf(cluster.api, policy);
          return rollout?.blocked === 1 && namespaces?.labelled === 1;
        });
        const before = reported(await statusOf(cluster.api, policy));
        const events = async () =>
          (await eventsAbout(cluster.api, 'CapabilityPolicy', policy)).map(({ reason }) => reason);
        const told = await events();
        const refused = { ...spec, ...edit, levelVersion: 'v1.99' } as CapabilityPolicySpec;
        await cluster.policy(suffix, JSON.parse(JSON.stringify(refused)));
        await eventually('the refusal', async () => (await cluster.condition(policy, 'Accepted'))?.status === 'False');
        await violating(policy, 1);
        assert.deepEqual(reported(await statusOf(cluster.api, policy)), before);
        assert.equal((await cluster.condition(policy, 'Compliant'))?.status, 'False');
        assert.equal(await cell(policy, 'MODE'), 'Enforce');
        assert.match(
          (await cluster.condition(policy, 'Programmed'))?.message ?? '',
          /the last accepted version stays in force/,
        );
        await cluster.operator.stop();
        await cluster.operator.startAndWatch();
        await violating(policy, 1);
        assert.deepEqual(reported(await statusOf(cluster.api, policy)), before);
        await cluster.policy(suffix, spec);
        await cluster.programmed(policy);
        await violating(policy, 1);
        assert.deepEqual(
          (await events()).filter((reason) => !told.includes(reason)),
          ['VersionTooNew'],
        );
        await cluster.deletePolicy(policy);
      });
    }
  });

  describe('in the columns of kubectl', () => {
    it('the column READY is not True for a policy that counts as deleted', async () => {
      const policy = await cluster.policy('expired', select('expired', { expires: PAST }));
      await eventually('the end', async () => (await cluster.condition(policy, 'Expired'))?.status === 'True');
      assert.equal(await cell(policy, 'READY'), 'Expired');
      const { stdout } = await cappolStatus(policy);
      const [head = '', row = ''] = stdout.split('\n').filter((line) => /^(NAME|claims-expired) /.test(line));
      assert.equal(row.slice(head.indexOf('READY')).split(/ {2,}/)[0], 'Expired', stdout);
    });

    it('the column READY is the status of Ready for a policy that has not expired', async () => {
      const policy = await cluster.policy('ready', select('ready', { expires: '2999-01-01T00:00:00Z' }));
      await cluster.programmed(policy);
      assert.equal(await cell(policy, 'READY'), 'True');
      await cluster.policy('ready', select('ready', { levelVersion: 'v1.99' }));
      await eventually('the refusal', async () => (await cluster.condition(policy, 'Accepted'))?.status === 'False');
      assert.equal(await cell(policy, 'READY'), 'False');
    });

    it('a column names the first policies that share namespaces, and counts the other policies', async () => {
      await cluster.namespace('shared', { team: 'shared' });
      const names = await Promise.all(
        Array.from({ length: 9 }, (_, index) => cluster.policy(`shared-${index}`, select('shared'))),
      );
      const [policy = '', ...others] = names;
      await eventually('all', async () => (await statusOf(cluster.api, policy)).sharesWith?.length === 8);
      assert.equal(await cell(policy, 'SHARES WITH'), `${others.slice(0, 3).join(', ')} and 5 more`);
    });
  });
});
