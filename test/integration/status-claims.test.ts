/** The status of a policy, its columns and its Events claim nothing that does not hold, and omit nothing that does. */
import assert from 'node:assert/strict';
import { KubeConfig } from '@kubernetes/client-node';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { ApiClient, ApiError } from '../../operator/cluster/client.ts';
import { EventRecorder } from '../../operator/report/recorder.ts';
import { writeReport } from '../../operator/report/writer.ts';
import { useCluster } from '../support/harness.ts';
import { POLICIES } from '../support/rendered.ts';

describe('what a status claims', function () {
  this.timeout(180_000);
  const cluster = useCluster('claims');

  function select(team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
    return { namespaceSelector: { matchLabels: { team } }, level: 'baseline', mode: 'Enforce', ...rest };
  }

  describe('about a policy that is deleted and created again', () => {
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

    /** As the operator writes it, which saw the policy before somebody replaced it. */
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

    it('is written while the policy is the same one', async () => {
      await write(await created());
      assert.equal((await cluster.condition(cluster.named('again'), 'Ready'))?.status, 'True');
      await cluster.deletePolicy(cluster.named('again'));
    });
  });
});
