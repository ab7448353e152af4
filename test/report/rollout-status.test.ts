import assert from 'node:assert/strict';
import type { NamespaceProgress, RolloutProgress } from '../../operator/promotion/progress.ts';
import { rolloutStatus } from '../../operator/report/rollout-status.ts';
import { violating } from './fixtures.ts';

const AT = Date.parse('2026-01-01T00:00:00.250Z');

function progress(
  namespaces: Record<string, NamespaceProgress>,
  fields: Partial<RolloutProgress> = {},
): RolloutProgress {
  return { begun: true, paused: false, namespaces: new Map(Object.entries(namespaces)), ...fields };
}

function blocked(count: number, worst = violating('legacy')): NamespaceProgress {
  return { state: 'Blocked', since: AT, verdict: { violating: count, worst } };
}

describe('status.rollout', () => {
  it('counts the namespaces by state, and counts a namespace without an evaluation as soaking', () => {
    const status = rolloutStatus(
      'ping',
      progress({
        a: { state: 'Enforced' },
        b: { state: 'Soaking', since: AT, soakedAt: AT },
        c: { state: 'Pending', since: AT },
        d: blocked(1),
      }),
    );
    const { enforced, soaking, blocked: count, progress: text } = status;
    assert.deepEqual({ enforced, soaking, count, text }, { enforced: 1, soaking: 2, count: 1, text: '1/4' });
  });

  it('names the next namespace, and the time of its promotion in whole seconds', () => {
    const next = { namespace: 'a', at: AT };
    const status = rolloutStatus('ping', progress({ a: { state: 'Soaking', since: AT, soakedAt: AT } }, { next }));
    assert.deepEqual(status.next, { namespace: 'a', time: '2026-01-01T00:00:00Z' });
    assert.equal(rolloutStatus('ping', progress({})).next, undefined);
  });

  it('lists the blocked namespaces with the fewest violating workloads first, each with its worst violation and the start time', () => {
    const worst = violating('legacy', {
      violations: {
        ping: [
          { rule: 'runAsNonRoot', container: 'app', message: 'container "app" must run as non-root', path: '' },
          { rule: 'privileged', container: 'app', message: 'container "app" must not be privileged', path: '' },
        ],
      },
    });
    const status = rolloutStatus('ping', progress({ a: blocked(2), b: blocked(1, worst), c: blocked(1) }));
    assert.deepEqual(
      status.blockedNamespaces?.map(({ name }) => name),
      ['b', 'c', 'a'],
    );
    assert.deepEqual(status.blockedNamespaces?.[0], {
      name: 'b',
      violating: 1,
      since: '2026-01-01T00:00:00Z',
      worst: 'Deployment legacy: privileged: container "app" must not be privileged',
    });
  });

  it('names no worst workload if all violating pods are gone', () => {
    const status = rolloutStatus('ping', progress({ a: { state: 'Blocked', since: AT, verdict: { violating: 0 } } }));
    assert.deepEqual(status.blockedNamespaces, [{ name: 'a', violating: 0, since: '2026-01-01T00:00:00Z' }]);
  });

  it('names at most 32 namespaces and stays small, but counts all namespaces', () => {
    const violations = { ping: [{ rule: 'capabilities', message: '\u0001😀"'.repeat(2_000), path: '' }] };
    const many = (worst = violating('legacy')) =>
      Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`n-${i}`, blocked(1, worst)]));
    const plain = rolloutStatus('ping', progress(many()));
    assert.equal(plain.blockedNamespaces?.length, 32);
    const long = rolloutStatus('ping', progress(many(violating('x'.repeat(5_000), { violations }))));
    assert.equal(long.blocked, 500);
    assert.ok((long.blockedNamespaces?.length ?? 0) > 5);
    assert.ok(Buffer.byteLength(JSON.stringify(long)) < 14 * 1024);
  });
});
