import assert from 'node:assert/strict';
import { resultOf, runsOf, suiteRun } from './runs.ts';
import { markdown } from './table.ts';

const SUITE = suiteRun(['integration/decisions']);
const REASON = 'needs MutatingAdmissionPolicy v1, offered since v1.36';
const OLD = {
  code: 0,
  output: `Left out: pods are filled in; ${REASON}\n\n  26 passing (2m)\n\n26 passed, 0 failed\n`,
};
const [levels, policies] = runsOf({ full: false, seed: '7' }).slice(-2);

describe('the results of test:versions', () => {
  it('the table has the results by suite and version, with the skipped tests and the reasons', () => {
    const columns = new Map([
      ['v1.33.13', new Map([[SUITE.name, resultOf(SUITE, OLD)]])],
      ['v1.36.3', new Map([[SUITE.name, resultOf(SUITE, { code: 1, output: '26 passed, 1 failed\n' })]])],
    ]);
    assert.equal(
      markdown(columns),
      [
        '|  | v1.33.13 | v1.36.3 |',
        '| --- | --- | --- |',
        '| integration/decisions | 26 passed, 0 failed, 1 left out | 26 passed, 1 failed |',
        '',
        `v1.33.13, integration/decisions: left out: 1 (${REASON})`,
        '* pods are filled in',
      ].join('\n'),
    );
  });

  it('a result is a failure if a test failed, or if the run ended before its last line', () => {
    assert.ok(resultOf(SUITE, OLD).ok);
    assert.ok(!resultOf(SUITE, { code: 1, output: '26 passed, 1 failed\n' }).ok);
    const died = resultOf(SUITE, { code: 0, output: 'before all hook\n' });
    assert.deepEqual(died, { ok: false, summary: 'ended early, with exit code 0', leftOut: [] });
  });

  it('the result has the seed and the counts of a differential test', () => {
    const all =
      'levels: seed 7, 26 levels and versions, 15 policies with overrides, 820 pods evaluated, 300 admitted, 0 differences';
    assert.ok(levels && policies);
    assert.match(
      resultOf(levels, { code: 0, output: `policy PSA\n${all}\n` }).summary,
      /^seed 7, 26 .*, 0 differences$/,
    );
    const random = 'policies: seed 7, 8 policies, 320 pods evaluated, 100 admitted, 9 invalid, 0 differences';
    const labels = 'labels: seed 7, 66 counterexamples, 0 missing';
    assert.match(
      resultOf(policies, { code: 0, output: `${random}\n${labels}\n` }).summary,
      /^seed 7, 8 policies, .*, 0 differences; seed 7, 66 counterexamples, 0 missing$/,
    );
  });
});
