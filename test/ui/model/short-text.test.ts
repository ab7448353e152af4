import assert from 'node:assert/strict';
import fc from 'fast-check';
import { shortText } from '../../../ui/model/short-text.ts';

describe('the beginning of a long text', () => {
  it('the whole text is shown if the text is hardly longer than the limit', () => {
    assert.equal(shortText('one two three', 13), undefined);
    assert.equal(shortText('one two three', 10), undefined);
  });

  it('ends between two words', () => {
    assert.equal(shortText('one two three four five', 10), 'one two');
  });

  it('the beginning is never longer than the limit, and never splits a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.integer({ min: 1, max: 80 }), (text, most) => {
        const short = shortText(text, most);
        if (short === undefined) return;
        assert.ok(short.length <= most && text.startsWith(short));
        assert.ok(short.isWellFormed() || !text.isWellFormed());
      }),
    );
  });
});
