/** Runs the blocks of the page about migration as a reader would. */
import { pasteBlocks } from '../docs/pasted.ts';
import { readPage } from '../support/page.ts';

describe('docs/migrating-from-psp.md', () => pasteBlocks(readPage('docs/migrating-from-psp.md')));
