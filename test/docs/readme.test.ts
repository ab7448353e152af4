/** Runs the blocks of README.md in a test cluster, as a reader would. */
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { readPage } from '../support/page.ts';
import { pasteBlocks } from './pasted.ts';

describe('the README', () => {
  let controlPlane: ControlPlane;

  before(async function () {
    this.timeout(600_000);
    // The test needs a separate control plane, because README counts namespaces.
    controlPlane = await startControlPlane({ quiet: true });
  });
  after(() => controlPlane?.stop());

  pasteBlocks(readPage('README.md'), { cluster: () => controlPlane });
});
