/**
 * Tests that compiling repeatedly gives the same result as compiling from scratch. Unchanged parts of the result stay
 * the same objects.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CapabilityPolicySpec, CompletePolicy, CompleteSpec } from '../../operator/api/capability-policy.ts';
import { compile, compiler } from '../../operator/compile/compile.ts';
import { runToEnd } from '../../operator/policy/run-to-end.ts';
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
/** A random step that creates, edits or deletes a policy. */
const STEP = fc.record({ name: fc.constantFrom(...NAMES), spec: fc.option(SPEC, { nil: undefined }) });

function aged(name: string, spec: Partial<CapabilityPolicySpec>, day: number): CompletePolicy {
  const { metadata, ...rest } = policy(name, spec);
  const creationTimestamp = `2026-01-${String(day).padStart(2, '0')}T00:00:00Z`;
  return { ...rest, metadata: { ...metadata, creationTimestamp } } as unknown as CompletePolicy;
}

function compileUninterrupted(): typeof compile {
  const compiling = compiler();
  return (policies, options) => runToEnd(compiling(policies, options));
}

describe('compiler', () => {
  it('incremental compiling gives the same result as compiling from scratch', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 6 }), (steps) => {
        const compileAgain = compileUninterrupted();
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

  it('an edit of a policy renders only the programs that have a row for the policy', () => {
    const compileAgain = compileUninterrupted();
    const all = (level: 'restricted' | 'baseline') => [
      policy('one', { mode: 'Warn', level }),
      policy('beside', { mode: 'Warn' }),
      policy('elsewhere'),
      policy('silent', { mode: 'Audit' }),
    ];
    const before = compileAgain(all('restricted'), OPTIONS);
    const after = compileAgain(all('baseline'), OPTIONS);
    const kept = after.programs.filter((program) => before.programs.includes(program));
    assert.deepEqual(
      kept.map(({ kind }) => kind),
      ['Guard', 'Enforce', 'Audit'],
    );
    const [warns] = after.programs.filter(({ kind }) => kind === 'Warn');
    const [warned] = before.programs.filter(({ kind }) => kind === 'Warn');
    assert.notEqual(warns?.hash, warned?.hash);
    // The rows of unchanged policies are the same objects as before.
    const rows = [...(warns?.rows ?? [])].filter(([id, row]) => warned?.rows.get(id) === row).map(([id]) => id);
    assert.deepEqual(rows, ['beside']);
    const resolved = after.policies.filter((one) => before.policies.includes(one));
    assert.deepEqual(
      resolved.map(({ name }) => name),
      ['beside', 'elsewhere', 'silent'],
    );
  });

  it('an edit of a field that no program contains renders no program again', () => {
    const compileAgain = compileUninterrupted();
    const subjects = (name: string) => [{ kind: 'User' as const, name }];
    const all = (name: string) => [policy('one', { usableBy: 'Subjects', subjects: subjects(name) })];
    const [before, after] = [compileAgain(all('a'), OPTIONS), compileAgain(all('b'), OPTIONS)];
    assert.deepEqual(
      after.programs.map(({ hash }) => hash),
      before.programs.map(({ hash }) => hash),
    );
    assert.notDeepEqual(after.grants, before.grants);
  });

  it('evaluates without rendering', () => {
    const evaluating = compiler({ renders: false });
    const all = [policy('one'), policy('two', { usableBy: 'Bindings' })];
    const { programs, grants, ...evaluated } = runToEnd(evaluating(all, OPTIONS));
    assert.deepEqual([programs.length, grants.size], [0, 0]);
    const { programs: _, grants: __, ...rendered } = compile(all, OPTIONS);
    assert.deepEqual(evaluated, rendered);
  });

  it('a program contains the text of the rules once, for any number of policies', async () => {
    const all = (count: number) =>
      Array.from({ length: count }, (_, index) =>
        policy(`policy-${index}`, { namespaceSelector: { matchLabels: { team: `team-${index}` } } }),
      );
    // The function `length` measures the program and its canary, but not the guards. Each program of the guard asks
    // about a limited number of policies, so the guard can need two programs.
    const length = (count: number) =>
      JSON.stringify(compile(all(count), OPTIONS).programs.filter(({ kind }) => kind === 'Enforce')).length;
    const [one, hundred] = [length(1), length(100)];
    assert.ok(one > 30_000, `${one} characters`);
    // Each policy adds a row and a value in an index to the program. The program's canary gets the same additions.
    assert.ok(hundred - one < 100 * 500, `${(hundred - one) / 100} characters a policy`);
    const compileAgain = compileUninterrupted();
    const policies = all(100);
    const bytes = await heapOf(() => compileAgain(policies, OPTIONS));
    assert.ok(bytes < (one / 2) * policies.length, `${Math.round(bytes / policies.length)} bytes a policy`);
  });
});
