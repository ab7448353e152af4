/**
 * Tests the npm scripts that README names. A script must print its usage, or report a mistyped argument, before the
 * script starts anything.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../support/page.ts';

const SCRIPTS: Readonly<Record<string, string>> = { demo: 'hack/demo/demo.ts', try: 'hack/try/main.ts' };

for (const [name, file] of Object.entries(SCRIPTS)) {
  describe(`npm run ${name}`, function () {
    this.timeout(30_000);
    const run = (...args: readonly string[]) =>
      spawnSync(process.execPath, [join(ROOT, file), ...args], { encoding: 'utf8' });

    it('prints help', () => {
      const { status, stdout, stderr } = run('--help');
      assert.equal(stderr, '');
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`^Usage: npm run ${name} `));
      assert.ok(stdout.split('\n').every((line) => line.length <= 120));
    });

    for (const [what, args] of Object.entries({ 'a mistyped option': ['--hepl'], 'an argument': ['now'] })) {
      it(`names ${what}, and prints help instead of a stack`, () => {
        const { status, stdout, stderr } = run(...args);
        assert.equal(stdout, '');
        assert.equal(status, 2);
        assert.match(stderr, new RegExp(`^npm run ${name}: .*${args[0]}.*\n\nUsage: npm run ${name} `));
        assert.doesNotMatch(stderr, /^ {4}at /m);
      });
    }
  });
}
