/** The API server's limits for many policies that meet: measured on a real one by test/integration/ceiling.test.ts. */
import assert from 'node:assert/strict';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { type Compiled, compile } from '../../operator/compile/compile.ts';
import type { Manifest } from '../../operator/compile/objects.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy } from '../support/policies.ts';

const OPTIONS = {
  oldestServer: NEWEST_KNOWN_MINOR,
  operatorNamespace: 'operator',
  excludedNamespaces: ['kube-system'],
};
/** An object in etcd is at most 1.5 MiB, with its managed fields. */
const MAX_TEXT = 1_400_000;
/**
 * k8s.io/apiserver uses the defaults of cel-go's parser: code points of an expression, and nesting, to which sums add.
 */
const MAX_EXPRESSION = 100_000;
const MAX_SUM = 250;

describe('policies that meet', () => {
  it('are at most 13 if each checks its users; the newest is refused', () => {
    const { policies, refusals, rendered } = compile(crowd(14, { usableBy: 'Bindings' }), OPTIONS);
    assert.deepEqual(
      policies.map(({ name }) => name),
      names(13),
    );
    assert.deepEqual([...rendered.keys()], names(13));
    assert.deepEqual([...refusals.keys()], ['policy-013']);
    const refusal = refusals.get('policy-013');
    assert.equal(refusal?.reason, 'TooExpensive');
    for (const name of names(14)) assert.ok(refusal?.message.includes(name), `${name} is not in: ${refusal?.message}`);
    assert.match(refusal?.message ?? '', /Narrow namespaceSelector .* or write usableBy: Everyone/);
    assert.ok((refusal?.message.length ?? 0) < 1024);
  });

  it('leave room for others when one is deleted', () => {
    const [, ...remaining] = crowd(14, { usableBy: 'Bindings' });
    assert.deepEqual([...compile(remaining, OPTIONS).refusals], []);
  });

  it('are refused by age, whatever their names', () => {
    const all = crowd(14, { usableBy: 'Bindings' }).map((one, i) => ({
      ...one,
      metadata: { ...one.metadata, name: `policy-${900 - i}` },
    }));
    assert.deepEqual([...compile(all, OPTIONS).refusals.keys()], ['policy-887']);
  });

  it("keep their old text when a change no longer fits, whatever the policy's age, and displace no other", () => {
    const before = crowd(14, { usableBy: 'Bindings' }).map((one, i) =>
      i === 0 ? { ...one, spec: { ...one.spec, usableBy: 'Everyone' as const } } : one,
    );
    const lastAccepted = new Map(before.map(({ metadata, spec }) => [metadata?.uid ?? '', spec]));
    const [, ...others] = before;
    const edited = { ...before[0], spec: { ...before[0]?.spec, usableBy: 'Bindings' } } as CompletePolicy;
    const compiled = compile([edited, ...others], { ...OPTIONS, lastAccepted });
    assert.deepEqual([...compiled.refusals.keys()], ['policy-000']);
    const { refusals: _, ...result } = compiled;
    const { refusals: __, ...expected } = compile(before, OPTIONS);
    assert.deepEqual(result, expected);
  });

  it('do not count where they cannot meet', () => {
    const apart = crowd(60, { usableBy: 'Bindings' }).map((one, i) => ({
      ...one,
      spec: { ...one.spec, namespaceSelector: { matchLabels: { team: `team-${i}` } } },
    }));
    assert.deepEqual([...compile(apart, OPTIONS).refusals], []);
  });

  it("are refused when their texts together exceed the API server's limits, even without user checks", () => {
    const { policies, refusals, rendered } = compile(crowd(140), OPTIONS);
    assert.ok(refusals.size > 0 && policies.length > 30, `${refusals.size} refused`);
    assert.deepEqual([...refusals.keys()], names(140).slice(policies.length));
    for (const { reason, message } of refusals.values()) {
      assert.equal(reason, 'TooExpensive');
      assert.match(message, /longer than the API server accepts.*They are policy-000, .* and \d+ more$/);
      assert.ok(message.length < 1024);
    }
    for (const { admission } of rendered.values()) assertTaken(admission.objects);
  });

  for (const [what, spec] of Object.entries<(index: number) => Pick<CapabilityPolicySpec, 'priority'>>({
    'of one priority': () => ({}),
    'of different priorities': (index) => ({ priority: index }),
  })) {
    it(`give texts that the API server accepts, however many they are: ${what}`, () => {
      const tiny = crowd(270, { level: 'privileged', overrides: { hostNetwork: false } });
      const compiled = compile(
        tiny.map((one, i) => ({ ...one, spec: { ...one.spec, ...spec(i) } })),
        OPTIONS,
      );
      assert.ok(compiled.policies.length > 200);
      for (const objects of textsOf(compiled)) assertTaken(objects);
    });
  }

  describe('while namespaces are labelled for a roll-out', () => {
    const a = { matchLabels: { team: 'a' } };
    const b = { matchLabels: { team: 'b' } };
    const among = (count: number) => crowd(count, { usableBy: 'Bindings', namespaceSelector: a });
    const mover = policy('mover', { usableBy: 'Bindings', namespaceSelector: a, rollout: {} });
    const before = { ...mover, spec: { ...mover.spec, namespaceSelector: b } };
    const stages = new Map([['mover', { begun: true, selector: b }]]);
    const accepted = (...policies: CompletePolicy[]) =>
      new Map(policies.map(({ metadata, spec }) => [metadata?.uid ?? '', spec]));

    it('refuse an edited selector that has no room, and leave everything as it was', () => {
      const options = { ...OPTIONS, stages, lastAccepted: accepted(...among(13), before) };
      const compiled = compile([...among(13), mover], options);
      assert.deepEqual([...compiled.refusals.keys()], ['mover']);
      const { refusals: _, ...result } = compiled;
      const { refusals: __, ...expected } = compile([...among(13), before], options);
      assert.deepEqual(result, expected);
    });

    it('refuse the edit, and no older or younger policy that is in force', () => {
      const old = { ...mover, metadata: { ...mover.metadata, creationTimestamp: '2020-01-01T00:00:00.000Z' } };
      const options = { ...OPTIONS, stages, lastAccepted: accepted(...among(13), before) };
      assert.deepEqual([...compile([...among(13), old], options).refusals.keys()], ['mover']);
    });

    it('keep the room of an edited selector, so that a policy that comes meanwhile is refused', () => {
      const options = { ...OPTIONS, stages, lastAccepted: accepted(...among(12), before) };
      const compiled = compile([mover, ...among(12)], options);
      assert.deepEqual([...compiled.refusals], []);
      assert.deepEqual(compiled.specs.get('mover')?.namespaceSelector, b);
      const late = policy('policy-late', { usableBy: 'Bindings', namespaceSelector: a });
      assert.deepEqual([...compile([mover, ...among(12), late], options).refusals.keys()], ['policy-late']);
    });

    it('refuse a policy whose enforced part has no room before any namespace is labelled', () => {
      const options = { ...OPTIONS, stages: new Map([['mover', { begun: false }]]) };
      assert.deepEqual([...compile([...among(13), mover], options).refusals.keys()], ['mover']);
      assert.deepEqual([...compile([...among(12), mover], options).refusals.keys()], []);
    });
  });

  it('are refused alone when one expression would be too long', () => {
    const overrides: CapabilityPolicySpec['overrides'] = {
      hostPaths: Array.from({ length: 32 }, (_, i) => ({
        pathPrefix: `/${i}/`.padEnd(512, 'x'),
        readOnly: i % 2 === 0,
      })),
      sysctls: { allowed: Array.from({ length: 64 }, (_, i) => `net.${i}.`.padEnd(253, 'x')) },
    };
    const { policies, refusals } = compile([...crowd(1), policy('long', { overrides })], OPTIONS);
    assert.deepEqual(
      policies.map(({ name }) => name),
      names(1),
    );
    assert.equal(refusals.get('long')?.reason, 'TooExpensive');
    assert.match(refusals.get('long')?.message ?? '', /lists in spec are too long: .* Shorten spec\.overrides/);
  });
});

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `policy-${String(i).padStart(3, '0')}`);
}

/** The first is the oldest. */
function crowd(count: number, spec: Partial<CapabilityPolicySpec> = {}): CompletePolicy[] {
  return names(count).map((name, i) => {
    const one = policy(name, spec);
    const creationTimestamp = new Date(Date.UTC(2026, 0, 1) + i * 1_000).toISOString();
    return { ...one, metadata: { ...one.metadata, creationTimestamp } };
  });
}

/** The first and the last, which all resemble, and the guards. */
function textsOf({ rendered, guards }: Compiled): (readonly Manifest[])[] {
  const sets = [...rendered.values()].map(({ admission }) => admission);
  return [sets[0], sets.at(-1), ...guards.map(({ admission }) => admission)].flatMap((set) =>
    set ? [set.objects] : [],
  );
}

function assertTaken(objects: readonly Manifest[]): void {
  for (const { kind, metadata, spec } of objects) {
    const text = JSON.stringify(spec);
    assert.ok(text.length < MAX_TEXT, `${kind} ${metadata.name} has ${text.length} characters`);
    for (const expression of expressionsIn(spec)) {
      const about = `${expression.length} characters: ${expression.slice(0, 80)}`;
      assert.ok(expression.length <= MAX_EXPRESSION, about);
      assert.ok((expression.match(/ \+ /g) ?? []).length < MAX_SUM, about);
    }
  }
}

function expressionsIn(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, item]) =>
    typeof item === 'string' ? (key.toLowerCase().endsWith('expression') ? [item] : []) : expressionsIn(item),
  );
}
