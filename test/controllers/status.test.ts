import assert from 'node:assert/strict';
import type { ProgramOutcome } from '../../operator/apply/outcome.ts';
import type { Context } from '../../operator/controllers/controller.ts';
import type { Cause } from '../../operator/controllers/state-change.ts';
import { Status } from '../../operator/controllers/status.ts';

describe('Status.delay', () => {
  const found: Cause = { of: 'found', by: 'programs' };
  const namespace: Cause = { of: 'namespace', name: 'a' };
  const rows: [string, Cause, boolean, ProgramOutcome['state'] | undefined, number][] = [
    ['soon after somebody edited the policy', { of: 'policy', name: 'it' }, true, 'Working', 200],
    ['soon while one policy rolls out', found, false, 'Working', 200],
    ['soon before the rollout has begun', found, false, undefined, 200],
    ['soon after the policy came into force', found, false, 'InForce', 200],
    ['soon after the API server refused the policy', found, false, 'Failed', 200],
    ['soon after a namespace changed', namespace, false, 'InForce', 200],
    ['soon when a namespace changed while the policy rolls out', namespace, false, 'Working', 200],
  ];
  for (const [title, cause, recompiles, state, ms] of rows) {
    it(`writes ${title}`, () => {
      const programs = new Map(state ? [['it', { state }]] : []);
      const status = new Status({ state: { outcomes: { programs } } } as unknown as Context);
      const change = { cause, recompiles, policies: new Set<string>(), namespaces: new Set<string>() };
      assert.ok(Math.abs(status.delay('it', change) - ms) < 100);
    });
  }

  it('delay allows ten writes at once, and spreads the other progress of 500 policies to one write per second', () => {
    const status = new Status({ state: { outcomes: { programs: new Map() } } } as unknown as Context);
    const change = { cause: found, recompiles: false, policies: new Set<string>(), namespaces: new Set<string>() };
    const delays = () => Array.from({ length: 500 }, (_, index) => status.delay(`policy-${index}`, change));
    const [first, again] = [delays(), delays()];
    assert.ok(Math.abs((first.at(-1) ?? 0) - 495_000) < 1_000, `the last after ${first.at(-1)} ms`);
    assert.ok(first.slice(0, 10).every((ms) => ms <= 200));
    assert.ok((first[10] ?? 0) > 5_000);
    assert.ok(first.every((ms, index) => ms >= (again[index] ?? 0)));
  });
});
