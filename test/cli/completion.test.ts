/** Tests completion by running bash, fish and zsh. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cappol } from '../support/cappol.ts';
import { describeWith } from '../support/needs.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];
const COMMANDS = [
  'check',
  'compare',
  'completion',
  'explain',
  'fix',
  'help',
  'migrate',
  'observe',
  'render',
  'report',
  'snapshot',
  'status',
  'suggest',
  'ui',
  'version',
];

/** Pairs of a line that a user typed, and all completions of the line's last word. */
const TYPED: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['cappol ', COMMANDS],
  ['cappol ch', ['check']],
  ['cappol check --namesp', ['--namespace', '--namespace-labels']],
  ['cappol check -o j', ['json', 'junit']],
  ['cappol check --fail-on ', ['Audit', 'Enforce', 'None', 'NotEvaluated', 'Opens', 'Warn']],
  ['cappol check -f ./man', ['./manifests/']],
  ['cappol fix --only ', ['check', 'safe', 'spelling']],
  ['cappol fix -o k', ['kustomize']],
  ['cappol suggest --mode ', ['Audit', 'Enforce', 'Warn']],
  ['cappol status --output y', ['yaml']],
  ['cappol status --output compliance', ['compliance', 'compliance-json']],
  ['cappol completion ', [...SHELLS, 'kubectl']],
  ['cappol help s', ['snapshot', 'status', 'suggest']],
];

const programs = {
  bash: 'apt-get install bash',
  zsh: 'apt-get install zsh',
  fish: 'apt-get install fish',
};

describeWith({ programs }, 'completion', () => {
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'completion-'));
    mkdirSync(join(folder, 'manifests'));
    for (const shell of SHELLS) {
      const { code, stdout } = await cappol(['completion', shell]);
      assert.equal(code, 0);
      writeFileSync(join(folder, shell === 'zsh' ? '_cappol' : `cappol.${shell}`), stdout);
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  const ask = (shell: Shell, script: string) => {
    const flags = shell === 'zsh' ? ['-f'] : [];
    return execFileSync(shell, [...flags, '-c', script], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  };

  for (const [line, offered] of TYPED) {
    it(`of bash for ${JSON.stringify(line)}`, () => {
      const words = line.split(' ').map((word) => `'${word}'`);
      const script = `. ./cappol.bash; COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _cappol; printf '%s\\n' "\${COMPREPLY[@]}"`;
      // In bash, the completion of a folder has no slash, because Readline adds the slash.
      const found = ask('bash', script)
        .trim()
        .split('\n')
        .map((word) => word.replace(/^(\.\/manifests)$/, '$1/'));
      assert.deepEqual(found.filter((word) => word !== '--help').sort(), [...offered].sort());
    });

    it(`of fish for ${JSON.stringify(line)}`, () => {
      const found = ask('fish', `source cappol.fish; complete -C '${line}'`).trim().split('\n');
      assert.deepEqual(found.map((one) => one.split('\t')[0]).sort(), [...offered].sort());
    });
  }

  it('zsh completes each of the typed lines at the first attempt', () => {
    const shown = ask('zsh', zshScript(TYPED.map(([line]) => line)))
      .split(SEPARATOR)
      .slice(1);
    assert.equal(shown.length, TYPED.length);
    for (const [index, [line, offered]] of TYPED.entries()) {
      const [only, ...others] = offered;
      const text = shown[index] ?? '';
      if (others.length === 0) assert.ok(text.includes(`${line.replace(/\S*$/, '')}${only}`), `${line}: ${text}`);
      else for (const word of offered) assert.ok(text.includes(word), `${line}: ${word} is not in ${text}`);
    }
  });
});

const SEPARATOR = '=====';

/**
 * A script for zsh that runs an interactive zsh for each line and prints its output. Only an interactive zsh gives
 * completions.
 */
function zshScript(lines: readonly string[]): string {
  return [
    'zmodload zsh/zpty',
    'show() {',
    '  local out chunk',
    `  zpty shell "TERM=dumb PS1= zsh -f -i"`,
    `  zpty -w shell 'fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; setopt no_auto_menu no_beep; LISTMAX=100; print REA""DY'`,
    `  zpty -r -m shell out '*READY*'`,
    `  zpty -n -w shell "$1"$'\\t\\t; print DO""NE\\n'`,
    `  zpty -r -m shell out '*DONE*'`,
    `  print -r -- "${SEPARATOR}$out"`,
    '  zpty -d shell',
    '}',
    ...lines.map((line) => `show '${line}'`),
  ].join('\n');
}
