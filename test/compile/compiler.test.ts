/** Compiling repeatedly: the same result as from scratch, and the same objects where nothing changed. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CapabilityPolicySpec, CompletePolicy, CompleteSpec } from '../../operator/api/capability-policy.ts';
import { compile, compiler } from '../../operator/compile/compile.ts';
import { lastOf } from '../../operator/policy/pieces.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { heapOf } from '../support/garbage.ts';
import { policy } from '../support/policies.ts';
import { SELECTOR } from '../support/random-selectors.ts';

const OPTIONS = {
  oldestServer: NEWEST_KNOWN_MINOR,
  operatorNamespace: 'operator',
  excludedNamespaces: ['kube-system'],
};
const NAMES = ['a', 'b', 'c', 'd'];

const SPEC = fc.record({
  namespaceSelector: fc.oneof(SELECTOR, fc.constantFrom({}, { matchLabels: { team: 'net' } })),
  level: fc.constantFrom('restricted', 'baseline'),
  mode: fc.constantFrom('Enforce', 'Warn'),
  priority: fc.integer({ min: 0, max: 1 }),
  usableBy: fc.constantFrom('Everyone', 'Bindings'),
  levelVersion: fc.constantFrom('latest', 'v1.99'),
  defaulting: fc.constantFrom('Enabled', 'Disabled'),
}) as fc.Arbitrary<Partial<CapabilityPolicySpec>>;
/** Creates or edits a policy, or deletes it. */
const STEP = fc.record({ name: fc.constantFrom(...NAMES), spec: fc.option(SPEC, { nil: undefined }) });

function aged(name: string, spec: Partial<CapabilityPolicySpec>, day: number): CompletePolicy {
  const { metadata, ...rest } = policy(name, spec);
  const creationTimestamp = `2026-01-${String(day).padStart(2, '0')}T00:00:00Z`;
  return { ...rest, metadata: { ...metadata, creationTimestamp } } as unknown as CompletePolicy;
}

function compilerInOnePiece(): typeof compile {
  const inPieces = compiler();
  return (policies, options) => lastOf(inPieces(policies, options));
}

describe('compiler', () => {
  it('incremental compiling gives the same as from scratch', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 6 }), (steps) => {
        const compileAgain = compilerInOnePiece();
        const policies = new Map<string, CompletePolicy>();
        let lastAccepted = new Map<string, CompleteSpec>();
        for (const [day, { name, spec }] of steps.entries()) {
          if (spec) policies.set(name, aged(name, spec, day + 1));
          else policies.delete(name);
          const options = { ...OPTIONS, lastAccepted };
          const all = structuredClone([...policies.values()]);
          const compiled = compileAgain(all, options);
          assert.deepEqual(compiled, compile(all, options));
          lastAccepted = new Map([...compiled.specs].map(([one, accepted]) => [`uid-of-${one}`, accepted]));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('an edit renders the policy and its siblings again, and nothing else', () => {
    const compileAgain = compilerInOnePiece();
    const all = (level: 'restricted' | 'baseline') => [
      policy('one', { namespaceSelector: { matchLabels: { team: 'a' } }, level }),
      policy('beside', { namespaceSelector: { matchLabels: { team: 'a' } }, priority: 1 }),
      policy('below', { namespaceSelector: { matchLabels: { team: 'a' } }, priority: -1 }),
      policy('elsewhere', { namespaceSelector: { matchLabels: { team: 'b' } } }),
    ];
    const before = compileAgain(all('restricted'), OPTIONS);
    const after = compileAgain(all('baseline'), OPTIONS);
    const kept = [...after.rendered].filter(
      ([name, rendered]) => before.rendered.get(name)?.admission === rendered.admission,
    );
    assert.deepEqual(
      kept.map(([name]) => name),
      ['elsewhere'],
    );
    const resolved = after.policies.filter((one) => before.policies.includes(one));
    assert.deepEqual(
      resolved.map(({ name }) => name),
      ['below', 'beside', 'elsewhere'],
    );
  });

  it('a new policy changes the youngest guard only, whatever its name', () => {
    const compileAgain = compilerInOnePiece();
    const team = (index: number) => ({ namespaceSelector: { matchLabels: { team: `team-${index}` } } });
    const all = Array.from({ length: 60 }, (_, index) => aged(`policy-${index}`, team(index), 1));
    const before = compileAgain(all, OPTIONS);
    const after = compileAgain([...all, aged('a', team(60), 2)], OPTIONS);
    assert.equal(before.guards.length, 3);
    const kept = after.guards.filter((guard) => before.guards.includes(guard));
    assert.deepEqual(kept, before.guards.slice(0, 2));
  });

  it('keeps equal texts of many policies once', async () => {
    const all = Array.from({ length: 100 }, (_, index) =>
      policy(`policy-${index}`, { namespaceSelector: { matchLabels: { team: `team-${index}` } } }),
    );
    const text = JSON.stringify([...compile(all.slice(0, 1), OPTIONS).rendered.values()]);
    assert.ok(text.length > 30_000, `${text.length} bytes`);
    const compileAgain = compilerInOnePiece();
    const bytes = await heapOf(() => compileAgain(all, OPTIONS));
    assert.ok(bytes < (text.length / 2) * all.length, `${Math.round(bytes / all.length)} bytes a policy`);
  });
});
