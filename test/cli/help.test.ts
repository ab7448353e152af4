/** Tests the help of the commands. The help must equal docs/, and the examples in the help must work. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { cappol } from '../support/cappol.ts';
import { examples, paste } from './examples.ts';

const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'reference', 'cappol.md');
const page = readFileSync(PAGE, 'utf8');
const commands = [...page.matchAll(/^## cappol (.+)$/gm)].map(([, name = '']) => name);
const pasted = await examples();

describe('help', () => {
  it('names all commands', async () => {
    const { stdout } = await cappol(['--help']);
    for (const command of commands) assert.match(stdout, new RegExp(`^ {2}${command} `, 'm'));
    assert.match(stdout, /^Exit codes: 0 .*, 1 .*, 2 /m);
  });

  for (const command of commands) {
    it(`of ${command} equals the reference, with an example`, async () => {
      const { code, stdout } = await cappol([command, '--help']);
      assert.equal(code, 0);
      assert.ok(page.includes(`## cappol ${command}\n\n\`\`\`text\n${stdout.trimEnd()}\n\`\`\`\n`), 'npm run generate');
      assert.ok(pasted.some((example) => example.command === command));
    });
  }

  for (const { paste: text } of pasted.filter(({ needsCluster }) => !needsCluster)) {
    it(`has an example that works: ${text.split('\n')[0]}`, async () => {
      const { code, stderr } = await paste(text);
      assert.ok(code === 0 || code === 1, stderr);
      assert.doesNotMatch(stderr, /^cappol: /m);
    });
  }

  it('an error in the command line prints the help with the error, and exits with 2', async () => {
    const WRONG: readonly (readonly [args: readonly string[], told: RegExp])[] = [
      [['chekc'], /^cappol: unknown command 'chekc'\n\(Did you mean check\?\)/],
      [['check', '--polcy', 'x'], /^cappol: unknown option '--polcy'\n\(Did you mean --policy\?\)/],
      [
        ['check', '-o', 'xml'],
        /^cappol: option '-o, --output <format>' argument 'xml' is invalid\. Allowed choices are table,/,
      ],
      [['check', '-f'], /^cappol: option '-f, --filename <path\.\.\.>' argument missing/],
      [['check'], /^cappol: nothing to check: name files with -f, or use --cluster\n$/],
      [
        ['check', '-f', 'a', '--server-version', '1.30'],
        new RegExp(`write v1\\.N, such as ${formatVersion(NEWEST_KNOWN_MINOR)}\\.`),
      ],
      [['check', '-f', 'a', '--namespace-labels', 'team'], /write KEY=VALUE/],
      [['render'], /^cappol: nothing to render: name files with --policy\n$/],
      [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
    ];
    for (const [args, told] of WRONG) {
      const { code, stdout, stderr } = await cappol(args);
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
      assert.match(stderr, told);
    }
  });
});
