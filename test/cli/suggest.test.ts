import assert from 'node:assert/strict';
import fc from 'fast-check';
import { loadAll } from 'js-yaml';
import { parseDocument } from '../../analysis/manifests/document.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { type Made, made, mayBeAdmitted, near, specOf } from '../suggest/suggest-features.ts';
import { cappol } from '../support/cappol.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { policyManifest } from '../support/policies.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { arbitraryPodWithAddedContainers } from '../support/random-policies.ts';
import { SEED } from '../support/seed.ts';

const RUNS = Number(process.env.FC_RUNS ?? 12);

type Fields = Readonly<Record<string, unknown>>;

const HARDENED = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
  capabilities: { drop: ['ALL'] },
};

function deployment(name: string, { securityContext, ...spec }: Fields = {}, namespace: string | null = 'net'): Fields {
  const container = { name: 'app', image: 'app', securityContext: { ...HARDENED, ...(securityContext as Fields) } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, ...(namespace && { namespace }) },
    spec: { template: { spec: { containers: [container], ...spec } } },
  };
}

const RAW = { securityContext: { capabilities: { drop: ['ALL'], add: ['NET_RAW'] } } };
const PINGER = deployment('pinger', RAW);
const COLLECTOR = deployment('collector', { volumes: [{ name: 'log', hostPath: { path: '/var/log' } }] });

function port(hostPort: number): Fields {
  return { name: 'app', image: 'app', securityContext: HARDENED, ports: [{ containerPort: hostPort, hostPort }] };
}

/** Returns a Pod with the given `spec`, or a workload whose template has the given `spec`. */
function workload(kind: 'Pod' | 'Deployment' | 'CronJob', name: string, { annotations, spec }: PodContent): Fields {
  const metadata = { name, namespace: 'net' };
  const template = { metadata: { annotations }, spec };
  if (kind === 'Pod') return { apiVersion: 'v1', kind, metadata: { ...metadata, annotations }, spec };
  if (kind === 'Deployment') return { apiVersion: 'apps/v1', kind, metadata, spec: { template } };
  return { apiVersion: 'batch/v1', kind, metadata, spec: { jobTemplate: { spec: { template } } } };
}

function manifests(...objects: readonly Fields[]): string {
  return objects.map((object) => JSON.stringify(object)).join('\n---\n');
}

async function suggested(args: readonly string[], ...objects: readonly Fields[]) {
  return cappol(['suggest', '-f', '-', ...args], manifests(...objects));
}

/** If the types include OCI, the API accepts these overrides only together. */
const TOGETHER = ['seccomp.types', 'seccomp.ociReferences'];
/**
 * Rules that restrict the use of one type of volume. `cappol suggest` suggests such a rule together with the type of
 * volume, because the type alone admits more than workloads use.
 */
const GUARDING = ['hostPaths', 'flexVolumeDrivers'];
const SELECTOR = { matchLabels: { 'kubernetes.io/metadata.name': 'net' } };

interface Policy {
  readonly metadata: { readonly name: string };
  readonly spec: Fields & { readonly overrides?: Record<string, Record<string, unknown>> };
}

function policiesIn(yaml: string): Policy[] {
  return loadAll(yaml) as Policy[];
}

/** Returns the policy without the override at `path`, such as `capabilities.allowedAdd`. */
function withoutOverride(policy: Policy, path: string): Policy {
  const copy = structuredClone(policy) as Policy & { spec: { overrides: Record<string, Record<string, unknown>> } };
  const [field = '', inner] = path.split('.');
  if (inner === undefined) delete copy.spec.overrides[field];
  else delete copy.spec.overrides[field]?.[inner];
  return copy;
}

describe(`cappol suggest (SEED=${SEED})`, () => {
  it('suggest prints the level and an exception for each need, and names at each line the workloads that need the line', async () => {
    const { code, stdout, stderr } = await suggested([], PINGER, COLLECTOR, deployment('web'));
    assert.deepEqual([code, stderr], [0, '']);
    const exception = (name: string, overrides: Fields) =>
      policyManifest(
        { name },
        {
          namespaceSelector: SELECTOR,
          level: 'restricted',
          mode: 'Audit',
          usableBy: 'Subjects',
          subjects: [{ kind: 'ServiceAccount', namespace: 'net', name: 'default' }],
          overrides,
        },
      );
    assert.deepEqual(policiesIn(stdout), [
      exception('net-collector', {
        volumes: [
          ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'hostPath', 'image', 'persistentVolumeClaim'],
          ...['projected', 'secret'],
        ],
        hostPaths: [{ pathPrefix: '/var/log', readOnly: true }],
      }),
      exception('net-pinger', { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } }),
      policyManifest({ name: 'net' }, { namespaceSelector: SELECTOR, level: 'restricted', mode: 'Audit' }),
    ]);
    assert.match(stdout, /^# Namespace net: level restricted admits 1 of 3 workloads as written\.$/m);
    assert.match(stdout, /^# Level baseline would admit 1\.\n# 2 exceptions admit the rest\.$/m);
    assert.match(stdout, /^# Exception for Deployment net\/pinger, as service account default\.$/m);
    assert.match(stdout, /- NET_RAW # Deployment net\/pinger \(app\)$/m);
    assert.match(
      stdout,
      /# without it: container "app" must not add capability NET_RAW \(allowed: NET_BIND_SERVICE\)$/m,
    );
    assert.match(stdout, /# advice: container "app" adds capability NET_RAW: .*ping_group_range/m);
    assert.match(stdout, /- hostPath # Deployment net\/collector$/m);
    assert.match(stdout, /- projected$/m);
    assert.match(stdout, / hostPath .*(\n +- .*)+\n +hostPaths:/);
  });

  it('says who else may use an exception', async () => {
    const [own, shared, unnamed] = await Promise.all([
      suggested([], deployment('pinger', { ...RAW, serviceAccountName: 'ping' }), deployment('web')),
      suggested([], PINGER, deployment('web'), deployment('api')),
      suggested([], PINGER, deployment('web', { serviceAccountName: 'web' })),
    ]);
    assert.match(own.stdout, /^# Exception for Deployment net\/pinger, as service account ping\.$/m);
    assert.match(own.stdout, /^# .*Everybody who may create pods in the namespace may choose this account\.$/m);
    assert.doesNotMatch(own.stdout, /of its own/);
    assert.match(
      shared.stdout,
      /^# Deployment net\/api, Deployment net\/web also run as service account default, so the exception admits their pods too\.\n# Give Deployment net\/pinger a service account of its own/m,
    );
    assert.match(
      unnamed.stdout,
      /^# Every pod in net that names no service account runs as default, so the exception applies to all of these pods\.\n# Give Deployment net\/pinger a service account of its own/m,
    );
  });

  it('suggest combines needs when the API server has no room for a policy per need, and says that needs are combined', async () => {
    const pods = Array.from({ length: 16 }, (_, i) =>
      deployment(`app-${i}`, { serviceAccountName: `app-${i}`, containers: [port(8000 + i)] }),
    );
    const { stdout } = await suggested([], ...pods, ...pods.map((_, i) => deployment(`web-${i}`)));
    const policies = policiesIn(stdout);
    assert.ok(policies.length > 8 && policies.length <= 14, `${policies.length}`);
    assert.match(
      stdout,
      /^# The exception combines different needs, since one policy for each need would exceed the API server's limits\. /m,
    );
    const { code } = await cappol(['check', '-f', '-'], manifests(...(policies as never as Fields[]), ...pods));
    assert.equal(code, 0);
  });

  it('prints the same for the same workloads in another order', async () => {
    const [one, other] = await Promise.all([
      suggested([], PINGER, COLLECTOR, deployment('web')),
      suggested([], deployment('web'), COLLECTOR, PINGER),
    ]);
    assert.equal(one.stdout, other.stdout);
  });

  it('suggest makes policies for each namespace, and one policy for all namespaces that need no exception', async () => {
    const printed = async (args: readonly string[], ...objects: readonly Fields[]) =>
      policiesIn((await suggested(args, ...objects)).stdout).map(({ metadata, spec }) => [
        metadata.name,
        spec.namespaceSelector,
        spec.mode,
      ]);
    const key = 'kubernetes.io/metadata.name';
    const named = (name: string) => ({ matchLabels: { [key]: name } });
    const plain = ['a', 'b'].map((namespace) => deployment('web', {}, namespace));
    assert.deepEqual(await printed(['-n', 'shop'], PINGER, deployment('web', {}, null)), [
      ['shop', named('shop'), 'Audit'],
      ['net-pinger', named('net'), 'Audit'],
      ['net', named('net'), 'Audit'],
    ]);
    assert.deepEqual(await printed([], deployment('web', {}, null)), [['default', named('default'), 'Audit']]);
    assert.deepEqual(await printed(['--name', 'mine', '--mode', 'Enforce'], PINGER), [
      ['mine-pinger', named('net'), 'Enforce'],
      ['mine', named('net'), 'Enforce'],
    ]);
    assert.deepEqual(await printed([], ...plain, PINGER), [
      ['suggested-restricted', { matchExpressions: [{ key, operator: 'In', values: ['a', 'b'] }] }, 'Audit'],
      ['net-pinger', named('net'), 'Audit'],
      ['net', named('net'), 'Audit'],
    ]);
    assert.deepEqual(await printed(['--name', 'all'], ...plain, PINGER).then((all) => all.map(([name]) => name)), [
      'all-restricted',
      'all-net-pinger',
      'all-net',
    ]);
  });

  it('suggest quotes the name of a namespace if kubectl would read the name as a boolean', async () => {
    const { stdout } = await suggested([], deployment('web', {}, 'on'));
    const policy = parseDocument(stdout, 1)?.value as Policy;
    assert.deepEqual(policy.metadata, { name: 'on' });
    assert.deepEqual(policy.spec.namespaceSelector, { matchLabels: { 'kubernetes.io/metadata.name': 'on' } });
  });

  it('options let suggest narrow volumes, start from a level, and write for an older API server', async () => {
    const overrides = async (...args: string[]) => {
      const { policies } = JSON.parse((await suggested(['-o', 'json', ...args], COLLECTOR)).stdout);
      const [{ spec }] = policies;
      return [policies.map((policy: Policy) => policy.spec.level), spec.overrides];
    };
    assert.deepEqual((await overrides('--narrow'))[1].volumes, ['hostPath', 'projected']);
    assert.deepEqual(await overrides('--level', 'baseline'), [
      ['baseline', 'baseline'],
      { volumes: ['*'], hostPaths: [{ pathPrefix: '/var/log', readOnly: true }] },
    ]);
    const [, { volumes }] = await overrides('--server-version', 'v1.30');
    assert.ok(volumes.includes('hostPath') && !volumes.includes('image'));
  });

  it('the JSON output says which workload and container needs each override, and why', async () => {
    const { stdout } = await suggested(['-o', 'json'], PINGER, deployment('web'));
    const { policies, namespaces } = JSON.parse(stdout);
    assert.deepEqual(
      policies.map(({ metadata }: Policy) => metadata.name),
      ['net-pinger', 'net'],
    );
    const [{ policies: own, ...namespace }, ...rest] = namespaces;
    assert.deepEqual(rest, []);
    const admitted = { restricted: 1, baseline: 1 };
    assert.deepEqual(namespace, { namespace: 'net', level: 'restricted', workloads: 2, admitted });
    const [{ overrides, ...exception }, level] = own;
    assert.deepEqual(level, { name: 'net', overrides: [] });
    const web = { kind: 'Deployment', namespace: 'net', name: 'web' };
    assert.deepEqual(exception, {
      name: 'net-pinger',
      workloads: [{ kind: 'Deployment', namespace: 'net', name: 'pinger' }],
      serviceAccounts: ['default'],
      merged: false,
      sharing: [{ serviceAccount: 'default', workloads: [web] }],
      obstacles: [],
    });
    const [{ path, value, neededBy }] = overrides;
    assert.deepEqual([path, value], ['capabilities.allowedAdd', ['NET_BIND_SERVICE', 'NET_RAW']]);
    const [{ advice, ...need }, ...others] = neededBy;
    assert.deepEqual(others, []);
    assert.deepEqual(need, {
      kind: 'Deployment',
      namespace: 'net',
      name: 'pinger',
      container: 'app',
      entry: 'NET_RAW',
      change: 'container "app" must not add capability NET_RAW (allowed: NET_BIND_SERVICE)',
    });
    assert.ok(advice.length > 0);
  });

  it('counts what the pods of custom resources need', async () => {
    const { spec } = PINGER as { spec: Fields };
    const rollout = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Rollout',
      metadata: { name: 'pinger', namespace: 'net' },
      spec,
    };
    const { code, stdout } = await suggested([], rollout, deployment('web'));
    assert.equal(code, 0);
    assert.match(stdout, /^# Exception for Rollout net\/pinger, as service account default\.$/m);
  });

  it('suggest warns about a need that no entry of a list can express', async () => {
    const misspelt = deployment('pinger', {
      securityContext: { capabilities: { drop: ['ALL'], add: ['CAP_NET_RAW'] } },
    });
    const { stdout } = await suggested([], misspelt);
    assert.match(stdout, /# Deployment net\/pinger \(app\)\n( +#.*\n)*.* allowedAdd:\n +- "\*"/);
    assert.match(stdout, /# {3}advice: container "app" .* write NET_RAW$/m);
    assert.match(
      stdout,
      /# {3}Any value is admitted, since the API has no narrower value that admits this workload\.$/m,
    );
  });

  it('reports without the policies', async () => {
    const { stdout } = await suggested(['-o', 'report'], PINGER, deployment('web'));
    const lines = stdout.split('\n');
    assert.match(
      lines.shift() ?? '',
      /^An exception applies to the pods that run as the service account of the exception\./,
    );
    assert.deepEqual(lines.slice(0, 8), [
      '',
      'Policy net-pinger',
      '  Exception for Deployment net/pinger, as service account default.',
      '  Deployment net/web also runs as service account default, so the exception admits its pods too.',
      '  Give Deployment net/pinger a service account of its own, so that no other workload can use the exception.',
      '  capabilities.allowedAdd: NET_BIND_SERVICE, NET_RAW',
      '    Deployment net/pinger (app)',
      '      without it: container "app" must not add capability NET_RAW (allowed: NET_BIND_SERVICE)',
    ]);
    assert.deepEqual(lines.slice(-6), [
      '',
      'Policy net',
      '  Namespace net: level restricted admits 1 of 2 workloads as written.',
      '  Level baseline would admit 1.',
      '  1 exception admits the rest.',
      '',
    ]);
  });

  it('suggest makes an exception at level privileged for a workload that no override admits', async () => {
    const unmasked = deployment('unmasked', { securityContext: { procMount: 'Unmasked' } });
    const { code, stdout } = await suggested(['--level', 'restricted'], unmasked);
    assert.equal(code, 0);
    const [exception, level] = policiesIn(stdout);
    assert.deepEqual([level?.spec.level, exception?.spec.level], ['restricted', 'privileged']);
    assert.equal(exception?.spec.overrides?.privileged, false);
    assert.match(
      stdout,
      /# No override of level restricted admits the following needs, .*:\n# Deployment net\/unmasked \(app\)\n#.*procMount Unmasked/,
    );
  });

  it('suggest leaves out namespaces that no policy reaches, and names these namespaces', async () => {
    const { code, stdout, stderr } = await suggested(
      [],
      PINGER,
      deployment('dns', { hostNetwork: true }, 'kube-system'),
    );
    assert.equal(code, 0);
    assert.match(stderr, /no policy reaches kube-system: its workloads are left out/);
    assert.doesNotMatch(stdout, /hostNetwork/);
  });

  for (const [what, args, stdin, message] of [
    [
      'input that is not a workload',
      ['-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'Service' }),
      /no pods or workloads/,
    ],
    ['neither files nor a cluster', [], '', /name files with -f, or write --cluster/],
    ['both', ['-f', '-', '--cluster'], '', /name files with -f, or write --cluster/],
    ['all namespaces of files', ['-f', '-', '-A'], '', /-A requires --cluster/],
    ['a name that no policy can have', ['-f', '-', '--name', 'No'], '', /at most 63 lower case letters/],
  ] as const) {
    it(`ends with one line for ${what}`, async () => {
      const { code, stdout, stderr } = await cappol(['suggest', ...args], stdin);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
    });
  }

  const check = (policies: readonly object[], pods: readonly Fields[]) =>
    cappol(['check', '-f', '-', '-o', 'json'], manifests(...(policies as Fields[]), ...pods));

  it('cappol check finds all workloads compliant under suggested policies, and finds violations if an override is missing', async () => {
    const pod = fc.oneof(randomPods().map(contentOf), arbitraryPodWithAddedContainers);
    const workloads = fc.array(fc.tuple(pod, fc.constantFrom('Pod', 'Deployment', 'CronJob')), {
      minLength: 1,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(workloads, async (given) => {
        const pods = given.map(([content, kind], i) => workload(kind, `app-${i}`, content));
        const { policies, namespaces } = JSON.parse((await suggested(['-o', 'json'], ...pods)).stdout);
        const { code, stdout, stderr } = await check(policies, pods);
        // Random pods may have a field that no release knows. The command `cappol check` warns about an unknown field.
        const problems = stderr.split('\n').filter((line) => line !== '' && !line.includes('fieldOfTomorrow'));
        assert.deepEqual([code, problems], [0, []], stdout);
        for (const { name, overrides } of namespaces[0].policies) {
          const policy = policies.find(({ metadata }: Policy) => metadata.name === name);
          if (policy.spec.level === 'privileged') continue;
          for (const { path, neededBy } of overrides.filter(({ neededBy: by }: Fields) => (by as []).length > 0)) {
            const removed = TOGETHER.includes(path) ? TOGETHER : [path];
            const { spec } = removed.reduce(withoutOverride, policy as Policy);
            const alone = { ...spec, usableBy: 'Everyone', subjects: undefined };
            const needy = pods.filter(({ metadata }) =>
              neededBy.some((need: Fields) => need.name === (metadata as Fields).name),
            );
            const without = await check([{ ...policy, spec: alone }], needy);
            assert.equal(without.code, GUARDING.includes(path) ? 0 : 1, path);
          }
        }
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  it('suggested policies admit what the level admits, and in addition only the needs of workloads of the same service account', async () => {
    const probed = fc
      .array(made, { minLength: 2, maxLength: 4 })
      .chain((workloads) =>
        fc.tuple(fc.constant(workloads), fc.array(near(workloads), { minLength: 6, maxLength: 6 })),
      );
    const podOf = (of: Made, i: number): Fields => podManifest({ name: `pod-${i}`, namespace: 'net' }, specOf(of));
    await fc.assert(
      fc.asyncProperty(probed, async ([workloads, probes]) => {
        const { stdout } = await suggested([], ...workloads.map(podOf));
        const policies = policiesIn(stdout);
        const first = policies.find(({ spec }) => spec.usableBy === undefined);
        const all = [...workloads, ...probes];
        const { stdout: checked } = await check(policies, all.map(podOf));
        const refused = new Set<string>(
          JSON.parse(checked)
            .items.filter(({ verdict }: Fields) => verdict !== 'Compliant')
            .map(({ name }: Fields) => name),
        );
        const level = first?.spec.level as 'restricted' | 'baseline';
        assert.deepEqual(
          all.map((_, i) => !refused.has(`pod-${i}`)),
          all.map((one) => mayBeAdmitted(one, workloads, level)),
          `${JSON.stringify(all)}\n${stdout}`,
        );
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  it('if suggest cannot read a document, suggest uses the other documents, and exits with 2', async () => {
    const { code, stdout, stderr } = await cappol(['suggest', '-f', '-'], `${manifests(PINGER)}\n---\n{a: [}\n`);
    assert.equal(code, 2);
    assert.match(stderr, /^cappol: standard input:\d+: /);
    assert.match(stdout, /NET_RAW/);
  });
});
