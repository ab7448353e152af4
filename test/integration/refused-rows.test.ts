/**
 * Tests programs that the API server refuses because of the rows of some policies. A file of the API server refuses
 * programs with a certain capability, as somebody may protect a cluster from it.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import type { CapabilityPolicySpec, Condition } from '../../operator/api/capability-policy.ts';
import { ADMITTED, eventually, useCluster } from '../support/harness.ts';
import { describeIfOffered } from '../support/needs.ts';
import { restrictedPod } from '../support/pod-manifests.ts';
import { staticFlags } from '../support/protected.ts';
import { POLICIES } from '../support/rendered.ts';

const ADMISSION = 'admissionregistration.k8s.io';
const NAME = 'frozen.static.k8s.io';
const REFUSED = 'SYS_TIME';
const MESSAGE = `no program may allow ${REFUSED}`;

describeIfOffered('staticAdmissionPolicies', 'programs with a row that the API server refuses', function () {
  this.timeout(300_000);
  let controlPlane: ControlPlane | undefined;
  const directory = mkdtempSync(join(tmpdir(), 'capabilitypolicy-frozen-'));
  const cluster = useCluster('rows', {
    controlPlane: async () => {
      writeAdmission();
      controlPlane = await startControlPlane({ quiet: true, apiServerFlags: staticFlags(directory) });
      return controlPlane;
    },
  });

  after(async () => {
    await controlPlane?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  function writeAdmission(): void {
    mkdirSync(join(directory, 'validating'));
    const configuration = {
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyConfiguration',
      staticManifestsDir: join(directory, 'validating'),
    };
    const plugins = [{ name: 'ValidatingAdmissionPolicy', configuration }];
    const file = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration', plugins };
    writeFileSync(join(directory, 'admission.yaml'), dump(file));
    writeFile('true');
  }

  /** @param expression the condition that admission policies have to satisfy */
  function writeFile(expression: string): void {
    const rule = {
      apiGroups: [ADMISSION],
      apiVersions: ['v1'],
      operations: ['CREATE', 'UPDATE'],
      resources: ['validatingadmissionpolicies'],
    };
    const validations = [{ expression, message: MESSAGE }];
    const objects = [
      ['ValidatingAdmissionPolicy', { matchConstraints: { resourceRules: [rule] }, validations }],
      ['ValidatingAdmissionPolicyBinding', { policyName: NAME, validationActions: ['Deny'] }],
    ].map(([kind, spec]) => dump({ apiVersion: `${ADMISSION}/v1`, kind, metadata: { name: NAME }, spec }));
    const file = join(directory, 'frozen.yaml');
    writeFileSync(file, objects.join('---\n'));
    renameSync(file, join(directory, 'validating', 'frozen.yaml'));
  }

  /** Makes the API server refuse, or no longer refuse, programs that mention the capability. */
  async function refuse(refuses: boolean): Promise<void> {
    writeFile(refuses ? `object.spec.?variables.orValue([]).all(v, !v.expression.contains("${REFUSED}"))` : 'true');
    const body = {
      apiVersion: `${ADMISSION}/v1`,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'asks' },
      spec: {
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        },
        variables: [{ name: 'asks', expression: `"${REFUSED}"` }],
        validations: [{ expression: 'variables.asks != ""' }],
      },
    };
    const path = `/apis/${ADMISSION}/v1/validatingadmissionpolicies`;
    await eventually('the file to be read', async () => {
      const { status } = await cluster.api.ask('POST', path, { body, query: { dryRun: 'All' } });
      return (status !== 201) === refuses;
    });
  }

  const allowing = (team: string, ...allowedAdd: string[]): CapabilityPolicySpec => ({
    namespaceSelector: { matchLabels: { team } },
    level: 'restricted',
    mode: 'Enforce',
    overrides: { capabilities: { allowedAdd } },
  });
  const put = (team: string, ...allowedAdd: string[]) => cluster.policy(team, allowing(team, ...allowedAdd));

  /** Waits for a condition with this reason, of the current generation. */
  const reports = (policy: string, type: string, reason: string): Promise<Condition> =>
    eventually(
      `${type} ${reason} of ${policy}`,
      async () => {
        const { metadata, status } = await cluster.api.get(`${POLICIES}/${policy}`);
        const conditions: Condition[] = status?.conditions ?? [];
        return conditions.find(
          (one) => one.type === type && one.reason === reason && one.observedGeneration === metadata.generation,
        );
      },
      60_000,
    );

  const admits = async (namespace: string, capability: string) =>
    (await cluster.admit(restrictedPod({ add: [capability] }), namespace)) === ADMITTED;

  async function isNotAccepted(policy: string): Promise<void> {
    const accepted = await reports(policy, 'Accepted', 'WriteRefused');
    assert.equal(accepted.status, 'False');
    assert.match(accepted.message, new RegExp(`^the API server refuses programs with this version .*: .*${MESSAGE}`));
    assert.equal((await reports(policy, 'Programmed', 'NotAccepted')).status, 'False');
    assert.equal((await reports(policy, 'Ready', 'WriteRefused')).status, 'False');
  }

  it('keep no other policy waiting, and the policy keeps its earlier version', async () => {
    const [edited = '', beside = '', added = ''] = await Promise.all(
      ['edited', 'beside', 'added'].map((team) => cluster.namespace(team, { team })),
    );
    const policies = { edited: await put('edited', 'KILL'), beside: await put('beside', 'KILL') };
    for (const policy of Object.values(policies)) await cluster.programmed(policy);
    await refuse(true);

    await put('edited', REFUSED);
    await isNotAccepted(policies.edited);
    // A further edit, and new policies, of which one has the same fault.
    await put('beside', 'CHOWN');
    await reports(policies.beside, 'Ready', 'InForce');
    const bad = await put('bad', REFUSED, 'KILL');
    const good = await put('added', 'CHOWN');
    await reports(good, 'Ready', 'InForce');
    await isNotAccepted(bad);
    const verdicts = async () => [
      await admits(edited, 'KILL'),
      await admits(edited, REFUSED),
      await admits(beside, 'KILL'),
      await admits(beside, 'CHOWN'),
      await admits(added, 'CHOWN'),
    ];
    assert.deepEqual(await verdicts(), [true, false, false, true, true]);

    // The operator comes to the same result after a restart.
    await cluster.operator.stop();
    await cluster.operator.startAndWatch();
    await put('beside', 'CHOWN', 'FOWNER');
    await reports(policies.beside, 'Ready', 'InForce');
    await isNotAccepted(policies.edited);
    await isNotAccepted(bad);
    assert.deepEqual(await verdicts(), [true, false, false, true, true]);

    // An edit without the fault comes into force at once, and a deleted policy leaves nothing.
    await put('edited', 'FOWNER');
    await reports(policies.edited, 'Ready', 'InForce');
    assert.deepEqual([await admits(edited, 'KILL'), await admits(edited, 'FOWNER')], [false, true]);

    // Without the file, the API server accepts the row, and the operator finds out by itself.
    await refuse(false);
    await reports(bad, 'Ready', 'InForce');
  });

  it('are said as before if the API server refuses every program', async () => {
    const policy = await put('all', 'KILL');
    await cluster.programmed(policy);
    writeFile('false');
    await put('all', 'CHOWN');
    await reports(policy, 'Programmed', 'ApplyFailed');
    await refuse(false);
    await reports(policy, 'Ready', 'InForce');
  });
});
