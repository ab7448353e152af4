import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { isDeepStrictEqual, promisify } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import type { Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { writeLabels } from '../../operator/apply/label-writer.ts';
import { planLabels } from '../../operator/apply/namespace-labels.ts';
import { ApiClient } from '../../operator/cluster/client.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { LATEST } from '../support/latest.ts';
import { itIfOffered } from '../support/needs.ts';
import { assertStill, eventsAbout, podSecurityOf, statusOf, vanish } from '../support/observed.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

type Labels = Readonly<Record<string, string>>;

const PREFIX = 'pod-security.kubernetes.io/';
const RECORD = 'capabilitypolicy.dev/labels';
const AUDIT_BASELINE: Labels = { audit: 'baseline', 'audit-version': LATEST };
const AUDIT_RESTRICTED: Labels = { audit: 'restricted', 'audit-version': LATEST };
/**
 * The maximum time in ms to wait for the garbage collector. The garbage collector learns of a new CRD within half a
 * minute.
 */
const COLLECTION_MS = 60_000;

describe('Pod Security labels', function () {
  this.timeout(300_000);
  const cluster = useCluster('labels');

  /** A policy for the namespaces of a team. If `rest` states no mode, the mode of the policy is Audit. */
  function select(team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
    return { namespaceSelector: { matchLabels: { team } }, level: 'baseline', ...rest };
  }

  /**
   * Waits until the namespace has the given labels. Without `labels`, the operator must have set and recorded all Pod
   * Security labels.
   */
  async function expectLabels(namespace: string, labels: Labels, record = labels): Promise<void> {
    let last: unknown;
    const look = async () => {
      last = await podSecurityOf(cluster.api, namespace);
      return isDeepStrictEqual(last, { labels, record });
    };
    await eventually(`the labels of ${namespace}`, look).catch(() => assert.deepEqual(last, { labels, record }));
  }

  async function label(namespace: string, ...changes: string[]): Promise<void> {
    await kubectl('label', 'namespace', namespace, '--overwrite', ...changes);
  }

  /** Waits until the operator has seen all changes of namespaces so far, which one watch shows in their order. */
  async function operatorSeesNamespaces(step: string): Promise<void> {
    await cluster.policy('seen', select('seen'));
    await expectLabels(await cluster.namespace(`seen-by-${step}`, { team: 'seen' }), AUDIT_BASELINE);
  }

  async function kubectl(...args: string[]): Promise<string> {
    const { kubectl: program, kubeconfig } = cluster.controlPlane;
    const { stdout } = await promisify(execFile)(program, ['--kubeconfig', kubeconfig, ...args]);
    return stdout;
  }

  /** Applies labels by server-side apply with force, as Argo CD does. */
  async function argoApplies(namespace: string, labels: Labels): Promise<void> {
    const own = Object.entries(labels).map(([name, value]) => [PREFIX + name, value]);
    const metadata = { name: namespace, labels: Object.fromEntries(own) };
    await cluster.api.apply(
      `${NAMESPACES}/${namespace}`,
      { apiVersion: 'v1', kind: 'Namespace', metadata },
      'argocd-controller',
    );
  }

  async function conflict(policy: string, message: RegExp): Promise<void> {
    let last = '';
    const look = async () => {
      last = (await cluster.condition(policy, 'LabelConflict'))?.message ?? '';
      return message.test(last);
    };
    await eventually(`the conflict of ${policy}`, look).catch(() => assert.match(last, message));
  }

  async function noConflict(policy: string): Promise<void> {
    const look = async () => (await cluster.condition(policy, 'LabelConflict')) === undefined;
    await eventually('the conflict to be gone', look);
  }

  describe('follow the policies', () => {
    for (const mode of ['Enforce', 'Warn', 'Audit'] as const) {
      it(`are set for mode ${mode}, with the version`, async () => {
        const team = mode.toLowerCase();
        const namespace = await cluster.namespace(team, { team });
        await cluster.policy(team, select(team, { mode, level: 'restricted' }));
        await expectLabels(namespace, { [team]: 'restricted', [`${team}-version`]: LATEST });
      });
    }

    it('a namespace has one Pod Security label for each mode of its policies', async () => {
      const namespace = await cluster.namespace('modes', { team: 'modes' });
      await cluster.policy('modes-enforce', select('modes', { mode: 'Enforce' }));
      await cluster.policy('modes-audit', select('modes', { level: 'restricted' }));
      await expectLabels(namespace, { enforce: 'baseline', 'enforce-version': LATEST, ...AUDIT_RESTRICTED });
      await cluster.deletePolicy(cluster.named('modes-enforce'));
      await expectLabels(namespace, AUDIT_RESTRICTED);
    });

    it('the labels follow mode, selector, namespace and name, and are removed with the policy', async () => {
      const one = await cluster.namespace('one', { team: 'moving', zone: 'one' });
      const two = await cluster.namespace('two', { team: 'moving', zone: 'two' });
      const selecting = (zone: string) => ({ namespaceSelector: { matchLabels: { team: 'moving', zone } } });
      const policy = await cluster.policy('moving', select('', selecting('one')));
      await expectLabels(one, AUDIT_BASELINE);

      await cluster.policy('moving', select('', { ...selecting('one'), mode: 'Warn' }));
      await expectLabels(one, { warn: 'baseline', 'warn-version': LATEST });

      await cluster.policy('moving', select('', selecting('two')));
      await expectLabels(one, {});
      await expectLabels(two, AUDIT_BASELINE);

      await label(two, 'zone=one');
      await expectLabels(two, {});
      await label(one, 'zone=two');
      await expectLabels(one, AUDIT_BASELINE);

      await cluster.deletePolicy(policy);
      await cluster.policy('moved', select('', { ...selecting('two'), level: 'restricted' }));
      await expectLabels(one, AUDIT_RESTRICTED);

      await cluster.deletePolicy(cluster.named('moved'));
      await expectLabels(one, {});
      await expectLabels(two, {});
    });

    it('the label fits the looser of two policies with equal priority, or the policy with the higher priority', async () => {
      const namespace = await cluster.namespace('equal', { team: 'equal' });
      await cluster.policy('strict', select('equal', { level: 'restricted' }));
      await expectLabels(namespace, AUDIT_RESTRICTED);
      await cluster.policy('loose', select('equal'));
      await expectLabels(namespace, AUDIT_BASELINE);
      await cluster.policy('strict', select('equal', { level: 'restricted', priority: 1 }));
      await expectLabels(namespace, AUDIT_RESTRICTED);
    });

    it('there are no labels if one of the policies has podSecurityLabels: Off', async () => {
      const namespace = await cluster.namespace('off', { team: 'off' });
      const policy = await cluster.policy('off', select('off'));
      await expectLabels(namespace, AUDIT_BASELINE);
      await cluster.policy('off', select('off', { podSecurityLabels: 'Off' }));
      await expectLabels(namespace, {});
      await cluster.programmed(policy);
      const shown = await eventually('the status', async () => {
        const { rendered, namespaces } = await statusOf(cluster.api, policy);
        return namespaces?.labelled === 0 && rendered?.podSecurity;
      });
      assert.equal(shown, '-');
      const second = await cluster.policy('on', select('off'));
      await cluster.programmed(second);
      await expectLabels(namespace, {});
    });

    it('if the allowed values fit neither baseline nor restricted, there is no label, not even privileged', async () => {
      const namespace = await cluster.namespace('raw', { team: 'raw' });
      const policy = await cluster.policy('raw', select('raw', { level: 'restricted', mode: 'Enforce' }));
      await expectLabels(namespace, { enforce: 'restricted', 'enforce-version': LATEST });
      const overrides = { capabilities: { allowedAdd: ['NET_RAW'] } } as CapabilityPolicySpec['overrides'];
      await cluster.policy('raw', select('raw', { level: 'restricted', mode: 'Enforce', overrides }));
      await expectLabels(namespace, {});
      await cluster.programmed(policy);
      assert.equal((await statusOf(cluster.api, policy)).rendered?.podSecurity, '-');
      await expectLabels(namespace, {});
    });
  });

  describe('that are ours', () => {
    let namespace: string;
    let policy: string;

    before(async () => {
      namespace = await cluster.namespace('ours', { team: 'ours' });
      policy = await cluster.policy('ours', select('ours'));
      await expectLabels(namespace, AUDIT_BASELINE);
    });

    for (const [what, change] of [
      ['another level', 'audit=privileged'],
      ['another version', 'audit-version=v1.20'],
      ['no level', 'audit-'],
      ['no version', 'audit-version-'],
    ] as const) {
      it(`are repaired: ${what} by hand`, async () => {
        const { metadata: before } = await cluster.api.get(`${NAMESPACES}/${namespace}`);
        await label(namespace, `${PREFIX}${change}`);
        await eventually('another write', async () => {
          const { metadata } = await cluster.api.get(`${NAMESPACES}/${namespace}`);
          return metadata.resourceVersion !== before.resourceVersion;
        });
        await expectLabels(namespace, AUDIT_BASELINE);
        assert.equal(await cluster.condition(policy, 'LabelConflict'), undefined);
      });
    }

    for (const value of [null, '{}', 'no JSON', JSON.stringify({ [`${PREFIX}warn`]: 'restricted' })]) {
      it(`are recorded again when the record is ${value ?? 'removed'}`, async () => {
        await cluster.byHand.patch(`${NAMESPACES}/${namespace}`, { metadata: { annotations: { [RECORD]: value } } });
        await expectLabels(namespace, AUDIT_BASELINE);
      });
    }

    it('leave other labels and annotations alone', async () => {
      const { metadata } = await cluster.api.get(`${NAMESPACES}/${namespace}`);
      assert.equal(metadata.labels.team, 'ours');
      assert.equal(metadata.labels['kubernetes.io/metadata.name'], namespace);
    });

    it('are not written again while nothing changes', async () => {
      await assertStill(cluster.api, `${NAMESPACES}/${namespace}`, 1_000);
    });
  });

  describe('that another owner set', () => {
    const TEAMS = ['version', 'filled', 'argo', 'same', 'claimed', 'stripped', 'server-side-apply', 'hand-before-us'];

    // The namespaces are deleted, because a remaining label would look like a label that the operator forgot.
    after(async () => {
      await Promise.all(TEAMS.map((team) => cluster.api.remove(`${NAMESPACES}/${cluster.named(team)}`)));
    });

    it('foreign labels stay, and a condition and Events name the owner, the foreign value and the wanted value', async () => {
      const namespace = await cluster.namespace('foreign', { team: 'foreign' });
      await label(namespace, `${PREFIX}audit=privileged`);
      const policy = await cluster.policy('foreign', select('foreign'));
      const text = `label ${PREFIX}audit is "privileged" by kubectl-label; the operator would set "baseline"`;
      await conflict(policy, new RegExp(`^namespace ${namespace}: ${text}`));
      await cluster.programmed(policy);
      await expectLabels(namespace, { audit: 'privileged' }, {});
      assert.equal((await cluster.condition(policy, 'Ready'))?.status, 'True');
      const { namespaces } = await statusOf(cluster.api, policy);
      assert.deepEqual(namespaces, { selected: 1, deciding: 1, labelled: 0, conflicting: 1 });
      for (const events of [
        await eventsAbout(cluster.api, 'CapabilityPolicy', policy),
        await eventsAbout(cluster.api, 'Namespace', namespace),
      ]) {
        const [event, ...more] = events.filter(({ reason }) => reason === 'ForeignLabel');
        assert.ok(event?.note.includes(text), JSON.stringify(events));
        assert.equal(event.type, 'Warning');
        assert.deepEqual(more, []);
      }

      await label(namespace, `${PREFIX}audit-`);
      await expectLabels(namespace, AUDIT_BASELINE);
      await noConflict(policy);
    });

    it('a version label of another owner prevents the operator from setting the label of the same mode', async () => {
      const namespace = await cluster.namespace('version', { team: 'version' });
      await label(namespace, `${PREFIX}audit-version=v1.20`);
      const policy = await cluster.policy('version', select('version'));
      await conflict(
        policy,
        new RegExp(`audit-version is "v1\\.20" by kubectl-label; the operator would set "${LATEST}"`),
      );
      await expectLabels(namespace, { 'audit-version': 'v1.20' }, {});
    });

    itIfOffered(
      'mutatingAdmissionPolicies',
      'are reported too if defaulting sets the labels of other modes beside its own',
      async () => {
        const namespace = await cluster.namespace('filled', { team: 'filled' });
        await label(namespace, `${PREFIX}warn=privileged`);
        const rest = { mode: 'Enforce', defaulting: 'Enabled', level: 'restricted' } as const;
        const policy = await cluster.policy('filled', select('filled', rest));
        const ours = { enforce: 'restricted', 'enforce-version': LATEST, ...AUDIT_BASELINE };
        await expectLabels(namespace, { ...ours, warn: 'privileged' }, ours);
        await conflict(policy, /warn is "privileged" by kubectl-label; the operator would set "baseline"/);
      },
    );

    it('a label that another owner sets by server-side apply wins, is reported, and does not change again', async () => {
      const namespace = await cluster.namespace('argo', { team: 'argo' });
      const policy = await cluster.policy('argo', select('argo'));
      await expectLabels(namespace, AUDIT_BASELINE);
      await argoApplies(namespace, { audit: 'privileged' });
      await conflict(policy, /audit is "privileged" by argocd-controller; the operator would set "baseline"/);
      await expectLabels(namespace, { audit: 'privileged' }, {});
      await cluster.programmed(policy);
      await Promise.all([
        assertStill(cluster.api, `${NAMESPACES}/${namespace}`, 3_000),
        assertStill(cluster.api, `${POLICIES}/${policy}`, 3_000),
      ]);

      await argoApplies(namespace, {});
      await expectLabels(namespace, AUDIT_BASELINE);
      await noConflict(policy);
    });

    it('a label of another owner with the same value is no conflict, and stays when the operator removes its label', async () => {
      const namespace = await cluster.namespace('same', { team: 'same' });
      const policy = await cluster.policy('same', select('same'));
      await expectLabels(namespace, AUDIT_BASELINE);
      await argoApplies(namespace, { audit: 'baseline' });
      await cluster.policy('same', select('same', { priority: 1 }));
      await cluster.programmed(policy);
      await expectLabels(namespace, AUDIT_BASELINE);
      assert.equal(await cluster.condition(policy, 'LabelConflict'), undefined);
      await cluster.deletePolicy(policy);
      await expectLabels(namespace, { audit: 'baseline' }, {});
    });

    it('a manager that states the same value as the operator owns the label only after a change of the value', async () => {
      const namespace = await cluster.namespace('claimed', { team: 'claimed' });
      const policy = await cluster.policy('claimed', select('claimed'));
      await expectLabels(namespace, AUDIT_BASELINE);
      await argoApplies(namespace, { audit: 'baseline' });
      await cluster.policy('claimed', select('claimed', { level: 'restricted' }));
      await expectLabels(namespace, AUDIT_RESTRICTED);
      await cluster.programmed(policy);
      assert.equal(await cluster.condition(policy, 'LabelConflict'), undefined);
      // Argo CD makes the same request at its next sync.
      await argoApplies(namespace, { audit: 'baseline' });
      await conflict(policy, /audit is "baseline" by argocd-controller; the operator would set "restricted"/);
      await expectLabels(namespace, { audit: 'baseline' }, {});
      await assertStill(cluster.api, `${NAMESPACES}/${namespace}`, 2_000);
      await argoApplies(namespace, {});
      await expectLabels(namespace, AUDIT_RESTRICTED);
    });

    it('if the managed fields lack the entry of the operator, the operator still owns the label and reports no conflict', async () => {
      const namespace = await cluster.namespace('stripped', { team: 'stripped' });
      const policy = await cluster.policy('stripped', select('stripped'));
      await expectLabels(namespace, AUDIT_BASELINE);
      await argoApplies(namespace, { audit: 'baseline', 'audit-version': LATEST });
      const path = `${NAMESPACES}/${namespace}`;
      const { metadata } = await cluster.api.get(path);
      const managedFields = metadata.managedFields.filter(({ manager }: Json) => manager !== 'capabilitypolicy.dev');
      assert.ok(managedFields.length < metadata.managedFields.length);
      await cluster.api.patch(path, { metadata: { managedFields } });
      await cluster.policy('stripped', select('stripped', { level: 'restricted' }));
      await expectLabels(namespace, AUDIT_RESTRICTED);
      assert.equal(await cluster.condition(policy, 'LabelConflict'), undefined);
    });

    it('the operator keeps its record of labels when another manager also states the record', async () => {
      const namespace = await cluster.namespace('record', { team: 'record' });
      const policy = await cluster.policy('record', select('record'));
      await expectLabels(namespace, AUDIT_BASELINE);
      const path = `${NAMESPACES}/${namespace}`;
      const { metadata } = await cluster.api.get(path);
      const annotations = { [RECORD]: metadata.annotations[RECORD] };
      const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, annotations } };
      await cluster.api.apply(path, body, 'somebody');
      await cluster.deletePolicy(policy);
      await expectLabels(namespace, {});
    });

    for (const [how, state] of [
      ['server-side apply', (namespace: string) => argoApplies(namespace, { audit: 'baseline' })],
      ['hand, before us', (namespace: string) => label(namespace, `${PREFIX}audit=baseline`)],
    ] as const) {
      it(`by ${how} are a conflict as soon as ours have to differ`, async () => {
        const team = how.replace(/\W+/g, '-');
        const namespace = await cluster.namespace(team, { team });
        await state(namespace);
        // The operator must see the change before the operator sees the policy. In another order, the operator would
        // mistake the change for a response to its own write.
        await operatorSeesNamespaces(team);
        const policy = await cluster.policy(team, select(team));
        // The operator does not record the given labels as its own, because another client set the labels first.
        await expectLabels(namespace, AUDIT_BASELINE, { 'audit-version': LATEST });
        await cluster.policy(team, select(team, { level: 'restricted' }));
        await conflict(
          policy,
          /audit is "baseline" by (argocd-controller|kubectl-label); the operator would set "restricted"/,
        );
        await expectLabels(namespace, { audit: 'baseline' }, {});
      });
    }
  });

  describe('labels of policies that were deleted while the operator was down', () => {
    const TEAMS = ['background', 'orphan', 'unrecorded', 'deselected'] as const;
    const namespaces = new Map<string, string>();

    before(async () => {
      for (const team of TEAMS) {
        namespaces.set(team, await cluster.namespace(`down-${team}`, { team }));
        await cluster.policy(`down-${team}`, select(team));
      }
      for (const team of TEAMS) await expectLabels(namespaces.get(team) ?? '', AUDIT_BASELINE);
      await cluster.operator.stop();
      await cluster.deletePolicy(cluster.named('down-background'));
      await cluster.deletePolicy(cluster.named('down-orphan'), 'Orphan');
      await cluster.deletePolicy(cluster.named('down-unrecorded'));
      const unrecorded = { metadata: { annotations: { [RECORD]: null } } };
      await cluster.byHand.patch(`${NAMESPACES}/${namespaces.get('unrecorded')}`, unrecorded);
      await label(namespaces.get('deselected') ?? '', 'team=other');
      const left = async () => isDeepStrictEqual(await leftOf('down-'), [cluster.named('down-deselected')]);
      await eventually('the policies to be gone', left, COLLECTION_MS);
      await cluster.operator.startAndWatch();
    });

    for (const [team, title] of [
      ['background', 'go'],
      ['orphan', 'go after --cascade=orphan'],
      ['unrecorded', 'are removed although our record was removed meanwhile'],
      ['deselected', 'are removed from a namespace that is not selected any more'],
    ] as const) {
      it(title, async () => {
        await expectLabels(namespaces.get(team) ?? '', {});
      });
    }

    async function leftOf(suffix: string): Promise<string[]> {
      return (await cluster.policies()).filter((name) => name.startsWith(cluster.named(suffix)));
    }
  });

  describe('of a namespace that is deleted', () => {
    it('the operator writes no label to a deleted namespace, and does not recreate the namespace', async () => {
      const config = new KubeConfig();
      config.loadFromFile(cluster.controlPlane.kubeconfig);
      const client = new ApiClient(config);
      const namespace = await cluster.namespace('going');
      const path = `${NAMESPACES}/${namespace}`;
      const { metadata } = await cluster.api.get(path);
      const view = { name: namespace, uid: metadata.uid, terminating: false, labels: metadata.labels, labelOwners: {} };
      const plan = planLabels(view, { [`${PREFIX}audit`]: 'baseline', [`${PREFIX}audit-version`]: LATEST });
      await vanish(cluster.byHand, namespace);
      try {
        await assert.rejects(writeLabels(client, view, plan), { status: 409 });
        assert.equal(await cluster.api.find(path), undefined);
        // The operator must not mistake a new namespace with the same name for the deleted namespace.
        await cluster.namespace('going');
        await assert.rejects(writeLabels(client, view, plan), { status: 422 });
        assert.deepEqual(await podSecurityOf(cluster.api, namespace), { labels: {}, record: {} });
      } finally {
        await client.close();
      }
    });

    it('the operator does not recreate namespaces that exist only for a moment', async () => {
      const policy = await cluster.policy('brief', select('brief'));
      await cluster.programmed(policy);
      const names = await Promise.all(
        Array.from({ length: 10 }, (_, i) => cluster.namespace(`brief-${i}`, { team: 'brief' })),
      );
      await Promise.all(names.map((name) => vanish(cluster.byHand, name)));
      await eventually(
        'none to be counted',
        async () => (await statusOf(cluster.api, policy)).namespaces?.selected === 0,
      );
      for (const name of names) assert.equal(await cluster.api.find(`${NAMESPACES}/${name}`), undefined);
    });
  });
});
