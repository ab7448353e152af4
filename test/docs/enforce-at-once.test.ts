/**
 * Runs the blocks of docs/enforce-at-once.md as a reader would. The cluster has six namespaces with the workloads of
 * well-known charts. While the blocks run, the test creates the pods of the workloads again and again. No pod may be
 * refused.
 */
import assert from 'node:assert/strict';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { ADMITTED, eventually, useCluster } from '../support/harness.ts';
import { documentedBlocks, readPage } from '../support/page.ts';
import { restrictedPod } from '../support/pod-manifests.ts';
import { POLICIES } from '../support/rendered.ts';
import { INSTALLED, type Installed } from './charts.ts';
import { pasteBlocks } from './pasted.ts';

const PAGE = 'docs/enforce-at-once.md';
const NAMESPACES = [...new Set(INSTALLED.map(({ metadata }) => metadata.namespace))];
/** The namespaces in which the level restricted admits all workloads unchanged. */
const COMPLIANT = ['cert-manager'];
/** The maximum number of commands from an empty cluster to enforced policies. */
const MOST_COMMANDS = 6;
/** The controllers that create the pods. When a pod is created, the API server checks the rights of its controller. */
const CONTROLLERS: Readonly<Record<string, string>> = {
  DaemonSet: 'daemon-set-controller',
  Deployment: 'replicaset-controller',
  StatefulSet: 'statefulset-controller',
  CronJob: 'job-controller',
};

interface Template {
  readonly metadata?: object;
  readonly spec: { readonly serviceAccountName?: string };
}

function templateOf({ kind, spec }: Installed): Template {
  const { template, jobTemplate } = spec as { template: Template; jobTemplate: { spec: { template: Template } } };
  return kind === 'CronJob' ? jobTemplate.spec.template : template;
}

describe('enforcing at once', function () {
  this.timeout(300_000);
  let controlPlane: ControlPlane | undefined;
  // The page is about a whole cluster, so the test needs a separate control plane.
  const cluster = useCluster('at-once', {
    controlPlane: async () => {
      controlPlane = await startControlPlane({ quiet: true });
      return controlPlane;
    },
  });
  let stop = false;
  let creating: Promise<void>;
  const refusals: string[] = [];
  let created = 0;

  /** Creates a pod of the workload by dry run, as the user of the workload's controller. @returns the answer */
  function create(one: Installed): Promise<string> {
    const { metadata = {}, spec } = templateOf(one);
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, generateName: `${one.metadata.name}-` },
      spec,
    };
    const user = `system:serviceaccount:kube-system:${CONTROLLERS[one.kind]}`;
    return cluster.admit(pod, one.metadata.namespace, { user, groups: ['system:serviceaccounts'] });
  }

  async function createAgainAndAgain(): Promise<void> {
    while (!stop) {
      for (const one of INSTALLED) {
        const answer = await create(one);
        created += 1;
        if (answer !== ADMITTED) refusals.push(`${one.kind} ${one.metadata.namespace}/${one.metadata.name}: ${answer}`);
      }
    }
  }

  after(() => controlPlane?.stop());

  describe('in six namespaces of charts', () => {
    before(async () => {
      const { api } = cluster;
      for (const name of NAMESPACES) {
        await api.apply(`/api/v1/namespaces/${name}`, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      }
      const accounts = INSTALLED.map(
        (one) => [one.metadata.namespace, templateOf(one).spec.serviceAccountName] as const,
      );
      for (const [namespace, name] of accounts) if (name !== undefined) await cluster.serviceAccount(namespace, name);
      for (const one of INSTALLED) {
        const { apiVersion, kind, metadata } = one;
        await api.apply(
          `/apis/${apiVersion}/namespaces/${metadata.namespace}/${kind.toLowerCase()}s/${metadata.name}`,
          one,
        );
      }
      await eventually('the pods of the Deployments', async () => {
        const pods = await api.list('/api/v1/pods');
        return INSTALLED.filter(({ kind }) => kind === 'Deployment').every(({ metadata: { namespace, name } }) =>
          pods.some(({ metadata }) => metadata.namespace === namespace && metadata.name.startsWith(`${name}-`)),
        );
      });
      creating = createAgainAndAgain();
    });
    after(async () => {
      stop = true;
      await creating;
      const policies = await cluster.api.list(POLICIES);
      await Promise.all(policies.map(({ metadata }) => cluster.deletePolicy(metadata.name)));
    });

    it('takes few commands', () => {
      const commands = ['Write the debt', 'Enforce'].flatMap((section) =>
        documentedBlocks(PAGE, section).flatMap((text) => text.trim().split('\n')),
      );
      assert.ok(commands.length > 0 && commands.length <= MOST_COMMANDS, commands.join('\n'));
    });

    pasteBlocks(readPage(PAGE), { cluster: () => cluster.controlPlane });

    it('the policies refuse no pod of the workloads at any time', async () => {
      const before = created;
      await eventually('all workloads to be created again', async () => created > before + INSTALLED.length);
      assert.deepEqual([...new Set(refusals)], []);
    });

    it('lets the controllers create the pods again', async () => {
      const { api } = cluster;
      const restarted = { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-11-29T00:00:00Z' } } };
      const deployments = INSTALLED.filter(({ kind }) => kind === 'Deployment');
      for (const {
        metadata: { namespace, name },
      } of deployments) {
        const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
        await api.patch(path, { spec: { template: restarted } });
      }
      await eventually('a pod of each new ReplicaSet', async () => {
        const pods = await api.list('/api/v1/pods');
        const again = pods.filter(({ metadata }) => metadata.annotations?.['kubectl.kubernetes.io/restartedAt']);
        return deployments.every(({ metadata: { namespace, name } }) =>
          again.some(({ metadata }) => metadata.namespace === namespace && metadata.name.startsWith(`${name}-`)),
        );
      });
      const events = await api.list('/api/v1/events');
      assert.deepEqual(
        events.filter(({ reason }) => reason === 'FailedCreate').map(({ message }) => message),
        [],
      );
    });

    for (const namespace of NAMESPACES) {
      it(`enforces level restricted in ${namespace}`, async () => {
        const pod = restrictedPod() as { spec: { containers: object[] } };
        const account = { serviceAccountName: 'stranger' };
        await cluster.serviceAccount(namespace, 'stranger');
        const privileged = pod.spec.containers.map((one) => ({ ...one, securityContext: { privileged: true } }));
        const compliant = { ...pod, spec: { ...pod.spec, ...account } };
        const violating = { ...pod, spec: { ...pod.spec, ...account, containers: privileged } };
        assert.equal(await cluster.admit(compliant, namespace), ADMITTED);
        // If the namespace has the label of level restricted, Pod Security Admission refuses the pod before the
        // policies can refuse the pod.
        assert.match(await cluster.admit(violating, namespace), /(?:everywhere|PodSecurity).*: .*privileged/);
      });
    }

    it('only namespaces with violations have exceptions, and each exception has an end and a reason', async () => {
      const policies = await cluster.api.list(POLICIES);
      const exceptions = policies.filter(({ spec }) => spec.usableBy === 'Subjects');
      const excepted = new Set(
        exceptions.map(({ spec }) => spec.namespaceSelector.matchLabels['kubernetes.io/metadata.name']),
      );
      assert.deepEqual([...excepted].sort(), NAMESPACES.filter((name) => !COMPLIANT.includes(name)).sort());
      for (const { spec } of exceptions) {
        assert.equal(spec.reason, 'TICKET-123');
        assert.ok(Date.parse(spec.expires) > Date.now() + 179 * 86_400_000, spec.expires);
      }
    });
  });
});
