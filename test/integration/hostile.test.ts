/** Tests objects that an attacker can use to disturb the operator, or the readers of its output. */
import assert from 'node:assert/strict';
import { Etcd } from '../../hack/bench/etcd.ts';
import type { Json } from '../../hack/controlplane/api.ts';
import { ADMITTED, eventually, installCrd, useCluster } from '../support/harness.ts';
import { describeIfOffered, itUnprotected } from '../support/needs.ts';
import { eventsAbout, statusOf } from '../support/observed.ts';
import { baselinePod, hostNetworkPod, podManifest, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { installReportCrd, OPEN_REPORTS, removeReportCrd } from '../support/report-crds.ts';

const MOST_STATUS_BYTES = 64 * 1024;
/** The size limit of etcd for an object, in bytes. */
const MOST_OBJECT_BYTES = 1_500_000;
const MANY = 8_000;

/** Characters that control terminals: C0 and C1 controls, and bidirectional controls. */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;
const ESCAPES = '\u001b[2J\u001b]0;owned\u0007\u009b31m\r\nAccepted\u202egnp.exe\u2028';

describe('hostile input', () => {
  const cluster = useCluster('hostile');

  const audit = (team: string) => ({ namespaceSelector: { matchLabels: { team } }, level: 'baseline' as const });
  const enforce = (team: string) => ({ ...audit(team), mode: 'Enforce' as const });

  async function create(namespace: string, name: string, pod: Json, metadata: object = {}): Promise<void> {
    await cluster.api.create(`${NAMESPACES}/${namespace}/pods`, { ...pod, metadata: { name, ...metadata } });
  }

  async function violating(policy: string, workloads: number): Promise<Json> {
    return eventually(`${workloads} violating workloads`, async () => {
      const status = await statusOf(cluster.api, policy);
      return status.workloads?.violating === workloads && status;
    });
  }

  /** Returns the paths of control characters in a status, an Event, a report or the log. */
  function unprintable(value: Json, path = ''): string[] {
    if (typeof value === 'string') return UNPRINTABLE.test(value) ? [`${path}: ${JSON.stringify(value)}`] : [];
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, part]) => unprintable(part, `${path}.${key}`));
  }

  describe(`a namespace with ${MANY} violating pods`, () => {
    let namespace: string;
    let policy: string;
    let etcd: Etcd;

    before(async function () {
      this.timeout(300_000);
      etcd = new Etcd(cluster.controlPlane.pids);
      namespace = await cluster.namespace('crowd', { team: 'crowd' });
      policy = await cluster.policy('crowd', audit('crowd'));
      const path = `${NAMESPACES}/${namespace}/pods`;
      const { status, body } = await cluster.tryCreate(path, { ...hostNetworkPod(), metadata: { name: 'the-pod' } });
      assert.equal(status, 201, body.message);
      // Each object is written in a separate transaction, because the operator watches the objects.
      await etcd.write(copies(body), 1);
    });

    after(async () => {
      await etcd.remove(`pods/${namespace}/`);
      await etcd.close();
      await removeReportCrd(cluster.api, OPEN_REPORTS);
    });

    function* copies({ metadata: { uid, managedFields, ...metadata }, ...pod }: Json) {
      const text = JSON.stringify({ ...pod, metadata: { ...metadata, uid } });
      for (let index = 0; index < MANY; index++) {
        const name = `pod-${index}`;
        const own = uid.slice(0, -6) + String(index).padStart(6, '0');
        yield {
          key: `pods/${namespace}/${name}`,
          object: text.replace('"the-pod"', JSON.stringify(name)).replace(uid, own),
        };
      }
    }

    async function reports(): Promise<Json[]> {
      return cluster.api.list(OPEN_REPORTS.path);
    }

    it('the status counts all violations, and has a bounded size', async () => {
      const status = await violating(policy, MANY);
      assert.equal(status.violationsTotal, MANY);
      assert.equal(status.violations.length, 64);
      assert.ok(Buffer.byteLength(JSON.stringify(status)) < MOST_STATUS_BYTES);
    });

    it('makes no flood of Events', async () => {
      const events = await cluster.api.list(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
      const own = events.filter(({ reportingController }) => reportingController === 'capabilitypolicy.dev');
      // The status lists a limited number of violations. The status replaces listed violations when worse violations
      // appear. Each violation in the status makes an Event.
      assert.ok(own.length <= 128, String(own.length));
      const about = await eventsAbout(cluster.api, 'CapabilityPolicy', policy);
      assert.ok(about.length < 16, String(about.length));
    });

    it('reports contain all violations, in parts that etcd accepts', async () => {
      await installReportCrd(cluster.api, OPEN_REPORTS);
      const all = await eventually('all to be reported', async () => {
        const found = await reports();
        return found.reduce((sum, { summary }) => sum + summary.fail, 0) === MANY && found;
      });
      const named = new Set(all.flatMap(({ results }) => results.map(({ resources }: Json) => resources[0].name)));
      assert.equal(named.size, MANY);
      for (const part of all) assert.ok(Buffer.byteLength(JSON.stringify(part)) < MOST_OBJECT_BYTES / 2);
    });

    it('is clean again when they are deleted', async () => {
      await etcd.removeEach(Array.from({ length: MANY }, (_, index) => `pods/${namespace}/pod-${index}`));
      await violating(policy, 0);
      const events = await cluster.api.list(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
      assert.ok(events.length <= 256, String(events.length));
    });
  });

  describe('text that controls terminals', () => {
    let namespace: string;
    let policy: string;
    const hostPath = { name: 'host', hostPath: { path: `/${ESCAPES}` } };
    const pod = (volumes: object[], securityContext: object): Json =>
      podManifest(
        { name: 'pod' },
        { volumes, containers: [{ name: 'main', image: 'example.org/app', securityContext }] },
      );
    const texts: readonly [string, Json][] = [
      ['path', pod([hostPath], {})],
      ['capability', pod([], { capabilities: { add: [`NET_RAW${ESCAPES}`, '💥'.repeat(5_000)] } })],
      ['profile', pod([], { seLinuxOptions: { type: ESCAPES, user: ESCAPES } })],
      ['driver', pod([{ name: 'flex', flexVolume: { driver: `a/${ESCAPES}` } }], {})],
    ];
    const strict = { hostPaths: [{ pathPrefix: '/var' }], volumes: ['hostPath' as const] };

    before(async () => {
      namespace = await cluster.namespace('texts', { team: 'texts' });
      policy = await cluster.policy('texts', { ...audit('texts'), overrides: strict });
      await cluster.programmed(policy);
      for (const [name, one] of texts) await create(namespace, name, one);
    });

    it('reaches neither status nor Events', async () => {
      const status = await violating(policy, texts.length);
      assert.deepEqual(unprintable(status), []);
      assert.match(JSON.stringify(status), /owned/);
      const events = await cluster.api.list(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
      assert.ok(events.length >= texts.length);
      assert.deepEqual(unprintable(events.map(({ note }) => note)), []);
    });

    for (const mode of ['Enforce', 'Warn'] as const) {
      it(`is not in the API server's answer in mode ${mode}, which still names the violation`, async () => {
        const team = `texts-${mode.toLowerCase()}`;
        const asked = await cluster.namespace(team, { team });
        const spec = { ...audit(team), mode, podSecurityLabels: 'Off' as const, overrides: strict };
        await cluster.programmed(await cluster.policy(team, spec));
        for (const [name, one] of texts) {
          const { body, warnings } = await cluster.tryCreate(`${NAMESPACES}/${asked}/pods`, one);
          const said = mode === 'Enforce' ? body.message : warnings.join('\n');
          assert.match(said, /container "main"|volume "/, `${name}: ${JSON.stringify(said)}`);
          const lines = said.split('\n').flatMap((line: string) => unprintable(line));
          assert.deepEqual(lines, [], name);
        }
      });
    }

    it('is not in the log', () => {
      // The stack of an error may contain line breaks.
      const entries = JSON.parse(JSON.stringify(cluster.operator.log), (key, value) => (key === 'stack' ? '' : value));
      assert.deepEqual(unprintable(entries), []);
    });
  });

  describe('objects as large as the API server accepts', () => {
    it('are evaluated like others', async () => {
      const labels = Object.fromEntries(
        Array.from({ length: 1_000 }, (_, index) => [`label-${index}`, 'x'.repeat(63)]),
      );
      const annotations = { note: 'x'.repeat(255 * 1024) };
      const namespace = await cluster.namespace('large', { ...labels, team: 'large' });
      await cluster.api.patch(`${NAMESPACES}/${namespace}`, { metadata: { annotations } });
      const policy = await cluster.policy('large', audit('large'));
      await create(namespace, 'fine', restrictedPod(), { labels, annotations });
      await create(namespace, 'bad', hostNetworkPod(), { labels, annotations });
      const status = await violating(policy, 1);
      assert.equal(status.violations[0].name, 'bad');
      assert.ok(Buffer.byteLength(JSON.stringify(status)) < MOST_STATUS_BYTES);
    });

    it('a namespace with full annotations has no room for the record of the operator, and the policy is still enforced', async () => {
      const namespace = await cluster.namespace('full', { team: 'full' });
      await cluster.api.patch(`${NAMESPACES}/${namespace}`, {
        metadata: { annotations: { note: 'x'.repeat(262_100) } },
      });
      const policy = await cluster.policy('full', enforce('full'));
      await cluster.programmed(policy);
      assert.notEqual(await cluster.admit(hostNetworkPod(), namespace), ADMITTED);
      await cluster.api.patch(`${NAMESPACES}/${namespace}`, { metadata: { annotations: { note: null } } });
      await eventually('the label to be set then', async () => {
        const { metadata } = await cluster.api.get(`${NAMESPACES}/${namespace}`);
        return metadata.labels['pod-security.kubernetes.io/enforce'] === 'baseline';
      });
    });
  });

  describeIfOffered('mutatingAdmissionPolicies', 'another mutating admission policy', () => {
    const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
    const name = 'hostile-stranger';

    after(async () => {
      for (const kind of ['mutatingadmissionpolicybindings', 'mutatingadmissionpolicies']) {
        await cluster.api.remove(`${ADMISSION}/${kind}/${name}`);
      }
    });

    async function strangerAdds(container: string): Promise<void> {
      const expression = `[JSONPatch{op: "add", path: "/spec/containers/-", value: ${container}}]`;
      const apiVersion = 'admissionregistration.k8s.io/v1';
      const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };
      await cluster.api.apply(`${ADMISSION}/mutatingadmissionpolicies/${name}`, {
        apiVersion,
        kind: 'MutatingAdmissionPolicy',
        metadata: { name },
        spec: {
          reinvocationPolicy: 'Never',
          matchConstraints: {
            namespaceSelector: { matchLabels: { team: 'changed' } },
            resourceRules: [rule],
          },
          matchConditions: [{ name: 'once', expression: 'object.spec.containers.size() < 2' }],
          mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
        },
      });
      await cluster.api.apply(`${ADMISSION}/mutatingadmissionpolicybindings/${name}`, {
        apiVersion,
        kind: 'MutatingAdmissionPolicyBinding',
        metadata: { name },
        spec: { policyName: name },
      });
    }

    it('defaulting and the policy apply to the result of a foreign mutating policy', async () => {
      const namespace = await cluster.namespace('changed', { team: 'changed' });
      const policy = await cluster.policy('changed', {
        ...enforce('changed'),
        level: 'restricted',
        defaulting: 'Enabled',
        podSecurityLabels: 'Off',
      });
      await cluster.programmed(policy);
      assert.equal(await cluster.admit(baselinePod(), namespace), ADMITTED);
      const image = 'image: "example.org/stranger"';
      await strangerAdds(
        `Object.spec.containers{name: "stranger", ${image}, securityContext: Object.spec.containers.securityContext{privileged: true}}`,
      );
      const refusal = await eventually('the stranger to be met', async () => {
        const answer = await cluster.admit(baselinePod(), namespace);
        return answer !== ADMITTED && answer;
      });
      assert.match(refusal, /container "stranger"/);
      await strangerAdds(`Object.spec.containers{name: "stranger", ${image}}`);
      const { spec } = await eventually('the container to be filled in as well', async () => {
        const { status, body } = await cluster.tryCreate(`${NAMESPACES}/${namespace}/pods`, baselinePod());
        return status === 201 && body.spec.containers.length === 2 && body;
      });
      for (const container of spec.containers) {
        assert.deepEqual(container.securityContext.capabilities.drop, ['ALL'], container.name);
        assert.equal(container.securityContext.allowPrivilegeEscalation, false, container.name);
      }
    });
  });

  describe('the deletion of the CRD of CapabilityPolicies while the operator runs', () => {
    itUnprotected('nobody may delete the CRD then', 'is survived, and later policies are in force', async () => {
      const namespace = await cluster.namespace('crd', { team: 'crd' });
      await cluster.programmed(await cluster.policy('crd', enforce('crd')));
      const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/capabilitypolicies.capabilitypolicy.dev';
      await cluster.api.remove(CRD);
      await eventually('the CRD to be gone', async () => (await cluster.api.find(CRD)) === undefined);
      await eventually('its rendered objects to be withdrawn', async () => {
        const { metadata } = await cluster.api.get(`${NAMESPACES}/${namespace}`);
        const withdrawn = metadata.labels['pod-security.kubernetes.io/enforce'] === undefined;
        // The rendered objects have the CRD as their owner.
        return (
          withdrawn &&
          (await cluster.rendered(cluster.named('crd'))).length === 0 &&
          (await cluster.programs()).length === 0
        );
      });
      assert.ok(cluster.operator.running);
      await installCrd(cluster.api);
      await cluster.programmed(await cluster.policy('crd', enforce('crd')));
      assert.notEqual(await cluster.admit(hostNetworkPod(), namespace), ADMITTED);
    });
  });
});
