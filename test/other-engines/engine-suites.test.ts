import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { validatePolicy } from '../../analysis/policies/validate.ts';
import { policy } from '../support/policies.ts';
import { type Compared, comparisonText, type Explained } from './comparison.ts';
import { DIFFERENCES } from './differences.ts';
import { policyFor } from './policies.ts';
import { type EngineCase, engineCases } from './suites.ts';
import { verdictOn } from './verdict.ts';

/** The page about the comparison. On machines with the cases, UPDATE_GOLDEN=1 rewrites the page. */
const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'comparison-of-verdicts.md');

describe('docs/comparison-of-verdicts.md', () => {
  it('counts each case, and explains each difference', () => {
    const page = readFileSync(PAGE, 'utf8');
    const counts = [...page.matchAll(/^\| ([^|]+) \| (\d+) \| (\d+) \| (\d+) \|$/gm)].map((row) =>
      row.slice(2).map(Number),
    );
    const total = counts.pop();
    const sums = [0, 1, 2].map((column) => counts.reduce((sum, row) => sum + (row[column] ?? 0), 0));
    assert.deepEqual(sums, total);
    const [cases = 0, same = 0, different = 0] = sums;
    assert.equal(same + different, cases);
    assert.equal(cases, 589);
    const differences = page.match(/^\| [^|]+ \| [^|]+ \| (allow|deny)[^|]* \| (allow|deny)[^|]* \| [^|]+ \|$/gm);
    assert.equal(differences?.length, different);
  });
});

const cases = engineCases();
if (cases) {
  describe("other engines' own tests", () => {
    const compared = cases.map((theirs): Compared => ({ theirs, ours: verdictOn(theirs, policyFor(theirs)) }));
    const different = compared.filter(({ theirs, ours }) => !isSame(theirs, ours));

    it('every case is evaluated under a policy that the API accepts', () => {
      for (const theirs of cases) {
        const { problems } = validatePolicy(policy('other-engine', policyFor(theirs)));
        assert.deepEqual(problems, [], theirs.suite);
      }
    });

    it('every case gets the expected verdict, or has a known reason for another verdict', () => {
      const unexplained = different.filter(({ theirs }) => reasonsFor(theirs).length !== 1);
      assert.deepEqual(
        unexplained.map(({ theirs, ours }) => [theirs.suite, theirs.case, theirs.expect, ours, reasonsFor(theirs)]),
        [],
      );
    });

    it('need each reason why not', () => {
      const unused = DIFFERENCES.filter((one) => !different.some(({ theirs }) => one.appliesTo(theirs)));
      assert.deepEqual(unused, []);
    });

    it('are listed in docs/comparison-of-verdicts.md', () => {
      const explained = different.map((one): Explained => ({ ...one, why: reasonsFor(one.theirs).join(' ') }));
      const text = comparisonText(compared, explained);
      if (process.env.UPDATE_GOLDEN === '1') writeFileSync(PAGE, text);
      assert.equal(text, readFileSync(PAGE, 'utf8'));
    });

    after(() => {
      const same = compared.length - different.length;
      console.log(`    ${cases.length} cases: ${same} with the same verdict, ${different.length} explained`);
    });
  });
}

function isSame({ expect, mutated }: EngineCase, ours: Compared['ours']): boolean {
  return ours.verdict === expect && (mutated === undefined || ours.mutated === mutated);
}

function reasonsFor(theirs: EngineCase): string[] {
  return DIFFERENCES.filter((one) => one.appliesTo(theirs)).map(({ why }) => why);
}
