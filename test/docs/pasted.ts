/** Runs the blocks of a page as a reader would: all that are marked `sh`, in order, in one shell. */
import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NOT_RUN } from './not-run.ts';
import { type Block, firstLine, type Page, ROOT } from './page.ts';
import { ShellSession } from './shell-session.ts';
import { assertShown } from './shown.ts';

export interface Pasting {
  /** Beside a reader's; a promise, since what it names may have to be built. */
  readonly environment?: () => Promise<NodeJS.ProcessEnv>;
}

/**
 * Registers a test for each block. A block that is marked `sh` has to succeed, one that is marked `sh fails` has to fail;
 * a `text` block is what the last block before it prints. Those in not-run.ts are taken as not there.
 */
export function pasteBlocks(page: Page, { environment }: Pasting = {}): void {
  const notRun = NOT_RUN[page.path] ?? {};
  const steps = stepsOf(page.blocks.filter((block) => !(firstLine(block) in notRun)));
  let session: ShellSession;

  before(async () => {
    session = new ShellSession(ROOT, { ...reader(), ...(await environment?.()) });
  });
  after(() => session?.end());

  for (const { block, shown } of steps) {
    it(`${page.path}:${block.line} ${firstLine(block)}`, async () => {
      const fails = block.info.includes('fails');
      const { status, output } = await session.paste(block.text, fails);
      assert.equal(status !== 0, fails, `it ended with ${status}:\n${output}`);
      if (shown !== undefined) assertShown(shown, output);
    });
  }
}

/** Somebody with an empty home, and so without a kubeconfig; what was built before is still there. */
function reader(): NodeJS.ProcessEnv {
  const { PATH, KUBEBUILDER_ASSETS, XDG_CACHE_HOME = join(homedir(), '.cache') } = process.env;
  return { PATH, XDG_CACHE_HOME, ...(KUBEBUILDER_ASSETS !== undefined && { KUBEBUILDER_ASSETS }) };
}

interface Step {
  readonly block: Block;
  /** What the page shows of its output. */
  readonly shown: string | undefined;
}

function stepsOf(blocks: readonly Block[]): Step[] {
  const steps: Step[] = [];
  for (const block of blocks) {
    const last = steps.at(-1);
    if (block.info[0] === 'sh') steps.push({ block, shown: undefined });
    else if (block.info[0] === 'text' && last) steps.splice(-1, 1, { ...last, shown: (last.shown ?? '') + block.text });
  }
  return steps;
}
