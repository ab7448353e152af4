import assert from 'node:assert/strict';
import fc, { type Arbitrary } from 'fast-check';
import { validatePolicy } from '../../operator/cli/policies/validate.ts';
import type { PodParts } from '../../operator/cluster/objects.ts';
import { type Given, type Suggestion, type SuggestOptions, suggest } from '../../operator/evaluate/suggest.ts';
import { overridesOf } from '../../operator/evaluate/suggest-stated.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Stated } from '../../operator/rules/rule.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { formatVersion, type Level, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { arbitraryPod, arbitraryPodWithAddedContainers, policyOf } from '../defaulting/arbitrary.ts';
import { partsOf, randomPods } from '../differential/pods.ts';

const SEED = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
const evaluator = new Evaluator();

const HARDENED = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
  capabilities: { drop: ['ALL'] },
};

function hardened(fields: Record<string, unknown> = {}, spec: Record<string, unknown> = {}): PodParts {
  return { annotations: {}, spec: { containers: [{ name: 'app', securityContext: HARDENED, ...fields }], ...spec } };
}

function secured(securityContext: Record<string, unknown>): PodParts {
  return hardened({ securityContext: { ...HARDENED, ...securityContext } });
}

function given(pods: readonly PodParts[], template = false): Given[] {
  return pods.map((parts, i) => ({ workload: { kind: 'Pod', namespace: 'net', name: `pod-${i}` }, parts, template }));
}

function suggested(pods: readonly PodParts[], options: Partial<SuggestOptions> = {}): Suggestion {
  const standard = { minor: NEWEST_KNOWN_MINOR, server: NEWEST_KNOWN_MINOR };
  return suggest(given(pods), { standard, evaluator, ...options });
}

describe('what is suggested', () => {
  const ADDING = (...add: string[]) => secured({ capabilities: { add, drop: ['ALL'] } });
  const cases: readonly [what: string, pods: PodParts[], level: Level, stated: Stated][] = [
    ['for what level restricted admits: it alone', [hardened()], 'restricted', {}],
    ['for no workloads: level restricted', [], 'restricted', {}],
    [
      'for a pod that says nothing: baseline',
      [{ annotations: {}, spec: { containers: [{ name: 'app' }] } }],
      'baseline',
      {},
    ],
    [
      'for one more capability: just that',
      [ADDING('NET_RAW')],
      'restricted',
      { 'capabilities.allowedAdd': ['NET_RAW'] },
    ],
    [
      'for several: what all of them add',
      [ADDING('SYS_TIME', 'NET_RAW'), ADDING('NET_BIND_SERVICE')],
      'restricted',
      { 'capabilities.allowedAdd': ['NET_BIND_SERVICE', 'NET_RAW', 'SYS_TIME'] },
    ],
    ['for a name that is none: any', [ADDING('CAP_NET_RAW')], 'restricted', { 'capabilities.allowedAdd': ['*'] }],
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
      { 'capabilities.allowedAdd': ['NET_RAW'], 'capabilities.requiredDrop': ['KILL'] },
    ],
    [
      'for ports of the node: ranges of exactly these',
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
      'for volumes beyond the level: the types in use',
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
      { volumes: ['nfs', 'secret'] },
    ],
    [
      'for a pod without a seccomp profile',
      [secured({ seccompProfile: undefined })],
      'restricted',
      { 'seccomp.unset': 'Allowed' },
    ],
    [
      'for Unconfined: the types in use',
      [secured({ seccompProfile: { type: 'Unconfined' } })],
      'restricted',
      { 'seccomp.types': ['Unconfined'] },
    ],
    [
      'for root that says so: its ID',
      [secured({ runAsUser: 0, runAsNonRoot: undefined })],
      'restricted',
      { runAsNonRoot: false, runAsUser: { rule: 'MustRunAs', ranges: [{ min: 0, max: 0 }] } },
    ],
    [
      'for a sysctl that is not safe: just that, as it is spelled',
      [hardened({}, { securityContext: { sysctls: [{ name: 'net/core/somaxconn', value: '1' }] } })],
      'restricted',
      { 'sysctls.allowed': ['net/core/somaxconn'] },
    ],
    [
      'for an SELinux type: exactly these options',
      [secured({ seLinuxOptions: { type: 'spc_t' } })],
      'restricted',
      { seLinux: { rule: 'MustRunAs', options: { type: 'spc_t' } } },
    ],
    [
      'for what the API cannot admit otherwise: level privileged',
      [secured({ procMount: 'Unmasked' })],
      'privileged',
      {},
    ],
  ];

  for (const [what, pods, level, stated] of cases) {
    it(what, () => {
      const suggestion = suggested(pods);
      assert.equal(suggestion.level, level);
      assert.deepEqual(statedIn(suggestion), stated);
    });
  }

  it('has at most 32 ranges of ports, the nearest ones joined', () => {
    const ports = Array.from({ length: 40 }, (_, i) => ({ containerPort: 1, hostPort: 1000 + i ** 2 }));
    const { hostPorts } = suggested([hardened({ ports })]).overrides;
    assert.equal(hostPorts?.length, 32);
    assert.deepEqual(hostPorts?.[0], { min: 1000, max: 1064 });
    assert.deepEqual(hostPorts?.[1], { min: 1081, max: 1081 });
  });

  it('knows that pods of a template will have a token among their volumes', () => {
    const template = given([hardened({}, { volumes: [{ name: 'a', nfs: {} }] })], true);
    const standard = { minor: NEWEST_KNOWN_MINOR, server: NEWEST_KNOWN_MINOR };
    assert.deepEqual(statedIn(suggest(template, { standard, evaluator })), { volumes: ['nfs', 'projected'] });
  });

  it('narrows what the level leaves open, when asked to', () => {
    const volumes = [
      { name: 'log', hostPath: { path: '/var/log' } },
      { name: 'run', hostPath: { path: '/run' } },
    ];
    const volumeMounts = [
      { name: 'log', mountPath: '/log', readOnly: true },
      { name: 'run', mountPath: '/run' },
    ];
    const stated = statedIn(suggested([hardened({ volumeMounts }, { volumes })], { narrow: true }));
    assert.deepEqual(stated.hostPaths, [{ pathPrefix: '/run' }, { pathPrefix: '/var/log', readOnly: true }]);
    assert.deepEqual(stated['capabilities.allowedBounding'], []);
    assert.deepEqual(stated['capabilities.allowedAdd'], []);
  });
});

describe('why it is suggested', () => {
  const ping = secured({ capabilities: { add: ['NET_RAW', 'NET_BIND_SERVICE'], drop: ['ALL'] } });
  const [override] = suggested([hardened(), ping, ping]).stated;

  it('names each workload and container that needs an entry', () => {
    const needs = override?.needs.map(({ workload, container, entry }) => [workload.name, container, entry]);
    assert.deepEqual(needs, [
      ['pod-1', 'app', 'NET_BIND_SERVICE'],
      ['pod-1', 'app', 'NET_RAW'],
      ['pod-2', 'app', 'NET_BIND_SERVICE'],
      ['pod-2', 'app', 'NET_RAW'],
    ]);
  });

  it('says what the level wants instead, unless it has the entry itself', () => {
    assert.deepEqual(
      override?.needs.slice(0, 2).map(({ change }) => change),
      [undefined, 'container "app" must not add capability NET_RAW (allowed: NET_BIND_SERVICE)'],
    );
  });

  it('names what only level privileged admits', () => {
    const { obstacles } = suggested([hardened(), secured({ procMount: 'Unmasked' })]);
    assert.deepEqual(
      obstacles.map(({ workload, change }) => [workload.name, change]),
      [
        [
          'pod-1',
          'container "app" must not have securityContext.procMount Unmasked (allowed: Default, Unmasked with hostUsers: false)',
        ],
      ],
    );
  });

  it('says what would do without', () => {
    const advice = override?.needs[1]?.advice.join('\n') ?? '';
    assert.match(advice, /net\.ipv4\.ping_group_range/);
    assert.match(advice, /file capabilities/);
    assert.doesNotMatch(advice, /ip_unprivileged_port_start/);
  });
});

describe(`suggestions for random workloads (FC_SEED=${SEED})`, function () {
  this.timeout(300_000);
  const pod: Arbitrary<PodParts> = fc.oneof(randomPods().map(partsOf), arbitraryPod, arbitraryPodWithAddedContainers);
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
      fc.property(input, (one) => {
        const standard = { minor: one.minor, server: NEWEST_KNOWN_MINOR };
        holds(one, suggested(one.pods, { standard, narrow: one.narrow }));
      }),
      { seed: SEED, numRuns: runs },
    );
  const admits = ({ pods, minor }: Input, level: Level, stated: Stated) => {
    const policy = policyOf(level, formatVersion(minor), overridesOf(stated));
    return pods.every((pod) => evaluator.violations(pod, policy).length === 0);
  };

  it('admit all of them', () => {
    check(100, (one, suggestion) => {
      assert.ok(admits(one, suggestion.level, statedIn(suggestion)));
      assert.deepEqual(overridesOf(statedIn(suggestion)), suggestion.overrides);
    });
  });

  it('are what the API takes', () => {
    check(50, ({ minor }, { level, overrides }) => {
      const spec = { namespaceSelector: {}, level, levelVersion: formatVersion(minor), overrides };
      const policy = {
        apiVersion: 'capabilitypolicy.dev/v1alpha1',
        kind: 'CapabilityPolicy',
        metadata: { name: 'net' },
        spec,
      };
      assert.deepEqual(validatePolicy(policy as never).problems, []);
    });
  });

  it('state nothing that could be left out', () => {
    check(100, (one, suggestion) => {
      if (one.narrow) return;
      const stated = statedIn(suggestion);
      for (const path of Object.keys(stated)) {
        const { [path]: _, ...rest } = stated;
        assert.ok(!admits(one, suggestion.level, rest), path);
      }
      for (const { path, needs } of suggestion.stated) assert.ok(needs.length > 0, path);
    });
  });

  it('state nothing that could be narrower', () => {
    check(100, (one, suggestion) => {
      const stated = statedIn(suggestion);
      for (const [path, value] of Object.entries(stated)) {
        for (const narrower of narrowerThan(path, value, stated)) {
          const text = `${path}: ${JSON.stringify(narrower)}`;
          assert.ok(!admits(one, suggestion.level, { ...stated, [path]: narrower }), text);
        }
      }
    });
  });

  it('take part in every rule', () => {
    const stated = new Set<string>();
    for (const { pods, narrow } of fc.sample(input, { numRuns: 400, seed: 1 })) {
      for (const { path } of suggested(pods, { narrow }).stated) stated.add(path);
    }
    const absent = RULES.filter(({ id }) => ![...stated].some((path) => path === id || path.startsWith(`${id}.`)));
    // It only fills in.
    assert.deepEqual(
      absent.map(({ id }) => id),
      ['defaultAllowPrivilegeEscalation'],
    );
  });

  it('do not depend on the order of the workloads', () => {
    check(50, ({ pods, minor, narrow }, { level, overrides }) => {
      const again = suggested(pods.toReversed(), { standard: { minor, server: NEWEST_KNOWN_MINOR }, narrow });
      assert.equal(JSON.stringify(again.overrides), JSON.stringify(overrides));
      assert.equal(again.level, level);
    });
  });
});

function statedIn({ stated }: Suggestion): Stated {
  return Object.fromEntries(stated.map(({ path, value }) => [path, value]));
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** Values of a list that admit less. */
function narrowerThan(path: string, value: unknown, stated: Stated): unknown[] {
  if (path === 'capabilities.requiredDrop') return moreDrops(value as string[], stated);
  // An overlapping path may be a part of another, and `*` says what no list can.
  if (path === 'hostPaths' || (Array.isArray(value) && value.includes('*'))) return [];
  const { ranges, ...rest } = (value ?? {}) as { ranges?: Range[] };
  if (ranges)
    return withoutSome(ranges)
      .filter(({ length }) => length > 0)
      .map((fewer) => ({ ...rest, ranges: fewer }));
  return Array.isArray(value) ? withoutSome(value) : [];
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

function moreDrops(required: readonly string[], stated: Stated): string[][] {
  if (required.includes('ALL')) return [];
  const added = (stated['capabilities.allowedAdd'] ?? []) as readonly string[];
  return ['ALL', ...CAPABILITIES]
    .filter((name) => !required.includes(name) && !added.includes(name) && !added.includes('*'))
    .map((name) => [...required, name]);
}
