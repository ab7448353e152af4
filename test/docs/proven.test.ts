/** Tests the figures in README's table of proofs. The same figures must be on the linked pages. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/page.ts';

describe("README's table of what is proven", () => {
  const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8');
  const rowOf = (what: string) => new RegExp(`^\\| ${what} \\| (.*) \\|$`, 'm').exec(textOf('README.md'))?.[1] ?? '';

  it('counts the cases of comparison-of-verdicts.md', () => {
    const [, ...figures] =
      /^\| all \| (\d+) \| (\d+) \| (\d+) \|$/m.exec(textOf('docs/comparison-of-verdicts.md')) ?? [];
    const [all, same, different] = figures;
    assert.deepEqual(rowOf('verdicts').match(/\d+/g), [same, all, different]);
  });

  it('has the tested versions of operations.md', () => {
    const rows = textOf('docs/operations.md').matchAll(/^\| (1\.\d+) \|.*\| 1\.\d+\.\d+(?:-beta\.\d+)? \|$/gm);
    const tested = Array.from(rows, ([, version = '']) => version);
    const [, count, oldest] = /\[(\d+) Kubernetes versions\].* the oldest (1\.\d+)/.exec(rowOf('versions')) ?? [];
    assert.deepEqual([count, oldest], [String(tested.length), tested[0]]);
  });

  it('README and docs/rollout.md give the same numbers about the rollout', () => {
    const page = textOf('docs/rollout.md').replaceAll(/\s+/g, ' ');
    const [, times, namespaces] = /killed (\d+) times in .* over (\d+) namespaces/.exec(rowOf('faults')) ?? [];
    assert.ok(page.includes(`over ${namespaces} namespaces`), namespaces);
    assert.ok(page.includes(`killed ${times} times`), times);
  });
});
