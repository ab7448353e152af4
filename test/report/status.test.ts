import assert from 'node:assert/strict';
import type { CapabilityPolicySpec, Mode } from '../../operator/api/capability-policy.ts';
import { SPEC_DEFAULTS } from '../../operator/api/spec-defaults.ts';
import type { NamespaceJudgement } from '../../operator/evaluate/namespace.ts';
import { buildStatus } from '../../operator/report/status.ts';
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { coverageOf } from '../support/coverage-of.ts';
import { resolvedBaseline } from '../support/policies.ts';
import { CONFLICT, compliant, input, judgements, labels, violating } from './fixtures.ts';

const NEWEST = formatVersion(NEWEST_KNOWN_MINOR);

describe('the status of a policy', () => {
  describe('says what it is compiled to', () => {
    const cases: [string, Partial<CapabilityPolicySpec>, object][] = [
      [
        'a Standard without overrides',
        { level: 'restricted' },
        { level: 'restricted', exact: true, podSecurity: `restricted:${NEWEST}` },
      ],
      [
        'a Standard with an exception',
        { level: 'restricted', overrides: { capabilities: { allowedAdd: ['CHOWN'] } } },
        { level: 'baseline', exact: false, podSecurity: `baseline:${NEWEST}` },
      ],
      [
        'values that no level allows',
        { level: 'baseline', overrides: { capabilities: { allowedAdd: ['SYS_ADMIN'] } } },
        { level: 'privileged', version: undefined, exact: false, podSecurity: '-' },
      ],
      ['labels that are off', { podSecurityLabels: 'Off' }, { level: 'baseline', exact: true, podSecurity: '-' }],
      [
        'that a label does not check the right to use it',
        { usableBy: 'Bindings' },
        { level: 'baseline', exact: false },
      ],
    ];
    for (const [name, spec, expected] of cases) {
      it(name, () => assert.partialDeepStrictEqual({ ...buildStatus(input(spec)).rendered }, without(expected)));
    }

    it('names the rules that only the admission policy enforces', () => {
      const spec: Partial<CapabilityPolicySpec> = { overrides: { capabilities: { allowedBounding: ['CHOWN'] } } };
      const { rendered } = buildStatus(input(spec));
      assert.deepEqual(rendered?.rulesLeftToAdmissionPolicy, ['capabilities.allowedBounding']);
    });
  });

  it('counts namespaces', () => {
    const status = buildStatus(
      input({}, { labels: labels({ applied: { 'pod-security.kubernetes.io/audit': 'baseline' }, conflicts: [] }) }),
    );
    assert.deepEqual(status.namespaces, { selected: 1, deciding: 1, labelled: 1, conflicting: 0 });
    const conflicting = buildStatus(input({}, { labels: labels({ conflicts: [CONFLICT] }) }));
    assert.deepEqual(conflicting.namespaces, { selected: 1, deciding: 1, labelled: 0, conflicting: 1 });
  });

  it('counts workloads, and lists them worst first', () => {
    const workloads = [
      compliant('a'),
      violating('b', { kind: 'Pod', verdict: 'Unknown' }),
      violating('c'),
      violating('d', { pods: 2 }),
      violating('e', { kind: 'CronJob' }),
    ];
    const status = buildStatus(input({}, { judgements: judgements(workloads) }));
    assert.deepEqual(status.workloads, { evaluated: 5, violating: 3, unknown: 1 });
    assert.equal(status.violationsTotal, 4);
    assert.deepEqual(
      status.violations?.map(({ kind, name, verdict, pods }) => `${kind}/${name} ${verdict} ${pods}`),
      ['Deployment/d Violating 2', 'CronJob/e Violating 0', 'Deployment/c Violating 0', 'Pod/b Unknown 0'],
    );
  });

  it('has one entry per rule and container, each message in it once', () => {
    const broken = [
      { rule: 'volumes', message: 'volume "b" is bad', path: '' },
      { rule: 'volumes', message: 'volume "a" is bad', path: '' },
      { rule: 'volumes', message: 'volume "a" is bad', path: '' },
      { rule: 'capabilities', container: 'z', message: 'z', path: '' },
      { rule: 'capabilities', container: 'app', message: 'app', path: '' },
    ];
    const other = [{ rule: 'privileged', message: 'of another policy', path: '' }];
    const workloads = [violating('web', { violations: { ping: broken, other } })];
    assert.deepEqual(
      buildStatus(input({}, { judgements: judgements(workloads) })).violations?.map((v) => [
        v.rule,
        v.container,
        v.message,
      ]),
      [
        ['capabilities', 'app', 'app'],
        ['capabilities', 'z', 'z'],
        ['volumes', undefined, 'volume "a" is bad; volume "b" is bad'],
      ],
    );
  });

  it('lists at most 64 entries and counts all', () => {
    const workloads = Array.from({ length: 100 }, (_, index) => violating(`web-${index}`));
    const status = buildStatus(input({}, { judgements: judgements(workloads) }));
    assert.equal(status.violations?.length, 64);
    assert.equal(status.violationsTotal, 100);
  });

  it('bounds messages and keeps them on one line', () => {
    const message = `line\nbreak ${'x'.repeat(600)}`;
    const workloads = [violating('web', { violations: { ping: [{ rule: 'volumes', message, path: '' }] } })];
    const [entry] = buildStatus(input({}, { judgements: judgements(workloads) })).violations ?? [];
    assert.equal(entry?.message?.length, 512);
    assert.match(entry?.message ?? '', /^line break x+…$/);
  });

  it('names the policies that it meets', () => {
    const own = resolvedBaseline('ping', { priority: 1 });
    const others = [
      resolvedBaseline('same', { priority: 1 }),
      resolvedBaseline('lower', { priority: 0, namespaceSelector: { matchLabels: { team: 'network' } } }),
      resolvedBaseline('higher', { priority: 2, namespaceSelector: { matchLabels: { team: 'network' } } }),
      resolvedBaseline('elsewhere', { namespaceSelector: { matchLabels: { team: 'web' } } }),
      resolvedBaseline('enforced', { mode: 'Enforce' }),
    ];
    const namespaces = [
      { name: 'net', labels: { team: 'network' } },
      { name: 'other', labels: {} as Record<string, string> },
    ];
    const coverage = coverageOf([own, ...others], namespaces).get('ping');
    const status = buildStatus(input({ priority: 1 }, { coverage, judgements: judgementsOf('other') }));
    assert.deepEqual(status.namespaces, { selected: 2, deciding: 1, labelled: 0, conflicting: 0 });
    assert.deepEqual(status.sharesWith, [
      { policy: 'higher', relation: 'OverriddenBy', namespaces: 1 },
      { policy: 'lower', relation: 'Overrides', namespaces: 1 },
      { policy: 'same', relation: 'Shares', namespaces: 2 },
    ]);
  });

  describe('names grants that nobody uses', () => {
    const granted: Partial<CapabilityPolicySpec> = {
      overrides: {
        capabilities: { allowedAdd: ['NET_RAW', 'SYS_TIME'], allowedBounding: ['KILL', 'NET_RAW', 'SYS_TIME'] },
      },
    };
    const cases: [string, Partial<CapabilityPolicySpec>, StatusWorkloads, string[] | undefined][] = [
      ['of allowedAdd', granted, [compliant('web')], ['NET_RAW', 'SYS_TIME']],
      [
        'of containers, each once',
        {
          ...granted,
          containers: [{ names: ['a'], overrides: { capabilities: { allowedAdd: ['SYS_TIME', 'SYS_NICE'] } } }],
        },
        [compliant('web')],
        ['NET_RAW', 'SYS_NICE', 'SYS_TIME'],
      ],
      ['but not where no workload runs', granted, [], undefined],
      ['but not the wildcard', { overrides: { capabilities: { allowedAdd: ['*'] } } }, [compliant('web')], undefined],
      ["but not the level's own", {}, [compliant('web')], undefined],
      [
        "but not the level's own among them",
        { level: 'restricted', overrides: { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } } },
        [compliant('web')],
        ['NET_RAW'],
      ],
    ];
    for (const [name, spec, workloads, expected] of cases) {
      it(name, () => {
        assert.deepEqual(buildStatus(input(spec, { judgements: judgements(workloads) })).unusedGrants, expected);
      });
    }

    it('and leaves out what some container adds literally', () => {
      const added = judgements([compliant('web')], ['CAP_SYS_TIME', 'NET_RAW']);
      assert.deepEqual(buildStatus(input(granted, { judgements: added })).unusedGrants, ['SYS_TIME']);
    });

    it('in user namespaces: those that no container there adds', () => {
      const mapped = {
        overrides: { capabilities: { allowedAddInUserNamespace: ['NET_ADMIN', 'SYS_PTRACE', 'SYS_TIME'] } },
      };
      const added = judgements([compliant('web')], ['NET_ADMIN', 'SYS_PTRACE'], ['NET_ADMIN']);
      const { unusedGrants } = buildStatus(input(mapped, { judgements: added }));
      assert.deepEqual(unusedGrants, ['SYS_PTRACE', 'SYS_TIME']);
    });
  });

  it('has only its conditions and the effective fields when the policy is not accepted', () => {
    const status = buildStatus(input({ levelVersion: 'v1.99' }));
    assert.deepEqual(Object.keys(status).sort(), ['conditions', 'effective', 'observedGeneration']);
  });

  it('says in which mode each workload violates it: a roll-out has another one where it is pending', () => {
    const coverage = {
      selected: ['late', 'net'],
      deciding: ['late', 'net'],
      undecided: [],
      areas: [
        { mode: 'Enforce' as const, namespaces: ['net'] },
        { mode: 'Warn' as const, namespaces: ['late'] },
      ],
      sharesWith: [],
    };
    const late = violating('web', { namespace: 'late' });
    const judged = new Map([
      ['net', judgementIn('net', 'Enforce', [violating('web')])],
      ['late', judgementIn('late', 'Warn', [late])],
    ]);
    const status = buildStatus(input({ mode: 'Enforce', rollout: {} }, { coverage, judgements: judged }));
    assert.deepEqual(
      status.violations?.map(({ namespace, mode }) => `${namespace}: ${mode}`),
      ['late: Warn', 'net: Enforce'],
    );
  });

  it('has the effective fields: those that the policy states, and the defaults of the others', () => {
    const { effective } = buildStatus(input({ mode: 'Warn', priority: 7 }));
    assert.deepEqual(effective, { ...SPEC_DEFAULTS, mode: 'Warn', priority: 7 });
  });
});

type StatusWorkloads = Parameters<typeof judgements>[0];

function judgementsOf(namespace: string) {
  return new Map([[namespace, judgementIn(namespace, 'Audit', [])]]);
}

function judgementIn(namespace: string, mode: Mode, workloads: StatusWorkloads): NamespaceJudgement {
  const modes = { [mode]: { deciding: ['ping'], workloads } };
  return { namespace, modes, addedCapabilities: [], addedInUserNamespaces: [] };
}

/** Absent values are not compared. */
function without(expected: object): object {
  return Object.fromEntries(Object.entries(expected).filter(([, value]) => value !== undefined));
}
