/** Tests the controller of labels when the API server refuses a write. */
import assert from 'node:assert/strict';
import { ApiError } from '../../operator/cluster/api-error.ts';
import type { Context } from '../../operator/controllers/controller.ts';
import { Labels } from '../../operator/controllers/labels.ts';
import { newOutcomes } from '../../operator/controllers/outcomes.ts';
import { Rollouts } from '../../operator/promotion/rollouts.ts';
import type { Entry } from '../../operator/promotion/state.ts';
import { RecordingLog } from '../support/recording-log.ts';

const LABEL = 'rollout.capabilitypolicy.dev/it';
const MESSAGE = 'admission webhook "frozen.example" denied the request: labels are frozen';

class Stage {
  error: Error | undefined;
  isAwaited = false;
  readonly waits: number[] = [];
  readonly outcomes = newOutcomes();
  readonly found: object[] = [];
  readonly labels: Labels;

  constructor(state: Entry['state'], labels: Readonly<Record<string, string>>) {
    const namespace = { name: 'a', uid: 'u', terminating: false, labels, labelOwners: {} };
    const promotions = new Rollouts();
    this.outcomes.podSecurity.current = { isKnown: false, message: '' };
    const entry = { uid: 'u', state, since: 0 };
    promotions.set('it', { uid: 'p', begun: true, selector: {}, namespaces: new Map([['a', entry]]) });
    this.labels = new Labels({
      cluster: { namespace: () => namespace, policy: () => undefined },
      client: {
        apply: async () => {
          if (this.error) throw this.error;
          return { metadata: {} };
        },
      },
      state: {
        outcomes: this.outcomes,
        promotions,
        awaitsRollouts: () => this.isAwaited,
        now: () => 0,
        wantedLabels: () => ({}),
        refusing: () => () => false,
        refusingDefault: () => undefined,
        presentLabels: () => ({ namespace: 'a', applied: {}, conflicts: [] }),
        rolloutLabels: () => promotions.labelsOf(namespace),
      },
      instance: 'operator-0',
      recorder: { later() {}, tell: async () => [] },
      log: new RecordingLog(),
      found: (found: object) => this.found.push(found),
    } as unknown as Context);
  }

  async write(): Promise<void> {
    await this.labels
      .reconcile('a', (ms) => this.waits.push(ms))
      .catch((error: unknown) => assert.equal(error, this.error));
  }

  get refusal() {
    return this.outcomes.labels.get('a')?.refusal;
  }
}

describe('the controller of labels', () => {
  const answer = (status: number) => new ApiError({ status, reason: 'x', message: MESSAGE, causes: [] });

  for (const status of [400, 403, 413, 422, 500]) {
    it(`says which label the API server refuses with ${status}, and who refused it`, async () => {
      const stage = new Stage('Enforced', { [LABEL]: 'pending' });
      stage.error = answer(status);
      await stage.write();
      assert.equal(stage.refusal, undefined, 'once may be by accident');
      await stage.write();
      assert.deepEqual(stage.refusal, { set: [], remove: [LABEL], message: MESSAGE });
      assert.deepEqual(stage.found, [{ by: 'labels', namespace: 'a' }]);
      stage.error = undefined;
      await stage.write();
      assert.equal(stage.refusal, undefined);
    });
  }

  it('the controller writes no label before it has read the saved states of rollouts', async () => {
    const stage = new Stage('Pending', {});
    stage.isAwaited = true;
    stage.error = new Error('written');
    await stage.labels.reconcile('a', (ms) => stage.waits.push(ms));
    assert.equal(stage.waits.length, 1);
  });

  it('names a label that cannot be set', async () => {
    const stage = new Stage('Pending', {});
    stage.error = answer(500);
    for (let time = 0; time < 2; time++) await stage.write();
    assert.deepEqual([stage.refusal?.set, stage.refusal?.remove], [[LABEL], []]);
  });

  for (const [title, error] of Object.entries({
    'a conflict': answer(409),
    'an overloaded server': answer(429),
    'a deleted namespace': answer(404),
    'no answer': new Error('other side closed'),
  })) {
    it(`takes nothing for refused after ${title}`, async () => {
      const stage = new Stage('Pending', {});
      stage.error = error;
      for (let time = 0; time < 3; time++) await stage.write();
      assert.equal(stage.refusal, undefined);
    });
  }
});
