/**
 * Tests the sentences of findings on the page. The sentences have the words of `cappol compare`, and the names of other
 * policies are links.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { policiesText } from '../../../analysis/compare/finding.ts';
import { findingParts, type SentencePart } from '../../../ui/model/finding-words.ts';
import { SEED } from '../../support/seed.ts';

/** Sentences. Brackets mark each name that must become a link. */
const CASES: readonly (readonly [others: readonly string[], sentence: string])[] = [
  [['all'], 'This policy changes nothing: without it, policy [all] admits the same pods.'],
  [['a', 'b', 'c'], 'It is below policies [a], [b] and [c].'],
  [['net'], 'For each user of policy net-proxy, policy [net] admits every pod.'],
  [[], 'It rests in mode Audit.'],
];

describe(`a finding on the page (SEED=${SEED})`, () => {
  for (const [others, sentence] of CASES) {
    it(`links to each other policy: ${sentence}`, () => {
      const message = sentence.replaceAll(/[[\]]|\.$/g, '');
      assert.equal(linked(findingParts({ message, others })), sentence);
    });
  }

  it('for all names, the finding has the words of the message, and a link for each other policy', () => {
    const name = fc.stringMatching(/^[ab]([-.ab]{0,2}[ab])?$/);
    const sentence = fc.tuple(name, fc.uniqueArray(name, { minLength: 1, maxLength: 3 }));
    const property = fc.property(sentence, ([own, all]) => {
      const others = all.filter((one) => one !== own);
      fc.pre(others.length > 0);
      const message = `this exception opens nothing: for each user of policy ${own}, ${policiesText(others)} admit every pod; you can delete policy ${own}`;
      const parts = findingParts({ message, others });
      assert.equal(parts.map(textOf).join(''), `T${message.slice(1)}.`);
      assert.deepEqual(
        parts.flatMap((part) => (typeof part === 'string' ? [] : [part.policy])),
        others,
      );
      assert.ok(parts[0] !== undefined && textOf(parts[0]).endsWith(`for each user of policy ${own}, `));
    });
    fc.assert(property, { seed: SEED, numRuns: 300 });
  });
});

function textOf(part: SentencePart): string {
  return typeof part === 'string' ? part : part.policy;
}

/** Joins the parts. Brackets mark each link in the result. */
function linked(parts: readonly SentencePart[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : `[${part.policy}]`)).join('');
}
