/** Tests the shell blocks of the documentation. A block that no test runs must be listed as not run. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Block, documentation, firstLine, type Page, ROOT } from '../support/page.ts';
import { NOT_RUN } from './not-run.ts';

interface Run {
  readonly page: string;
  /** The sections whose blocks are run. Without `sections`, the test runs the blocks of all sections. */
  readonly sections?: readonly string[];
  /** The test that pastes the blocks. */
  readonly by: string;
}

const RUN: readonly Run[] = [
  { page: 'README.md', by: 'test/docs/readme.test.ts' },
  { page: 'docs/tutorial.md', by: 'test/docs/tutorial.test.ts' },
  { page: 'docs/rollout.md', by: 'test/docs/rollout.test.ts' },
  { page: 'docs/exceptions.md', by: 'test/docs/rollout.test.ts' },
  { page: 'docs/enforce-at-once.md', by: 'test/docs/enforce-at-once.test.ts' },
  { page: 'docs/evidence.md', sections: ['A snapshot every day'], by: 'test/docs/daily-snapshot.test.ts' },
  { page: 'docs/migrating-from-psp.md', by: 'test/migrate/docs.test.ts' },
  { page: 'docs/runbook.md', by: 'test/integration/prometheus.test.ts' },
  { page: 'docs/concepts.md', by: 'test/docs/rollout.test.ts' },
  { page: 'docs/operations.md', sections: ['Install', 'Upgrade', 'Uninstall'], by: 'test/install/install.test.ts' },
  { page: 'docs/backup-and-restore.md', by: 'test/docs/backup-and-restore.test.ts' },
  { page: 'docs/argocd.md', sections: ['Remove everything'], by: 'test/integration/withdrawal.test.ts' },
  { page: 'docs/operations.md', sections: ['Break glass'], by: 'test/docs/rollout.test.ts' },
];

/** The words that may follow the language of a block. */
const USES: Readonly<Record<string, readonly string[]>> = { sh: ['fails', 'stays', 'ended'], yaml: ['part'] };
/** Other languages that mark a block as shell commands. */
const OTHER_MARKS = ['bash', 'console', 'shell', 'shell-session', 'shellscript', 'terminal', 'zsh'];

/** The commands that people paste into a shell. */
const COMMANDS =
  /^\s*(?:\w+=\S* )*(?:sudo )?(?:cappol|curl|docker|git|helm|jq|kubectl|kustomize|make|node|npm|npx|oc|podman) /m;

describe('the shell blocks', () => {
  const pages = documentation();
  const all = pages.flatMap((page) => page.blocks.map((block) => ({ page, block })));
  const shell = all.filter(({ block }) => block.info[0] === 'sh');

  it('all shell blocks are marked `sh`, have a use that tests know, and have no prompts', () => {
    const wrong = all.filter(({ block }) => !isMarked(block)).map(({ page, block }) => titleOf(page, block));
    assert.deepEqual(wrong, []);
  });

  it('are all blocks of commands', () => {
    const unmarked = all.filter(({ block: { info, text } }) => info[0] === undefined && COMMANDS.test(text));
    assert.deepEqual(
      unmarked.map(({ page, block }) => titleOf(page, block)),
      [],
    );
  });

  it('a test pastes each shell block, or not-run.ts lists the block', () => {
    const forgotten = shell
      .filter(({ page, block }) => !runOf(page, block) && reasonOf(page, block) === undefined)
      .map(({ page, block }) => titleOf(page, block));
    assert.deepEqual(forgotten, []);
  });

  it('are in not-run.ts only if they exist', () => {
    const listed = Object.entries(NOT_RUN).flatMap(([page, blocks]) =>
      Object.keys(blocks).map((line) => `${page}: ${line}`),
    );
    const present = new Set(shell.map(({ page, block }) => `${page.path}: ${firstLine(block)}`));
    assert.deepEqual(
      listed.filter((line) => !present.has(line)),
      [],
    );
  });

  for (const { page, sections = [], by } of RUN) {
    it(`of ${[page, ...sections].join(', ')} are those that ${by} reads`, () => {
      const source = readFileSync(join(ROOT, by), 'utf8');
      for (const name of [page, ...sections]) assert.ok(source.includes(`'${name}'`), name);
      const blocks = shell.filter((one) => one.page.path === page);
      for (const section of sections)
        assert.ok(
          blocks.some(({ block }) => block.section === section),
          section,
        );
    });
  }
});

function isMarked({ info: [language = '', ...rest], text }: Block): boolean {
  const hasPrompts = language !== 'text' && /^\$ /m.test(text);
  return !hasPrompts && !OTHER_MARKS.includes(language) && ['', ...(USES[language] ?? [])].includes(rest.join(' '));
}

function runOf(page: Page, { section }: Block): Run | undefined {
  return RUN.find((run) => run.page === page.path && (run.sections?.includes(section) ?? true));
}

function reasonOf(page: Page, block: Block): string | undefined {
  return NOT_RUN[page.path]?.[firstLine(block)];
}

function titleOf(page: Page, block: Block): string {
  return `${page.path}:${block.line}: ${block.info.join(' ')}: ${firstLine(block)}`;
}
