/**
 * Replays the attempts of a cluster administrator on API servers with the protection (`cappol render --static`). The
 * tests also show that the operator, the garbage collector and the namespace controller still do their work.
 */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer, Json } from '../../hack/controlplane/api.ts';
import { renderedObjects } from '../../hack/controlplane/rendered.ts';
import { POLICY_LABEL } from '../../operator/compile/objects.ts';
import { PROGRAM_LABEL } from '../../operator/compile/program.ts';
import { cappol } from '../support/cappol.ts';
import { ADMITTED, eventually, OPERATOR_NAMESPACE, useCluster } from '../support/harness.ts';
import { applyAgain } from '../support/installed.ts';
import { grant } from '../support/namespace-changes.ts';
import { describeIfOffered } from '../support/needs.ts';
import { ROOT } from '../support/page.ts';
import { privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { startWithStatic } from '../support/protected.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { grantRights, OPERATOR_USER, operatorKubeconfig } from '../support/rights.ts';
import { ATTEMPTS } from './protection-attempts.ts';
import {
  asAdministrator,
  CHANGES_CRD,
  CRD,
  EDITOR,
  jsonPatch,
  lookAlike,
  OWN,
  ROLLOUT,
  type Target,
} from './protection-requests.ts';

const BASE = 'protected-base';

describeIfOffered('staticAdmissionPolicies', 'protection', () => {
  let stop: () => Promise<void> = async () => {};
  let directory = '';
  const cluster = useCluster('protected', {
    controlPlane: async () => {
      const started = await startWithStatic(['--protect-policies', BASE]);
      ({ stop, directory } = started);
      return started.controlPlane;
    },
    kubeconfig: operatorKubeconfig,
    args: ['--leader-elect'],
  });
  let target: Target;

  before(async function () {
    this.timeout(300_000);
    const { api } = cluster;
    const namespace = await cluster.namespace('team', { team: 'protected' });
    const namespaceSelector = { matchLabels: { team: 'protected' } };
    const pinned = await cluster.policy('base', {
      namespaceSelector,
      level: 'restricted',
      mode: 'Enforce',
      defaulting: 'Enabled',
    });
    const granted = await cluster.policy('granted', {
      namespaceSelector: { matchLabels: { team: 'granted' } },
      level: 'baseline',
      mode: 'Enforce',
      usableBy: 'Subjects',
      subjects: [{ kind: 'User', name: 'jane' }],
    });
    await cluster.namespace('rolled', { team: 'rolled' });
    const rolled = await cluster.policy('rolled', {
      namespaceSelector: { matchLabels: { team: 'rolled' } },
      level: 'baseline',
      mode: 'Enforce',
      rollout: { soak: '24h' },
    });
    const rules = [{ apiGroups: ['capabilitypolicy.dev'], resources: ['capabilitypolicies'], verbs: EDITS }];
    await grant(api, EDITOR.user, rules);
    await api.apply(
      '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/own',
      lookAlike({ name: 'own' }),
    );
    await cluster.programmed(pinned, granted, rolled);
    await eventually('the state of the rollout', async () => api.find(ROLLOUT));
    await eventually('the label', async () => labelOf(await api.get(`${NAMESPACES}/${namespace}`)));
    target = { cluster, namespace, pinned, names: names(await renderedObjects(api), granted) };
  });

  after(() => stop());

  for (const [section, attempts] of Object.entries(ATTEMPTS)) {
    describe(`against attempts ${section}`, () => {
      for (const { attempt, run, expect } of attempts) {
        const outcome = 'refused' in expect ? 'is refused' : `is admitted: ${expect.admitted}`;
        it(`a cluster administrator ${attempt}: ${outcome}`, async () => {
          const answer = await run(target);
          if ('refused' in expect) assertRefused(answer, expect.refused);
          else assert.ok(answer.status < 300, `${answer.status} ${answer.body.message}`);
        });
      }
    });
  }

  it('docs/security-model.md lists exactly the attempts that are admitted', () => {
    const page = readFileSync(join(ROOT, 'docs/security-model.md'), 'utf8');
    const [, table = ''] = page.split('| attempt | why it is admitted |\n|---|---|\n');
    const admitted = Object.values(ATTEMPTS)
      .flat()
      .flatMap(({ attempt, expect }) => ('admitted' in expect ? [`| ${attempt} | ${expect.admitted} |`] : []));
    assert.deepEqual((table.split('\n\n')[0] ?? '').split('\n'), admitted);
  });

  describe('the protection after all attempts, while the operator works', () => {
    it('the protection keeps the policies in force and all objects of the operator unchanged', async () => {
      assert.notEqual(await cluster.admit(privilegedPod(), target.namespace), ADMITTED);
      assert.equal(await cluster.admit(restrictedPod(), target.namespace), ADMITTED);
      assert.deepEqual(await cluster.differences(), []);
    });

    it('the protection lets an upgrade apply the manifests again', async () => {
      await applyAgain(cluster.controlPlane);
    });

    it('the protection keeps the contents of nested lists in the CRD, because a newer release may have nested lists', async () => {
      const items = { type: 'object', properties: { field: { type: 'string' } } };
      const value = { type: 'array', items: { type: 'array', items } };
      const path = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/lists';
      await jsonPatch(CRD, { op: 'add', path, value })(target);
      const answer = await jsonPatch(CRD, { op: 'remove', path: `${path}/items/items/properties/field` })(target);
      assertRefused(answer, CHANGES_CRD.refused);
    });

    it('the protection lets the operator replace the objects of a policy that changes', async () => {
      await cluster.policy('granted', {
        namespaceSelector: { matchLabels: { team: 'granted' } },
        level: 'restricted',
        mode: 'Enforce',
        usableBy: 'Subjects',
        subjects: [{ kind: 'User', name: 'joan' }],
      });
      await cluster.programmed('protected-granted');
      await cluster.settled();
    });

    it('the condition Protected and cappol status report the protection', async () => {
      await eventually('the condition', async () => {
        const found = await cluster.condition(target.pinned, 'Protected');
        return found?.status === 'True' && found.reason === 'FileInForce';
      });
      const { stdout } = await cappol(['status', '-A', '--kubeconfig', cluster.controlPlane.kubeconfig]);
      assert.match(
        stdout,
        /^Protected: True, only the operator can change the objects that enforce policies, since a file of the API server/m,
      );
    });

    it('the API server reports the hash that the protection file contains', async () => {
      const { message } = (await cluster.api.ask('GET', '/metrics')).body;
      const [, hash = ''] = /hash="(.+)"/.exec(readFileSync(join(directory, 'admission.yaml'), 'utf8')) ?? [];
      assert.match(message, new RegExp(`last_config_info\\{.*hash="${hash}",plugin="ValidatingAdmissionPolicy"\\} 1`));
    });

    it('the protection lets the garbage collector remove a state of a rollout that has an owner, and no other state', async () => {
      await cluster.operator.stop();
      await cluster.deletePolicy('protected-granted');
      await cluster.deletePolicy('protected-rolled');
      const owner = {
        apiVersion: 'capabilitypolicy.dev/v1alpha1',
        kind: 'CapabilityPolicy',
        name: 'gone',
        uid: 'gone',
      };
      const metadata = { name: 'rollout-0.gone', ownerReferences: [owner] };
      const { status } = await cluster.api.ask('POST', `${OWN}/configmaps`, {
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata },
        as: asAdministrator(OPERATOR_USER),
      });
      assert.equal(status, 201);
      await cluster.controlPlane.restartApiServer();
      await cluster.controlPlane.restartControllerManager();
      const owned = `${OWN}/configmaps/${metadata.name}`;
      await eventually('the state with an owner to be gone', async () => !(await cluster.api.find(owned)));
      // The rollout of a policy that comes back from a backup continues from its state.
      assert.ok(await cluster.api.find(ROLLOUT));
    });

    it("the protection allows the deletion of a namespace under a policy, and of the operator's namespace with its Lease and states of rollouts", async () => {
      const state = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'rollout-0.left' } };
      const { status } = await cluster.api.ask('POST', `${OWN}/configmaps`, {
        body: state,
        as: asAdministrator(OPERATOR_USER),
      });
      assert.equal(status, 201);
      for (const name of [target.namespace, OPERATOR_NAMESPACE]) await cluster.api.remove(`${NAMESPACES}/${name}`);
      for (const name of [target.namespace, OPERATOR_NAMESPACE]) {
        await eventually(`${name} to be gone`, async () => !(await cluster.api.find(`${NAMESPACES}/${name}`)));
      }
    });

    it('the operator works after a restart of the API server', async () => {
      await grantRights(cluster.api);
      await cluster.operator.startAndWatch();
      await cluster.policy('later', { namespaceSelector: {}, level: 'baseline', mode: 'Audit' });
      await cluster.programmed('protected-later');
      await eventually('the role of the deleted policy to be gone', async () => {
        const objects = await renderedObjects(cluster.api, 'protected-granted');
        return objects.length === 0;
      });
    });

    it('the protection ends without a restart when the file is removed (break glass)', async function () {
      this.timeout(300_000);
      rmSync(join(directory, 'validating', 'protection.yaml'));
      const policies = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
      await eventually('the API server to notice', async () => {
        const { status } = await cluster.api.ask('DELETE', policies, { query: { dryRun: 'All' } });
        return status === 200;
      });
    });

    it('the protection refuses no write of the operator during these tests', () => {
      const refusals = cluster.operator.log.filter((entry) =>
        JSON.stringify(entry).includes('CapabilityPolicy protection'),
      );
      assert.deepEqual(refusals, []);
    });
  });
});

const EDITS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];

function assertRefused({ status, body }: Answer, why: RegExp): void {
  assert.ok(status >= 400 && status < 500, `${status} ${JSON.stringify(body).slice(0, 2_000)}`);
  assert.match(body.message, why);
}

function labelOf({ metadata }: Json): string | undefined {
  return metadata.annotations?.['capabilitypolicy.dev/labels'];
}

/** @param granted the name of the policy that has a role and a binding */
function names(objects: readonly Json[], granted: string): Target['names'] {
  const found = (kind: string, label: string, value: string) =>
    objects.find((one) => one.kind === kind && one.metadata.labels[label] === value)?.metadata.name;
  const program = (kind: string, name: string) => ({
    [kind]: found(kind, PROGRAM_LABEL, name),
    [`${kind}Binding`]: found(`${kind}Binding`, PROGRAM_LABEL, name),
  });
  return {
    ...program('ValidatingAdmissionPolicy', 'capabilitypolicy.enforce'),
    ...program('MutatingAdmissionPolicy', 'capabilitypolicy.defaulting'),
    ClusterRole: found('ClusterRole', POLICY_LABEL, granted),
    ClusterRoleBinding: found('ClusterRoleBinding', POLICY_LABEL, granted),
    guard: found('ValidatingAdmissionPolicy', PROGRAM_LABEL, 'capabilitypolicy.guard'),
  };
}
