import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CapabilityPolicyOverrides, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMITTED, useCluster } from '../support/harness.ts';
import { privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { Random } from '../support/random.ts';
import { Traffic } from '../support/traffic.ts';

/** KILLS=100 kills the operator 100 times. */
const KILLS = Number(process.env.KILLS ?? 8);
/**
 * The time in ms within which the test kills the operator. The operator needs 1.5 s for a change, from the first write
 * to the last deletion.
 */
const CHANGE_MS = 1_500;
const TEAMS = ['one', 'two'];

describe('an operator that is killed', () => {
  const cluster = useCluster('kill');

  it(`reaches the same end state, ${KILLS} times at random moments`, async function () {
    this.timeout(Math.max(300_000, KILLS * 20_000));
    const random = new Random();
    const namespaces = await Promise.all(TEAMS.map((team) => cluster.namespace(team, { team })));
    await change(random, 'always', 'one');
    await cluster.policy('always', { ...spec('one', []), namespaceSelector: { matchExpressions: [teams()] } });
    await cluster.programmed(cluster.named('always'));
    const traffic = new Traffic(
      cluster,
      namespaces.flatMap((namespace) => [
        { pod: restrictedPod(), namespace, expected: 'admitted' as const },
        { pod: privilegedPod(), namespace, expected: 'refused' as const },
      ]),
    );
    for (let kill = 0; kill < KILLS; kill++) {
      await Promise.all(TEAMS.map((team) => change(random, `p-${random.int(3)}`, team)));
      const moment = random.int(CHANGE_MS);
      await sleep(moment);
      await cluster.operator.stop('SIGKILL');
      await cluster.operator.startAndWatch();
      if (kill % 4 === 3) await inSpite(cluster.settled(), random, kill);
    }
    await cluster.programmed(...(await cluster.policies()));
    await traffic.stop();
    console.log(`      seed ${random.seed}: ${KILLS} kills, ${traffic.tried} pods`);
    assert.deepEqual(
      traffic.surprises.slice(0, 5).map(({ answer, attempt, at }) => `${at} ms, ${attempt.expected}: ${answer}`),
      [],
      `seed ${random.seed}`,
    );
    for (const namespace of namespaces) {
      assert.equal(await cluster.admit(restrictedPod(), namespace), ADMITTED);
      assert.match(await cluster.admit(privilegedPod(), namespace), /forbidden/);
    }
  });

  /** Creates, changes or deletes a policy. */
  async function change(random: Random, suffix: string, team: string): Promise<void> {
    if (random.int(4) === 0) return cluster.deletePolicy(cluster.named(suffix));
    const allowedAdd = ['NET_RAW', 'SYS_TIME', 'SYS_NICE'].filter(() => random.int(2) === 0);
    const namespace = cluster.named(team);
    const subjects = [{ kind: 'ServiceAccount', name: 'default', namespace }];
    const use = random.int(3) === 0 ? { usableBy: 'Subjects', subjects } : {};
    const labels = random.int(2) === 0 ? { podSecurityLabels: 'Off' } : {};
    await cluster.policy(suffix, { ...spec(team, allowedAdd), ...use, ...labels } as CapabilityPolicySpec);
  }

  function spec(team: string, allowedAdd: readonly string[]): CapabilityPolicySpec {
    const overrides = { privileged: false, capabilities: { allowedAdd } } as CapabilityPolicyOverrides;
    return { namespaceSelector: { matchLabels: { team } }, level: 'baseline', mode: 'Enforce', overrides };
  }

  function teams() {
    return { key: 'team', operator: 'In' as const, values: TEAMS };
  }
});

async function inSpite(settled: Promise<void>, random: Random, kill: number): Promise<void> {
  await settled.catch((error: Error) => {
    throw new Error(`seed ${random.seed}, after ${kill + 1} kills: ${error.message}`);
  });
}
