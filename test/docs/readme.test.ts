/** README.md, as a reader follows it. */
import { readPage } from './page.ts';
import { pasteBlocks } from './pasted.ts';

describe('the README', () => pasteBlocks(readPage('README.md')));
