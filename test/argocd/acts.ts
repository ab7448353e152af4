/**
 * Tests each statement of docs/argocd.md with a real Argo CD. Argo CD syncs the operator, policies and namespaces from
 * Git on the local disk. The operator runs with the rights that Argo CD applied.
 */
import { kubernetesVersion } from '../../hack/controlplane/binaries.ts';
import { assertDeletedInOrder, forgetEverything, syncAll } from './deletion.ts';
import {
  assertEnforcedFromTheBeginning,
  assertHealthMessage,
  assertInstalledInOrder,
  installDocumented,
} from './documented.ts';
import { guardScenarios } from './guard-scenarios.ts';
import { inForceScenarios } from './in-force.ts';
import { labelScenarios } from './label-scenarios.ts';
import { lineScenarios } from './lines.ts';
import { argocdVersion } from './programs.ts';
import { refusedScenarios } from './refused.ts';
import { rolloutScenarios } from './rollout-scenarios.ts';
import { sideBySide } from './side-by-side.ts';
import { Stage } from './stage.ts';
import { assertSteady, STEADY_MS, steadyApplications } from './steady.ts';
import { assertOwnedInTree, treeScenarios } from './tree.ts';

describe(`Argo CD ${argocdVersion()} on Kubernetes ${kubernetesVersion()}`, function () {
  this.timeout(600_000);
  let stage: Stage;
  const current = () => stage;

  before(async function () {
    // The timeout is long, because the test may have to build the programs first.
    this.timeout(3_600_000);
    stage = await Stage.start();
  });

  after(async () => {
    await stage?.stop();
  });

  afterEach(function () {
    if (!this.currentTest?.isFailed()) return;
    // Each error is printed at once, because mocha's reporter prints errors only at the end of a run of many minutes.
    console.log(this.currentTest.err?.stack);
    if (process.env.ARGOCD_LOGS) console.log(stage.logEnds());
  });

  describe('config/argocd', () => {
    it('Argo CD first syncs the operator and the policies, and syncs the teams after the policies are in force', async () => {
      await assertInstalledInOrder(stage, await installDocumented(stage));
    });

    it('a policy applies to the first pod of a namespace that Argo CD made', async () => {
      await assertEnforcedFromTheBeginning(stage);
    });

    it('shows the compiled objects below the CustomResourceDefinition', async () => {
      await assertOwnedInTree(stage);
    });

    it('Argo CD shows violations in the health message of a healthy policy', async () => {
      await assertHealthMessage(stage);
    });
  });

  describe('steady state', () => {
    it(`writes and syncs nothing in ${STEADY_MS / 60_000} minutes of steady state, in every mode`, async () => {
      await assertSteady(stage, await steadyApplications(stage));
    });
  });

  // If the selector of a policy is removed from Git, the policy selects all namespaces and overlaps with every other
  // policy. As a result, the API server compiles the programs of all policies again. With dozens of policies, compiling
  // takes minutes. Therefore each part of this test begins without the policies of earlier parts.
  describe('side by side', () => {
    before(() => forgetEverything(stage));

    sideBySide([
      ...inForceScenarios(current),
      ...refusedScenarios(current),
      ...labelScenarios(current),
      ...treeScenarios(current),
      ...guardScenarios(current),
    ]);
  });

  describe('the lines of a policy', () => {
    before(() => forgetEverything(stage));

    sideBySide(lineScenarios(current));
  });

  describe('rollouts', () => {
    before(() => forgetEverything(stage));

    sideBySide(rolloutScenarios(current));
  });

  // This part of the test is last, because it removes the operator.
  describe('one Application with everything', () => {
    before(() => forgetEverything(stage));

    it('the Application is Synced and Healthy after its first sync', async () => {
      await syncAll(stage);
    });

    it('the objects are deleted in the opposite order, and no label remains', async () => {
      await assertDeletedInOrder(stage);
    });
  });
});
