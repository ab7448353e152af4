import assert from 'node:assert/strict';
import fc, { type Arbitrary } from 'fast-check';
import { validatePolicy } from '../../analysis/policies/validate.ts';
import { policiesOf } from '../../analysis/suggest/policies.ts';
import { resolvedBy } from '../../analysis/suggest/stated.ts';
import { type Suggestion, type SuggestOptions, suggest } from '../../analysis/suggest/suggest.ts';
import type { Given } from '../../analysis/suggest/workloads.ts';
import { MOST_ASKED } from '../../operator/compile/decision.ts';
import { ownEntries } from '../../operator/evaluate/own-entries.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Stated } from '../../operator/rules/rule.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { formatVersion, type Level, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { arbitraryPod, arbitraryPodWithAddedContainers } from '../support/random-policies.ts';
import { SEED } from '../support/seed.ts';
import { isOfRealSize } from './suggest-features.ts';

const evaluator = new Evaluator();

const RESTRICTED_VOLUMES = [
  ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected'],
  'secret',
];
const SAFE_SYSCTLS = [
  ...['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.ip_local_reserved_ports'],
  ...['net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ping_group_range', 'net.ipv4.tcp_fin_timeout'],
  ...['net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_keepalive_time'],
  ...['net.ipv4.tcp_notsent_lowat', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_slow_start_after_idle'],
  ...['net.ipv4.tcp_syncookies', 'net.ipv4.tcp_wmem'],
];

const HARDENED = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
  capabilities: { drop: ['ALL'] },
};

function hardened(fields: Record<string, unknown> = {}, spec: Record<string, unknown> = {}): PodContent {
  return { annotations: {}, spec: { containers: [{ name: 'app', securityContext: HARDENED, ...fields }], ...spec } };
}

function secured(securityContext: Record<string, unknown>): PodContent {
  return hardened({ securityContext: { ...HARDENED, ...securityContext } });
}

/** The pods as workloads. Each pod is a separate workload. */
function given(pods: readonly PodContent[]): Given[] {
  return pods.map((content, i) => ({ workload: { kind: 'Pod', namespace: 'net', name: `pod-${i}` }, content }));
}

function runningAs(serviceAccountName: string, { annotations, spec }: PodContent): PodContent {
  return { annotations, spec: { ...spec, serviceAccountName } };
}

const PINNED = `registry.example.com/web@sha256:${'0123456789abcdef'.repeat(4)}`;
const STANDARD = { minor: NEWEST_KNOWN_MINOR, server: NEWEST_KNOWN_MINOR };

function suggestedFor(all: readonly Given[], options: Partial<SuggestOptions> = {}): Suggestion {
  const [suggestion] = suggest(all, { standard: STANDARD, evaluator, ...options });
  return suggestion as Suggestion;
}

function suggested(pods: readonly PodContent[], options: Partial<SuggestOptions> = {}): Suggestion {
  return suggestedFor(given(pods), options);
}

/**
 * The suggested policy for a workload of these pods. If the workload needs an exception, the result is the exception.
 * If the level is enough for the workload, the result is the policy of the namespace.
 */
function forOne(pods: readonly PodContent[], options: Partial<SuggestOptions> = {}) {
  const all = pods.map((content) => ({ workload: { kind: 'Pod', namespace: 'net', name: 'pod' }, content }));
  const suggestion = suggestedFor(all, options);
  const [exception, ...others] = suggestion.exceptions;
  assert.deepEqual(others, []);
  return exception ?? suggestion;
}

describe('what is suggested', () => {
  const ADDING = (...add: string[]) => secured({ capabilities: { add, drop: ['ALL'] } });
  const cases: readonly [what: string, pods: PodContent[], level: Level, stated: Stated][] = [
    ['for pods that level restricted admits: it alone', [hardened()], 'restricted', {}],
    [
      'for a pod without settings: baseline',
      [{ annotations: {}, spec: { containers: [{ name: 'app' }] } }],
      'baseline',
      {},
    ],
    [
      "for one more capability: that one and the level's own",
      [ADDING('NET_RAW')],
      'restricted',
      { 'capabilities.allowedAdd': ['NET_BIND_SERVICE', 'NET_RAW'] },
    ],
    [
      'for several: what all of them add',
      [ADDING('SYS_TIME', 'NET_RAW'), ADDING('NET_BIND_SERVICE')],
      'restricted',
      { 'capabilities.allowedAdd': ['NET_BIND_SERVICE', 'NET_RAW', 'SYS_TIME'] },
    ],
    ['for an unknown name: any', [ADDING('CAP_NET_RAW')], 'restricted', { 'capabilities.allowedAdd': ['*'] }],
    [
      'for drops by name: what all have in common',
      [
        secured({ capabilities: { drop: ['NET_RAW', 'KILL'] } }),
        secured({ capabilities: { drop: ['NET_RAW'] } }),
        hardened(),
      ],
      'restricted',
      { 'capabilities.requiredDrop': ['NET_RAW'] },
    ],
    [
      'for dropping what is added, too: no such drop is required',
      [secured({ capabilities: { drop: ['NET_RAW', 'KILL'], add: ['NET_RAW'] } })],
      'restricted',
      { 'capabilities.allowedAdd': ['NET_BIND_SERVICE', 'NET_RAW'], 'capabilities.requiredDrop': ['KILL'] },
    ],
    [
      'for ports of the node: exactly these ranges',
      [hardened({ ports: [80, 81, 443].map((hostPort) => ({ containerPort: 1, hostPort })) })],
      'restricted',
      {
        hostPorts: [
          { min: 80, max: 81 },
          { min: 443, max: 443 },
        ],
      },
    ],
    [
      "for volumes beyond the level: their types and the level's own",
      [
        hardened(
          {},
          {
            volumes: [
              { name: 'a', nfs: {} },
              { name: 'b', secret: {} },
            ],
          },
        ),
      ],
      'restricted',
      { volumes: [...RESTRICTED_VOLUMES, 'nfs'].sort() },
    ],
    [
      'for a pod without a seccomp profile',
      [secured({ seccompProfile: undefined })],
      'restricted',
      { 'seccomp.unset': 'Allowed' },
    ],
    [
      "for seccomp Unconfined: that and the level's own types",
      [secured({ seccompProfile: { type: 'Unconfined' } })],
      'restricted',
      { 'seccomp.types': ['Localhost', 'RuntimeDefault', 'Unconfined'] },
    ],
    [
      "for seccomp OCI: the reference, beside the level's own types",
      [secured({ seccompProfile: { type: 'OCI', oci: { ref: PINNED } } })],
      'restricted',
      { 'seccomp.types': ['Localhost', 'OCI', 'RuntimeDefault'], 'seccomp.ociReferences': [PINNED] },
    ],
    [
      'for seccomp OCI with a reference that no list can have: any reference',
      [secured({ seccompProfile: { type: 'OCI', oci: { ref: PINNED.toUpperCase() } } })],
      'restricted',
      { 'seccomp.types': ['Localhost', 'OCI', 'RuntimeDefault'], 'seccomp.ociReferences': ['*'] },
    ],
    [
      "for AppArmor Unconfined: that and the level's own types",
      [secured({ appArmorProfile: { type: 'Unconfined' } })],
      'restricted',
      { 'appArmor.types': ['Localhost', 'RuntimeDefault', 'Unconfined'] },
    ],
    [
      'for hostPath: its paths too, without those that another one covers',
      [
        hardened(
          { volumeMounts: ['root', 'log'].map((name) => ({ name, mountPath: `/${name}`, readOnly: true })) },
          {
            volumes: [
              { name: 'root', hostPath: { path: '/' } },
              { name: 'log', hostPath: { path: '/var/log' } },
            ],
          },
        ),
      ],
      'restricted',
      { volumes: [...RESTRICTED_VOLUMES, 'hostPath'].sort(), hostPaths: [{ pathPrefix: '/', readOnly: true }] },
    ],
    [
      'for an explicit root user: any user, except as far as the level admits it',
      [secured({ runAsUser: 0, runAsNonRoot: undefined, capabilities: { drop: ['ALL'], add: ['NET_RAW'] } })],
      'restricted',
      {
        'capabilities.allowedAdd': ['NET_BIND_SERVICE', 'NET_RAW'],
        runAsNonRoot: false,
        runAsUser: { rule: 'RunAsAny' },
      },
    ],
    [
      "for an unsafe sysctl: that one, in its own spelling, and the level's own",
      [hardened({}, { securityContext: { sysctls: [{ name: 'net/core/somaxconn', value: '1' }] } })],
      'restricted',
      { 'sysctls.allowed': [...SAFE_SYSCTLS, 'net/core/somaxconn'].sort() },
    ],
    [
      'for an SELinux type: exactly these options',
      [secured({ seLinuxOptions: { type: 'spc_t' } })],
      'restricted',
      { seLinux: { rule: 'MustRunAs', options: { type: 'spc_t' } } },
    ],
  ];

  for (const [what, pods, level, stated] of cases) {
    it(what, () => {
      const suggestion = forOne(pods);
      assert.equal(suggestion.level, level);
      assert.deepEqual(statedIn(suggestion), stated);
    });
  }

  it('is empty for no workloads', () => {
    assert.deepEqual(suggest([], { standard: STANDARD, evaluator }), []);
  });

  it('if no override admits a workload, the workload gets the level privileged, with all other rules of the original level', () => {
    const unmasked = forOne([secured({ procMount: 'Unmasked' })]);
    assert.equal(unmasked.level, 'privileged');
    const policy = resolvedBy(statedIn(unmasked), { ...STANDARD, level: 'privileged' });
    const level = resolvedBy({}, { ...STANDARD, level: 'restricted' });
    for (const pod of fc.sample(randomPods().map(contentOf).filter(isOfRealSize), { numRuns: 500, seed: SEED })) {
      const broken = (by: typeof policy) => evaluator.violations(pod, by).map(({ rule, path }) => `${rule} ${path}`);
      const expected = broken(level).filter((text) => !text.startsWith('procMount '));
      assert.deepEqual(broken(policy), expected, JSON.stringify(pod));
    }
  });

  it('a pod with an unknown type of seccomp profile gets the level privileged, without a rule for seccomp', () => {
    const future = forOne([secured({ seccompProfile: { type: 'Future' } })]);
    assert.equal(future.level, 'privileged');
    assert.equal(future.overrides.seccomp, undefined);
  });

  it('a suggestion has at most 32 ranges of ports, and merges the nearest ranges', () => {
    const ports = Array.from({ length: 40 }, (_, i) => ({ containerPort: 1, hostPort: 1000 + i ** 2 }));
    const { hostPorts } = forOne([hardened({ ports })]).overrides;
    assert.equal(hostPorts?.length, 32);
    assert.deepEqual(hostPorts?.[0], { min: 1000, max: 1064 });
    assert.deepEqual(hostPorts?.[1], { min: 1081, max: 1081 });
  });

  it('a capability is admitted only in user namespaces, if only pods in user namespaces add the capability', () => {
    const adding = (add: string[], spec = {}) =>
      hardened({ securityContext: { ...HARDENED, capabilities: { drop: ['ALL'], add } } }, spec);
    const own = { hostUsers: false };
    const capabilitiesFor = (pods: PodContent[], options = {}) =>
      Object.fromEntries(
        Object.entries(statedIn(forOne(pods, options))).filter(([path]) => path.startsWith('capabilities.')),
      );
    assert.deepEqual(capabilitiesFor([adding(['NET_ADMIN', 'NET_BIND_SERVICE'], own)]), {
      'capabilities.allowedAddInUserNamespace': ['NET_ADMIN'],
    });
    assert.deepEqual(capabilitiesFor([adding(['NET_ADMIN', 'SYS_PTRACE'], own), adding(['NET_ADMIN'])]), {
      'capabilities.allowedAdd': ['NET_ADMIN', 'NET_BIND_SERVICE'],
      'capabilities.allowedAddInUserNamespace': ['SYS_PTRACE'],
    });
    // A policy that lets pods add a capability in a user namespace also lets pods hold the capability in the user
    // namespace.
    const narrow = capabilitiesFor([adding(['NET_ADMIN'], own), adding(['CHOWN'])], { narrow: true });
    assert.deepEqual(narrow, {
      'capabilities.allowedAdd': ['CHOWN'],
      'capabilities.allowedAddInUserNamespace': ['NET_ADMIN'],
      'capabilities.allowedBounding': ['CHOWN'],
    });
    assert.deepEqual(capabilitiesFor([adding(['nonsense'], own)]), {
      'capabilities.allowedAddInUserNamespace': ['*'],
    });
    // Older API servers do not guarantee the user namespace.
    assert.deepEqual(capabilitiesFor([adding(['NET_ADMIN'], own)], { standard: { minor: 32, server: 32 } }), {
      'capabilities.allowedAdd': ['NET_ADMIN', 'NET_BIND_SERVICE'],
    });
  });

  it('on request, requires supplementalGroupsPolicy Strict if each pod sets Strict and the API server has the field', () => {
    const strict = hardened({}, { securityContext: { supplementalGroupsPolicy: 'Strict', supplementalGroups: [7] } });
    const narrow = (pods: PodContent[], server: number) =>
      forOne(pods, { narrow: true, standard: { minor: 30, server } }).overrides?.supplementalGroups;
    const rule = { rule: 'MustRunAs', ranges: [{ min: 7, max: 7 }] };
    assert.deepEqual(narrow([strict], 33), { ...rule, policy: 'Strict' });
    assert.deepEqual(narrow([strict], 32), rule);
    assert.equal(narrow([strict, hardened()], 33)?.policy, undefined);
    assert.equal(forOne([strict]).overrides?.supplementalGroups, undefined);
  });

  it('on request, narrows the fields that the level leaves open', () => {
    const volumes = [
      { name: 'log', hostPath: { path: '/var/log' } },
      { name: 'run', hostPath: { path: '/run' } },
    ];
    const volumeMounts = [
      { name: 'log', mountPath: '/log', readOnly: true },
      { name: 'run', mountPath: '/run' },
    ];
    const stated = statedIn(forOne([hardened({ volumeMounts }, { volumes })], { narrow: true }));
    assert.deepEqual(stated.hostPaths, [{ pathPrefix: '/run' }, { pathPrefix: '/var/log', readOnly: true }]);
    assert.deepEqual(stated['capabilities.allowedBounding'], []);
    assert.deepEqual(stated['capabilities.allowedAdd'], []);
  });
});

describe('the level of a namespace', () => {
  const plain: PodContent = { annotations: {}, spec: { containers: [{ name: 'app' }] } };
  const cases: readonly [what: string, pods: PodContent[], level: Level][] = [
    ['is restricted when that admits half of the workloads', [hardened(), hardened(), plain, plain], 'restricted'],
    [
      'is baseline when that admits more, and restricted needs many more overrides',
      [hardened(), plain, plain],
      'baseline',
    ],
    [
      'is restricted when that needs few overrides more',
      [hardened(), ...['a', 'b'].map((name) => runningAs(name, secured({ seccompProfile: undefined })))],
      'restricted',
    ],
    [
      'is baseline when neither admits half, and restricted needs many more overrides',
      [{ annotations: {}, spec: { containers: [{ name: 'app' }], hostNetwork: true } }],
      'baseline',
    ],
  ];
  for (const [what, pods, level] of cases) {
    it(what, () => assert.equal(suggested(pods).level, level));
  }

  it('is the requested one', () => {
    const { level, exceptions } = suggested([plain], { level: 'restricted' });
    assert.equal(level, 'restricted');
    assert.equal(exceptions.length, 1);
  });

  it("is each namespace's own", () => {
    const inShop = given([plain]).map((one) => ({ ...one, workload: { ...one.workload, namespace: 'shop' } }));
    const suggestions = suggest([...inShop, ...given([hardened()])], { standard: STANDARD, evaluator });
    assert.deepEqual(
      suggestions.map(({ namespace, level }) => [namespace, level]),
      [
        ['net', 'restricted'],
        ['shop', 'baseline'],
      ],
    );
  });
});

describe('exceptions of a suggestion', () => {
  const adding = (account: string, ...add: string[]) =>
    runningAs(account, secured({ capabilities: { add, drop: ['ALL'] } }));
  const named = ({ exceptions }: Suggestion) =>
    exceptions.map(({ workloads, serviceAccounts }) => [workloads.map(({ name }) => name), serviceAccounts]);

  it('exceptions leave the other pods of the namespace under the plain level', () => {
    const { stated, exceptions } = suggested([hardened(), runningAs('node', hardened({}, { hostNetwork: true }))]);
    assert.deepEqual(stated, []);
    assert.deepEqual(
      exceptions.map(({ serviceAccounts, overrides }) => [serviceAccounts, overrides]),
      [[['node'], { hostNetwork: true }]],
    );
  });

  it('workloads with the same needs share an exception, even if their service accounts differ', () => {
    const suggestion = suggested([hardened(), hardened(), adding('a', 'NET_RAW'), adding('b', 'NET_RAW')]);
    assert.deepEqual(named(suggestion), [
      [
        ['pod-2', 'pod-3'],
        ['a', 'b'],
      ],
    ]);
  });

  it('different needs of one service account make separate exceptions', () => {
    const suggestion = suggested([hardened(), hardened(), adding('a', 'NET_RAW'), adding('a', 'SYS_TIME')]);
    assert.deepEqual(named(suggestion), [
      [['pod-2'], ['a']],
      [['pod-3'], ['a']],
    ]);
  });

  it('an exception is left out if the service account has a wider exception', () => {
    const suggestion = suggested([
      ...[hardened(), hardened(), hardened()],
      ...[adding('a', 'NET_RAW'), adding('a', 'NET_RAW', 'SYS_TIME'), adding('b', 'NET_RAW')],
    ]);
    assert.deepEqual(named(suggestion), [
      [['pod-3', 'pod-4'], ['a']],
      [['pod-5'], ['b']],
    ]);
  });

  it('an exception names the other workloads of the service account', () => {
    const { exceptions } = suggested([runningAs('a', hardened()), hardened(), adding('a', 'NET_RAW')]);
    assert.deepEqual(
      exceptions.map(({ sharing }) => sharing),
      [[{ serviceAccount: 'a', workloads: [{ kind: 'Pod', namespace: 'net', name: 'pod-0' }] }]],
    );
  });

  it('exceptions are merged until the API server accepts all exceptions, and each merge admits as little as possible', () => {
    const ordinary = Array.from({ length: 20 }, () => hardened());
    const needy = CAPABILITIES.slice(0, 18).map((name) =>
      adding(`own-${name.toLowerCase().replaceAll('_', '-')}`, name),
    );
    const [twin, other] = ['SYSLOG', 'SYS_TIME'].map((name) => adding('twin', name)) as [PodContent, PodContent];
    const suggestion = suggested([...ordinary, ...needy, twin, other]);
    assert.equal(suggestion.exceptions.length, MOST_ASKED);
    const joined = suggestion.exceptions.find(({ serviceAccounts }) => serviceAccounts.includes('twin'));
    assert.deepEqual([joined?.merged, joined?.serviceAccounts], [true, ['twin']]);
    assert.ok(suggestion.exceptions.filter(({ merged }) => merged).length > 1);
    assert.ok(suggestion.exceptions.some(({ merged }) => !merged));
  });

  it('name at most 20 service accounts each', () => {
    const needy = Array.from({ length: 45 }, (_, i) => adding(`account-${i}`, 'NET_RAW'));
    const { exceptions } = suggested(needy);
    assert.deepEqual(
      exceptions.map(({ serviceAccounts }) => serviceAccounts.length),
      [20, 20, 5],
    );
    assert.equal(new Set(exceptions.flatMap(({ serviceAccounts }) => serviceAccounts)).size, 45);
  });
});

describe('why it is suggested', () => {
  const ping = secured({ capabilities: { add: ['NET_RAW', 'NET_BIND_SERVICE'], drop: ['ALL'] } });
  const [override] = suggested([hardened(), ping, ping]).exceptions.flatMap(({ stated }) => stated);

  it('names each workload and container that needs an entry, but names no workload for an entry that the level has', () => {
    const needs = override?.needs.map(({ workload, container, entry }) => [workload.name, container, entry]);
    assert.deepEqual(needs, [
      ['pod-1', 'app', 'NET_RAW'],
      ['pod-2', 'app', 'NET_RAW'],
    ]);
  });

  it("names the level's own requirement", () => {
    assert.deepEqual(
      override?.needs.slice(0, 1).map(({ change }) => change),
      ['container "app" must not add capability NET_RAW (allowed: NET_BIND_SERVICE)'],
    );
  });

  it('names the needs that only the level privileged admits', () => {
    const { exceptions } = suggested([hardened(), secured({ procMount: 'Unmasked' })]);
    assert.deepEqual(
      exceptions.flatMap(({ obstacles }) => obstacles).map(({ workload, change }) => [workload.name, change]),
      [['pod-1', 'container "app" must not have securityContext.procMount Unmasked (allowed: Default)']],
    );
  });

  it('says what would make it unnecessary', () => {
    const advice = override?.needs[0]?.advice.join('\n') ?? '';
    assert.match(advice, /net\.ipv4\.ping_group_range/);
    assert.match(advice, /file capabilities/);
    assert.doesNotMatch(advice, /ip_unprivileged_port_start/);
  });
});

describe(`suggestions for random workloads (SEED=${SEED})`, function () {
  this.timeout(300_000);
  const pod: Arbitrary<PodContent> = fc.oneof(
    randomPods().map(contentOf),
    arbitraryPod,
    arbitraryPodWithAddedContainers,
  );
  const input = fc.record({
    pods: fc.array(pod, { minLength: 1, maxLength: 4 }),
    minor: fc.oneof(
      { weight: 3, arbitrary: fc.constant(NEWEST_KNOWN_MINOR) },
      { weight: 1, arbitrary: fc.nat(NEWEST_KNOWN_MINOR) },
    ),
    narrow: fc.boolean(),
  });
  type Input = typeof input extends Arbitrary<infer Value> ? Value : never;

  const check = (runs: number, holds: (input: Input, suggestion: Suggestion) => void) =>
    fc.assert(
      fc.property(input, (one) => holds(one, suggested(one.pods, optionsOf(one)))),
      { seed: SEED, numRuns: runs },
    );
  const optionsOf = ({ minor, narrow }: Input) => ({ standard: { minor, server: NEWEST_KNOWN_MINOR }, narrow });

  it('admit all of them', () => {
    check(50, (one, suggestion) => {
      const content = partsOfSuggestion(suggestion, one);
      for (const pod of one.pods) {
        const usable = content.filter(
          ({ accounts }) => !accounts || accounts.includes(pod.spec.serviceAccountName ?? 'default'),
        );
        assert.ok(usable.some(({ stated, level }) => admitsAll([pod], stated, level, one.minor)));
      }
    });
  });

  it('are accepted by the API', () => {
    check(25, ({ minor }, suggestion) => {
      for (const { policy } of policiesOf([suggestion], { mode: 'Audit', everywhere: false })) {
        const versioned = { ...policy, spec: { ...policy.spec, levelVersion: formatVersion(minor) } };
        assert.deepEqual(validatePolicy(versioned as never).problems, [], JSON.stringify(versioned));
      }
    });
  });

  it('contain no unnecessary override', () => {
    check(50, (one, suggestion) => {
      if (one.narrow) return;
      for (const { stated, level, pods, needs } of partsOfSuggestion(suggestion, one)) {
        if (level === 'privileged') continue;
        for (const path of Object.keys(stated)) {
          assert.ok(needs(path) > 0 || GUARDING.includes(path), path);
          const { [path]: _, ...rest } = stated;
          assert.ok(GUARDING.includes(path) || !admitsAll(pods, rest, level, one.minor), path);
        }
      }
    });
  });

  it("no entry of a suggestion can be narrower, apart from the level's own entries", () => {
    check(40, (one, suggestion) => {
      for (const { stated, level, pods } of partsOfSuggestion(suggestion, one)) {
        if (level === 'privileged' || pods.length === 0) continue;
        for (const [path, value] of Object.entries(stated)) {
          const standard = { ...STANDARD, minor: one.minor, level };
          const own = one.narrow ? [] : ownEntries(path, standard);
          // requiredDrop lacks the capabilities that may be added. The API refuses a capability in both allowedAdd and
          // requiredDrop.
          const everywhere = stated['capabilities.allowedAdd'] ?? ownEntries('capabilities.allowedAdd', standard);
          const mapped = stated['capabilities.allowedAddInUserNamespace'] ?? [];
          const added = [...(everywhere as string[]), ...(mapped as string[])];
          for (const narrower of narrowerThan(path, value, { added, own })) {
            const text = `${path}: ${JSON.stringify(narrower)}`;
            assert.ok(!admitsAll(pods, { ...stated, [path]: narrower }, level, one.minor), text);
          }
        }
      }
    });
  });

  it('cover every rule', () => {
    const stated = new Set<string>();
    for (const one of fc.sample(input, { numRuns: 150, seed: 1 })) {
      const suggestion = suggested(one.pods, optionsOf(one));
      for (const part of [suggestion, ...suggestion.exceptions]) {
        for (const { path } of part.stated) stated.add(path);
      }
    }
    const absent = RULES.filter(({ id }) => ![...stated].some((path) => path === id || path.startsWith(`${id}.`)));
    // The rule `defaultAllowPrivilegeEscalation` only fills in a value. A suggestion therefore never states the rule.
    assert.deepEqual(
      absent.map(({ id }) => id),
      ['defaultAllowPrivilegeEscalation'],
    );
  });

  it('suggestions do not depend on the order of the workloads', () => {
    check(20, (one, suggestion) => {
      const again = suggestedFor(given(one.pods).toReversed(), optionsOf(one));
      assert.equal(JSON.stringify(again), JSON.stringify(suggestion));
    });
  });
});

/**
 * Rules that a suggestion sets together with an entry of `volumes`. Without these rules, the entry of `volumes` would
 * admit more than the workloads use.
 */
const GUARDING = ['hostPaths', 'flexVolumeDrivers'];

interface Part {
  readonly level: Level;
  readonly stated: Stated;
  /**
   * The service accounts whose pods may use the policy. If the pods of all service accounts may use the policy, the
   * value is undefined.
   */
  readonly accounts?: readonly string[];
  /** The pods for which the policy was suggested. */
  readonly pods: readonly PodContent[];
  needs(path: string): number;
}

/** The policies of a suggestion. The first policy is the policy for the namespace. */
function partsOfSuggestion(suggestion: Suggestion, { pods }: { readonly pods: readonly PodContent[] }): Part[] {
  const needs =
    ({ stated }: Pick<Suggestion, 'stated'>) =>
    (path: string) =>
      stated.find((one) => one.path === path)?.needs.length ?? 0;
  const podsOf = (names: readonly { readonly name: string }[]) =>
    pods.filter((_, i) => names.some(({ name }) => name === `pod-${i}`));
  const needy = suggestion.exceptions.flatMap(({ workloads }) => workloads);
  const ordinary = pods.filter((pod) => !podsOf(needy).includes(pod));
  return [
    { level: suggestion.level, stated: statedIn(suggestion), pods: ordinary, needs: needs(suggestion) },
    ...suggestion.exceptions.map((exception) => ({
      level: exception.level,
      stated: statedIn(exception),
      accounts: exception.serviceAccounts,
      pods: podsOf(exception.workloads),
      needs: needs(exception),
    })),
  ];
}

function admitsAll(pods: readonly PodContent[], stated: Stated, level: Level, minor: number): boolean {
  const policy = resolvedBy(stated, { ...STANDARD, minor, level });
  return pods.every((pod) => evaluator.violations(pod, policy).length === 0);
}

function statedIn({ stated }: Pick<Suggestion, 'stated'>): Stated {
  return Object.fromEntries(stated.map(({ path, value }) => [path, value]));
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** Returns narrower values that admit all given entries. */
function narrowerThan(
  path: string,
  value: unknown,
  { added, own }: { readonly added: readonly string[]; readonly own: readonly unknown[] },
): unknown[] {
  if (path === 'capabilities.requiredDrop') return moreDrops(value as string[], added);
  // A value of hostPaths cannot be narrowed, because one path may be below another path of the list. A value with `*`
  // cannot be narrowed, because no list can replace `*`.
  if (path === 'hostPaths' || (Array.isArray(value) && value.includes('*'))) return [];
  const { ranges, ...rest } = (value ?? {}) as { ranges?: Range[] };
  if (ranges)
    return withoutSome(ranges)
      .filter(({ length }) => length > 0)
      .map((fewer) => ({ ...rest, ranges: fewer }));
  if (!Array.isArray(value)) return [];
  return withoutSome(value).filter((fewer) => own.every((entry) => fewer.includes(entry)));
}

function withoutSome<Entry>(list: readonly Entry[]): Entry[][] {
  return list.flatMap((entry, i) => {
    const without = list.toSpliced(i, 1);
    const { min, max } = entry as Range;
    const shrunk =
      min < max
        ? [
            { min: min + 1, max },
            { min, max: max - 1 },
          ]
        : [];
    return [without, ...shrunk.map((range) => list.toSpliced(i, 1, range as Entry))];
  });
}

function moreDrops(required: readonly string[], added: readonly string[]): string[][] {
  if (required.includes('ALL')) return [];
  return ['ALL', ...CAPABILITIES]
    .filter((name) => !required.includes(name) && !added.includes(name) && !added.includes('*'))
    .map((name) => [...required, name]);
}
