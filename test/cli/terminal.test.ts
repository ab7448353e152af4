/** Compares the output of `cappol check` on a terminal with its output in a pipe. The terminal is a pseudo-terminal. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { tableText } from '../../cli/output/table.ts';
import { terminalOf } from '../../cli/output/terminal.ts';
import { wrap } from '../../cli/output/wrap.ts';
import { cappol } from '../support/cappol.ts';
import { describeWith } from '../support/needs.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');
const run = promisify(execFile);

function policy(name: string, mode: string, allowedAdd: string): string {
  return `apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: ${name}}
spec: {namespaceSelector: {}, level: restricted, mode: ${mode}, overrides: {capabilities: {allowedAdd: [${allowedAdd}]}}}
`;
}

const MANIFESTS = [
  policy('audit', 'Audit', 'NET_BIND_SERVICE'),
  policy('ping', 'Enforce', 'NET_RAW'),
  policy('strict', 'Enforce', 'NET_BIND_SERVICE'),
  `apiVersion: apps/v1
kind: Deployment
metadata: {name: clock, namespace: web}
spec:
  template:
    spec:
      hostNetwork: true
      containers: [{name: main, image: app, securityContext: {capabilities: {add: [SYS_TIME]}}}]
`,
  `apiVersion: v1
kind: Pod
metadata: {name: ping, namespace: net}
spec:
  securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
  containers:
  - {name: main, image: app, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL], add: [SYS_NICE]}}}
`,
].join('---\n');

describeWith({ programs: { script: 'apt-get install bsdutils' } }, 'check on a terminal', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'terminal-'));
    writeFileSync(join(folder, 'all.yaml'), MANIFESTS);
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Runs a command with a terminal as its standard output. The terminal has the given number of columns. */
  async function onTerminal(columns: number, env: NodeJS.ProcessEnv = {}, args = 'check -f all.yaml'): Promise<string> {
    const command = `stty cols ${columns} rows 24; '${process.execPath}' '${MAIN}' ${args}`;
    const { stdout } = await run('script', ['--quiet', '--command', command, '/dev/null'], {
      cwd: folder,
      env: { PATH: process.env.PATH, TERM: 'xterm', ...env },
    });
    return stdout.replaceAll('\r\n', '\n').replaceAll(PROGRESS, '');
  }

  let at80: Promise<string> | undefined;
  function plain(): Promise<string> {
    at80 ??= onTerminal(80, { NO_COLOR: '1' });
    return at80;
  }

  async function inPipe(env: NodeJS.ProcessEnv = {}): Promise<string> {
    return run(process.execPath, [MAIN, 'check', '-f', 'all.yaml'], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...env },
    }).then(
      ({ stdout }) => stdout,
      ({ stdout }) => stdout,
    );
  }

  it('the output on a terminal has a heading for each namespace and workload, and each violation once', async () => {
    assert.equal(await plain(), golden('check-terminal.txt', await plain()));
  });

  for (const width of [60, 80, 120]) {
    it(`fits ${width} columns, and breaks no word`, async () => {
      const text = await (width === 80 ? plain() : onTerminal(width, { NO_COLOR: '1' }));
      for (const line of text.split('\n')) assert.ok(line.length <= width, line);
      const words = new Set(text.split(/\s+/));
      const missing = (await inPipe())
        .split('\n')
        .slice(1)
        .flatMap((line) => line.split(/\s+/))
        .filter((word) => ![...words].some((one) => one.includes(word) || word.endsWith(`/${one}`)));
      assert.deepEqual(missing, []);
    });
  }

  for (const args of ['explain NET_RAW', 'explain -f all.yaml', 'check --help', 'check -f all.yaml -o wide']) {
    it(`fits 100 columns: ${args}`, async () => {
      for (const line of (await onTerminal(100, { NO_COLOR: '1' }, args)).split('\n')) {
        assert.ok(line.length <= 100 || /^ *\S+$/.test(line), line);
      }
    });
  }

  it('the output on a terminal uses only the 16 colours that every terminal has', async () => {
    const text = await onTerminal(80);
    assert.ok(text.includes('\u001b[31mrefused\u001b[39m'));
    assert.ok(text.includes('\u001b[1mNamespace net\u001b[22m'));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours
    const codes = new Set([...text.matchAll(/\u001b\[([0-9;]*)m/g)].map(([, code]) => code));
    assert.deepEqual([...codes].sort(), ['1', '22', '31', '39']);
    assert.equal(stripVTControlCharacters(text), await plain());
  });

  for (const [title, env] of Object.entries({
    'with NO_COLOR': { NO_COLOR: '1' },
    'on a terminal without a width': { TERM: 'dumb' },
    'with FORCE_COLOR=0': { FORCE_COLOR: '0' },
  })) {
    it(`has no colours ${title}`, async () => assert.ok(!(await onTerminal(80, env)).includes('\u001b')));
  }

  it('the output has lines of 80 columns if the terminal does not report its width', async () => {
    const text = await onTerminal(0, { NO_COLOR: '1' });
    assert.equal(text, await plain());
  });

  it('the output in a pipe has one line for each violation, with all details and without colours', async () => {
    const text = await inPipe();
    assert.ok(!text.includes('\u001b'));
    assert.equal(text, golden('check-pipe.txt', text));
    const found = text.split('\n').filter((line) => /ping, strict.*SYS_TIME/.test(line));
    assert.deepEqual(
      found.map((line) => line.split(/ {3,}/).slice(0, 3)),
      [['all.yaml:23', 'Deployment web/clock', 'refused']],
    );
  });

  it('in a pipe has colours with FORCE_COLOR', async () => {
    assert.ok((await inPipe({ FORCE_COLOR: '1' })).includes('\u001b[31mrefused\u001b[39m   '));
  });
});

/** Returns the file's content. With UPDATE_GOLDEN=1, the function first writes the current output to the file. */
function golden(name: string, printed: string): string {
  const file = join(import.meta.dirname, 'golden', name);
  if (process.env.UPDATE_GOLDEN) writeFileSync(file, printed);
  return readFileSync(file, 'utf8');
}

/** The lines of progress, which exist only if the command is slow. The command erases each line again. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the characters of a terminal
const PROGRESS = /(?:\r\u001b\[K[^\r\n]*)*\r\u001b\[K/g;

describe('a violation of several policies', () => {
  for (const output of ['table', 'wide', 'github', 'sarif', 'junit']) {
    it(`is shown once by -o ${output}, with all of them`, async () => {
      const { stdout } = await cappol(['check', '-f', '-', '-o', output], MANIFESTS);
      const [message, ...others] = stdout.match(/must not add capability SYS_TIME/g) ?? [];
      assert.deepEqual([message, others], ['must not add capability SYS_TIME', []]);
      assert.match(stdout, /ping, strict, audit \(audited\)/);
    });
  }
});

describe('a table', () => {
  const terminal = (columns: number) =>
    terminalOf({ stdout: { isTTY: true, columns } as never, env: { TERM: 'dumb' } });
  const HEAD = ['NAME', 'NUMBER', 'WHY'];
  const ROWS = [
    ['a', '1', 'some long text for which there is no room'],
    ['b-longer', '2', ''],
  ];

  it('has columns as wide as their content', () => {
    const expected = `NAME       NUMBER   WHY
a          1        some long text for which there is no room
b-longer   2
`;
    assert.equal(tableText(HEAD, ROWS), expected);
    assert.equal(tableText(HEAD, ROWS, { terminal: terminal(80) }), expected);
  });

  it('may have very many rows', () => {
    const rows = Array.from({ length: 300_000 }, () => ['a', 'b']);
    assert.equal(tableText(undefined, rows).length, rows.length * 'a   b\n'.length);
  });

  it('drops optional columns until it fits', () => {
    assert.equal(
      tableText(['NAME', 'NUMBER'], [['a', '1']], { terminal: terminal(8), optional: ['NUMBER'] }),
      'NAME\na\n',
    );
  });

  it('a table without room for its last column shows the text of the column below the row', () => {
    assert.equal(
      tableText(HEAD, ROWS, { terminal: terminal(30) }),
      `NAME       NUMBER
a          1
    some long text for which
    there is no room
b-longer   2
`,
    );
  });

  it('a table that is too wide for the terminal names the columns in each row', () => {
    assert.equal(
      tableText(HEAD, ROWS, { terminal: terminal(15) }),
      `a
  NUMBER 1; WHY
  some long
  text for
  which there
  is no room
b-longer
  NUMBER 2; WHY
`,
    );
  });
});

describe('wrapping', () => {
  it('wrapping breaks lines between words, and never within a long word', () => {
    assert.equal(wrap('a bb ccc a-very-long-word d', { width: 8, hanging: 2 }), 'a bb ccc\n  a-very-long-word\n  d\n');
  });

  it('counts no colours', () => {
    assert.equal(wrap('\u001b[31mred\u001b[39m word', { width: 8 }), '\u001b[31mred\u001b[39m word\n');
  });

  it('wrapping keeps text in one line if no width is given', () => {
    assert.equal(wrap('a b', { width: undefined }), 'a b\n');
  });
});
