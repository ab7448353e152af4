/**
 * Runs the blocks of the tutorial as a reader would. The blocks use this machine's kernel. The blocks also start a
 * control plane.
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
