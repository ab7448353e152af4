/** Tests `cappol suggest --policy`. The command suggests only the exceptions that the given policies lack. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { cappol, type Ran } from '../support/cappol.ts';
import { policyManifest, writtenPolicy } from '../support/policies.ts';

type Fields = Readonly<Record<string, unknown>>;
type Policy = ReturnType<typeof policyManifest<{ readonly name: string }, CapabilityPolicySpec>>;

const HARDENED = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
  capabilities: { drop: ['ALL'] },
};
const RAW = { ...HARDENED, capabilities: { drop: ['ALL'], add: ['NET_RAW'] } };
const ALLOWED_RAW = { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } };

/** A Deployment with a service account of the same name. */
function deployment(name: string, securityContext: Fields = HARDENED, spec: Fields = {}, namespace = 'net'): Fields {
  const container = { name: 'app', image: 'registry.example/app:1', securityContext };
  const template = { spec: { serviceAccountName: name, containers: [container], ...spec } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec: { template } };
}

const WEB = deployment('web');
const PINGER = deployment('pinger', RAW);

const forAccount = (name: string) => ({
  usableBy: 'Subjects',
  subjects: [{ kind: 'ServiceAccount', namespace: 'net', name }],
});

const textOf = (objects: readonly unknown[]) => objects.map((one) => JSON.stringify(one)).join('\n---\n');

describe('cappol suggest beside policies', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'suggest-beside-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  async function run(policies: readonly unknown[], workloads: readonly unknown[], ...args: string[]): Promise<Ran> {
    const file = join(folder, 'workloads.yaml');
    writeFileSync(file, textOf(workloads));
    return cappol(['suggest', '-f', file, '--policy', '-', ...args], textOf(policies));
  }

  /** The suggested policies. */
  async function suggested(policies: readonly unknown[], workloads: readonly unknown[], ...args: string[]) {
    const { code, stdout, stderr } = await run(policies, workloads, ...args);
    assert.deepEqual([code, stderr], [0, '']);
    return (loadAll(stdout) as (Policy | null)[]).flatMap((one) => one ?? []);
  }

  const namesOf = (policies: readonly Policy[]) => policies.map(({ metadata }) => metadata.name);

  it('suggest writes one exception, with the mode and priority of the policy, and with the given expires and reason', async () => {
    const base = writtenPolicy('everywhere', { priority: 7, levelVersion: 'v1.30' });
    const options = ['--expires', '2099-01-31', '--reason', 'TICKET-1'];
    assert.deepEqual(await suggested([base], [WEB, PINGER], ...options), [
      policyManifest(
        { name: 'net-pinger' },
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'net' } },
          level: 'restricted',
          levelVersion: 'v1.30',
          mode: 'Enforce',
          priority: 7,
          expires: '2099-01-31T00:00:00Z',
          reason: 'TICKET-1',
          ...forAccount('pinger'),
          overrides: ALLOWED_RAW,
        },
      ),
    ]);
  });

  it('suggest writes nothing if every workload is admitted, and says that nothing is written', async () => {
    const { code, stdout } = await run([writtenPolicy('everywhere')], [WEB]);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^# Nothing to write for .*workloads\.yaml: the policies that decide already admit every workload\.\n$/,
    );
    const { stdout: json } = await run([writtenPolicy('everywhere')], [WEB], '-o', 'json');
    const { policies, namespaces } = JSON.parse(json);
    assert.deepEqual(policies, []);
    assert.deepEqual(namespaces[0].beside, { mode: 'Enforce', policies: ['everywhere'], admitted: 1 });
  });

  it('writes nothing new the second time', async () => {
    const base = writtenPolicy('everywhere', { overrides: { readOnlyRootFilesystem: true } });
    const workloads = [WEB, PINGER, deployment('agent', HARDENED, { hostNetwork: true })];
    const first = await suggested([base], workloads);
    assert.equal(first.length, 3);
    assert.deepEqual(await suggested([base, ...first], workloads), []);
  });

  it('an exception keeps the overrides of the policy that the workload already satisfies', async () => {
    const overrides = {
      readOnlyRootFilesystem: true,
      hostPorts: [{ min: 80, max: 80 }],
      runAsUser: { rule: 'MustRunAsNonRoot' },
    };
    const [exception] = await suggested(
      [writtenPolicy('everywhere', { overrides })],
      [deployment('pinger', { ...RAW, readOnlyRootFilesystem: true })],
    );
    assert.deepEqual(exception?.spec.overrides, {
      ...ALLOWED_RAW,
      hostPorts: overrides.hostPorts,
      runAsUser: overrides.runAsUser,
      readOnlyRootFilesystem: true,
    });
    const [other] = await suggested([writtenPolicy('everywhere', { overrides })], [deployment('pinger', RAW)]);
    assert.equal(other?.spec.overrides?.readOnlyRootFilesystem, undefined);
  });

  it('an exception repeats the entries of spec.containers of the policy that match images of the workload', async () => {
    const entry = {
      names: ['mesh'],
      images: ['registry.example/*'],
      overrides: { capabilities: { allowedAdd: ['NET_ADMIN'] } },
    };
    const mesh = {
      name: 'mesh',
      image: 'registry.example/mesh:2',
      securityContext: { ...HARDENED, capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } },
    };
    const base = writtenPolicy('everywhere', { containers: [entry] });
    assert.deepEqual(await suggested([base], [deployment('web', HARDENED, { initContainers: [mesh] })]), []);
    const workload = deployment('pinger', RAW, {
      initContainers: [mesh],
      containers: [
        { name: 'app', image: 'registry.example/app@sha256:0123', securityContext: RAW },
        { name: 'log', image: 'registry.example:5000/log:3', securityContext: HARDENED },
      ],
    });
    const [exception] = await suggested([base], [workload]);
    const allowing = (...allowedAdd: string[]) => ({ capabilities: { allowedAdd } });
    assert.deepEqual(
      [exception?.spec.overrides, exception?.spec.containers],
      [
        undefined,
        [
          { names: ['app'], images: ['registry.example/app@*'], overrides: allowing('NET_BIND_SERVICE', 'NET_RAW') },
          {
            names: ['mesh'],
            images: ['registry.example/mesh:*'],
            overrides: allowing('NET_ADMIN', 'NET_BIND_SERVICE'),
          },
        ].sort((a, b) => (a.names[0] === 'mesh' && b.names[0] === 'app' ? -1 : 1)),
      ],
    );
  });

  it('an exception starts from the policy that needs the fewest changes', async () => {
    const agent = deployment('agent', { capabilities: { add: ['SYS_TIME'] } });
    const policies = [writtenPolicy('everywhere'), writtenPolicy('net', { level: 'baseline' })];
    const [exception, ...others] = await suggested(policies, [agent]);
    assert.deepEqual(others, []);
    assert.deepEqual(
      [exception?.spec.level, Object.keys(exception?.spec.overrides ?? {})],
      ['baseline', ['capabilities']],
    );
  });

  const MODES: Readonly<Record<string, readonly [spec: Fields, args: string[], modes: string[]]>> = {
    'a policy that only warns': [{ mode: 'Warn' }, [], ['Warn']],
    'a policy that only audits': [{ mode: 'Audit' }, [], ['Audit']],
    'a policy that only warns, with --mode Enforce': [{ mode: 'Warn' }, ['--mode', 'Enforce'], ['Enforce', 'Enforce']],
    'an expired policy': [{ expires: '2026-01-01T00:00:00Z' }, [], ['Audit', 'Audit']],
    'a policy for other namespaces': [{ namespaceSelector: { matchLabels: { team: 'x' } } }, [], ['Audit', 'Audit']],
  };
  for (const [title, [spec, args, modes]] of Object.entries(MODES)) {
    it(`has mode ${modes.join(' and ')} beside ${title}`, async () => {
      const { stdout } = await run([writtenPolicy('everywhere', spec)], [WEB, WEB, PINGER], ...args);
      const policies = (loadAll(stdout) as (Policy | null)[]).flatMap((one) => one ?? []);
      assert.deepEqual(
        policies.map(({ spec: own }) => own.mode),
        modes,
      );
    });
  }

  it('suggest reads the labels of namespaces from the manifests', async () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'net', labels: { team: 'net' } } };
    const base = writtenPolicy('team', { namespaceSelector: { matchLabels: { team: 'net' } } });
    assert.deepEqual(namesOf(await suggested([base], [namespace, WEB, PINGER])), ['net-pinger']);
  });

  it('suggest makes exceptions only for workloads without an existing exception', async () => {
    const existing = writtenPolicy('ping', { ...forAccount('pinger'), overrides: ALLOWED_RAW });
    const workloads = [
      PINGER,
      deployment('tracer', RAW),
      deployment('clock', { ...HARDENED, capabilities: { drop: ['ALL'], add: ['SYS_TIME'] } }),
    ];
    const policies = await suggested([writtenPolicy('everywhere'), existing], workloads);
    assert.deepEqual(namesOf(policies), ['net-clock', 'net-tracer']);
  });

  it('replaces no existing policy', async () => {
    const existing = writtenPolicy('net-pinger', { expires: '2026-01-01T00:00:00Z' });
    assert.deepEqual(namesOf(await suggestedIgnoringWarnings([writtenPolicy('everywhere'), existing], [PINGER])), [
      'net-pinger-2',
    ]);
  });

  async function suggestedIgnoringWarnings(policies: readonly unknown[], workloads: readonly unknown[]) {
    const { stdout } = await run(policies, workloads);
    return (loadAll(stdout) as (Policy | null)[]).flatMap((one) => one ?? []);
  }

  it('suggest combines exceptions if existing exceptions leave too little room', async () => {
    const existing = Array.from({ length: 9 }, (_, i) =>
      writtenPolicy(`existing-${i}`, { ...forAccount(`other-${i}`), overrides: ALLOWED_RAW }),
    );
    const workloads = ['SYS_TIME', 'SYS_PTRACE', 'SYS_NICE'].map((name, i) =>
      deployment(`app-${i}`, { ...HARDENED, capabilities: { drop: ['ALL'], add: [name] } }),
    );
    const base = writtenPolicy('everywhere');
    assert.equal((await suggested([base], workloads)).length, 3);
    const [exception, ...others] = await suggested([base, ...existing], workloads);
    assert.deepEqual(others, []);
    assert.equal(exception?.spec.subjects?.length, 3);
  });

  it('suggest exits with 2 and names each exception that the operator would refuse on API servers below 1.36', async () => {
    const workloads = [PINGER, deployment('pinger', RAW, {}, 'shop')];
    const { code, stderr } = await run([writtenPolicy('everywhere')], workloads, '--server-version', 'v1.33');
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^cappol: the operator would not accept the suggested CapabilityPolicy shop-pinger: too many policies may decide in the same namespace: .*\n$/,
    );
    assert.equal((await run([writtenPolicy('everywhere')], workloads, '--server-version', 'v1.36')).code, 0);
  });

  it('suggest adds one Enforce policy with the rules of a pending policy for the namespaces with exceptions', async () => {
    const base = writtenPolicy('everywhere', { rollout: {}, overrides: { readOnlyRootFilesystem: false } });
    const policies = await suggested(
      [base],
      [WEB, PINGER, deployment('pinger', RAW, {}, 'shop'), deployment('web', HARDENED, {}, 'plain')],
    );
    assert.deepEqual(namesOf(policies), ['net-pinger', 'shop-pinger', 'everywhere-beside-exceptions']);
    assert.deepEqual(policies[2]?.spec, {
      namespaceSelector: {
        matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['net', 'shop'] }],
      },
      level: 'restricted',
      mode: 'Enforce',
      overrides: { readOnlyRootFilesystem: false },
    });
  });

  it('if an exception admits a pod, suggest says that the policy no longer fills in fields of the pod', async () => {
    const base = writtenPolicy('everywhere', { defaulting: 'Enabled' });
    const { stdout } = await run([base], [deployment('pinger', RAW)]);
    assert.match(
      stdout,
      /^# Policy everywhere no longer fills in fields of pods that this exception admits as written\.$/m,
    );
  });

  it('suggest leaves out a namespace that no policy reaches', async () => {
    const { code, stdout, stderr } = await run(
      [writtenPolicy('everywhere')],
      [PINGER, deployment('proxy', RAW, {}, 'kube-system')],
    );
    assert.deepEqual([code, stderr], [0, 'cappol: no policy reaches kube-system: its workloads are left out\n']);
    assert.doesNotMatch(stdout, /kube-system/);
  });

  const WRONG: Readonly<Record<string, readonly [args: string[], message: RegExp]>> = {
    'an end in the past': [
      ['--expires', '2020-01-01'],
      /^cappol: --expires: 2020-01-01T00:00:00Z is in the past, .*write a later time\n$/,
    ],
    'an end that is no day': [
      ['--expires', '2027-02-30'],
      /'--expires <time>' argument '2027-02-30' is invalid\. write a day, such as 2027-01-31, or /,
    ],
    'an end in words': [['--expires', 'soon'], /'--expires <time>' argument 'soon' is invalid\. write a day/],
    'no time at all': [
      ['--for', '0d'],
      /'--for <duration>' argument '0d' is invalid\. write a duration of at least a second, such as 30d/,
    ],
    'a duration in words': [
      ['--for', 'a month'],
      /'--for <duration>' argument 'a month' is invalid\. write a duration/,
    ],
    'a negative duration': [['--for', '-3d'], /'--for <duration>' argument (?:missing|'-3d' is invalid)/],
    'an end after the year 9999': [
      ['--for', '99999999d'],
      /^cappol: --for: the exceptions would end after the year 9999: write a shorter duration\n$/,
    ],
    'both an end and a duration': [
      ['--expires', '2099-01-01', '--for', '3d'],
      /^cappol: write either --expires or --for\n$/,
    ],
    'an empty reason': [
      ['--reason', ' '],
      /'--reason <text>' argument ' ' is invalid\. write a text of 1 to 512 characters/,
    ],
    'a long reason': [['--reason', 'x'.repeat(513)], /is invalid\. write a text of 1 to 512 characters/],
    'a mode in which no policy decides, below a stricter one': [
      ['--mode', 'Audit'],
      /^cappol: --mode Audit: a policy of mode Enforce decides in net, and only an exception of this mode can loosen it: leave out --mode\n$/,
    ],
    '--baseline for files': [['--baseline'], /^cappol: --baseline requires --cluster -A\n$/],
  };
  for (const [title, [args, message]] of Object.entries(WRONG)) {
    it(`refuses ${title}`, async () => {
      const { code, stdout, stderr } = await run([writtenPolicy('everywhere')], [PINGER], ...args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
    });
  }
});
