/**
 * Tests pages, comments, messages and test titles. The prose must avoid words and sentence openers that make people
 * read a sentence twice.
 */
import assert from 'node:assert/strict';
import { ROOT } from '../support/page.ts';
import { type Sentence, sentencesIn, sentencesOf } from '../support/sentences.ts';

/** Each pair has the wording to use, and a pattern that matches the wordings to avoid. */
const RULES: readonly (readonly [string, RegExp])[] = [
  ['name the thing first', /^(Of|Who|Whom|Whose|Whoever|What|Whatever) (?!.*\?)/],
  ['name what is left: the others, everything else', /\ball else\b/i],
  ['earlier, historical, former', /\bof old\b/i],
  ['release, withdraw, skip', /\blets? go\b/i],
  ['the result, the state', /\b(what becomes|what became|become|became|becomes) of\b/i],
  ['report, say, name', /\b(tell|tells|told|telling) of\b/i],
  ['exists, is in force, remains', /\b(stands?|stood) (either way|all the same|beside it|there|for any|in the way)\b/i],
  ['restored, unchanged', /\bis as it (was|is)\b/i],
  ['again', /\banew\b/i],
  ['forever', /\bfor ever\b/i],
  ['standby', /\bstand-by\b/i],
  ['another owner', /\bsomebody else's\b/i],
  ['must, has to', /\b(is|are|was|were) to be (?=[a-z]+(ed|en)\b)/i],
  ['remove, delete', /\b(takes?|took|taken) away\b/i],
  ['unnecessary', /\bneedless(ly)?\b/i],
  ['predict', /\b(foretells?|foretold)\b/i],
  ['so, therefore', /\b(hence|thereby|thus|lest|whence)\b/i],
  ['estimate, calculate', /\breckon(s|ed)?\b/i],
  ['whether it is … or …', /\bbe it\b/i],
  ['evaluate; verdict', /\bjudg(e|es|ed|ing|ements?)\b/i],
  ['rollout', /\broll-outs?\b/i],
  ['accept', /\bthe API servers? takes? (no|any|every|only|a|the|it|them)\b/i],
];

describe('prose', () => {
  const sentences = sentencesOf(ROOT).filter(({ file }) => file !== 'test/docs/prose.test.ts');

  it('is found in pages, comments and messages', () => {
    for (const file of ['README.md', 'operator/operator.ts', 'crds/capabilitypolicies.yaml', 'config/rbac/role.yaml'])
      assert.ok(
        sentences.some((sentence) => sentence.file === file),
        file,
      );
  });

  for (const [instead, pattern] of RULES) {
    it(`has no ${pattern.source}: ${instead}`, () => {
      assert.deepEqual(sentences.filter(({ text }) => pattern.test(text)).map(shown), []);
    });
  }

  it('the test checks sentence by sentence, so that a question may begin with What', () => {
    const [, opener] = RULES[0] as readonly [string, RegExp];
    const found = sentencesIn('A policy decides. Who complies is skipped. What breaks? Of these, none.');
    assert.deepEqual(
      found.filter((sentence) => opener.test(sentence)),
      ['Who complies is skipped.', 'Of these, none.'],
    );
  });
});

function shown({ file, line, text }: Sentence): string {
  return `${file}:${line}: ${text}`;
}
