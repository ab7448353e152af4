import assert from 'node:assert/strict';
import { ClusterState } from '../../operator/controllers/cluster-state.ts';
import { type Context, originOf } from '../../operator/controllers/controller.ts';
import { Expiry } from '../../operator/controllers/expiry.ts';
import type { Found } from '../../operator/controllers/state-change.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { parseTime } from '../../operator/policy/expiry.ts';
import { expiredCondition } from '../../operator/report/expiry.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy, resolved } from '../support/policies.ts';

const END = '2027-01-31T00:00:00Z';
const AT = parseTime(END) as number;
const DAY = 86_400_000;

/** Runs the controller with a clock that the test sets. Records the keys that the controller makes dirty. */
class Clock {
  now: number;
  readonly found: Omit<Found, 'of'>[] = [];
  readonly state: ClusterState;
  readonly expiry: Expiry;
  /** The time at which the controller must run again. */
  again: number | undefined;

  constructor(now: number, policies: readonly ReturnType<typeof policy>[]) {
    this.now = now;
    const cluster = {
      policies: () => policies,
      policy: () => undefined,
      namespaces: () => [],
      rendered: () => [],
      oldestServer: NEWEST_KNOWN_MINOR,
    };
    const options = { operatorNamespace: 'system', excludedNamespaces: [], podSecurityDefaults: {} };
    this.state = new ClusterState(cluster as unknown as Cluster, { ...options, now: () => this.now });
    const found = (one: Omit<Found, 'of'>) => {
      this.found.push({ ...one, policies: [...(one.policies ?? [])] });
      this.state.apply({ of: 'found', ...one });
    };
    this.expiry = new Expiry({ state: this.state, found } as unknown as Context, () => this.now);
  }

  /** Sets the clock and runs the controller once. */
  async at(now: number): Promise<string[]> {
    this.now = now;
    if (this.state.policies.isStale) this.state.accept();
    this.found.length = 0;
    this.again = undefined;
    await this.expiry.reconcile('all', (ms) => {
      this.again = ms;
    });
    if (this.state.policies.isStale) this.state.accept();
    return this.state.policies.compiled.policies.map(({ name }) => name);
  }
}

describe('the controller of the clock', () => {
  const both = [policy('exception', { expires: END }), policy('restricted')];

  it('the controller compiles again when a policy expires, and makes the status of the policy dirty', async () => {
    const clock = new Clock(AT - DAY / 2, both);
    assert.deepEqual(await clock.at(AT - 1), ['exception', 'restricted']);
    assert.deepEqual(clock.found, [{ by: 'expiry', policies: ['exception'], recompiles: false }]);
    assert.equal(clock.again, 1);
    assert.deepEqual(await clock.at(AT), ['restricted']);
    assert.deepEqual(clock.found, [{ by: 'expiry', policies: ['exception'], recompiles: true }]);
    assert.deepEqual(await clock.at(AT + 1), ['restricted']);
    assert.deepEqual(clock.found, []);
  });

  it('the controller notices that a policy expired while the controller did not run', async () => {
    const clock = new Clock(AT + 40 * DAY, both);
    assert.deepEqual(await clock.at(AT + 40 * DAY), ['restricted']);
  });

  it('the controller runs often enough to notice a changed clock, and never waits longer than a timer can', async () => {
    const clock = new Clock(AT - 400 * DAY, both);
    await clock.at(AT - 400 * DAY);
    assert.equal(clock.again, 10_000);
    assert.deepEqual(await clock.at(AT + 3 * DAY), ['restricted']);
    assert.deepEqual(await clock.at(AT - 3 * DAY), ['exception', 'restricted']);
  });

  it('the controller reports a policy one week and one day before the policy expires', async () => {
    const clock = new Clock(AT - 8 * DAY, both);
    await clock.at(AT - 8 * DAY);
    for (const [left, policies] of [
      [7.5, []],
      [7, ['exception']],
      [2, []],
      [1, ['exception']],
    ] as const) {
      await clock.at(AT - left * DAY);
      assert.deepEqual(
        clock.found.flatMap((one) => [...(one.policies ?? [])]),
        policies,
        `${left} days`,
      );
    }
  });

  it('the status names each stage that the controller reports, although the clock of the machine has another time', async () => {
    const clock = new Clock(AT - 8 * DAY, both);
    const reasons: (string | undefined)[] = [];
    for (const left of [8, 7, 1]) {
      await clock.at(AT - left * DAY);
      const { now } = originOf({ instance: 'pod', state: clock.state });
      const input = { expired: false, why: undefined, now };
      reasons.push(...expiredCondition(resolved('exception', { expires: END }), input).map(({ reason }) => reason));
    }
    assert.deepEqual(reasons, ['ExpiresLater', 'ExpiresWithinAWeek', 'ExpiresWithinADay']);
  });

  it('the controller sets no timer for policies that do not expire', async () => {
    const clock = new Clock(AT, [policy('restricted')]);
    await clock.at(AT);
    assert.equal(clock.again, undefined);
    assert.deepEqual(clock.found, []);
  });
});
