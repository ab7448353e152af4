/**
 * Tests the walkthrough in concepts.md of a program that `cappol render` prints. UPDATE_GOLDEN=1 rewrites the program
 * on the page and keeps the texts between the blocks. The first line of each block therefore must not change.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cappol } from '../support/cappol.ts';
import { ROOT, readPage } from '../support/page.ts';

const PAGE = 'docs/concepts.md';
const PROGRAM = /^kind: ValidatingAdmissionPolicy(?:Binding)?$[\s\S]*?^ {2}name: capabilitypolicy\.enforce/m;

describe('the rendered program', function () {
  this.timeout(60_000);
  const { blocks } = readPage(PAGE);
  const inSection = blocks.filter(({ section }) => section === 'A rendered program, whole');
  const policies = inSection.find(({ info }) => info.join(' ') === 'yaml');
  const shown = inSection.filter(({ info }) => info.join(' ') === 'yaml part');
  const rows = blocks.find(({ text }) => text.startsWith('{"name"'));

  it('the program on the page equals the whole program that cappol render prints', async () => {
    const { code, stdout, stderr } = await cappol(['render', '--policy', '-'], policies?.text);
    assert.equal(code, 0, stderr);
    const printed = stdout
      .split(/^---\n/m)
      .filter((object) => PROGRAM.test(object))
      .join('---\n');
    const parts = split(
      printed,
      shown.map(({ text }) => firstLine(text)),
    );
    if (process.env.UPDATE_GOLDEN === '1') write(parts);
    else
      assert.deepEqual(
        shown.map(({ text }) => text),
        parts,
      );
  });

  it('the program on the page contains the three rows that an earlier block shows', () => {
    const lines = rows?.text.trim().split('\n') ?? [];
    assert.equal(lines.length, 3);
    const all = shown.map(({ text }) => text).join('');
    assert.deepEqual(
      lines.filter((line) => !all.includes(line)),
      [],
    );
  });

  it('is shown part by part', () => assert.ok(shown.length > 5, String(shown.length)));

  function write(parts: readonly string[]): void {
    const page = join(ROOT, PAGE);
    let text = readFileSync(page, 'utf8');
    for (const [i, { text: before }] of shown.entries()) {
      text = text.replace(`\`\`\`yaml part\n${before}\`\`\``, () => `\`\`\`yaml part\n${parts[i]}\`\`\``);
    }
    writeFileSync(page, text);
  }
});

function firstLine(text: string): string {
  return text.slice(0, text.indexOf('\n') + 1);
}

/**
 * Splits a text into blocks that begin with the given lines, in order. The first block begins at the start of the text.
 */
function split(text: string, lines: readonly string[]): string[] {
  const starts: number[] = [];
  for (const line of lines) {
    const from = starts.at(-1);
    const start = from === undefined ? 0 : text.indexOf(`\n${line}`, from) + 1;
    assert.ok(
      text.startsWith(line, start) && start > (from ?? -1),
      `no line ${JSON.stringify(line)} after the last block`,
    );
    starts.push(start);
  }
  return starts.map((start, i) => text.slice(start, starts[i + 1]));
}
