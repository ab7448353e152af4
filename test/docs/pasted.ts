/**
 * Runs the blocks of a page as a reader would. All blocks marked `sh` are pasted unchanged and in order into one shell.
 * The shell runs in a checkout. The top of the page has to name everything that the blocks need beyond a plain shell.
 */
import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathWithoutNpm } from '../../hack/tools.ts';
import { type Block, firstLine, type Page, ROOT } from '../support/page.ts';
import { NOT_RUN } from './not-run.ts';
import { ShellSession } from './shell-session.ts';
import { assertShown } from './shown.ts';

/**
 * The access to a cluster. If the text of a page says that the page needs a cluster, the page's blocks run with access
 * to the cluster. The cluster has the objects that the page's kubectl commands need.
 */
interface Access {
  readonly kubectl: string;
  readonly kubeconfig: string;
}

interface Pasting {
  /**
   * The function that gives access to the cluster. The test calls the function when the cluster exists. If `cluster` is
   * missing, the shell has neither kubectl nor a cluster.
   */
  readonly cluster?: () => Access;
}

/**
 * Registers a test for each block. A block marked `sh` has to succeed, and a block marked `sh fails` has to fail. A
 * `text` block is the output of the preceding block. A block marked `sh stays` runs in a separate shell. A block marked
 * `sh stays` gets Ctrl-C before the next block marked `sh ended`. Blocks in not-run.ts are skipped.
 */
export function pasteBlocks(page: Page, { cluster }: Pasting = {}): void {
  const notRun = NOT_RUN[page.path] ?? {};
  let isLeftOut = false;
  const run = page.blocks.filter((block) => {
    // If a text block shows the output of a skipped block, the text block is skipped, too.
    if (block.info[0] !== 'text') isLeftOut = firstLine(block) in notRun;
    return !isLeftOut;
  });
  const steps = stepsOf(run);
  const sessions: ShellSession[] = [];
  let session: ShellSession;
  let staying: ReturnType<ShellSession['start']> | undefined;

  const open = () => {
    const opened = new ShellSession(ROOT, reader(cluster?.()));
    sessions.push(opened);
    return opened;
  };
  before(() => {
    session = open();
  });
  after(() => Promise.all(sessions.map((one) => one.end())));

  for (const { block, shown } of steps) {
    const title = `${page.path}:${block.line} ${firstLine(block)}`;
    if (block.info.includes('stays')) {
      it(title, () => {
        staying = open().start(block.text);
      });
      continue;
    }
    if (block.info.includes('ended')) {
      it(`${page.path}:${block.line} Ctrl-C`, async () => {
        assert.ok(staying, 'no block stays');
        const { status, output } = await staying.interrupt();
        assert.equal(status, 0, output);
      });
    }
    it(title, async () => {
      const fails = block.info.includes('fails');
      const look = async () => {
        const { status, output } = await session.paste(block.text, fails);
        assert.equal(status !== 0, fails, `it ended with ${status}:\n${output}`);
        if (shown !== undefined) assertShown(shown, output);
      };
      if (ONLY_LOOKS.test(block.text)) await untilShown(look);
      else await look();
    });
  }
}

/**
 * Matches a block of one command that changes nothing. The test may repeat a block that changes nothing. A busy machine
 * needs longer to reach the state that the page shows.
 */
const ONLY_LOOKS = /^(kubectl get|cappol status) [^\n|;&>]*\n?$/;
const LOOKED_MS = 120_000;

/** Repeats the comparison until the comparison succeeds, as a reader would repeat a command. */
async function untilShown(look: () => Promise<void>): Promise<void> {
  const until = performance.now() + LOOKED_MS;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > until) throw error;
      await setTimeout(500);
    }
  }
}

/** The environment of a user with an empty home folder. The user can still use programs that were built earlier. */
export function reader(access?: Access): NodeJS.ProcessEnv {
  const { KUBEBUILDER_ASSETS, XDG_CACHE_HOME = join(homedir(), '.cache') } = process.env;
  return {
    PATH: [...(access ? [dirname(access.kubectl)] : []), pathWithoutNpm()].join(delimiter),
    XDG_CACHE_HOME,
    ...(KUBEBUILDER_ASSETS !== undefined && { KUBEBUILDER_ASSETS }),
    ...(access && { KUBECONFIG: access.kubeconfig }),
  };
}

interface Step {
  readonly block: Block;
  /** The part of the output that the page shows. */
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
