/** Tests Pod Security labels of other owners: labels that refuse what policies admit, and labels of restored namespaces. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { isDeepStrictEqual, promisify } from 'node:util';
import type { Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMITTED, eventually, useCluster } from '../support/harness.ts';
import { LATEST } from '../support/latest.ts';
import { assertStill, eventsAbout, podSecurityOf, statusOf, vanish } from '../support/observed.ts';
import { baselinePod, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';

type Labels = Readonly<Record<string, string>>;

const PREFIX = 'pod-security.kubernetes.io/';
const RECORD = 'capabilitypolicy.dev/labels';
const RAW: Partial<CapabilityPolicySpec> = { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } };

describe('Pod Security labels of other owners', function () {
  this.timeout(300_000);
  const cluster = useCluster('foreign-labels');

  function select(team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
    return { namespaceSelector: { matchLabels: { team } }, level: 'baseline', mode: 'Enforce', ...rest };
  }

  async function kubectl(input: string, ...args: string[]): Promise<void> {
    const { kubectl: program, kubeconfig } = cluster.controlPlane;
    const running = promisify(execFile)(program, ['--kubeconfig', kubeconfig, ...args]);
    running.child.stdin?.end(input);
    await running;
  }

  const label = (namespace: string, labels: Labels) =>
    kubectl(
      '',
      'label',
      'namespace',
      namespace,
      ...Object.entries(labels).map(([key, value]) => `${PREFIX}${key}=${value}`),
    );

  function applied(manager: string) {
    return async (name: string, labels: Labels) => {
      const own = Object.fromEntries(Object.entries(labels).map(([key, value]) => [PREFIX + key, value]));
      const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: own } };
      await cluster.api.apply(`${NAMESPACES}/${name}`, body, manager);
    };
  }

  async function conflictOf(policy: string): Promise<string> {
    const condition = await eventually('the condition LabelConflict', () => cluster.condition(policy, 'LabelConflict'));
    return condition.message;
  }

  async function expectLabels(namespace: string, labels: Labels, record = labels): Promise<void> {
    let last: unknown;
    const look = async () => {
      last = await podSecurityOf(cluster.api, namespace);
      return isDeepStrictEqual(last, { labels, record });
    };
    await eventually(`the labels of ${namespace}`, look).catch(() => assert.deepEqual(last, { labels, record }));
  }

  describe('that refuse what the policies admit', () => {
    const older = 'v1.20';

    // The namespaces are deleted, because a remaining label would look like a label that the operator forgot.
    after(async () => {
      const namespaces = await cluster.api.list(NAMESPACES);
      const own = namespaces.map(({ metadata }) => metadata.name).filter((name) => name.startsWith(cluster.named('')));
      for (const name of own) await vanish(cluster.byHand, name);
    });

    const rows: readonly [string, Partial<CapabilityPolicySpec>, Labels, ReturnType<typeof applied>, string][] = [
      ['restricted by hand, where no label is wanted', RAW, { enforce: 'restricted' }, label, 'kubectl-label'],
      ['baseline by hand, where no label is wanted', RAW, { enforce: 'baseline' }, label, 'kubectl-label'],
      [
        'an old version by server-side apply, where no label is wanted',
        RAW,
        { enforce: 'restricted', 'enforce-version': older },
        applied('argocd-controller'),
        'argocd-controller',
      ],
      ['restricted by hand, where baseline is wanted', {}, { enforce: 'restricted' }, label, 'kubectl-label'],
      [
        'restricted by server-side apply, where labels are off',
        { podSecurityLabels: 'Off' },
        { enforce: 'restricted' },
        applied('kustomize-controller'),
        'kustomize-controller',
      ],
    ];
    for (const [index, [title, rest, labels, set, owner]] of rows.entries()) {
      it(`reports ${title}`, async () => {
        const team = `tight-${index}`;
        const namespace = await cluster.namespace(team, { team });
        await set(namespace, labels);
        const policy = await cluster.policy(team, select(team, rest));
        await cluster.programmed(policy);
        const { enforce } = labels;
        const says = `namespace ${namespace}: label ${PREFIX}enforce is "${enforce}" by ${owner}; the operator would set `;
        const command = `kubectl label namespace ${namespace} ${PREFIX}enforce-`;
        const message = await conflictOf(policy);
        assert.ok(message.startsWith(says), message);
        assert.ok(
          message.includes(`so Pod Security Admission refuses pods that the policy admits: run ${command}.`),
          message,
        );
        const { namespaces } = await statusOf(cluster.api, policy);
        assert.equal(namespaces?.conflicting, 1);
        for (const events of [
          await eventsAbout(cluster.api, 'CapabilityPolicy', policy),
          await eventsAbout(cluster.api, 'Namespace', namespace),
        ]) {
          assert.equal(
            events.filter(({ reason, note }) => reason === 'ForeignLabel' && note.includes(command)).length,
            1,
          );
        }
        await assertStill(cluster.api, `${NAMESPACES}/${namespace}`, 1_000);

        await kubectl('', ...command.split(' ').slice(1));
        const isGone = async () => (await cluster.condition(policy, 'LabelConflict')) === undefined;
        // The other label of the owner still prevents the label that the policy wants.
        if (!('enforce-version' in labels)) await eventually('the condition to be gone', isGone);
      });
    }

    it('appears when the label is set later, and when the policy becomes looser', async () => {
      const [team, version] = ['later', { 'enforce-version': LATEST }];
      const namespace = await cluster.namespace(team, { team });
      const policy = await cluster.policy(team, select(team, RAW));
      await cluster.programmed(policy);
      assert.equal(await cluster.condition(policy, 'LabelConflict'), undefined);
      await label(namespace, { enforce: 'baseline', ...version });
      assert.match(await conflictOf(policy), /enforce is "baseline" by kubectl-label; the operator would set no label/);
      await cluster.policy(team, select(team));
      await eventually('no conflict', async () => (await cluster.condition(policy, 'LabelConflict')) === undefined);
      await cluster.policy(team, select(team, RAW));
      assert.match(await conflictOf(policy), /enforce is "baseline"/);
    });

    it('are no conflict if they refuse nothing that the policies admit', async () => {
      for (const [team, rest, labels] of [
        ['fits-equal', { podSecurityLabels: 'Off' }, { enforce: 'baseline' }],
        ['fits-looser', { podSecurityLabels: 'Off', level: 'restricted' }, { enforce: 'baseline' }],
        ['fits-open', RAW, { enforce: 'privileged' }],
        ['fits-warn', RAW, { warn: 'restricted', audit: 'restricted' }],
        ['fits-audit', { ...RAW, mode: 'Audit' }, { enforce: 'restricted' }],
      ] as const) {
        const namespace = await cluster.namespace(team, { team });
        await label(namespace, labels);
        const policy = await cluster.policy(team, select(team, rest as Partial<CapabilityPolicySpec>));
        await cluster.programmed(policy);
        const status = await statusOf(cluster.api, policy);
        assert.equal(status.namespaces?.conflicting, 0, JSON.stringify([team, status.conditions]));
      }
    });
  });

  describe('of a restored namespace', () => {
    const enforced = { enforce: 'restricted', 'enforce-version': LATEST };
    const create = (manager: string) => async (copy: Json) => {
      const { status } = await cluster.api.ask('POST', NAMESPACES, { body: copy, query: { fieldManager: manager } });
      assert.equal(status, 201);
    };
    const restorers: readonly [string, (copy: Json) => Promise<void>][] = [
      ['velero', create('velero-server')],
      ['kubectl create', (copy) => kubectl(JSON.stringify(copy), 'create', '-f', '-')],
      ['kubectl apply', (copy) => kubectl(JSON.stringify(copy), 'apply', '-f', '-')],
      ['server-side apply', (copy) => kubectl(JSON.stringify(copy), 'apply', '--server-side', '-f', '-')],
    ];

    /** Deletes the namespace, and creates it again from a copy, as a backup tool does. */
    async function restored(namespace: string, by: (copy: Json) => Promise<void>): Promise<void> {
      const { metadata } = await cluster.api.get(`${NAMESPACES}/${namespace}`);
      const { name, labels, annotations } = metadata;
      assert.equal(typeof annotations[RECORD], 'string');
      await vanish(cluster.byHand, namespace);
      await by({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels, annotations } });
      const account = `${NAMESPACES}/${namespace}/serviceaccounts/default`;
      await eventually('the service account', async () => (await cluster.api.find(account)) !== undefined);
    }

    const admits = async (namespace: string) => (await cluster.admit(baselinePod(), namespace)) === ADMITTED;

    for (const [index, [title, by]] of restorers.entries()) {
      it(`by ${title}: break glass and deletion remove the operator's labels`, async () => {
        const team = `restored-${index}`;
        const namespace = await cluster.namespace(team, { team });
        const policy = await cluster.policy(team, select(team, { level: 'restricted' }));
        await cluster.programmed(policy);
        await expectLabels(namespace, enforced);
        await restored(namespace, by);
        await eventually('the operator to own the label again', async () => {
          const { metadata } = await cluster.api.get(`${NAMESPACES}/${namespace}`);
          return metadata.managedFields.some(
            ({ manager, fieldsV1 }: Json) =>
              manager === 'capabilitypolicy.dev' && fieldsV1['f:metadata']['f:labels']?.[`f:${PREFIX}enforce`],
          );
        });
        assert.equal(await cluster.admit(restrictedPod(), namespace), ADMITTED);
        assert.ok(!(await admits(namespace)));
        await assertStill(cluster.api, `${NAMESPACES}/${namespace}`, 1_000);

        await cluster.policy(team, select(team, { level: 'restricted', mode: 'Audit' }));
        await eventually('break glass to open the namespace', () => admits(namespace), 30_000);
        await expectLabels(namespace, { audit: 'restricted', 'audit-version': LATEST });

        await cluster.policy(team, select(team, { level: 'restricted' }));
        await expectLabels(namespace, enforced);
        await restored(namespace, by);
        await cluster.deletePolicy(policy);
        await expectLabels(namespace, {});
        await eventually('the deletion to open the namespace', () => admits(namespace), 30_000);
        assert.match(cluster.operator.logEnd(), new RegExp(`"namespace":"${namespace}".*"removed":\\[[^\\]]*enforce`));
      });
    }

    it('leaves a label that GitOps applies with the recorded value, and the log says so', async () => {
      const team = 'gitops';
      const namespace = await cluster.namespace(team, { team });
      const policy = await cluster.policy(team, select(team, { level: 'restricted' }));
      await expectLabels(namespace, enforced);
      await applied('argocd-controller')(namespace, { enforce: 'restricted' });
      await restored(namespace, create('velero-server'));
      await applied('argocd-controller')(namespace, { enforce: 'restricted' });
      await cluster.deletePolicy(policy);
      await expectLabels(namespace, { enforce: 'restricted' }, {});
      await assertStill(cluster.api, `${NAMESPACES}/${namespace}`, 2_000);
      const left = `"namespace":"${namespace}".*"leftToOtherManagers":\\["${PREFIX}enforce"\\]`;
      assert.match(cluster.operator.logEnd(), new RegExp(left));
      await vanish(cluster.byHand, namespace);
    });
  });
});
