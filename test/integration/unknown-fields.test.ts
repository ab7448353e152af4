/**
 * Compares two sets of fields of pods and workloads. One set is the table of `cappol check`. The other set has the
 * fields that an API server knows.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KUBERNETES_FIELDS } from '../../analysis/manifests/kubernetes-schema.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { POD_FIELDS } from '../../operator/standards/pod-fields.ts';
import { CORE_OPENAPI, unknownPodFields } from '../../operator/standards/unknown-pod-fields.ts';
import { fieldsOf, fieldsText, merged, type OpenApi } from '../cli/kubernetes-fields.ts';
import { DEPLOYMENT, ROWS } from '../cli/unknown-field-rows.ts';
import { sharedControlPlane } from '../support/control-plane.ts';

/**
 * Fields that may be missing in an earlier release. Each row has the type, the name and the first path of one field.
 */
const LACKING = [
  ['SecurityContext', 'procMount', 'spec.containers.securityContext.procMount'],
  ['SecurityContext', 'appArmorProfile', 'spec.containers.securityContext.appArmorProfile'],
  ['PodSecurityContext', 'supplementalGroupsPolicy', 'spec.securityContext.supplementalGroupsPolicy'],
  ['PodSecurityContext', 'seLinuxChangePolicy', 'spec.securityContext.seLinuxChangePolicy'],
  ['SeccompProfile', 'localhostProfile', 'spec.containers.securityContext.seccompProfile.localhostProfile'],
  ['WindowsSecurityContextOptions', 'hostProcess', 'spec.containers.securityContext.windowsOptions.hostProcess'],
  ['PodSpec', 'hostUsers', 'spec.hostUsers'],
  ['Container', 'resizePolicy', 'spec.containers.resizePolicy'],
  ['Probe', 'terminationGracePeriodSeconds', 'spec.containers.livenessProbe.terminationGracePeriodSeconds'],
  ['Lifecycle', 'stopSignal', 'spec.containers.lifecycle.stopSignal'],
] as const;
const FIELDS = join(import.meta.dirname, '..', '..', 'analysis', 'manifests', 'kubernetes-fields.json');

describe('the fields of pods and workloads', () => {
  let controlPlane: ControlPlane;

  before(async () => {
    controlPlane = await sharedControlPlane();
  });

  it('are all that the API server publishes', () => {
    const { kubectl, kubeconfig } = controlPlane;
    const documents = ['api/v1', 'apis/apps/v1', 'apis/batch/v1', 'apis/rbac.authorization.k8s.io/v1'].map(
      (path): OpenApi => {
        const args = ['--kubeconfig', kubeconfig, 'get', '--raw', `/openapi/v3/${path}`];
        return JSON.parse(execFileSync(kubectl, args, { maxBuffer: 64 * 1024 * 1024, encoding: 'utf8' }));
      },
    );
    const all = merged(KUBERNETES_FIELDS, fieldsOf(documents));
    if (process.env.UPDATE_GOLDEN) writeFileSync(FIELDS, fieldsText(all));
    assert.equal(readFileSync(FIELDS, 'utf8'), fieldsText(all));
  });

  it('the operator knows all fields, and finds the path of each field that an earlier release lacks', () => {
    const { kubectl, kubeconfig } = controlPlane;
    const args = ['--kubeconfig', kubeconfig, 'get', '--raw', CORE_OPENAPI];
    const text = execFileSync(kubectl, args, { maxBuffer: 64 * 1024 * 1024, encoding: 'utf8' });
    const { schemas } = (JSON.parse(text) as OpenApi).components;
    assert.deepEqual(unknownPodFields(schemas), []);
    for (const [type, field, path] of LACKING) {
      const without = Object.entries(POD_FIELDS[type] ?? {}).map(([reason, names]) => [
        reason,
        names
          .split(' ')
          .filter((name) => name !== field)
          .join(' '),
      ]);
      const known = { ...POD_FIELDS, [type]: Object.fromEntries(without) };
      assert.deepEqual(unknownPodFields(schemas, known), [path]);
    }
  });

  it('check reports a field as unknown if the API server reports the field as unknown', () => {
    const { kubectl, kubeconfig } = controlPlane;
    const args = ['--kubeconfig', kubeconfig, 'apply', '--dry-run=server', '--validate=strict', '-f', '-'];
    for (const { was, is, told } of ROWS) {
      const { status, stderr } = spawnSync(kubectl, args, { input: DEPLOYMENT.replace(was, is), encoding: 'utf8' });
      const [field = ''] = /unknown field ".*?"/.exec(told) ?? [];
      assert.equal(status, 1);
      assert.ok(stderr.includes(`strict decoding error: ${field}`), `${field}: ${stderr}`);
    }
    const { status, stderr } = spawnSync(kubectl, args, { input: DEPLOYMENT, encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
  });
});
