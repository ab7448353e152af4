/**
 * Runs the blocks of the tutorial as a reader would, on this machine's kernel and on a control plane that the blocks
 * start.
 */
import { describeWith } from '../support/needs.ts';
import { readPage } from '../support/page.ts';
import { pasteBlocks } from './pasted.ts';

describeWith(
  {
    root: true,
    programs: {
      runc: 'apt-get install runc',
      ping: 'apt-get install iputils-ping',
      setcap: 'apt-get install libcap2-bin',
    },
  },
  'the tutorial',
  () => pasteBlocks(readPage('docs/tutorial.md')),
);
