/** Tests `cappol check -o markdown`, whose output is a comment on a pull request. */
import assert from 'node:assert/strict';
import { lexer, type Token, type Tokens } from 'marked';
import { code, markdownTable } from '../../cli/output/markdown.ts';
import { cappol } from '../support/cappol.ts';

const POLICY = `apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: baseline}
spec: {namespaceSelector: {}, level: baseline, mode: Enforce}
`;

function pod(name: string, spec = '{hostNetwork: true, containers: []}'): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: ${JSON.stringify(name)}, namespace: web}\nspec: ${spec}\n`;
}

async function markdown(
  ...objects: readonly string[]
): Promise<{ code: number; text: string; tables: Tokens.Table[] }> {
  const ran = await cappol(['check', '-f', '-', '-o', 'markdown'], [POLICY, ...objects].join('---\n'));
  const tables = lexer(ran.stdout).filter((token): token is Tokens.Table => token.type === 'table');
  return { code: ran.code, text: ran.stdout, tables };
}

/** The text that a browser shows. */
function shown(tokens: readonly Token[]): string {
  return tokens.map((token) => ('text' in token ? String(token.text) : token.raw)).join('');
}

function cells({ rows }: Tokens.Table): string[][] {
  return rows.map((row) => row.map(({ tokens }) => shown(tokens)));
}

describe('check -o markdown', () => {
  it('the output has a row for each violation, and the totals', async () => {
    const ran = await markdown(pod('good', '{containers: []}'), pod('bad'));
    assert.equal(ran.code, 1);
    assert.match(ran.text, /^### CapabilityPolicy: 1 workload violates\n/);
    assert.match(ran.text, /^2 workloads evaluated against 1 policy: 1 compliant, 1 violating \(1 violation\)$/m);
    const [table] = ran.tables;
    assert.deepEqual(
      table?.header.map(({ text }) => text),
      ['Result', 'Workload', 'Where', 'What is wrong', 'Policy'],
    );
    assert.deepEqual(table && cells(table), [
      ['refused', 'Pod web/bad', 'stdin:14', 'hostNetwork: pod must not set hostNetwork=true', 'baseline'],
    ]);
  });

  it('says so when nothing violates', async () => {
    const ran = await markdown(pod('good', '{containers: []}'));
    assert.deepEqual([ran.code, ran.tables], [0, []]);
    assert.match(ran.text, /^### CapabilityPolicy: no workload violates\n/);
  });

  it('the output has separate tables for advice and for problems of the input', async () => {
    const spec = '{containers: [{name: main, image: a, securityContext: {capabilities: {drop: [CAP_KILL]}}}]}';
    const ran = await markdown(
      pod('misspelt', spec),
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostPID: "yes"}\n',
    );
    assert.equal(ran.code, 2);
    const [problems, notes] = ran.tables.map(cells);
    assert.deepEqual(problems?.[0]?.slice(0, 2), ['error', 'stdin:14']);
    assert.match(notes?.[0]?.[2] ?? '', /^IneffectiveDrop: container "main" drops capability CAP_KILL/);
    assert.match(ran.text, /<details><summary>Notes<\/summary>/);
  });

  it('the table shows the text of a manifest unchanged, even if the text is GitHub markup', async () => {
    const NAMES = ['a|b', 'a\\|b', '`a`', '``', '@team', '#1', '<img src=x>', '[a](http://b)', '**a**', 'a\nb', '&lt;'];
    const { tables } = await markdown(...NAMES.map((name) => pod(name)));
    const [table] = tables;
    assert.deepEqual(
      table && cells(table).map(([, workload]) => workload),
      NAMES.map((name) => `Pod web/${name === 'a\\|b' ? 'a|b' : name.replace('\n', ' ')}`),
    );
    for (const row of table?.rows ?? []) {
      assert.ok(row.slice(1).every(({ tokens }) => tokens.every(({ type }) => type === 'codespan')));
    }
  });

  it('the output is short enough for a comment, and says how many rows it omits', async () => {
    const pods = Array.from({ length: 2_000 }, (_, i) => pod(`bad-${i}`));
    const { text, tables } = await markdown(...pods);
    assert.ok(text.length < 65_536, String(text.length));
    const rows = tables[0]?.rows.length ?? 0;
    assert.ok(rows > 100);
    assert.match(text, new RegExp(`^… and ${2_000 - rows} more$`, 'm'));
  });
});

describe('Markdown', () => {
  it('renders any text as code', () => {
    assert.deepEqual(['a', 'a`b', '`a', ''].map(code), ['`a`', '``a`b``', '`` `a ``', '']);
    assert.ok(code('`a'.repeat(1_000_000)).length < 1_100);
  });

  it('has no table without rows', () => {
    assert.deepEqual(markdownTable(['A'], [], 100), []);
  });
});
