/**
 * Tests that a namespace user cannot make the API server compute for seconds by one large pod. Each pod is created,
 * updated or named in a template by dry run, in a namespace without a policy and in namespaces with policies. The test
 * compares the CPU times of the API server.
 */
import assert from 'node:assert/strict';
import { pidsOf } from '../../hack/bench/bench-cluster.ts';
import { usageOf } from '../../hack/bench/measured-process.ts';
import { formatTable } from '../../hack/bench/table.ts';
import type { Answer, Json } from '../../hack/controlplane/api.ts';
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import type { CapabilityPolicyOverrides, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { offers } from '../../operator/standards/server-features.ts';
import { ADMITTED, CREATOR, useCluster } from '../support/harness.ts';
import { grant } from '../support/namespace-changes.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';

const CANDIDATES = 14;
/**
 * With policies, a pod may cost the API server this factor more than without policies, and this time in seconds. If the
 * policies evaluate the pod, the time is for each policy.
 */
const [FACTOR, MORE_S, EVALUATED_S] = [1.5, 0.3, 0.15];
const RUNS = 3;
/** A policy refuses the pod, or an expression exceeds the cost limit of the API server. */
const REFUSED = /CapabilityPolicy|cost limit exceeded/;

const many = <Item>(count: number, item: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, i) => item(i));

const SECURE = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

/** A pod that level restricted admits, apart from the given fields. */
function pod(container: object = {}, spec: object = {}, { securityContext = {}, annotations = {} } = {}): object {
  return podManifest(
    { name: 'pod', annotations },
    {
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' }, ...securityContext },
      containers: [containerOf('app', container)],
      ...spec,
    },
  );
}

function containerOf(name: string, fields: object): object {
  return { name, image: 'app', securityContext: SECURE, ...fields };
}

function withNames(add: readonly string[], drop: readonly string[]): object {
  return { securityContext: { ...SECURE, capabilities: { add, drop } } };
}

const repeated = (count: number, name: string) => many(count, () => name);
const emptyDirs = (count: number) => many(count, (i) => ({ name: `v${i}`, emptyDir: {} }));
const mounts = (count: number) => many(count, (i) => ({ name: `v${i}`, mountPath: `/m/${i}` }));
const containers = (count: number, fields: object) => many(count, (i) => containerOf(`c${i}`, fields));

const hostPaths = (count: number) => many(count, (i) => ({ name: `v${i}`, hostPath: { path: `/read/${i}` } }));

/** The pods are as large as the API server accepts. The key says what the pod has many of. */
const PODS: Readonly<Record<string, object>> = {
  '80,000 names in add': pod(withNames(repeated(80_000, 'NET_BIND_SERVICE'), ['ALL'])),
  '80,000 names in drop': pod(withNames([], [...repeated(80_000, 'CAP_NET_RAW'), 'ALL'])),
  '100 containers of 700 names': pod(
    {},
    { containers: containers(100, withNames(repeated(700, 'NET_BIND_SERVICE'), ['ALL'])) },
  ),
  '50,000 annotations': pod(
    {},
    {},
    { annotations: Object.fromEntries(many(50_000, (i) => [i.toString(36).padStart(4, 'a'), ''])) },
  ),
  '16,000 ports': pod({ ports: many(16_000, (i) => ({ containerPort: i + 1 })) }),
  '100 containers of 160 ports': pod(
    {},
    { containers: containers(100, { ports: many(160, (i) => ({ containerPort: i + 1 })) }) },
  ),
  '12,000 volumes': pod({}, { volumes: emptyDirs(12_000) }),
  '4,000 containers': pod({}, { containers: containers(4_000, {}) }),
  '100 containers of 250 mounts': pod(
    {},
    { volumes: emptyDirs(250), containers: containers(100, { volumeMounts: mounts(250) }) },
  ),
  '30,000 sysctls': pod(
    {},
    {},
    { securityContext: { sysctls: many(30_000, (i) => ({ name: `net.y${i}`, value: '1' })) } },
  ),
  '200,000 groups': pod({}, {}, { securityContext: { supplementalGroups: many(200_000, () => 7) } }),
  '20,000 items of a projected source': pod(
    {},
    {
      volumes: [
        {
          name: 'v',
          projected: {
            sources: [{ secret: { name: 'a', items: many(20_000, (i) => ({ key: `${i}`, path: `${i}` })) } }],
          },
        },
      ],
    },
  ),
  '20,000 projected sources': pod(
    {},
    { volumes: [{ name: 'v', projected: { sources: many(20_000, () => ({ secret: { name: 'a' } })) } }] },
  ),
};

/** Pods that do not exceed the bounds. */
const WITHIN: Readonly<Record<string, object>> = {
  '1,000 containers of 84 names': pod(
    {},
    { containers: containers(1_000, withNames(repeated(42, 'CHOWN'), [...repeated(41, 'CHOWN'), 'ALL'])) },
  ),
  '150 containers of 512 names': pod(
    {},
    { containers: containers(150, withNames(repeated(256, 'CHOWN'), [...repeated(255, 'CHOWN'), 'ALL'])) },
  ),
  '1,000 ports': pod({ ports: many(1_000, (i) => ({ containerPort: i + 1 })) }),
  '1,000 volumes and sources': pod(
    {},
    {
      volumes: many(1_000, (i) => ({ name: `v${i}`, projected: { sources: [{ secret: { name: 'a' } }] } })),
    },
  ),
  '1,000 sysctls and groups': pod(
    {},
    {},
    {
      securityContext: {
        sysctls: many(1_000, (i) => ({ name: `net.y${i}`, value: '1' })),
        supplementalGroups: many(1_000, () => 7),
      },
    },
  ),
  '10,000 mounts of read-only paths': pod(
    {},
    {
      volumes: hostPaths(250),
      containers: containers(100, { volumeMounts: mounts(100).map((mount) => ({ ...mount, readOnly: true })) }),
    },
  ),
  '1,000 mounts of a container': pod({ volumeMounts: mounts(1_000) }, { volumes: emptyDirs(1_000) }),
};

/** Each of these overrides has other values, so the API server cannot share the work for two candidates. */
function overridesOf(i: number): CapabilityPolicyOverrides {
  return {
    capabilities: { allowedAdd: ['CHOWN', 'NET_BIND_SERVICE'], allowedBounding: ['CHOWN', 'NET_BIND_SERVICE'] },
    hostPorts: [{ min: 8_000 + i, max: 9_000 }],
    volumes: ['emptyDir', 'hostPath', 'projected', 'secret', ...(i % 2 === 0 ? (['nfs'] as const) : [])],
    hostPaths: [
      { pathPrefix: `/var/${i}`, readOnly: true },
      { pathPrefix: '/read', readOnly: true },
    ],
    csiDrivers: [`${i}.example.com`],
    serviceAccountToken: 'Forbidden',
    supplementalGroups: { rule: 'MayRunAs', ranges: [{ min: 1, max: 1_000 + i }] },
    sysctls: { allowed: ['net.*'], forbidden: [`kernel.x${i}`] },
    appArmor: { types: ['RuntimeDefault', 'Localhost'], localhostProfiles: [`app-${i}`] },
  };
}

const MERGE = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';

interface Write {
  readonly method: 'POST' | 'PATCH';
  readonly path: string;
  readonly body: object;
  readonly contentType?: string;
}

/**
 * The writes that policies evaluate. @param name the name of a pod with the same content, which is older than the
 * policies
 */
const WRITES: Readonly<Record<string, (namespace: string, object: Json, name: string) => Write>> = {
  'is created': (namespace, object) => ({ method: 'POST', path: `${NAMESPACES}/${namespace}/pods`, body: object }),
  'is updated': (namespace, _, name) => ({
    method: 'PATCH',
    path: `${NAMESPACES}/${namespace}/pods/${name}`,
    body: { spec: { activeDeadlineSeconds: 1_000 } },
    contentType: MERGE,
  }),
  'gets an ephemeral container': (namespace, _, name) => ({
    method: 'PATCH',
    path: `${NAMESPACES}/${namespace}/pods/${name}/ephemeralcontainers`,
    body: { spec: { ephemeralContainers: [containerOf('debug', {})] } },
    contentType: STRATEGIC,
  }),
  'is the template of a Deployment': (namespace, { metadata, spec }) => ({
    method: 'POST',
    path: `/apis/apps/v1/namespaces/${namespace}/deployments`,
    body: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'large' },
      spec: { selector: { matchLabels: LABELS }, template: template(metadata, spec) },
    },
  }),
  'is the template of a CronJob': (namespace, { metadata, spec }) => ({
    method: 'POST',
    path: `/apis/batch/v1/namespaces/${namespace}/cronjobs`,
    body: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'large' },
      spec: {
        schedule: '0 0 1 1 *',
        jobTemplate: { spec: { template: template(metadata, { ...spec, restartPolicy: 'Never' }) } },
      },
    },
  }),
};
const LABELS = { app: 'large' };

function template({ annotations }: Json, spec: object): object {
  return { metadata: { labels: LABELS, annotations }, spec };
}

/** The teams of namespaces. The value is how many policies decide in the namespaces of the team. */
const TEAMS = { without: 0, one: 1, filled: 1, many: CANDIDATES } as const;
type Team = keyof typeof TEAMS;

describe('the CPU time of the API server for one large pod', function () {
  this.timeout(2_400_000);
  const cluster = useCluster('costly');
  const rows: string[][] = [];
  const teams = (Object.keys(TEAMS) as Team[]).filter(
    (team) => team !== 'filled' || offers(SERVER_MINOR, 'mutatingAdmissionPolicies'),
  );
  const older = Object.keys(PODS).map((title, i) => [title, `older-${i}`] as const);

  before(async () => {
    const resources = ['pods', 'pods/ephemeralcontainers'];
    await grant(cluster.api, CREATOR.user, [{ apiGroups: [''], resources, verbs: ['patch'] }], { name: 'costly-pods' });
    for (const team of teams) {
      const namespace = await cluster.namespace(team);
      for (const [title, name] of older) {
        await cluster.api.create(`${NAMESPACES}/${namespace}/pods`, {
          ...PODS[title],
          metadata: metadataOf(title, name),
        });
      }
      await cluster.api.patch(`${NAMESPACES}/${namespace}`, { metadata: { labels: { team } } });
    }
    const spec = (team: Team, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec => ({
      namespaceSelector: { matchLabels: { team } },
      level: 'restricted',
      mode: 'Enforce',
      podSecurityLabels: 'Off',
      ...rest,
    });
    const policies = await Promise.all([
      cluster.policy('one', spec('one')),
      ...(teams.includes('filled') ? [cluster.policy('filled', spec('filled', { defaulting: 'Enabled' }))] : []),
      ...many(CANDIDATES, (i) => cluster.policy(`many-${i}`, spec('many', { overrides: overridesOf(i) }))),
    ]);
    await cluster.programmed(...policies);
    for (const team of teams) assert.equal(await cluster.admit(pod(), cluster.named(team)), ADMITTED);
  });

  after(() => {
    const columns = [
      'pod',
      ...teams.map((team) => (team === 'filled' ? '1 policy with defaulting' : `${TEAMS[team]} policies`)),
    ];
    console.log(formatTable({ title: 'CPU time of kube-apiserver', columns, rows, notes: [], measured: rows }));
  });

  for (const [title, name] of older) {
    for (const way of Object.keys(WRITES)) {
      it(`is little more than without policies: a pod of ${title} ${way}`, () =>
        isLittleMore(title, PODS[title] as Json, way, name, 0));
    }
  }

  for (const [title, large] of Object.entries(WITHIN)) {
    it(`is little more than without policies: a pod of ${title} is created`, () =>
      isLittleMore(title, large, 'is created', '', EVALUATED_S));
  }

  /** @param eachS the time in seconds that each policy may need */
  async function isLittleMore(title: string, object: Json, way: string, name: string, eachS: number): Promise<void> {
    const times = new Map<Team, number>();
    for (const team of teams)
      times.set(team, await cpuSeconds(team, WRITES[way]?.(cluster.named(team), object, name) as Write));
    rows.push([`${title} ${way}`, ...[...times.values()].map((seconds) => `${seconds.toFixed(2)} s`)]);
    const without = times.get('without') ?? Number.NaN;
    for (const [team, seconds] of times) {
      const most = FACTOR * without + Math.max(MORE_S, TEAMS[team] * eachS);
      assert.ok(seconds <= most, `${team}: ${seconds} s, without: ${without} s`);
    }
  }

  /** The minimum CPU time over some runs. The API server has other work, too. */
  async function cpuSeconds(team: Team, { method, path, ...write }: Write): Promise<number> {
    const [pid = 0] = pidsOf(cluster.controlPlane, 'kube-apiserver');
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const before = usageOf(pid)?.cpuSeconds ?? Number.NaN;
      const answer = await cluster.api.ask(method, path, { ...write, as: CREATOR, query: { dryRun: 'All' } });
      times.push((usageOf(pid)?.cpuSeconds ?? Number.NaN) - before);
      assertExpected(team, answer);
    }
    return Math.min(...times);
  }

  function assertExpected(team: Team, { status, body }: Answer): void {
    assert.ok(status < 300 || (team !== 'without' && REFUSED.test(body.message)), `${status} ${body.message}`);
  }
});

function metadataOf(title: string, name: string): object {
  return { ...(PODS[title] as Json).metadata, name };
}
