import assert from 'node:assert/strict';
import { kubernetesVersion } from '../../hack/controlplane/binaries.ts';
import { KUBELET_VERSION } from '../../hack/node/programs.ts';

describe("the node's programs", () => {
  it("have the control plane's version", () => {
    assert.equal(KUBELET_VERSION, kubernetesVersion({}));
  });
});
