import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { isStrictlyTighter, minorsOf } from '../../operator/compile/label-order.ts';
import {
  type LevelVersion,
  labelCosts,
  levelAt,
  podSecurityLabels,
  rulesBeyondLabel,
  tightest,
} from '../../operator/compile/labels.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { compareLevels, formatVersion, LEVELS, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { VERSIONS } from '../differential/cases.ts';
import { resolved } from '../support/policies.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { arbitraryContainers, arbitraryOverrides } from '../support/random-policies.ts';

type Spec = Partial<CapabilityPolicySpec>;

const NEWEST = formatVersion(NEWEST_KNOWN_MINOR);

/** Pairs of a policy's spec and the Pod Security label that the policy gets. */
const TIGHTEST: readonly [spec: Spec, label: string][] = [
  [{ level: 'restricted' }, `restricted ${NEWEST}`],
  [{ level: 'baseline' }, `baseline ${NEWEST}`],
  [{ level: 'privileged' }, 'none'],
  [{ level: 'restricted', levelVersion: NEWEST }, `restricted ${NEWEST}`],
  // v1.35 relaxed checks for pods in user namespaces. Older versions of the Standards are therefore tighter.
  [{ level: 'restricted', levelVersion: 'v1.34' }, 'restricted v1.34'],
  [{ level: 'baseline', levelVersion: 'v1.34' }, 'baseline v1.34'],
  // The newest Standard admits more sysctls, so older versions are tighter.
  [{ levelVersion: 'v1.36' }, 'restricted v1.36'],
  [{ overrides: { sysctls: { allowed: [] } } }, 'restricted v1.36'],
  [{ levelVersion: 'v1.30' }, 'restricted v1.30'],
  [{ level: 'baseline', levelVersion: 'v1.33' }, 'baseline v1.33'],
  // Neither v1.24 nor v1.34 is tighter. Only v1.24 refuses some sysctls, and only v1.34 refuses host probes.
  [{ levelVersion: 'v1.24', overrides: { hostProbes: false } }, 'restricted v1.34'],
  [{ levelVersion: 'v1.36', overrides: { hostProbes: true } }, 'baseline v1.33'],
  // Versions since v1.34 refuse host probes. Versions up to v1.36 refuse sysctls that the newest version calls safe.
  [{ overrides: { hostProbes: true } }, 'none'],
  [{ levelVersion: 'v1.34', overrides: { hostProbes: true } }, 'restricted v1.33'],
  [{ overrides: { capabilities: { allowedAdd: ['NET_BIND_SERVICE'] } } }, `restricted ${NEWEST}`],
  [{ overrides: { capabilities: { allowedAdd: [] } } }, `restricted ${NEWEST}`],
  [{ overrides: { capabilities: { allowedAdd: ['CHOWN'] } } }, `baseline ${NEWEST}`],
  [{ overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } }, 'none'],
  // Pod Security Admission does not distinguish pods in user namespaces from other pods.
  [{ overrides: { capabilities: { allowedAddInUserNamespace: ['NET_ADMIN'] } } }, 'none'],
  [{ overrides: { capabilities: { allowedAddInUserNamespace: ['CHOWN'] } } }, `baseline ${NEWEST}`],
  [
    { overrides: { capabilities: { allowedAdd: [], allowedAddInUserNamespace: ['NET_BIND_SERVICE'] } } },
    `restricted ${NEWEST}`,
  ],
  [{ overrides: { capabilities: { requiredDrop: [] } } }, `baseline ${NEWEST}`],
  [{ level: 'baseline', overrides: { capabilities: { allowedBounding: [] } } }, `baseline ${NEWEST}`],
  [{ overrides: { allowPrivilegeEscalation: true } }, `baseline ${NEWEST}`],
  [{ overrides: { hostNetwork: true } }, 'none'],
  [{ overrides: { privileged: true } }, 'none'],
  [{ overrides: { volumes: ['emptyDir', 'secret'] } }, `restricted ${NEWEST}`],
  [{ overrides: { volumes: ['nfs'] } }, `baseline ${NEWEST}`],
  [{ overrides: { volumes: ['hostPath'] } }, 'none'],
  [{ overrides: { runAsUser: { rule: 'RunAsAny' } } }, `baseline ${NEWEST}`],
  [{ overrides: { seccomp: { unset: 'Allowed' } } }, `baseline ${NEWEST}`],
  [{ overrides: { appArmor: { unset: 'Refused' } } }, `restricted ${NEWEST}`],
  [{ overrides: { sysctls: { allowed: ['net.ipv4.tcp_rmem'] } } }, 'restricted v1.36'],
  [{ overrides: { sysctls: { allowed: ['net.ipv4.tcp_notsent_lowat'] } } }, `restricted ${NEWEST}`],
  [{ overrides: { sysctls: { allowed: ['kernel.msgmax'] } } }, 'none'],
  // The label must admit the loosest value that the policy has for any container.
  [{ containers: [{ names: ['a'], overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } }] }, 'none'],
  [{ containers: [{ names: ['a'], overrides: { runAsNonRoot: false } }] }, `baseline ${NEWEST}`],
  [
    {
      containers: [
        { names: ['a'], overrides: { readOnlyRootFilesystem: true } },
        { names: ['b'], overrides: { allowPrivilegeEscalation: true } },
      ],
    },
    `baseline ${NEWEST}`,
  ],
  [{ containers: [{ names: ['a'], overrides: { capabilities: { allowedAdd: [] } } }] }, `restricted ${NEWEST}`],
  [{ level: 'baseline', containers: [{ names: ['a'], overrides: { runAsNonRoot: true } }] }, `baseline ${NEWEST}`],
];

const overrides = fc.oneof(fc.constant({}), arbitraryOverrides);
const spec = fc.record({
  level: fc.constantFrom(...LEVELS),
  levelVersion: fc.constantFrom(...VERSIONS).map(formatVersion),
  overrides,
  containers: arbitraryContainers(['app', 'init'], ['second', 'sidecar']),
});

const evaluator = new Evaluator();
const OPTIONS = { oldestServer: NEWEST_KNOWN_MINOR, podSecurityDefaults: {} };
const admits = (policy: ResolvedPolicy, pod: PodContent) => evaluator.violations(pod, policy).length === 0;

describe('the Pod Security label of policies', () => {
  for (const [spec, expected] of TIGHTEST) {
    it(`is ${expected} for ${JSON.stringify(spec)}`, () => assert.equal(label([resolved('one', spec)]), expected));
  }

  it('is the looser of two', () => {
    assert.equal(label([resolved('a'), resolved('b', { level: 'baseline' })]), `baseline ${NEWEST}`);
    assert.equal(label([resolved('a'), resolved('b', { level: 'privileged' })]), 'none');
  });

  it('is no newer than the oldest server', () => {
    assert.deepEqual(tightest([resolved('a', {}, 31)], 31), { level: 'restricted', minor: 31 });
  });

  it('there is no label if API servers can admit a profile of type OCI, because every label refuses the type', () => {
    const labelAt = (server: number, ociReferences: string[]) => {
      const seccomp = { types: ['RuntimeDefault' as const, 'OCI' as const], ociReferences };
      return tightest([resolved('a', { overrides: { seccomp } }, server)], server);
    };
    assert.equal(labelAt(38, ['registry.example.com/*']), undefined);
    assert.deepEqual(labelAt(38, []), { level: 'restricted', minor: Math.min(38, NEWEST_KNOWN_MINOR) });
    assert.deepEqual(labelAt(36, ['registry.example.com/*']), { level: 'restricted', minor: 36 });
  });

  it('the label is at least as tight as the level of the policy, at each version of the level', () => {
    for (const level of LEVELS) {
      for (let minor = 0; minor <= NEWEST_KNOWN_MINOR; minor++) {
        const policy = resolved('plain', { level, levelVersion: formatVersion(minor) });
        assert.ok(compareLevels(levelAt(policy, minor), level) >= 0, `${level} v1.${minor}: ${levelAt(policy, minor)}`);
      }
    }
  });

  it('the label refuses no pod that the policy admits, at any version', () => {
    const levels = new Map<string, ResolvedPolicy>();
    const plain = (level: ResolvedPolicy['standard']['level'], minor: number) => {
      const levelVersion = formatVersion(minor);
      const key = `${level} ${levelVersion}`;
      const policy = levels.get(key) ?? resolved('plain', { level, levelVersion });
      levels.set(key, policy);
      return policy;
    };
    let admitted = 0;
    fc.assert(
      fc.property(spec, fc.array(randomPods(), { minLength: 5, maxLength: 5 }), (stated, pods) => {
        const policy = resolved('random', stated);
        for (const pod of pods.map(contentOf)) {
          if (!admits(policy, pod) || isForWindowsWithSeLinux(pod)) continue;
          admitted++;
          for (const minor of VERSIONS) {
            assert.ok(
              admits(plain(levelAt(policy, minor), minor), pod),
              `${levelAt(policy, minor)} v1.${minor} refuses ${JSON.stringify(pod)}`,
            );
          }
        }
      }),
      { numRuns: 1000 },
    );
    assert.ok(admitted > 500, `only ${admitted} pods were admitted`);
  });
});

describe('the costs of a label', () => {
  const costs = (policies: readonly ResolvedPolicy[], server = NEWEST_KNOWN_MINOR) =>
    labelCosts(policies, server).map(({ policy, rule, containers, level, minor }) =>
      [policy, rule, ...(containers ?? []), level, formatVersion(minor)].join(' '),
    );

  it('are none for the tightest label', () => assert.deepEqual(costs([resolved('a')]), []));

  it('the costs name, for each policy, the rules that admit more than a tighter label', () => {
    const policies = [
      resolved('a', { overrides: { allowPrivilegeEscalation: true, readOnlyRootFilesystem: true } }),
      resolved('b', { containers: [{ names: ['init'], overrides: { runAsNonRoot: false } }] }),
    ];
    assert.deepEqual(costs(policies), [
      `a allowPrivilegeEscalation restricted ${NEWEST}`,
      `b runAsNonRoot init restricted ${NEWEST}`,
    ]);
  });

  it('the costs name the rules that need a label of an older version', () => {
    const policy = resolved('a', { levelVersion: 'v1.34', overrides: { hostProbes: true } });
    assert.deepEqual(costs([policy]), ['a hostProbes restricted v1.34']);
  });

  it('the costs of a label for warnings name defaulting, because warnings are about templates before defaulting', () => {
    const [cost] = labelCosts([resolved('a', { defaulting: 'Enabled' })], NEWEST_KNOWN_MINOR, true);
    assert.deepEqual(cost, {
      policy: 'a',
      rule: undefined,
      containers: undefined,
      level: 'restricted',
      minor: NEWEST_KNOWN_MINOR,
    });
  });

  it('for random policies, the costs explain every label that is not the tightest label', () => {
    let explained = 0;
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 3 }), (specs) => {
        const policies = specs.map((stated, index) => resolved(`p${index}`, stated));
        const found = tightest(policies, NEWEST_KNOWN_MINOR);
        const isTightest = found?.level === 'restricted' && !isNewerTighter(found);
        const costs = labelCosts(policies, NEWEST_KNOWN_MINOR);
        assert.equal(costs.length === 0, isTightest, JSON.stringify(specs));
        for (const { policy, level, minor } of costs) {
          const own = policies.find(({ name }) => name === policy) as ResolvedPolicy;
          assert.ok(compareLevels(levelAt(own, minor), level) < 0);
          explained += 1;
        }
      }),
      { numRuns: 200 },
    );
    assert.ok(explained > 200, `${explained}`);

    function isNewerTighter(found: LevelVersion): boolean {
      return minorsOf(NEWEST_KNOWN_MINOR).some(
        (minor) => minor > found.minor && isStrictlyTighter({ ...found, minor }, found, NEWEST_KNOWN_MINOR),
      );
    }
  });

  it('the costs leave out newer versions that are looser', () => {
    assert.deepEqual(costs([resolved('a', { levelVersion: 'v1.34' })]), []);
  });
});

describe('the labels of a namespace', () => {
  it('follow the mode, separately for each mode', () => {
    const policies = [
      resolved('a'),
      resolved('b', { mode: 'Warn', level: 'baseline' }),
      resolved('c', { mode: 'Audit', level: 'baseline', levelVersion: 'v1.20' }),
    ];
    assert.deepEqual(podSecurityLabels(policies, {}, OPTIONS), {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/enforce-version': NEWEST,
      'pod-security.kubernetes.io/warn': 'baseline',
      'pod-security.kubernetes.io/warn-version': NEWEST,
      'pod-security.kubernetes.io/audit': 'baseline',
      'pod-security.kubernetes.io/audit-version': label([policies[2] as ResolvedPolicy]).split(' ')[1],
    });
  });

  it('come from the policies that decide there', () => {
    const net = { matchLabels: { team: 'net' } };
    const policies = [resolved('all'), resolved('net', { namespaceSelector: net, priority: 1, level: 'baseline' })];
    const enforce = (labels: Record<string, string>) =>
      podSecurityLabels(policies, labels, OPTIONS)['pod-security.kubernetes.io/enforce'];
    assert.equal(enforce({}), 'restricted');
    assert.equal(enforce({ team: 'net' }), 'baseline');
  });

  it('a namespace has no labels if one deciding policy has podSecurityLabels: Off', () => {
    const policies = [resolved('a'), resolved('b', { podSecurityLabels: 'Off' })];
    assert.deepEqual(podSecurityLabels(policies, {}, OPTIONS), {});
  });

  it("a namespace has no labels if the cluster's default is tighter", () => {
    const under = (enforce: LevelVersion) => {
      const options = { ...OPTIONS, podSecurityDefaults: { enforce } };
      return Object.values(podSecurityLabels([resolved('a', { level: 'baseline' })], {}, options));
    };
    assert.deepEqual(under({ level: 'restricted', minor: NEWEST_KNOWN_MINOR }), []);
    assert.deepEqual(under({ level: 'baseline', minor: NEWEST_KNOWN_MINOR }), ['baseline', NEWEST]);
    // Since v1.20, the level baseline admits more sysctls and SELinux types.
    assert.deepEqual(under({ level: 'baseline', minor: 20 }), []);
  });

  it('a namespace has no labels if the default of the cluster refuses more because of a newer version', () => {
    const policy = resolved('a', { level: 'restricted', levelVersion: 'v1.34', overrides: { hostProbes: true } });
    const under = (minor: number) =>
      podSecurityLabels([policy], {}, { ...OPTIONS, podSecurityDefaults: { enforce: { level: 'baseline', minor } } });
    assert.equal(Object.values(podSecurityLabels([policy], {}, OPTIONS)).join(' '), 'restricted v1.33');
    assert.deepEqual(under(NEWEST_KNOWN_MINOR), {});
    assert.notDeepEqual(under(33), {});
  });

  it('the labels warn and audit leave out violations that defaulting repairs', () => {
    const labels = podSecurityLabels([resolved('a', { defaulting: 'Enabled' })], {}, OPTIONS);
    assert.equal(labels['pod-security.kubernetes.io/enforce'], 'restricted');
    assert.equal(labels['pod-security.kubernetes.io/warn'], 'baseline');
    assert.equal(labels['pod-security.kubernetes.io/audit'], 'baseline');
  });
});

describe('the rules beyond the label', () => {
  const beyond = (spec: Spec) => {
    const policy = resolved('one', spec);
    return rulesBeyondLabel(policy, tightest([policy], NEWEST_KNOWN_MINOR));
  };

  it('are none for a level without overrides', () => {
    assert.deepEqual(beyond({}), []);
    assert.deepEqual(beyond({ level: 'baseline' }), []);
    assert.deepEqual(beyond({ level: 'privileged' }), []);
  });

  for (const level of ['restricted', 'baseline'] as const) {
    it(`are none for ${level} without overrides, at each version`, () => {
      const versions = Array.from({ length: NEWEST_KNOWN_MINOR + 1 }, (_, minor) => formatVersion(minor));
      const found = versions.filter((levelVersion) => beyond({ level, levelVersion }).length > 0);
      assert.deepEqual(found, []);
    });
  }

  it('are those that an override narrows', () => {
    assert.deepEqual(beyond({ overrides: { capabilities: { allowedAdd: [] } } }), ['capabilities']);
    assert.deepEqual(beyond({ level: 'baseline', overrides: { capabilities: { allowedBounding: [] } } }), [
      'capabilities.allowedBounding',
    ]);
  });

  it('if a policy has no label, all of its rules are beyond the label', () => {
    const spec: Spec = { overrides: { hostPID: true } };
    assert.deepEqual(
      beyond(spec),
      resolved('one', spec).checks.map(({ rule }) => rule),
    );
  });
});

/**
 * The API server refuses pods for Windows with SELinux options (k8s.io/kubernetes/pkg/apis/core/validation,
 * validateWindows). No policy therefore evaluates these pods.
 */
function isForWindowsWithSeLinux({ spec }: PodContent): boolean {
  return (
    (spec as { os?: { name?: string } }).os?.name === 'windows' && JSON.stringify(spec).includes('"seLinuxOptions"')
  );
}

function label(policies: readonly ResolvedPolicy[]): string {
  const found = tightest(policies, NEWEST_KNOWN_MINOR);
  return found ? `${found.level} ${formatVersion(found.minor)}` : 'none';
}
