/**
 * Tests the links of the playground. A link contains the texts. For a damaged link, the error message says that the
 * link is damaged.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { copiedText, labelsOf, labelsText, linkOf, type Play, playOf } from '../../../ui/model/play-link.ts';
import { SEED } from '../../support/seed.ts';

const text = fc.string({ unit: 'binary', maxLength: 300 }).map((one) => one.toWellFormed());
const play: fc.Arbitrary<Play> = fc.record(
  { policies: text, manifests: text, namespace: text, labels: text, before: text },
  { noNullPrototype: true, requiredKeys: ['policies', 'manifests', 'namespace', 'labels'] },
);

describe(`links of the playground (SEED=${SEED})`, () => {
  it('links give back every text, and need no escapes in an address', async () => {
    const property = fc.asyncProperty(play, async (one) => {
      const link = await linkOf(one);
      assert.match(link, /^[\w-]+$/);
      assert.deepEqual(await playOf(link), one);
    });
    await fc.assert(property, { seed: SEED, numRuns: 100 });
  });

  it('a link is reported as damaged if any part is cut off or changed', async () => {
    const damage = fc.tuple(
      play,
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      fc.constantFrom('cut', 'changed', 'text'),
    );
    const property = fc.asyncProperty(damage, async ([one, at, how]) => {
      const link = await linkOf(one);
      const index = Math.floor(at * link.length);
      const damaged = {
        cut: link.slice(0, index),
        changed: `${link.slice(0, index)}${link[index] === 'A' ? 'B' : 'A'}${link.slice(index + 1)}`,
        text: `${link.slice(0, index)}%20${link.slice(index)}`,
      }[how];
      const read = await playOf(damaged).catch((error: Error) => error.message);
      // A link has no checksum. A damaged link may therefore contain another complete text, but must never contain only
      // a part of a text.
      if (typeof read === 'string') assert.match(read, /^This link is damaged/);
      else assert.deepEqual(Object.keys(read), Object.keys(one));
    });
    await fc.assert(property, { seed: SEED, numRuns: 200 });
  });

  it('a link is refused if its text would expand too much', async () => {
    const link = await linkOf({ policies: 'a'.repeat(5_000_000), manifests: '', namespace: '', labels: '' });
    assert.ok(link.length < 20_000);
    await assert.rejects(playOf(link), /damaged/);
  });
});

describe('the words about a copied link', () => {
  it('the words say where a link opens, because other people cannot open a link to a page on this machine', () => {
    assert.match(copiedText('https://example.github.io/playground/'), /^Copied\. The link contains all texts/);
    assert.match(copiedText('http://127.0.0.1:40123/#/playground'), /only in this browser, while cappol ui runs/);
    assert.match(copiedText('file:///home/a/report.html'), /only where this file is/);
  });
});

describe('labels of the playground', () => {
  it('labels are read from text and written as text', () => {
    const labels = { team: 'network', 'example.org/stage': '' };
    assert.deepEqual(labelsOf(labelsText(labels)), labels);
    assert.deepEqual(labelsOf(' team = network , '), { team: 'network' });
    assert.throws(() => labelsOf('team'), /Write labels as KEY=VALUE/);
  });
});
