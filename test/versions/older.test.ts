/**
 * Runs some suites on an older Kubernetes version in every test run. For API servers without newer features, the
 * operator renders other objects. If the programs of the older version are not built, the test is skipped, because
 * building takes minutes. `npm run test:versions` runs all suites on all versions.
 */
import assert from 'node:assert/strict';
import { isBuilt, kubernetesVersion, otherVersions } from '../../hack/controlplane/binaries.ts';
import { lacksFeatures, leaveOut } from '../support/needs.ts';
import { execute } from './execute.ts';
import { resultOf, suiteRun } from './runs.ts';
import { cell } from './table.ts';

/** The suites that cover most features of admission policies. */
const RUN = suiteRun(['integration/decisions', 'integration/ephemeral']);
const OLDER = otherVersions().filter((version) => lacksFeatures(Number(version.split('.')[1])));
const built = OLDER.find((version) => isBuilt(version));

if (built === undefined) {
  leaveOut({
    title: `${RUN.name} on an older Kubernetes version`,
    reason: `needs the programs of ${OLDER.join(' or ')}: KUBERNETES_VERSION=${OLDER[0]} npm run controlplane -- --build builds them in about 6 minutes`,
  });
} else {
  const environment = { ...process.env, KUBERNETES_VERSION: built };
  describe(`on Kubernetes ${kubernetesVersion(environment)}`, () => {
    it(`pass: ${RUN.name}`, async function () {
      this.timeout(600_000);
      const ended = await execute(RUN.command, environment);
      const result = resultOf(RUN, ended);
      console.log(`      ${cell(result)}`);
      assert.ok(result.ok, ended.output);
    });
  });
}
