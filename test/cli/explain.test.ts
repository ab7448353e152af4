import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import type { ExplainedContainer, ExplainedManifest } from '../../cli/commands/explain/manifests.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { maskOf } from '../support/capability-masks.ts';
import { cappol } from '../support/cappol.ts';
import { MEASURED } from '../support/measured-sets.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { writtenPolicy } from '../support/policies.ts';

/** The file with the expected output. UPDATE_GOLDEN=1 writes the file again. */
const GOLDEN = join(import.meta.dirname, 'golden', 'explain-ping.txt');

const NET_RAW = `NET_RAW (13)
  permits       to open raw and packet sockets: ping, sniffing, forging any packet
  given by      containerd, Docker, to containers that add and drop nothing
  may be added  at level privileged only
  risk          impact on the network or on the whole node; forged ARP and DNS answers redirect the traffic of neighbours
  instead       the sysctl net.ipv4.ping_group_range, for ping
  source        raw(7), packet(7), icmp(7)
`;

describe('explain NAME', () => {
  for (const name of ['NET_RAW', 'net_raw', 'CAP_NET_RAW', 'cap_Net_Raw']) {
    it(`takes ${name}`, async () => {
      assert.deepEqual(await cappol(['explain', name]), { code: 0, stdout: NET_RAW, stderr: '' });
    });
  }

  const MISSPELT: Readonly<Record<string, string>> = {
    NET_RWA: 'NET_RWA is not a capability: did you mean NET_RAW?',
    cap_sysadmin: 'cap_sysadmin is not a capability: did you mean SYS_ADMIN?',
    ptrace: 'ptrace is not a capability: did you mean SYS_PTRACE?',
    ADMIN: 'ADMIN is not a capability: did you mean NET_ADMIN or SYS_ADMIN or MAC_ADMIN?',
    LOREM_IPSUM: 'LOREM_IPSUM is not a capability; ALL explains every capability',
  };
  for (const [name, message] of Object.entries(MISSPELT)) {
    it(`suggests names for ${name}, and explains the rest`, async () => {
      assert.deepEqual(await cappol(['explain', name, 'NET_RAW']), {
        code: 2,
        stdout: NET_RAW,
        stderr: `cappol: ${message}\n`,
      });
    });
  }

  it('says which command is about a rule', async () => {
    const { code, stdout, stderr } = await cappol(['explain', 'hostPath']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.equal(
      stderr,
      'cappol: hostPaths is a rule: cappol explain hostPaths --cluster lists the workloads that the rule concerns\n',
    );
  });

  const WRONG: Readonly<Record<string, RegExp>> = {
    'NET_RWA --cluster': /^cappol: NET_RWA is neither a capability nor a rule: did you mean NET_RAW\?$/m,
    'hostNetwrk NET_RAW --cluster': /^cappol: hostNetwrk is neither .*: did you mean hostNetwork\?$/m,
    'LOREM_IPSUM --cluster':
      /^cappol: LOREM_IPSUM is neither .*: `cappol explain ALL` lists the capabilities, and docs\/reference\/rules\.md lists the rules$/m,
    'ALL --cluster': /^cappol: name single capabilities: `cappol explain --cluster` without a name/m,
    'NET_RAW --cluster -n net -A': /^cappol: write either -n or -A$/m,
    'NET_RAW --cluster -f a.yaml':
      /^cappol: name capabilities, such as NET_RAW, or a file with -f, or write --cluster$/m,
    'hostNetwork --cluster --used a.jsonl': /^cappol: --used requires a capability, such as NET_RAW$/m,
    'NET_RAW --cluster --since 1h': /^cappol: --since requires --used$/m,
    'NET_RAW -o csv': /^cappol: -o csv requires names and --cluster$/m,
    '--cluster -o csv': /^cappol: -o csv requires names and --cluster$/m,
    'NET_RAW --at 2027-01-31T00:00:00Z': /^cappol: --at requires names and --cluster$/m,
  };
  for (const [args, message] of Object.entries(WRONG)) {
    it(`refuses ${args}`, async () => {
      const { code, stdout, stderr } = await cappol(['explain', ...args.split(' '), '--kubeconfig', 'none']);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, message);
    });
  }

  it('explain also explains the namespace label for admin access to devices', async () => {
    const { code, stdout, stderr } = await cappol(['explain', 'adminAccess']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^resource\.kubernetes\.io\/admin-access: "true" \(a label of namespaces\)\n {2}permits +\w/);
    assert.match(stdout, /^ {2}guarded by +policies in mode Enforce with adminAccessLabel: Guarded/m);
    const json = JSON.parse((await cappol(['explain', 'NET_RAW', 'adminAccess', '-o', 'json'])).stdout);
    assert.deepEqual([json.capabilities[0].name, json.namespaceLabels[0].value], ['NET_RAW', 'true']);
  });

  it('explains ALL', async () => {
    const { stdout } = await cappol(['explain', 'all', '-o', 'json']);
    const { capabilities } = JSON.parse(stdout) as { capabilities: { name: string }[] };
    assert.deepEqual(
      capabilities.map(({ name }) => name),
      CAPABILITIES,
    );
  });

  it('prints JSON', async () => {
    const { code, stdout } = await cappol(['explain', 'sys_chroot', '-o', 'json']);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), {
      capabilities: [
        {
          number: 18,
          name: 'SYS_CHROOT',
          permits: 'change its root directory, and enter mount namespaces',
          addableAt: 'baseline',
          risk: 'container',
          sources: ['chroot(2)', 'setns(2)'],
          givenBy: ['containerd', 'Docker'],
        },
      ],
    });
  });

  it('explain needs either a name or a file', async () => {
    for (const args of [['explain'], ['explain', 'NET_RAW', '-f', '-']]) {
      const { code, stdout, stderr } = await cappol(args);
      assert.deepEqual(
        [code, stdout, stderr],
        [2, '', 'cappol: name capabilities, such as NET_RAW, or a file with -f, or write --cluster\n'],
      );
    }
  });
});

describe('explain -f FILE', () => {
  it('agrees with every measured set', async () => {
    const pods = MEASURED.map(({ add, drop }) => podWith({ capabilities: { add, drop } }));
    const items = await explained(pods.map((pod) => dump(pod)).join('---\n'));
    assert.equal(items.length, MEASURED.length);
    for (const [index, { sets }] of MEASURED.entries()) {
      for (const { runtime, error, holdings } of items[index]?.containers[0]?.runtimes ?? []) {
        const expected = sets[runtime];
        if (typeof expected === 'string') {
          assert.deepEqual([error, holdings], [expected, []]);
          continue;
        }
        for (const { root, bounding, permitted, effective } of holdings) {
          assert.deepEqual(
            [bounding, permitted, effective].map(maskOf),
            root ? [expected, expected, expected] : [expected, 0n, 0n],
          );
        }
        assert.equal(holdings.length, 4);
      }
    }
  });

  it('explain shows which capabilities each container holds, and why', async () => {
    const { code, stdout, stderr } = await cappol(['explain', '-f', '-'], PING);
    assert.deepEqual([code, stderr], [0, '']);
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(GOLDEN, stdout);
    assert.equal(stdout, readFileSync(GOLDEN, 'utf8'));
  });

  it('explain names each runtime that does not start the container', async () => {
    const { stdout } = await cappol(['explain', '-f', '-'], dump(podWith({ capabilities: { drop: ['CAP_ALL'] } })));
    assert.match(stdout, /^→ CRI-O, Docker +- +- +does not start$/m);
    assert.match(stdout, /^CRI-O: does not start: failed to drop cap CAP_ALL invalid capability: CAP_ALL$/m);
    assert.match(stdout, /^Docker: does not start: unknown capability: CAP_ALL$/m);
    assert.match(stdout, /^→ containerd +root +either +default 14 +default 14 +default 14 +default 14 \/ default 14$/m);
  });

  it('explain says that a pod for Windows holds no capabilities, and where capabilities in a user namespace are effective', async () => {
    const { spec, ...pod } = podWith({ capabilities: { add: ['NET_ADMIN'] } });
    const windows = dump({ ...pod, spec: { ...spec, os: { name: 'windows' } } });
    const own = dump({ ...pod, spec: { ...spec, hostUsers: false } });
    const { stdout } = await cappol(['explain', '-f', '-'], `${windows}---\n${own}`);
    assert.ok(
      stdout.startsWith('Pod pod (standard input:1)\nno containers for Linux nodes\n\nPod pod, container "app"'),
    );
    assert.match(
      stdout,
      /^hostUsers: false: the capabilities are effective only in the pod's own user namespace, not on the node. A policy with allowedAddInUserNamespace can require hostUsers: false for the added capabilities. A policy with userNamespaces: Required requires hostUsers: false for every pod that is not for Windows$/m,
    );
  });

  it('explain finds the containers of every workload, with their lines', async () => {
    const items = await explained(CRON_JOB);
    assert.deepEqual(
      items.map(({ kind, namespace, name, file, line }) => [kind, namespace, name, file, line]),
      [['CronJob', 'shop', 'report', '-', 2]],
    );
    assert.deepEqual(
      items[0]?.containers.map(({ name, path, line }) => [name, path, line]),
      [
        ['first', 'initContainers[0]', 11],
        ['report', 'containers[0]', 14],
      ],
    );
    assert.deepEqual(
      items[0]?.containers.flatMap(({ findings }) => findings).map(({ reason, path }) => [reason, path]),
      [
        ['UnknownCapability', 'initContainers[0].securityContext.capabilities.add[0]'],
        ['HeldByRuntimeDefault', 'containers[0].securityContext.capabilities.drop'],
      ],
    );
  });

  it('explain finds the pod templates of a custom resource, with their lines', async () => {
    const rollout = `apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - name: web
        image: web
        securityContext: {capabilities: {add: [NET_RAW]}}
`;
    const [item] = await explained(rollout);
    assert.deepEqual([item?.kind, item?.name], ['Rollout', 'web']);
    const [container] = item?.containers ?? [];
    assert.deepEqual([container?.name, container?.line, container?.add], ['web', 8, ['NET_RAW']]);
  });

  it('leaves out objects that make no pods', async () => {
    assert.deepEqual(await explained('{apiVersion: v1, kind: Service, metadata: {name: web}}'), []);
  });

  it('explain reports input that it cannot read, and explains the rest', async () => {
    const input = `a: b: c\n---\n${dump(podWith({}))}---\n{apiVersion: apps/v1, kind: Deploiment}\n`;
    const { code, stdout, stderr } = await cappol(['explain', '-f', 'no-such-file.yaml', '-', '-o', 'json'], input);
    assert.equal(code, 2);
    assert.equal(JSON.parse(stdout).items.length, 1);
    const [first, second, third, ...more] = stderr.trimEnd().split('\n');
    assert.equal(first, 'cappol: no-such-file.yaml: no such file or folder');
    assert.match(second ?? '', /^cappol: standard input:1: not YAML: /);
    assert.match(
      third ?? '',
      /^cappol: standard input:\d+: no kind Deploiment is known in apps\/v1: did you mean Deployment\?$/,
    );
    assert.deepEqual(more, []);
  });

  it('explain ignores values that are not a list of capabilities', async () => {
    const odd = podWith({ capabilities: { add: 'NET_RAW', drop: [7, null, 'ALL'] }, runAsUser: 'root' });
    const [container] = (await explained(dump(odd)))[0]?.containers ?? [];
    assert.deepEqual([container?.add, container?.drop, container?.uid], [[], ['ALL'], undefined]);
    assert.deepEqual(
      (await explained('{apiVersion: v1, kind: Pod, spec: {containers: [null, 3]}}'))[0]?.containers.length,
      1,
    );
  });
});

describe('explain -f FILE --policy FILE', () => {
  const folder = mkdtempSync(join(tmpdir(), 'explain-'));
  const file = join(folder, 'policy.yaml');
  after(() => rmSync(folder, { recursive: true }));
  const net = { capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] } };
  const spec = {
    initContainers: [{ name: 'istio-init', image: 'docker.io/istio/proxyv2:1', securityContext: net }],
    containers: [
      { name: 'app', image: 'app', securityContext: { capabilities: { drop: ['ALL'] } } },
      { name: 'other', image: 'app', securityContext: net },
    ],
  };
  const input = dump(podManifest({ name: 'web' }, spec));
  const entry = {
    names: ['istio-init', 'app', 'other'],
    images: ['docker.io/istio/*'],
    overrides: { capabilities: { allowedAdd: ['NET_ADMIN'] } },
  };
  const policyWith = (...containers: object[]) =>
    writeFileSync(file, dump(writtenPolicy('mesh', { level: 'baseline', containers })));

  it('explain names the entry of spec.containers that admits a container, and the violations without the entry', async () => {
    policyWith({ names: ['nobody'], overrides: { privileged: true } }, entry);
    const { code, stdout, stderr } = await cappol(['explain', '-f', '-', '--policy', file], input);
    assert.deepEqual([code, stderr], [0, '']);
    const lines = stdout.split('\n').filter((line) => /^Pod web, container|^policy /.test(line));
    const baseline =
      'AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT';
    assert.deepEqual(
      lines.map((line) => line.replace(/ \(.*:\d+\)$/, '')),
      [
        'Pod web, container "istio-init"',
        `policy mesh admits the container by spec.containers[1]; without this entry, container "istio-init" must not add capability NET_ADMIN (allowed: ${baseline})`,
        'Pod web, container "app"',
        'Pod web, container "other"',
      ],
    );
  });

  it('names it in JSON', async () => {
    policyWith(entry);
    const { stdout } = await cappol(['explain', '-f', '-', '--policy', file, '-o', 'json'], input);
    const [{ containers }] = JSON.parse(stdout).items;
    const told = containers.map(({ name, passesBy }: ExplainedContainer) => [
      name,
      passesBy?.map(({ policy, entry, without }) => [policy, entry, without.length]),
    ]);
    assert.deepEqual(told, [
      ['istio-init', [['mesh', 'spec.containers[0]', 1]]],
      ['app', []],
      ['other', []],
    ]);
  });

  it('explain names no entry for a container that breaks another rule', async () => {
    policyWith(entry);
    const {
      initContainers: [init],
    } = spec;
    const privileged = { ...init, securityContext: { ...net, privileged: true } };
    const pod = podManifest({ name: 'web' }, { containers: [privileged] });
    const { stdout } = await cappol(['explain', '-f', '-', '--policy', file], dump(pod));
    assert.doesNotMatch(stdout, /^policy /m);
  });

  it('explain fails if the files have no policy, or if --policy is used without -f', async () => {
    writeFileSync(file, '{apiVersion: v1, kind: Namespace, metadata: {name: a}}');
    for (const [args, message] of [
      [['-f', '-'], 'the files of --policy contain no CapabilityPolicy'],
      [['NET_RAW'], '--policy requires -f'],
    ] as const) {
      const { code, stderr } = await cappol(['explain', ...args, '--policy', file], input);
      assert.deepEqual([code, stderr], [2, `cappol: ${message}\n`]);
    }
  });
});

async function explained(input: string): Promise<readonly ExplainedManifest[]> {
  const { code, stdout, stderr } = await cappol(['explain', '-f', '-', '-o', 'json'], input);
  assert.deepEqual([code, stderr], [0, '']);
  return JSON.parse(stdout).items;
}

function podWith(securityContext: object) {
  return podManifest({ name: 'pod' }, { containers: [{ name: 'app', image: 'app', securityContext }] });
}

const CRON_JOB = `
apiVersion: batch/v1
kind: CronJob
metadata: {name: report, namespace: shop}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          initContainers:
          - name: first
            securityContext: {capabilities: {add: [LOREM], drop: [ALL]}}
          containers:
          - name: report
`;

const PING = `apiVersion: v1
kind: Pod
metadata: {name: ping, namespace: net}
spec:
  securityContext: {runAsUser: 1000}
  containers:
  - name: ping
    securityContext:
      allowPrivilegeEscalation: false
      capabilities: {drop: [ALL], add: [CAP_NET_RAW, SYS_TIME]}
`;
