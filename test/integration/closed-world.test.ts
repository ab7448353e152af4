/**
 * Tests pod fields that the operator's release does not know. The real API server of the test has the fields that the
 * release does not know. The tested operator uses a table of pod fields without the unknown fields.
 */
import assert from 'node:assert/strict';
import type { Answer } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { earlierOperator } from '../support/earlier-operator.ts';
import { ADMINISTRATOR, createNamespace, eventually, useCluster } from '../support/harness.ts';
import { itIfOffered } from '../support/needs.ts';
import type { OperatorProcess } from '../support/operator-process.ts';
import { podManifest, workloads } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';

const STRATEGIC = 'application/strategic-merge-patch+json';
const LEVELS = ['baseline', 'restricted'] as const;

type Fields = Readonly<Record<string, unknown>>;

interface Row {
  /** The name of the field. The earlier release does not know the field in any type. */
  readonly field: string;
  /** The part of a container that sets the field. If containers cannot have the field, the value is undefined. */
  readonly container?: Fields;
  /** The part of the pod's spec that sets the field. If the spec cannot have the field, the value is undefined. */
  readonly spec?: Fields;
  /** Other fields that the API server requires together with the field. */
  readonly beside?: Fields;
}

const secured = (securityContext: Fields) => ({ securityContext });
const LOCALHOST = { type: 'Localhost', localhostProfile: 'profile' };

/** Fields in a securityContext. The levels baseline and restricted both refuse unknown fields in a securityContext. */
const REFUSED: readonly Row[] = [
  {
    field: 'appArmorProfile',
    container: secured({ appArmorProfile: { type: 'RuntimeDefault' } }),
    spec: secured({ appArmorProfile: { type: 'RuntimeDefault' } }),
  },
  { field: 'readOnlyRootFilesystem', container: secured({ readOnlyRootFilesystem: true }) },
  { field: 'supplementalGroupsPolicy', spec: secured({ supplementalGroupsPolicy: 'Strict' }) },
  { field: 'seLinuxChangePolicy', spec: secured({ seLinuxChangePolicy: 'Recursive' }) },
  {
    field: 'localhostProfile',
    container: secured({ seccompProfile: LOCALHOST }),
    spec: secured({ seccompProfile: LOCALHOST }),
  },
  {
    field: 'level',
    container: secured({ seLinuxOptions: { level: 's0' } }),
    spec: secured({ seLinuxOptions: { level: 's0' } }),
  },
  {
    field: 'runAsUserName',
    container: secured({ windowsOptions: { runAsUserName: 'user' } }),
    spec: secured({ windowsOptions: { runAsUserName: 'user' } }),
    beside: { os: { name: 'windows' } },
  },
];

/**
 * Fields outside a securityContext. API servers only warn about these fields. For some of the fields in WARNED, API
 * servers fill in a value.
 */
const WARNED: readonly Row[] = [
  { field: 'hostUsers', spec: { hostUsers: false } },
  { field: 'activeDeadlineSeconds', spec: { activeDeadlineSeconds: 60 } },
  { field: 'terminationMessagePolicy', container: { terminationMessagePolicy: 'FallbackToLogsOnError' } },
  {
    field: 'successThreshold',
    container: { readinessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } },
  },
  { field: 'postStart', container: { lifecycle: { postStart: { exec: { command: ['true'] } } } } },
  { field: 'sleep', container: { lifecycle: { preStop: { sleep: { seconds: 1 } } } } },
];

/** Fields that ephemeral containers cannot have. */
const NOT_EPHEMERAL = ['successThreshold', 'postStart', 'sleep'];

const RESTRICTED = secured({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } });
const RESTRICTED_POD = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };

/** A pod with the field. Without the field, both levels would admit the pod. */
function podWith({ beside, spec }: Row, containers: { readonly main?: Fields; readonly init?: Fields } = {}) {
  const isWindows = JSON.stringify(beside ?? {}).includes('windows');
  const container = (name: string, fields: Fields = {}) => ({
    name,
    image: 'example.org/app',
    ...fields,
    securityContext: { ...(isWindows ? {} : RESTRICTED.securityContext), ...(fields.securityContext as object) },
  });
  const securityContext = isWindows ? { runAsNonRoot: true } : RESTRICTED_POD;
  return podManifest(
    { name: 'pod' },
    {
      ...beside,
      ...spec,
      securityContext: { ...securityContext, ...(spec?.securityContext as object) },
      ...(containers.init && { initContainers: [container('init', containers.init)] }),
      containers: [container('main', containers.main)],
    },
  );
}

/** The pods with the field. The result has one pod for each place where a pod can have the field. */
function podsWith(row: Row): object[] {
  const { container, spec, field } = row;
  const { spec: _, ...rest } = row;
  const inInit = !NOT_EPHEMERAL.includes(field);
  return [
    ...(spec ? [podWith(row)] : []),
    ...(container ? [podWith(rest, { main: container })] : []),
    ...(container && inInit ? [podWith(rest, { init: container })] : []),
  ];
}

const PLAIN = podWith({ field: 'none' });

describe('fields of pods that the release does not know', function () {
  this.timeout(300_000);
  const cluster = useCluster('closed');
  const fields = [...REFUSED, ...WARNED].map(({ field }) => field);
  const namespaces = new Map<string, string>();
  let earlier: OperatorProcess;

  const spec = (team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec => ({
    namespaceSelector: { matchLabels: { team } },
    level: 'restricted',
    mode: 'Enforce',
    podSecurityLabels: 'Off',
    ...rest,
  });

  const make = async (pod: object, team: string): Promise<Answer> =>
    cluster.tryCreate(`${NAMESPACES}/${namespaces.get(team)}/pods`, pod);

  /** The warnings about unknown fields in an answer. */
  const warned = ({ warnings }: Answer) => warnings.filter((text) => text.includes('unknownFields: '));

  const operatorWithout = (lacking: readonly string[]) => earlierOperator(cluster.operatorKubeconfig, lacking);

  async function team(name: string, rest: Partial<CapabilityPolicySpec>): Promise<string> {
    namespaces.set(name, await cluster.namespace(name, { team: name }));
    return cluster.policy(name, spec(name, rest));
  }

  before(async () => {
    for (const level of LEVELS) {
      await cluster.programmed(await team(level, { level }));
      const label = { 'pod-security.kubernetes.io/enforce': level };
      const namespace = `psa-${cluster.named(level)}`;
      await createNamespace(cluster.api, namespace, label);
      namespaces.set(`psa-${level}`, namespace);
    }
  });

  for (const level of LEVELS) {
    it(`are decided at ${level} as by Pod Security Admission by a release that knows them`, async () => {
      for (const row of [...REFUSED, ...WARNED]) {
        for (const pod of podsWith(row)) {
          const [ours, theirs] = [await make(pod, level), await make(pod, `psa-${level}`)];
          assert.equal(ours.status, theirs.status, `${row.field}: ${ours.body.message}`);
          assert.equal(ours.status, 201, `${row.field}: ${ours.body.message}`);
          assert.deepEqual(warned(ours), []);
        }
      }
    });
  }

  describe('with an operator of an earlier release', () => {
    before(async () => {
      await cluster.operator.stop();
      earlier = operatorWithout(fields);
      await earlier.startAndWatch();
      const policies = [
        await team('all', { overrides: { unknownFields: 'Refused' } }),
        await team('allowed', { overrides: { unknownFields: 'Allowed' } }),
        await team('listed', {
          overrides: {
            allowedUnknownFields: ['spec.containers.securityContext.readOnlyRootFilesystem', 'spec.hostUsers'],
          },
        }),
        await team('warn', { mode: 'Warn' }),
        await team('audit', { mode: 'Audit' }),
      ];
      await cluster.programmed(...policies, ...LEVELS.map((level) => cluster.named(level)));
    });

    after(async () => {
      await earlier.stop();
      for (const level of LEVELS) await cluster.api.remove(`${NAMESPACES}/${namespaces.get(`psa-${level}`)}`);
    });

    afterEach(function () {
      if (this.currentTest?.isFailed()) console.log(`the end of the earlier operator's log:\n${earlier.logEnd()}`);
    });

    for (const level of LEVELS) {
      describe(`at ${level}`, () => {
        it('a pod without unknown fields is admitted without a warning, even if the API server fills in unknown fields', async () => {
          const probe = { httpGet: { port: 80 } };
          const main = { readinessProbe: probe, livenessProbe: probe, resources: { limits: { cpu: '1' } } };
          for (const pod of [PLAIN, podWith({ field: 'none' }, { main, init: {} })]) {
            const answer = await make(pod, level);
            assert.equal(answer.status, 201, answer.body.message);
            assert.deepEqual(warned(answer), []);
          }
        });

        for (const row of REFUSED) {
          it(`${row.field} is refused in each place, by its path`, async () => {
            for (const pod of podsWith(row)) {
              const { status, body } = await make(pod, level);
              assert.equal(status, 403, JSON.stringify(pod));
              assert.match(
                body.message,
                new RegExp(
                  `unknownFields: .* must not set securityContext\\.(\\w+\\.)?${row.field}, which this release`,
                ),
              );
              assert.match(body.message, new RegExp(`allowedUnknownFields: spec\\.(\\w+\\.)+${row.field}`));
            }
          });
        }

        for (const row of WARNED) {
          it(`${row.field} is admitted in each place, with a warning`, async () => {
            for (const pod of podsWith(row)) {
              const answer = await make(pod, level);
              assert.equal(answer.status, 201, answer.body.message);
              const [warning = '', ...others] = warned(answer);
              assert.deepEqual(others, []);
              assert.match(warning, new RegExp(` sets ([\\w.]+\\.)?${row.field}, which this release of`));
            }
          });
        }
      });
    }

    it('unknown fields cause a warning in a template of each kind', async () => {
      const [, refused] = REFUSED;
      const [, , admitted] = WARNED;
      assert.ok(refused && admitted);
      for (const row of [refused, admitted]) {
        for (const { path, object } of workloads(podsWith(row)[0] as object)) {
          const answer = await cluster.tryCreate(
            path.replace('*', `namespaces/${namespaces.get('restricted')}`),
            object,
            ADMINISTRATOR,
          );
          assert.equal(answer.status, 201, answer.body.message);
          assert.equal(warned(answer).length, 1, `${row.field} ${path}: ${answer.warnings}`);
        }
      }
    });

    it('in ephemeral containers, unknown fields of a securityContext are refused, and other unknown fields cause a warning', async () => {
      const namespace = namespaces.get('restricted');
      const path = `${NAMESPACES}/${namespace}/pods`;
      await cluster.api.ask('POST', path, { body: { ...PLAIN, metadata: { name: 'target' } } });
      const debug = (fields: Fields) => {
        const securityContext = { ...RESTRICTED.securityContext, ...(fields.securityContext as object) };
        const body = {
          spec: { ephemeralContainers: [{ name: 'debug', image: 'example.org/debug', ...fields, securityContext }] },
        };
        const query = { dryRun: 'All' };
        return cluster.api.ask('PATCH', `${path}/target/ephemeralcontainers`, {
          body,
          query,
          contentType: STRATEGIC,
          as: ADMINISTRATOR,
        });
      };
      assert.equal((await debug({})).status, 200);
      for (const { field, container, beside } of REFUSED) {
        if (!container || beside) continue;
        const { status, body } = await debug(container);
        assert.equal(status, 403, field);
        assert.match(body.message, new RegExp(`container "debug" must not set securityContext\\.(\\w+\\.)?${field}`));
      }
      const answer = await debug({ terminationMessagePolicy: 'FallbackToLogsOnError' });
      assert.equal(answer.status, 200, answer.body.message);
      assert.equal(warned(answer).length, 1);
    });

    it('unknownFields: Refused refuses all unknown fields, except values that the API server fills in', async () => {
      assert.equal((await make(PLAIN, 'all')).status, 201);
      for (const row of [...REFUSED, ...WARNED]) {
        for (const pod of podsWith(row)) {
          const answer = await make(pod, 'all');
          assert.equal(answer.status, 403, row.field);
          assert.deepEqual(warned(answer), []);
        }
      }
    });

    it('unknownFields: Allowed admits all unknown fields, without a warning', async () => {
      for (const row of [...REFUSED, ...WARNED]) {
        for (const pod of podsWith(row)) {
          const answer = await make(pod, 'allowed');
          assert.equal(answer.status, 201, answer.body.message);
          assert.deepEqual(warned(answer), []);
        }
      }
    });

    it('allowedUnknownFields admits the listed fields, in each list of containers', async () => {
      const listed = ['readOnlyRootFilesystem', 'hostUsers'];
      for (const row of [...REFUSED, ...WARNED]) {
        for (const pod of podsWith(row)) {
          const answer = await make(pod, 'listed');
          const isRefused = REFUSED.includes(row) && !listed.includes(row.field);
          assert.equal(answer.status, isRefused ? 403 : 201, `${row.field}: ${answer.body.message}`);
          if (listed.includes(row.field)) assert.deepEqual(warned(answer), []);
        }
      }
    });

    it('unknown fields cause a warning in mode Warn, and no warning in mode Audit', async () => {
      for (const row of [...REFUSED, ...WARNED]) {
        for (const pod of podsWith(row)) {
          const [warn, audit] = [await make(pod, 'warn'), await make(pod, 'audit')];
          assert.deepEqual([warn.status, audit.status], [201, 201]);
          assert.equal(warned(warn).length, 1, `${row.field}: ${warn.warnings}`);
          assert.deepEqual(warned(audit), []);
        }
      }
    });

    it('the status of each policy lists the unknown fields that the API server fills in', async () => {
      const { status } = await cluster.api.get(`${POLICIES}/${cluster.named('all')}`);
      const { serverDefaults } = status;
      assert.ok(serverDefaults.includes('spec.containers.terminationMessagePolicy=File'), serverDefaults);
      assert.ok(serverDefaults.includes('spec.containers.readinessProbe.successThreshold=1'), serverDefaults);
    });
  });

  describe('that a mutating policy adds to pods and templates', () => {
    const FIELD = 'supplementalGroupsPolicy';
    const ADMISSION = 'admissionregistration.k8s.io/v1';
    const [MUTATION, BINDING] = ['mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'].map(
      (resource) => `/apis/${ADMISSION}/${resource}/closed-default`,
    ) as [string, string];

    /** Adds the field to pods, and to the templates by which the operator asks what API servers fill in. */
    async function fillIn(): Promise<void> {
      const patch = (path: string) => {
        const pointer = `/${path.replaceAll('.', '/')}/securityContext/${FIELD}`;
        return `!has(object.${path}.securityContext.${FIELD}) ? [JSONPatch{op: "add", path: "${pointer}", value: "Merge"}] : []`;
      };
      const expression = `request.resource.resource == "pods" ? (${patch('spec')}) : (${patch('template.spec')})`;
      const spec = {
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], resources: ['pods', 'podtemplates'], operations: ['CREATE'] },
          ],
        },
        failurePolicy: 'Fail',
        reinvocationPolicy: 'Never',
        mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
      };
      const of = (kind: string, fields: object) => ({
        apiVersion: ADMISSION,
        kind,
        metadata: { name: 'closed-default' },
        spec: fields,
      });
      await cluster.api.apply(MUTATION, of('MutatingAdmissionPolicy', spec));
      await cluster.api.apply(BINDING, of('MutatingAdmissionPolicyBinding', { policyName: 'closed-default' }));
    }

    after(async () => {
      for (const path of [BINDING, MUTATION]) await cluster.api.remove(path);
      await earlier.stop();
    });

    itIfOffered('mutatingAdmissionPolicies', 'do not become known, also once the operator has started', async () => {
      await cluster.operator.stop();
      earlier = operatorWithout([FIELD]);
      await earlier.startAndWatch();
      await cluster.programmed(await team('filled', {}));
      assert.equal((await make(PLAIN, 'filled')).status, 201);
      await earlier.stop();
      await fillIn();
      // The operator is stopped. The last program of the stopped operator refuses every value of the field.
      const refusal = await eventually('the refusal of a pod', async () => {
        const { status, body } = await make(PLAIN, 'filled');
        return status === 403 && body.message;
      });
      assert.match(refusal, new RegExp(`pod must not set securityContext\\.${FIELD}, which this release`));
      await earlier.startAndWatch();
      const later = await team('later', {});
      await cluster.programmed(later);
      for (const team of ['filled', 'later']) assert.equal((await make(PLAIN, team)).status, 403);
      const { status } = await cluster.api.get(`${POLICIES}/${cluster.named('later')}`);
      const learned: readonly string[] = status.serverDefaults ?? [];
      assert.deepEqual(
        learned.filter((text) => text.includes(FIELD)),
        [],
      );
    });
  });

  describe('whose filled-in values a mutating policy changes in templates', () => {
    const FILLED = 'spec.containers.terminationMessagePolicy';
    const NAME = 'closed-changed';
    const [MUTATION, BINDING] = ['mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'].map(
      (resource) => `/apis/admissionregistration.k8s.io/v1/${resource}/${NAME}`,
    ) as [string, string];

    async function changeTemplates(): Promise<void> {
      const container =
        'Object.template.spec.containers{name: one.name, terminationMessagePolicy: "FallbackToLogsOnError"}';
      const expression = `Object{template: Object.template{spec: Object.template.spec{containers: object.template.spec.containers.map(one, ${container})}}}`;
      const spec = {
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], resources: ['podtemplates'], operations: ['CREATE'] },
          ],
        },
        reinvocationPolicy: 'Never',
        mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
      };
      const of = (kind: string, fields: object) => ({
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind,
        metadata: { name: NAME },
        spec: fields,
      });
      await cluster.api.apply(MUTATION, of('MutatingAdmissionPolicy', spec));
      await cluster.api.apply(BINDING, of('MutatingAdmissionPolicyBinding', { policyName: NAME }));
      const template = { metadata: { name: 'changed' }, template: { spec: PLAIN.spec } };
      await eventually('the policy to change templates', async () => {
        const path = `${NAMESPACES}/default/podtemplates`;
        const { body } = await cluster.api.ask('POST', path, { body: template, query: { dryRun: 'All' } });
        return body.template.spec.containers[0].terminationMessagePolicy === 'FallbackToLogsOnError';
      });
    }

    after(async () => {
      for (const path of [BINDING, MUTATION]) await cluster.api.remove(path);
      await earlier.stop();
    });

    itIfOffered('mutatingAdmissionPolicies', 'do not become known while the mutating policy matches', async () => {
      await cluster.operator.stop();
      for (const name of namespaces.keys()) await cluster.api.remove(`${POLICIES}/${cluster.named(name)}`);
      await changeTemplates();
      earlier = operatorWithout(['terminationMessagePolicy']);
      await earlier.startAndWatch();
      const policy = await team('changed', {});
      await cluster.programmed(policy);
      const learned = async (): Promise<readonly string[]> =>
        (await cluster.api.get(`${POLICIES}/${policy}`)).status.serverDefaults ?? [];
      assert.deepEqual(await learned(), []);
      const { message = '' } = (await cluster.condition(policy, 'Accepted')) ?? {};
      const left = `policies do not admit the values of unknown fields that API servers fill in (${FILLED}=FallbackToLogsOnError), because MutatingAdmissionPolicy ${NAME} may have set them. Exclude namespace capabilitypolicy-system from their rules`;
      assert.ok(message.includes(left), message);
      for (const path of [BINDING, MUTATION]) await cluster.api.remove(path);
      await eventually('the value that API servers fill in', async () => (await learned()).includes(`${FILLED}=File`));
      await eventually('the end of the warning', async () => {
        const accepted = await cluster.condition(policy, 'Accepted');
        return !accepted?.message?.includes(NAME);
      });
      await earlier.stop();

      // An operator that learned the value before keeps it.
      await changeTemplates();
      await earlier.startAndWatch();
      const later = await team('later-changed', {});
      await cluster.programmed(later);
      assert.deepEqual(await learned(), [`${FILLED}=File`]);
    });
  });

  describe('once the operator knows them', () => {
    it('leave no program that warns', async () => {
      await cluster.operator.startAndWatch();
      await cluster.settled();
    });
  });
});
