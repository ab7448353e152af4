/** Renders policies as rows. The engine cel-js finds the rows that select a namespace. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CapabilityPolicySpec, LabelSelector } from '../../operator/api/capability-policy.ts';
import { compile } from '../../operator/compile/compile.ts';
import { tooLong } from '../../operator/compile/limits.ts';
import { entriesOf, levelColumns, rowOf } from '../../operator/compile/rows.ts';
import { tableOf } from '../../operator/compile/table.ts';
import { partsOf } from '../../operator/policy/parts.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { matches } from '../../operator/policy/selector.ts';
import { formatVersion, LEVELS, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy, resolved } from '../support/policies.ts';
import { arbitraryPolicy } from '../support/random-policies.ts';
import { longSelector, SELECTOR, UNIVERSE } from '../support/random-selectors.ts';
import { SEED } from '../support/seed.ts';
import { AdmissionText, evaluated } from './admission-text.ts';

const NAME = 'kubernetes.io/metadata.name';
const RESTRICTED = `restricted:${formatVersion(NEWEST_KNOWN_MINOR)}`;
const OPTIONS = { oldestServer: NEWEST_KNOWN_MINOR, operatorNamespace: 'operator', excludedNamespaces: [] };
const VERSIONS = Array.from({ length: NEWEST_KNOWN_MINOR + 1 }, (_, minor) => formatVersion(minor));
/** The maximum length of an expression that the API server accepts. */
const MAX_EXPRESSION = 100_000;

type Labels = Readonly<Record<string, string>>;

/** The names of the selected policies, in the order of the table. */
function selecting(policies: readonly ResolvedPolicy[]): (labels: Labels) => string[] {
  const table = tableOf(policies);
  const {
    variables,
    positions: [positions = ''],
  } = table.selecting(['labels']);
  const all = [...table.constants, ...variables];
  return (labels) =>
    (evaluated(positions, { labels }, all) as bigint[]).map(
      (i) => (evaluated(table.rowAt('i'), { i }, all) as { name: string[] }).name[0] ?? '',
    );
}

function named(selectors: readonly LabelSelector[]): ResolvedPolicy[] {
  return selectors.map((namespaceSelector, i) => resolved(`p${i}`, { namespaceSelector }));
}

function indexesOf(policies: readonly ResolvedPolicy[]): string[] {
  return tableOf(policies)
    .constants.map(({ name }) => name)
    .filter((name) => /^by(Name|Label)/.test(name));
}

describe('the row of a policy', () => {
  it('has only what differs from its level', () => {
    assert.deepEqual(rowOf(resolved('plain')), { name: ['plain'], level: [RESTRICTED] });
    const spec: Partial<CapabilityPolicySpec> = { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } };
    assert.deepEqual(rowOf(resolved('ping', spec)), {
      name: ['ping'],
      level: [RESTRICTED],
      allowedAdd: ['NET_RAW'],
    });
    // An override that equals the level's value is not an exception.
    const same = { overrides: { capabilities: { allowedAdd: ['NET_BIND_SERVICE'] }, privileged: false } };
    assert.deepEqual(Object.keys(rowOf(resolved('same', same))), ['name', 'level']);
  });

  it('a row has the priority, the use, the end, the part of a rollout, and the entries of spec.containers', () => {
    const full = resolved('full', {
      priority: 7,
      usableBy: 'Bindings',
      expires: '2027-01-31T01:00:00+01:00',
      containers: [{ names: ['app'], images: ['a*'], overrides: { privileged: true } }],
      rollout: {},
    });
    const [enforced, pending] = partsOf(full, { begun: true });
    const row = {
      name: ['full'],
      level: [RESTRICTED],
      priority: ['7'],
      use: ['full'],
      expires: ['2027-01-31T00:00:00Z'],
      containers: ['full'],
    };
    assert.deepEqual(enforced && rowOf(enforced), { ...row, rollout: ['enforced'] });
    assert.deepEqual(pending && rowOf(pending), { ...row, rollout: ['pending'] });
    const [entry] = entriesOf(full);
    assert.deepEqual([entry?.names, entry?.images, entry?.index], [['app'], ['a*'], ['0']]);
    assert.ok(entry?.rules?.includes('privileged'));
  });

  it(`together with its level, has every column that a rule reads (seed ${SEED})`, () => {
    const all = new Set(Object.keys(levelColumns(resolved('any').standard)));
    fc.assert(
      fc.property(arbitraryPolicy, (policy) => {
        const level = levelColumns(policy.standard);
        assert.deepEqual(new Set(Object.keys(level)), all);
        const own = Object.entries(rowOf(policy)).filter(([column]) => all.has(column));
        for (const [column, items] of own) assert.notDeepEqual(items, level[column], column);
      }),
      { seed: SEED },
    );
  });

  it('two versions of a level share a row of values exactly if their values are the same', () => {
    const rows = LEVELS.flatMap((level) => VERSIONS.map((levelVersion) => resolved('p', { level, levelVersion })));
    const keys = new Map<string, string>();
    for (const policy of rows) {
      const restricts = policy.standard.level === 'privileged' ? ['unrestricted'] : [];
      assert.deepEqual(Object.keys(rowOf(policy)), ['name', 'level', ...restricts]);
      const values = `${policy.standard.level} ${JSON.stringify(levelColumns(policy.standard))}`;
      const key = `${rowOf(policy).level}`;
      assert.equal(keys.get(values) ?? key, key);
      keys.set(values, key);
    }
    assert.equal(new Set(keys.values()).size, keys.size);
  });
});

describe('the table', () => {
  for (const server of [35, NEWEST_KNOWN_MINOR]) {
    it(`has the values of every level and version in one expression, for API servers of ${formatVersion(server)}`, () => {
      const versions = VERSIONS.filter((_, minor) => minor <= server);
      const all = LEVELS.flatMap((level) =>
        versions.map((levelVersion) => resolved(`${level}-${levelVersion}`, { level, levelVersion }, server)),
      );
      const levels = tableOf(all).constants.find(({ name }) => name === 'levels')?.expression ?? '';
      assert.ok(levels.length > 10_000 && levels.length < MAX_EXPRESSION * 0.75, `${levels.length} characters`);
    });
  }

  it(`selects the policies whose selectors match, whatever they are (seed ${SEED})`, () => {
    const byName = fc
      .uniqueArray(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1 })
      .map((values): LabelSelector => ({ matchExpressions: [{ key: NAME, operator: 'In', values }] }));
    const byTeam = fc.constantFrom('net', 'db', '').map((team): LabelSelector => ({ matchLabels: { team } }));
    const both = fc.tuple(byName, SELECTOR).map(
      ([one, other]): LabelSelector => ({
        ...other,
        matchExpressions: [...(one.matchExpressions ?? []), ...(other.matchExpressions ?? [])],
      }),
    );
    const any = fc.array(fc.oneof(SELECTOR, byName, byTeam, both, fc.constant({})), { minLength: 1, maxLength: 12 });
    const selectors = fc.tuple(any, fc.array(byTeam, { maxLength: 16, size: 'max' })).map((some) => some.flat());
    const seen = { indexed: 0, selected: 0 };
    fc.assert(
      fc.property(selectors, (some) => {
        const policies = named(some);
        const select = selecting(policies);
        if (indexesOf(policies).some((name) => name.startsWith('byLabel'))) seen.indexed++;
        for (const own of UNIVERSE) {
          for (const name of [undefined, 'a', 'b', '']) {
            const labels = { ...own, ...(name !== undefined && { [NAME]: name }) };
            const expected = policies.filter(({ selector }) => matches(selector, labels)).map(({ name }) => name);
            assert.deepEqual(select(labels).sort(), expected.sort(), JSON.stringify(labels));
            seen.selected += expected.length;
          }
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
    assert.ok(seen.indexed > 3 && seen.selected > 100, JSON.stringify(seen));
  });

  it('the table distinguishes a missing label from a label with an empty value', () => {
    const require = (values: string[]): LabelSelector => ({
      matchExpressions: [{ key: 'team', operator: 'In', values }],
    });
    for (const count of [1, 10]) {
      const select = selecting(named(Array.from({ length: count }, () => require(['']))));
      assert.deepEqual([select({}).length, select({ team: '' }).length, select({ team: 'a' }).length], [0, count, 0]);
    }
    const select = selecting(named([require(['', 'a'])]));
    assert.deepEqual([select({}).length, select({ team: '' }).length, select({ team: 'a' }).length], [0, 1, 1]);
  });

  it('the table always has an index by name, and has an index by another label if at least eight policies use the label', () => {
    const teams = (count: number) =>
      named(Array.from({ length: count }, (_, i) => ({ matchLabels: { team: `t${i}` } })));
    assert.deepEqual(indexesOf(teams(7)), []);
    assert.deepEqual(indexesOf(teams(8)), ['byLabel0']);
    assert.deepEqual(indexesOf(named([{ matchLabels: { [NAME]: 'a' } }])), ['byName']);
    // A selector of more than one label is rendered as a condition, not in an index.
    const two = Array.from({ length: 9 }, (_, i) => ({ matchLabels: { team: `t${i}`, tier: 'x' } }));
    assert.deepEqual(indexesOf(named(two)), []);
    const [positions = ''] = tableOf(teams(300)).selecting(['l']).positions;
    assert.ok(positions.length < 100, `${positions.length} characters for any number of teams`);
  });

  it('the table returns a policy once, even if its selector names a value twice', () => {
    const select = selecting(named([{ matchExpressions: [{ key: NAME, operator: 'In', values: ['a', 'a'] }] }]));
    assert.deepEqual(select({ [NAME]: 'a' }), ['p0']);
  });

  it('each chunk of the table is short enough for an expression, and no row at a boundary is lost', () => {
    const policies = Array.from({ length: 1_500 }, (_, i) =>
      resolved(`policy-${String(i).padStart(4, '0')}-${'x'.repeat(40)}`, {
        namespaceSelector: { matchLabels: { [NAME]: `namespace-${i}-${'y'.repeat(40)}` } },
      }),
    );
    const table = tableOf(policies);
    assert.ok(table.chunks.length > 2, `${table.chunks.length} chunks`);
    assert.equal(table.size, policies.length);
    for (const { name, expression } of table.constants) {
      assert.ok(expression.length < MAX_EXPRESSION, `${name}: ${expression.length}`);
    }
    assert.equal(new Set(table.constants.map(({ name }) => name)).size, table.constants.length);
    const at = (i: number) =>
      (evaluated(table.rowAt('i'), { i: BigInt(i) }, table.constants) as { name: string[] }).name[0];
    const lengths = table.chunks.map((chunk) => (evaluated(chunk, {}, table.constants) as unknown[]).length);
    assert.equal(
      lengths.reduce((total, one) => total + one, 0),
      policies.length,
    );
    const ends = lengths.map((_, i) => lengths.slice(0, i + 1).reduce((total, one) => total + one, 0));
    for (const position of [0, ...ends.flatMap((end) => [end - 1, end]), policies.length - 1]) {
      if (position < policies.length) assert.equal(at(position), policies[position]?.name);
    }
    const select = selecting(policies);
    for (const one of [policies[0], policies[700], policies.at(-1)]) {
      const [name = ''] = Object.values(one?.selector.matchLabels ?? {});
      assert.deepEqual(select({ [NAME]: name }), [one?.name]);
    }
  });

  for (const [title, selectors] of [
    ['a few long selectors', Array.from({ length: 3 }, (_, i) => longSelector(i))],
    ['many short ones', Array.from({ length: 2_000 }, (_, i) => ({ matchLabels: { shard: `s${i}`, tier: 'x' } }))],
  ] as [string, LabelSelector[]][]) {
    it(`has no expression that is longer than the API server accepts, for ${title}`, () => {
      const policies = named(selectors);
      for (const policy of policies) assert.equal(tooLong(policy), undefined);
      const { variables, positions } = tableOf(policies).selecting(['variables.labels']);
      for (const text of [...positions, ...variables.map(({ expression }) => expression)]) {
        assert.ok(text.length < MAX_EXPRESSION, `${text.length} characters`);
      }
      const select = selecting(policies);
      const last = policies.at(-1);
      assert.deepEqual(select(last?.selector.matchLabels ?? {}), [last?.name]);
      assert.deepEqual(select({}), []);
    });

    it(`is part of programs that the API server accepts, for ${title}`, () => {
      const all = selectors.map((namespaceSelector, i) =>
        policy(`p${i}`, { namespaceSelector, podSecurityLabels: 'Off' }),
      );
      const { programs, refusals } = compile(all, OPTIONS);
      assert.deepEqual([new Set(programs.map(({ kind }) => kind)), refusals.size], [new Set(['Guard', 'Enforce']), 0]);
      for (const { spec } of programs.map((program) => new AdmissionText(program.policy))) {
        for (const { expression } of [...(spec.variables ?? []), ...(spec.matchConditions ?? [])]) {
          assert.ok(expression.length < MAX_EXPRESSION, `${expression.length} characters: ${expression.slice(0, 80)}`);
        }
      }
    });
  }

  it('of no policies selects none', () => {
    const { selecting: of, constants } = tableOf([]);
    const [positions = ''] = of(['labels']).positions;
    assert.deepEqual(evaluated(positions, { labels: {} }, constants), []);
  });
});
