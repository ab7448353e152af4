import assert from 'node:assert/strict';
import fc from 'fast-check';
import { load } from 'js-yaml';
import type { PodParts } from '../../operator/cluster/objects.ts';
import { arbitraryPodWithAddedContainers } from '../defaulting/arbitrary.ts';
import { partsOf, randomPods } from '../differential/pods.ts';
import { cappol } from './cappol.ts';

const SEED = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env.FC_RUNS ?? 25);

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

const PINGER = deployment('pinger', { securityContext: { capabilities: { drop: ['ALL'], add: ['NET_RAW'] } } });
const COLLECTOR = deployment('collector', { volumes: [{ name: 'log', hostPath: { path: '/var/log' } }] });

/** With this pod, or with a template of it. */
function workload(kind: 'Pod' | 'Deployment' | 'CronJob', name: string, { annotations, spec }: PodParts): Fields {
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

/** The policy without the override at `capabilities.allowedAdd`. */
function withoutOverride(policy: { spec: { overrides: Record<string, Record<string, unknown>> } }, path: string) {
  const copy = structuredClone(policy);
  const [field = '', inner] = path.split('.');
  if (inner === undefined) delete copy.spec.overrides[field];
  else delete copy.spec.overrides[field]?.[inner];
  return copy;
}

describe(`cappol suggest (FC_SEED=${SEED})`, () => {
  it('prints the policy, in mode Audit, with who needs each line', async () => {
    const { code, stdout, stderr } = await suggested([], PINGER, COLLECTOR, deployment('web'));
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(load(stdout), {
      apiVersion: 'capabilitypolicy.dev/v1alpha1',
      kind: 'CapabilityPolicy',
      metadata: { name: 'net' },
      spec: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'net' } },
        level: 'restricted',
        mode: 'Audit',
        overrides: { capabilities: { allowedAdd: ['NET_RAW'] }, volumes: ['hostPath', 'projected'] },
      },
    });
    assert.match(stdout, /^# Level restricted with 2 overrides admits 3 workloads\.$/m);
    assert.match(stdout, /- NET_RAW # Deployment net\/pinger \(app\)$/m);
    assert.match(
      stdout,
      /# without it: container "app" must not add capability NET_RAW \(allowed: NET_BIND_SERVICE\)$/m,
    );
    assert.match(stdout, /# advice: container "app" adds capability NET_RAW: .*ping_group_range/m);
    assert.match(stdout, /- hostPath # Deployment net\/collector$/m);
  });

  it('prints the same for the same workloads in another order', async () => {
    const [one, other] = await Promise.all([
      suggested([], PINGER, COLLECTOR, deployment('web')),
      suggested([], deployment('web'), COLLECTOR, PINGER),
    ]);
    assert.equal(one.stdout, other.stdout);
  });

  it('names the namespaces of the workloads, and those of manifests that state none', async () => {
    const selectors = await Promise.all(
      [
        suggested(['-n', 'shop'], PINGER, deployment('web', {}, null)),
        suggested([], deployment('web', {}, null)),
        suggested(['--name', 'mine', '--mode', 'Enforce'], PINGER),
      ].map(async (ran) => load((await ran).stdout) as { metadata: unknown; spec: Fields }),
    );
    const key = 'kubernetes.io/metadata.name';
    assert.deepEqual(
      selectors.map(({ metadata, spec }) => [metadata, spec.namespaceSelector, spec.mode]),
      [
        [{ name: 'suggested' }, { matchExpressions: [{ key, operator: 'In', values: ['net', 'shop'] }] }, 'Audit'],
        [{ name: 'default' }, { matchLabels: { [key]: 'default' } }, 'Audit'],
        [{ name: 'mine' }, { matchLabels: { [key]: 'net' } }, 'Enforce'],
      ],
    );
  });

  it('narrows, starts from a level, and follows an older API server, when asked to', async () => {
    const overrides = async (...args: string[]) => {
      const { policy } = JSON.parse((await suggested(['-o', 'json', ...args], COLLECTOR)).stdout);
      return [policy.spec.level, policy.spec.overrides];
    };
    assert.deepEqual((await overrides('--narrow'))[1].hostPaths, [{ pathPrefix: '/var/log', readOnly: true }]);
    assert.deepEqual(await overrides('--level', 'baseline'), ['baseline', { volumes: ['hostPath', 'projected'] }]);
    assert.deepEqual(await overrides('--server-version', 'v1.30'), [
      'restricted',
      { volumes: ['hostPath', 'projected'] },
    ]);
  });

  it('tells in JSON which workload and container needs what, and why', async () => {
    const { stdout } = await suggested(['-o', 'json'], PINGER);
    const { workloads, considered, overrides } = JSON.parse(stdout);
    assert.equal(workloads, 1);
    assert.deepEqual(considered, { restricted: ['capabilities.allowedAdd'], baseline: ['capabilities.allowedAdd'] });
    const [{ path, value, neededBy }] = overrides;
    assert.deepEqual([path, value], ['capabilities.allowedAdd', ['NET_RAW']]);
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

  it('warns of what no list can name', async () => {
    const misspelt = deployment('pinger', {
      securityContext: { capabilities: { drop: ['ALL'], add: ['CAP_NET_RAW'] } },
    });
    const { stdout } = await suggested([], misspelt);
    assert.match(stdout, /# Deployment net\/pinger \(app\)\n( +#.*\n)*.* allowedAdd:\n +- "\*"/);
    assert.match(stdout, /# {3}advice: container "app" .* write NET_RAW$/m);
    assert.match(stdout, /# {3}Any is admitted: no list can name what is used\.$/m);
  });

  it('reports without the policy', async () => {
    const { stdout } = await suggested(['-o', 'report'], PINGER);
    const [summary, other, hint, , override, owner] = stdout.split('\n');
    assert.equal(summary, 'Level restricted with 1 override admits 1 workload.');
    assert.equal(other, 'Level baseline would need 1 override: capabilities.allowedAdd.');
    assert.match(hint ?? '', /--narrow/);
    assert.equal(override, 'capabilities.allowedAdd: NET_RAW');
    assert.equal(owner, '  Deployment net/pinger (app)');
  });

  it('says what only level privileged admits, and that a level that was asked for does not', async () => {
    const unmasked = deployment('unmasked', { securityContext: { procMount: 'Unmasked' } });
    const { code, stdout } = await suggested([], unmasked);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /# No override of another level admits:\n# Deployment net\/unmasked \(app\)\n#.*procMount Unmasked/,
    );
    const asked = await suggested(['--level', 'restricted'], unmasked);
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /level restricted cannot be made to admit them.*procMount Unmasked/s);
  });

  it('leaves out namespaces that no policy reaches, and says so', async () => {
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
    ['what is no workload', ['-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Service' }), /no pods or workloads/],
    ['neither files nor a cluster', [], '', /name files with -f, or write --cluster/],
    ['both', ['-f', '-', '--cluster'], '', /name files with -f, or write --cluster/],
    ['all namespaces of files', ['-f', '-', '-A'], '', /-A goes with --cluster/],
    ['a name that no policy can have', ['-f', '-', '--name', 'No'], '', /at most 63 lower case letters/],
  ] as const) {
    it(`ends with one line for ${what}`, async () => {
      const { code, stdout, stderr } = await cappol(['suggest', ...args], stdin);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
    });
  }

  it('suggests what check finds compliant, and what it does not without an override', async () => {
    const pod = fc.oneof(randomPods().map(partsOf), arbitraryPodWithAddedContainers);
    const workloads = fc.array(fc.tuple(pod, fc.constantFrom('Pod', 'Deployment', 'CronJob')), {
      minLength: 1,
      maxLength: 3,
    });
    const check = (policy: Fields, pods: readonly Fields[]) =>
      cappol(['check', '-f', '-', '-o', 'json'], manifests(policy, ...pods));
    await fc.assert(
      fc.asyncProperty(workloads, async (given) => {
        const pods = given.map(([parts, kind], i) => workload(kind, `app-${i}`, parts));
        const { policy, overrides } = JSON.parse((await suggested(['-o', 'json'], ...pods)).stdout);
        const { code, stdout, stderr } = await check(policy, pods);
        assert.deepEqual([code, stderr], [0, ''], stdout);
        for (const { path } of overrides) {
          const without = await check(withoutOverride(policy, path), pods);
          assert.equal(without.code, 1, path);
        }
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  it('suggests for the rest when something cannot be read, and ends with 2', async () => {
    const { code, stdout, stderr } = await cappol(['suggest', '-f', '-'], `${manifests(PINGER)}\n---\n{a: [}\n`);
    assert.equal(code, 2);
    assert.match(stderr, /^cappol: standard input:\d+: /);
    assert.match(stdout, /NET_RAW/);
  });
});
