/** Tests that the Dockerfile builds the programs from a part of the checkout. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleCappol, bundleOperator } from '../../config/release/bundle.ts';
import { NODE_FLAGS } from '../../hack/bench/operator-under-test.ts';
import { ROOT } from '../support/page.ts';

describe('the Dockerfile', () => {
  it('the Dockerfile copies what .dockerignore includes, which is each source of the programs and of the page', async () => {
    assert.ok(linesOf('Dockerfile', /^COPY (?!--from)(.*) \S+$/).includes('.'));
    const sent = linesOf('.dockerignore', /^!(.*)$/);
    const bundles = await Promise.all([bundleOperator(), bundleCappol()]);
    const sources = bundles.flatMap((bundle) => bundle.sources);
    assert.ok(sources.includes('ui/main.tsx') && sources.includes('operator/main.ts'));
    const left = sources.filter((source) => !sent.some((path) => source === path || source.startsWith(`${path}/`)));
    assert.deepEqual(left, []);
  });

  it("starts Node with the Deployment's flags", () => {
    const commands = linesOf('Dockerfile', /^ENTRYPOINT (.*)$/).map((command): string[] => JSON.parse(command));
    const ofOperator = commands.filter((command) => command.at(-1) === '/app/operator/main.mjs');
    assert.deepEqual(
      ofOperator.map((command) => command.slice(1, -1)),
      [NODE_FLAGS],
    );
  });
});

/** For each line that matches the pattern, returns the text of the pattern's first group. */
function linesOf(file: string, pattern: RegExp): string[] {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
  return lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
}
