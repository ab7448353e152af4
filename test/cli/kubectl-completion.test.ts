/** Tests the completion of `kubectl cappol` by running kubectl. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cappol } from '../support/cappol.ts';
import { sharedControlPlane } from '../support/control-plane.ts';

const CAPPOL = join(import.meta.dirname, '..', '..', 'bin', 'kubectl-cappol');
/** Cobra's directives. A directive says whether the shell also offers file names. */
const [FILES, NO_FILES] = [':0', ':4'];

/** Rows with the words after `kubectl cappol`, the completions of the last word, and the directive. */
const TYPED: readonly (readonly [words: readonly string[], offered: readonly string[], directive: string])[] = [
  [['ch'], ['check'], NO_FILES],
  [['s'], ['snapshot', 'status', 'suggest'], NO_FILES],
  [['check', '--namesp'], ['--namespace', '--namespace-labels'], NO_FILES],
  [['check', '-o', 'j'], ['json', 'junit'], NO_FILES],
  [['check', '--fail-on', ''], ['Audit', 'Enforce', 'None', 'NotEvaluated', 'Opens', 'Warn'], NO_FILES],
  [['check', '-f', './man'], [], FILES],
  [['check', '--namespace', ''], [], NO_FILES],
  [['completion', 'ku'], ['kubectl'], NO_FILES],
  [['help', 's'], ['snapshot', 'status', 'suggest'], NO_FILES],
  [['nonsense', ''], [], NO_FILES],
];

describe('the completion of kubectl cappol', () => {
  let folder: string;
  let kubectl: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kubectl-completion-'));
    ({ kubectl } = await sharedControlPlane());
    const { stdout } = await cappol(['completion', 'kubectl']);
    writeFileSync(join(folder, 'kubectl_complete-cappol'), stdout, { mode: 0o755 });
    symlinkSync(CAPPOL, join(folder, 'kubectl-cappol'));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [words, offered, directive] of TYPED) {
    it(`offers for ${JSON.stringify(words.join(' '))}: ${offered.join(', ') || 'nothing'}`, () => {
      const PATH = `${folder}:${dirname(process.execPath)}:/usr/bin:/bin`;
      const options = { encoding: 'utf8', env: { PATH, HOME: folder }, stdio: 'pipe' } as const;
      const lines = execFileSync(kubectl, ['__complete', 'cappol', ...words], options)
        .trim()
        .split('\n');
      assert.deepEqual(
        lines
          .slice(0, -1)
          .filter((word) => word !== '--help')
          .sort(),
        [...offered].sort(),
      );
      assert.equal(lines.at(-1), directive);
    });
  }
});
