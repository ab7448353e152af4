/** Tests migrated policies on a real API server. */
import assert from 'node:assert/strict';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import type { CapabilityPolicy } from '../../operator/api/capability-policy.ts';
import { cappol } from '../support/cappol.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { establishedOn } from '../support/established.ts';
import { kubectl } from '../support/kubectl.ts';
import { migrated, psp, scc } from './objects.ts';
import { ROWS } from './psp-rows.ts';
import { SCC_ROWS } from './scc-rows.ts';

const INPUTS = ['classic-restricted', 'three', 'openshift'];
/** The namespace of the role bindings in the inputs. */
const NAMESPACE = 'shop';

describe('an API server accepts migrated policies', () => {
  let controlPlane: ControlPlane;

  before(async () => {
    controlPlane = await sharedControlPlane();
    await kubectl(controlPlane, ['apply', '--server-side', '--force-conflicts', '-k', 'crds']);
    await establishedOn(controlPlane.kubeconfig);
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
    await kubectl(controlPlane, ['apply', '-f', '-'], JSON.stringify(namespace));
  });

  after(() => kubectl(controlPlane, ['delete', 'namespace', NAMESPACE, '--wait=false']));

  for (const mode of ['Audit', 'Enforce'] as const) {
    it(`of each row of the tables, in mode ${mode}`, async () => {
      const objects = [
        ...Object.values(ROWS).map(({ spec, annotations }, row) => psp(spec, annotations, `psp-${row}`)),
        ...Object.values(SCC_ROWS).map(({ fields }, row) => scc(fields, `scc-${row}`)),
      ];
      const policies = objects.flatMap((object) => migrated(object, mode).policies);
      assert.equal(policies.length, objects.length);
      const answer = await dryRun(policies.map((policy: CapabilityPolicy) => JSON.stringify(policy)).join('\n---\n'));
      assert.equal(answer.match(/ created \(server dry run\)/g)?.length, policies.length, answer);
    });

    for (const input of INPUTS) {
      it(`of ${input}, as YAML and as JSON, in mode ${mode}`, async () => {
        const args = ['migrate', '-f', `inputs/${input}.yaml`, '--mode', mode];
        const yaml = await cappol(args, '', import.meta.dirname);
        const json = await cappol([...args, '-o', 'json'], '', import.meta.dirname);
        const { items } = JSON.parse(json.stdout);
        assert.ok(items.length > 0);
        for (const { stdout } of [yaml, json]) {
          const answer = await dryRun(stdout);
          assert.equal(answer.match(/ created \(server dry run\)/g)?.length, items.length, answer);
        }
      });
    }
  }

  async function dryRun(documents: string): Promise<string> {
    return (await kubectl(controlPlane, ['apply', '--dry-run=server', '-f', '-'], documents)).stdout;
  }
});
