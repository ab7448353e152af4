import assert from 'node:assert/strict';
import { Api } from '../../hack/controlplane/api.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { campaign, removeCampaign } from './campaign.ts';

/**
 * The seed, which chooses the actions. The time of each action depends on the machine. The environment variable SEED
 * sets another seed.
 */
const SEED = Number(process.env.SEED ?? 42);

describe('a rollout over many namespaces', () => {
  let api: Api;

  before(async () => {
    api = new Api((await sharedControlPlane()).kubeconfig);
  });
  after(async () => {
    await removeCampaign(api);
    await api.close();
  });

  it('refuses no pod early, promotes no namespace within the soak, and ends the same when operators are killed', async function () {
    this.timeout(400_000);
    const { failures, summary } = await campaign(await sharedControlPlane(), api, {
      seed: SEED,
      namespaces: 12,
      violatingPercent: 25,
      soakMs: 2_000,
      namespacesPerHour: 36_000,
      durationMs: 6_000,
      kills: 1,
      countEveryMs: 3_000,
      say: (line) => console.log(`      ${line}`),
    });
    console.log(`      ${summary}`);
    if (failures.length > 0) assert.fail(`seed ${SEED}: ${failures.join('\n')}`);
  });
});
