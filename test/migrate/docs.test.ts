/** The page about migration, as a reader follows it. */
import { readPage } from '../docs/page.ts';
import { pasteBlocks } from '../docs/pasted.ts';

describe('docs/migrating-from-psp.md', () => pasteBlocks(readPage('docs/migrating-from-psp.md')));
