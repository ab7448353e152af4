/** Tests the limits that an API server sets for a program, with any number of policies. */
import assert from 'node:assert/strict';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { type Compiled, compile } from '../../operator/compile/compile.ts';
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy } from '../support/policies.ts';

const OPTIONS = {
  oldestServer: NEWEST_KNOWN_MINOR,
  operatorNamespace: 'operator',
  excludedNamespaces: ['kube-system'],
};
/**
 * The maximum size of the rendered text, in bytes. An object in etcd, including its managed fields, may have at most
 * 1.5 MiB.
 */
const MAX_TEXT = 1_400_000;
/**
 * k8s.io/apiserver uses the default limits of cel-go's parser. `MAX_EXPRESSION` limits the code points of an
 * expression. `MAX_SUM` limits the depth of nesting. The depth grows with each term of a sum.
 */
const MAX_EXPRESSION = 100_000;
const MAX_SUM = 250;

type Spec = Partial<CapabilityPolicySpec>;
const TINY: Spec = { level: 'privileged', overrides: { hostNetwork: false }, podSecurityLabels: 'Off' };

describe('policies that meet', () => {
  for (const [title, spec] of Object.entries<(index: number) => Spec>({
    'with restricted use': () => ({ usableBy: 'Bindings' }),
    'of one priority': () => ({}),
    'of different priorities': (index) => ({ priority: index }),
    'with defaulting': () => ({ defaulting: 'Enabled' }),
    'with entries of spec.containers': () => ({ containers: [{ names: ['app'], overrides: { privileged: true } }] }),
    'with long entries of spec.containers': () => ({
      containers: Array.from({ length: 4 }, (_, i) => ({
        names: [`app-${i}`],
        images: [`registry.example.com/team/app-${i}:*`],
        overrides: { privileged: true },
      })),
    }),
    'in namespaces of their own': (index) => ({
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': `n-${index}` } },
    }),
  })) {
    it(`give texts that the API server accepts, however many they are: ${title}`, () => {
      const all = Array.from({ length: 600 }, (_, i) => policy(`policy-${i}`, { ...TINY, ...spec(i) }));
      const compiled = compile(all, OPTIONS);
      assert.deepEqual([compiled.policies.length, [...compiled.refusals]], [600, []]);
      assertTaken(compiled);
    });
  }

  it('policies of every level and version give texts that the API server accepts', () => {
    const all = (['privileged', 'baseline', 'restricted'] as const).flatMap((level) =>
      Array.from({ length: NEWEST_KNOWN_MINOR + 1 }, (_, minor) =>
        policy(`${level}-${minor}`, { level, levelVersion: formatVersion(minor) }),
      ),
    );
    const compiled = compile(all, OPTIONS);
    assert.deepEqual([compiled.policies.length, [...compiled.refusals]], [all.length, []]);
    assertTaken(compiled);
  });

  it('policies that select namespaces by hundreds of labels give texts that the API server accepts', () => {
    const all = Array.from({ length: 2_400 }, (_, i) => {
      const key = `label-${i % 300}`.padEnd(63, 'x');
      return policy(`policy-${i}`, { ...TINY, namespaceSelector: { matchLabels: { [key]: `${i}` } } });
    });
    const compiled = compile(all, OPTIONS);
    assert.deepEqual([compiled.policies.length, [...compiled.refusals]], [2_400, []]);
    assertTaken(compiled);
  });

  it('a program that would be too large for one object is split, and no policy is refused', () => {
    const overrides = { capabilities: { allowedAdd: Array.from({ length: 30 }, (_, i) => `CAPABILITY_${i}`) } };
    const all = Array.from({ length: 1_500 }, (_, i) =>
      policy(`policy-${i}`, {
        ...TINY,
        overrides,
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': `n-${i}` } },
      }),
    );
    const compiled = compile(all, OPTIONS);
    assert.equal(compiled.refusals.size, 0);
    assert.ok(compiled.programs.filter(({ kind }) => kind === 'Enforce').length > 1);
    const names = compiled.programs.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    assertTaken(compiled);
  });

  it('only one policy is refused if its row would be longer than the maximum length of an expression', () => {
    const overrides: CapabilityPolicySpec['overrides'] = {
      hostPaths: Array.from({ length: 32 }, (_, i) => ({ pathPrefix: `/${i}/`.padEnd(2_048, 'x') })),
      sysctls: { allowed: Array.from({ length: 64 }, (_, i) => `net.${i}.`.padEnd(1_000, 'x')) },
    };
    const { policies, refusals } = compile([policy('short'), policy('long', { overrides })], OPTIONS);
    assert.deepEqual(
      policies.map(({ name }) => name),
      ['short'],
    );
    assert.equal(refusals.get('long')?.reason, 'TooExpensive');
    assert.match(refusals.get('long')?.message ?? '', /lists in spec are too long: .* Shorten spec\.overrides/);
  });

  for (const [title, selecting] of Object.entries<(names: string[]) => CapabilityPolicySpec['namespaceSelector']>({
    'by labels': (values) => ({ matchExpressions: [{ key: 'team', operator: 'NotIn', values }] }),
    'by the name of one namespace': (values) => ({
      matchLabels: { 'kubernetes.io/metadata.name': 'n' },
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values }],
    }),
  })) {
    it(`are refused, the newest first, when an object could not hold all of them: long ones ${title}`, () => {
      const values = (i: number) => Array.from({ length: 1_300 }, (_, value) => `${i}-${value}`.padEnd(60, 'x'));
      const all = Array.from({ length: 30 }, (_, i) =>
        policy(`policy-${i}`, { namespaceSelector: selecting(values(i)) }),
      );
      const compiled = compile(all, OPTIONS);
      assertTaken(compiled);
      const refused = [...compiled.refusals.keys()];
      assert.ok(refused.length > 0 && refused.length < 20, `${refused.length} are refused`);
      for (const { reason, message } of compiled.refusals.values()) {
        assert.equal(reason, 'TooExpensive');
        assert.match(message, /^too many long policies .* Shorten spec\.overrides or spec\.namespaceSelector/);
      }
      // The policies that come first in `all` would fit in the program. However, policies that are already in force
      // take precedence over the order of `all`.
      const inForce = all.slice(refused.length);
      const lastAccepted = new Map(inForce.map(({ metadata, spec }) => [metadata?.uid ?? '', spec]));
      const then = compile(all, { ...OPTIONS, lastAccepted });
      assert.deepEqual(
        [...then.refusals.keys()].sort(),
        all
          .slice(0, refused.length)
          .map(({ metadata }) => metadata?.name)
          .sort(),
      );
    });
  }

  it('policies with the longest lists that the API accepts are accepted', () => {
    const overrides: CapabilityPolicySpec['overrides'] = {
      hostPaths: Array.from({ length: 32 }, (_, i) => ({
        pathPrefix: `/${i}/`.padEnd(512, 'x'),
        readOnly: i % 2 === 0,
      })),
      sysctls: { allowed: Array.from({ length: 64 }, (_, i) => `net.${i}.`.padEnd(253, 'x')) },
    };
    const compiled = compile([policy('long', { overrides }), policy('longer', { overrides })], OPTIONS);
    assert.equal(compiled.refusals.size, 0);
    assertTaken(compiled);
  });
});

function assertTaken({ programs }: Compiled): void {
  for (const { policy } of programs) {
    const { kind, metadata, spec } = policy;
    const text = JSON.stringify(spec);
    assert.ok(text.length < MAX_TEXT, `${kind} ${metadata.name} has ${text.length} characters`);
    for (const expression of expressionsIn(spec)) {
      const about = `${expression.length} characters: ${expression.slice(0, 80)}`;
      assert.ok(expression.length <= MAX_EXPRESSION, about);
      assert.ok(longestSum(expression) < MAX_SUM, about);
    }
  }
}

/** The number of terms in the longest sum. Each sum in parentheses counts as one term of the sum around it. */
function longestSum(expression: string): number {
  let rest = expression.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  let longest = 0;
  for (let before = ''; before !== rest; ) {
    before = rest;
    rest = rest.replaceAll(/[([{][^()[\]{}]*[)\]}]/g, (inner) => {
      longest = Math.max(longest, ...inner.split(',').map((part) => part.split(' + ').length));
      return '_';
    });
  }
  return Math.max(longest, rest.split(' + ').length);
}

function expressionsIn(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, item]) =>
    typeof item === 'string' ? (key.toLowerCase().endsWith('expression') ? [item] : []) : expressionsIn(item),
  );
}
