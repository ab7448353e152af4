/** README.md, as a reader follows it who has a test cluster. */
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { readPage } from '../support/page.ts';
import { pasteBlocks } from './pasted.ts';

describe('the README', () => {
  let controlPlane: ControlPlane;

  before(async function () {
    this.timeout(300_000);
    // A separate one: the README counts namespaces.
    controlPlane = await startControlPlane({ quiet: true });
  });
  after(() => controlPlane?.stop());

  pasteBlocks(readPage('README.md'), { cluster: () => controlPlane });
});
