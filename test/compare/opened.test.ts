/**
 * Tests which namespaces a comparison of the whole cluster names for each difference. A second comparison compares only
 * the policies that decide in one namespace. The second comparison must find the difference in the namespaces that the
 * first comparison names, and in no other namespace. OPENED=50 tests 50 pairs of sets.
 */
import assert from 'node:assert/strict';
import fc, { type Arbitrary } from 'fast-check';
import { compare } from '../../analysis/compare/compare.ts';
import { openedBy } from '../../analysis/compare/opened.ts';
import type { PolicySet } from '../../analysis/compare/policy-set.ts';
import { NAME_LABEL } from '../../operator/api/capability-policy.ts';
import { deciding } from '../../operator/policy/deciding.ts';
import { SELECTOR, UNIVERSE } from '../support/random-selectors.ts';
import { SEED } from '../support/seed.ts';
import { FEW_OVERRIDES, type Spec, type Specs, setOf } from './sets.ts';

const RUNS = Number(process.env.OPENED ?? 4);
/** The maximum number of pods of a comparison. Comparisons of more pods take minutes. */
const LIMIT = 30_000;

/** The labels of each namespace, by namespace name. The random selectors use only labels in this map. */
const NAMESPACES = new Map(UNIVERSE.map((labels, i) => [`n${i}`, { ...labels, [NAME_LABEL]: `n${i}` }]));

const BY_NAME: Spec['namespaceSelector'] = {
  matchExpressions: [{ key: NAME_LABEL, operator: 'In', values: ['n0', 'n7', 'kube-system'] }],
};

const SPEC: Arbitrary<Spec> = fc
  .record({
    spec: FEW_OVERRIDES,
    namespaceSelector: fc.oneof(fc.constant({}), SELECTOR, fc.constant(BY_NAME)),
    priority: fc.constantFrom(0, 0, 1),
    usableBy: fc.constantFrom('Everyone' as const, 'Everyone' as const, 'Bindings' as const),
  })
  .map(({ spec, ...rest }) => ({ ...spec, ...rest }));

const SETS = fc.tuple(setsOf(2), setsOf(2));

function setsOf(most: number): Arbitrary<Specs> {
  return fc
    .array(SPEC, { minLength: 1, maxLength: most })
    .map((specs) => Object.fromEntries(specs.map((spec, i) => [`policy-${i}`, spec])));
}

describe(`the namespaces in which a change opens something (SEED=${SEED})`, () => {
  it(`are those in which the deciding policies differ, for ${RUNS} pairs`, function () {
    this.timeout(RUNS * 120_000);
    const seen = { pairs: 0, named: 0, others: 0 };
    for (const [old, now] of fc.sample(SETS, { numRuns: 10 * RUNS, seed: SEED })) {
      if (seen.pairs >= RUNS && seen.named > 0 && seen.others > 0) break;
      const [a, b] = [setOf(old), setOf(now)];
      const { opens, undecided } = openedBy(stateOf(a), stateOf(b), {
        namespaces: ['kube-system', ...NAMESPACES.keys()],
        limit: LIMIT,
      });
      assert.ok(opens.every(({ namespaces }) => !namespaces.includes('kube-system')));
      // All namespaces together can exceed a limit, even if no single namespace exceeds the limit.
      if (undecided.length > 0) continue;
      seen.pairs += 1;
      const known = new Map<string, string[]>();
      for (const name of NAMESPACES.keys()) {
        const own = opens.filter(({ namespaces }) => namespaces.includes(name));
        assert.deepEqual(
          own.map(differenceText).sort(),
          openedIn(name, a, b, known),
          JSON.stringify({ old, now, name }),
        );
        seen[own.length > 0 ? 'named' : 'others'] += 1;
      }
    }
    assert.ok(seen.named > 0 && seen.others > 0, JSON.stringify(seen));
  });
});

function stateOf({ policies, isExcluded }: PolicySet) {
  const labelsOf = (name: string) => NAMESPACES.get(name) ?? { [NAME_LABEL]: name };
  return { compiled: { policies }, isExcluded, labelsOf };
}

/** The differences between the policies that decide in one namespace. All other namespaces are ignored. */
function openedIn(name: string, old: PolicySet, now: PolicySet, known: Map<string, string[]>): string[] {
  const labels = NAMESPACES.get(name) ?? {};
  const decidingIn = ({ policies }: PolicySet) =>
    deciding(policies, 'Enforce', labels).map((policy) => ({ ...policy, selector: {} }));
  const [a, b] = [decidingIn(old), decidingIn(now)];
  const key = JSON.stringify([a, b].map((policies) => policies.map(({ id }) => id)));
  const found =
    known.get(key) ??
    compare({ ...old, policies: a }, { ...now, policies: b }, { limit: LIMIT, directions: ['opens'] })
      .opens.map(differenceText)
      .sort();
  known.set(key, found);
  return found;
}

function differenceText({
  rules,
  use,
}: {
  readonly rules: readonly string[];
  readonly use: readonly string[];
}): string {
  return `${rules[0]} ${use.join()}`;
}
