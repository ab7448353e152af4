/** The Dockerfile builds the programs from a part of the checkout. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleCappol, bundleOperator } from '../../config/release/bundle.ts';
import { ROOT } from '../support/page.ts';

describe('the Dockerfile', () => {
  it('copies each source of the programs and of the page, and .dockerignore lets it', async () => {
    const copied = linesOf('Dockerfile', /^COPY (?!--from)(.*) \S+$/).flatMap((paths) => paths.split(' '));
    const sent = linesOf('.dockerignore', /^!(.*)$/);
    const bundles = await Promise.all([bundleOperator(), bundleCappol()]);
    const sources = bundles.flatMap((bundle) => bundle.sources);
    assert.ok(sources.includes('ui/main.tsx') && sources.includes('operator/main.ts'));
    const without = (paths: readonly string[]) =>
      sources.filter((source) => !paths.some((path) => source === path || source.startsWith(`${path}/`)));
    assert.deepEqual(without(copied), []);
    assert.deepEqual(without(sent), []);
  });
});

/** The first group of each line that matches. */
function linesOf(file: string, pattern: RegExp): string[] {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
  return lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
}
