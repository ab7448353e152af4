/** Tests errors that the schema of the CRD cannot find. The errors that the schema finds are in test/crd. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { PROTECTED } from '../support/control-plane.ts';
import { ADMITTED, eventually, useCluster } from '../support/harness.ts';
import { LATEST } from '../support/latest.ts';
import { eventsAbout, podSecurityOf, statusOf } from '../support/observed.ts';
import { baselinePod, privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { POLICIES } from '../support/rendered.ts';

const FIX = new RegExp(
  `spec\\.levelVersion: v1\\.99 is too new: (the oldest API server enforces versions up to|this release knows the Standards up to version) ${LATEST}; write ${LATEST} or older, or latest`,
);

describe('a policy that cannot be compiled', function () {
  this.timeout(300_000);
  const cluster = useCluster('bad-input');
  let namespace: string;
  let good: string;
  let bad: string;

  function select(team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
    return { namespaceSelector: { matchLabels: { team } }, level: 'baseline', mode: 'Enforce', ...rest };
  }

  async function kubectl(...args: string[]): Promise<string> {
    const { kubectl: program, kubeconfig } = cluster.controlPlane;
    const { stdout } = await promisify(execFile)(program, ['--kubeconfig', kubeconfig, ...args]);
    return stdout;
  }

  async function refused(policy: string): Promise<void> {
    await eventually('the refusal', async () => {
      const { metadata, status } = await cluster.api.get(`${POLICIES}/${policy}`);
      const isRefused = (await cluster.condition(policy, 'Accepted'))?.status === 'False';
      return isRefused && status?.observedGeneration === metadata.generation;
    });
  }

  before(async () => {
    namespace = await cluster.namespace('good', { team: 'good' });
    good = await cluster.policy('good', select('good'));
    await cluster.programmed(good);
    bad = await cluster.policy('bad', select('good', { levelVersion: 'v1.99' }));
    await refused(bad);
  });

  it('says why, and what to write instead', async () => {
    const conditions = (await statusOf(cluster.api, bad)).conditions ?? [];
    const shown = conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
    assert.deepEqual(shown, [
      'Accepted=False VersionTooNew',
      'Compliant=Unknown NotEvaluated',
      'Programmed=False NotAccepted',
      PROTECTED ? 'Protected=True FileInForce' : 'Protected=False NoFileInForce',
      'Ready=False VersionTooNew',
      'Stalled=True VersionTooNew',
    ]);
    for (const type of ['Accepted', 'Ready', 'Stalled']) {
      assert.match((await cluster.condition(bad, type))?.message ?? '', FIX);
    }
    const [event, ...more] = await eventsAbout(cluster.api, 'CapabilityPolicy', bad);
    assert.deepEqual([event?.type, event?.reason, more], ['Warning', 'VersionTooNew', []]);
    assert.match(event.note, FIX);
  });

  it('can be waited for with kubectl', async () => {
    await kubectl('wait', 'cappol', bad, '--for=condition=Accepted=False', '--timeout=120s');
    await kubectl('wait', 'cappol', bad, '--for=condition=Stalled', '--timeout=120s');
    await assert.rejects(kubectl('wait', 'cappol', bad, '--for=condition=Ready', '--timeout=1s'), /timed out/);
    await kubectl('wait', 'cappol', good, '--for=condition=Ready', '--timeout=120s');
    assert.match(await kubectl('get', 'cappol', bad), / False /);
  });

  it('a policy that cannot be compiled renders nothing, and does not disturb other policies', async () => {
    assert.deepEqual(await cluster.rendered(bad), []);
    assert.deepEqual(await cluster.having(bad), []);
    assert.equal((await cluster.condition(good, 'Ready'))?.status, 'True');
    assert.equal((await statusOf(cluster.api, good)).sharesWith, undefined);
    assert.equal(await cluster.admit(restrictedPod(), namespace), ADMITTED);
    assert.notEqual(await cluster.admit(privilegedPod(), namespace), ADMITTED);
    const { labels } = await podSecurityOf(cluster.api, namespace);
    assert.deepEqual(labels, { enforce: 'baseline', 'enforce-version': LATEST });
  });

  it('new and changed policies come into force beside a policy that cannot be compiled', async () => {
    const other = await cluster.policy('other', select('other'));
    await cluster.policy('good', select('good', { level: 'restricted' }));
    await cluster.programmed(other, good);
    assert.notEqual(await cluster.admit(baselinePod(), namespace), ADMITTED);
    await cluster.policy('good', select('good'));
    await cluster.programmed(good);
  });

  it('a repaired policy comes into force without further action', async () => {
    const fixed = await cluster.policy('fixed', select('fixed', { levelVersion: 'v1.99' }));
    await refused(fixed);
    await cluster.policy('fixed', select('fixed', { levelVersion: LATEST }));
    await cluster.programmed(fixed);
    assert.equal(await cluster.condition(fixed, 'Stalled'), undefined);
    await kubectl('wait', 'cappol', fixed, '--for=condition=Ready', '--timeout=120s');
  });

  it('after a bad edit and a restart, the policy and its neighbours keep their last accepted texts in force', async () => {
    const team = await cluster.namespace('was', { team: 'was' });
    const overrides = { capabilities: { allowedAdd: ['CHOWN', 'SYS_TIME'] } } as CapabilityPolicySpec['overrides'];
    const policy = await cluster.policy('was', select('was', { overrides }));
    const beside = await cluster.policy('beside', select('was'));
    await cluster.programmed(policy, beside);
    const decides = async () => {
      assert.equal(await cluster.admit(baselinePod({ add: ['SYS_TIME'] }), team), ADMITTED);
      assert.match(await cluster.admit(privilegedPod(), team), new RegExp(policy));
    };
    await decides();
    const before = await podSecurityOf(cluster.api, team);

    await cluster.policy('was', { ...select('was'), level: 'privileged', levelVersion: 'v1.99' });
    await refused(policy);
    await decides();
    await cluster.operator.stop();
    await cluster.operator.startAndWatch();
    await cluster.policy('meanwhile', select('meanwhile'));
    await cluster.programmed(cluster.named('meanwhile'), beside);
    await decides();
    assert.deepEqual(await podSecurityOf(cluster.api, team), before);
    assert.equal((await cluster.condition(policy, 'Ready'))?.status, 'False');
  });
});
