/** The long form is `npm run test:differential -- --part topologies`. */
import assert from 'node:assert/strict';
import type { ControlPlane } from '../../../hack/controlplane/controlplane.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { SEED } from '../../support/seed.ts';
import { PolicyCluster } from '../policies/cluster.ts';
import { evaluateTopologies } from './topologies.ts';

const POLICIES = 8;
const NAMESPACES = 8;
const PODS = 100;
const MEETING = 4;

describe('random topologies of policies that a running operator brings into force', function () {
  this.timeout(400_000);
  let controlPlane: ControlPlane;
  let cluster: PolicyCluster;

  before(async () => {
    console.log(`      seed ${SEED}`);
    controlPlane = await sharedControlPlane();
    cluster = new PolicyCluster(controlPlane.kubeconfig);
    await cluster.open();
  });

  after(() => cluster?.close());

  it('the API server, the operator and a reference model decide in the same way in each namespace', async () => {
    const size = { policies: POLICIES, namespaces: NAMESPACES, pods: PODS, meeting: MEETING };
    const { differences, evaluated, admitted, free } = await evaluateTopologies(cluster, controlPlane, {
      ...size,
      topologies: 1,
      seed: SEED,
    });
    if (differences.length > 0) assert.fail(`the engines differ: ${differences.join('\n\n')}`);
    assert.ok(evaluated >= PODS / 2, `seed ${SEED}: ${evaluated} pods evaluated`);
    assert.ok(free > 0 || admitted < evaluated, `seed ${SEED}: no pod was refused, and no namespace was free`);
  });
});
