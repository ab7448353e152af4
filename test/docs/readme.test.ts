/** README.md, as a reader follows it. */
import { readPage } from '../support/page.ts';
import { pasteBlocks } from './pasted.ts';

describe('the README', () => pasteBlocks(readPage('README.md')));
