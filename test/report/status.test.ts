import assert from 'node:assert/strict';
import type { CapabilityPolicySpec, Mode } from '../../operator/api/capability-policy.ts';
import { SPEC_DEFAULTS } from '../../operator/api/spec-defaults.ts';
import type { NamespaceVerdicts } from '../../operator/evaluate/namespace.ts';
import type { Coverage } from '../../operator/policy/coverage.ts';
import { buildStatus, type StatusInput } from '../../operator/report/status.ts';
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { coverageOf } from '../support/coverage-of.ts';
import { resolvedBaseline } from '../support/policies.ts';
import {
  CONFLICT,
  compliant,
  condition,
  input,
  labels,
  NOW,
  refused,
  verdicts,
  violating,
  withStatus,
} from './fixtures.ts';

const NEWEST = formatVersion(NEWEST_KNOWN_MINOR);

describe('the status of a policy', () => {
  describe('says what it is compiled to', () => {
    const cases: [string, Partial<CapabilityPolicySpec>, object][] = [
      [
        'a Standard without overrides',
        { level: 'restricted' },
        { level: 'restricted', version: NEWEST, exact: true, podSecurity: '-' },
      ],
      [
        'a Standard with an exception',
        { level: 'restricted', overrides: { capabilities: { allowedAdd: ['CHOWN'] } } },
        { level: 'baseline', version: NEWEST, exact: false, podSecurity: '-' },
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

    it('shows only labels that the operator has set', () => {
      const applied = {
        'pod-security.kubernetes.io/audit': 'baseline',
        'pod-security.kubernetes.io/audit-version': 'v1.30',
      };
      const shown = (outcome: object) => buildStatus(input({}, { labels: labels(outcome) })).rendered?.podSecurity;
      assert.deepEqual([shown({ applied }), shown({ conflicts: [CONFLICT] })], ['baseline:v1.30', '-']);
    });

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
    const status = buildStatus(input({}, { verdicts: verdicts(workloads) }));
    assert.deepEqual(status.workloads, { evaluated: 5, violating: 3, unknown: 1 });
    assert.equal(status.violationsTotal, 4);
    assert.deepEqual(
      status.violations?.map(({ kind, name, verdict, pods }) => `${kind}/${name} ${verdict} ${pods}`),
      ['Deployment/d Violating 2', 'CronJob/e Violating 0', 'Deployment/c Violating 0', 'Pod/b Unknown 0'],
    );
  });

  it('lists workloads whose pods are refused before workloads with more pods', () => {
    const workloads = [violating('a', { pods: 9 }), refused('b')];
    const { violations } = buildStatus(input({}, { verdicts: verdicts(workloads) }));
    assert.deepEqual(
      violations?.map(({ name, rule }) => `${name} ${rule}`),
      ['b refused', 'a capabilities'],
    );
  });

  it('the status has one entry for each rule and container, and the entry has each message once', () => {
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
      buildStatus(input({}, { verdicts: verdicts(workloads) })).violations?.map((v) => [
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

  it('the status lists at most 64 violations, and counts all violations', () => {
    const workloads = Array.from({ length: 100 }, (_, index) => violating(`web-${index}`));
    const status = buildStatus(input({}, { verdicts: verdicts(workloads) }));
    assert.equal(status.violations?.length, 64);
    assert.equal(status.violationsTotal, 100);
  });

  it('the status limits the length of messages, and keeps each message on one line', () => {
    const message = `line\nbreak ${'x'.repeat(600)}`;
    const workloads = [violating('web', { violations: { ping: [{ rule: 'volumes', message, path: '' }] } })];
    const [entry] = buildStatus(input({}, { verdicts: verdicts(workloads) })).violations ?? [];
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
    const status = buildStatus(input({ priority: 1 }, { coverage, verdicts: verdictsOf('other') }));
    assert.deepEqual(status.namespaces, { selected: 2, deciding: 1, labelled: 0, conflicting: 0 });
    assert.deepEqual(status.sharesWith, [
      { policy: 'higher', relation: 'OverriddenBy', namespaces: 1 },
      { policy: 'lower', relation: 'Overrides', namespaces: 1 },
      { policy: 'same', relation: 'Shares', namespaces: 2 },
    ]);
  });

  it('without an accepted text, the status has only conditions, columns, effective fields and the generation', () => {
    const status = buildStatus(input({ levelVersion: 'v1.99' }));
    assert.deepEqual(Object.keys(status).sort(), ['columns', 'conditions', 'effective', 'observedGeneration']);
  });

  describe('after a refused edit, the status describes the effect of the last accepted text', () => {
    const before = input({ mode: 'Enforce', overrides: { capabilities: { allowedAdd: ['SYS_TIME'] } } });
    const { lastAccepted, coverage } = acceptedAs(before);
    const enforced = new Map([['net', verdictIn('net', 'Enforce', [violating('web')])]]);
    const unused = [{ path: 'spec.overrides.capabilities.allowedAdd', entry: 'SYS_TIME', since: NOW }];
    const facts = { coverage, verdicts: enforced, labels: labels({ conflicts: [] }), unusedGrants: unused };
    const good = buildStatus({ ...before, ...facts });
    const refused = (fields: Partial<StatusInput> = {}) =>
      withStatus(good, input({ mode: 'Audit', levelVersion: 'v1.99' }, { ...facts, lastAccepted, ...fields }));
    const said = ({ namespaces, workloads, violations, violationsTotal, rendered, unusedGrants }: typeof good) => ({
      namespaces,
      workloads,
      violations,
      violationsTotal,
      rendered,
      unusedGrants,
    });

    it('in the same words as before', () => {
      assert.deepEqual(buildStatus(refused()).effective, good.effective);
      assert.deepEqual(said(buildStatus(refused())), said(good));
      assert.deepEqual(good.unusedGrants, unused);
      assert.deepEqual(
        good.violations?.map(({ mode }) => mode),
        ['Enforce'],
      );
    });

    it('after a restart, keeps the old verdicts until the new verdicts are complete', () => {
      const restarted = buildStatus(refused({ verdicts: new Map() }));
      assert.deepEqual(said(restarted), said(good));
      assert.equal(condition(restarted, 'Compliant')?.status, 'False');
    });

    it('and that it stays in force', () => {
      const { message = '' } = condition(buildStatus(refused()), 'Programmed') ?? {};
      assert.match(message, /; the last accepted version stays in force$/);
      const { message: never = '' } = condition(buildStatus(input({ levelVersion: 'v1.99' })), 'Programmed') ?? {};
      assert.match(never, /: it is not accepted$/);
    });

    it('but nothing once that has expired', () => {
      const ended = acceptedAs(input({ mode: 'Enforce', expires: '2026-01-01T00:00:00Z' }));
      const status = buildStatus(refused({ lastAccepted: ended.lastAccepted, expired: true, coverage: undefined }));
      assert.equal(condition(status, 'Expired')?.status, 'True');
      assert.doesNotMatch(condition(status, 'Programmed')?.message ?? '', /stays in force/);
      assert.deepEqual([status.namespaces, status.violations], [undefined, undefined]);
    });

    it('with the end of that text', () => {
      const ends = acceptedAs(input({ mode: 'Enforce', expires: '2999-01-01T00:00:00Z' }));
      assert.equal(condition(buildStatus(refused(ends)), 'Expired')?.reason, 'ExpiresLater');
    });

    it('keeps the rollout, even if the edit has no rollout', () => {
      const rolled = input({ mode: 'Enforce', rollout: { soak: '1h' } });
      const rollout = { enforced: 1, soaking: 0, blocked: 0, progress: '1/1' };
      const status = buildStatus(
        withStatus({ rollout }, { ...refused(), lastAccepted: acceptedAs(rolled).lastAccepted }),
      );
      assert.deepEqual(status.rollout, rollout);
    });
  });

  it('gives the mode in which each workload violates the policy, even if pending namespaces have another mode', () => {
    const coverage = {
      selected: ['late', 'net'],
      deciding: ['late', 'net'],
      undecided: [],
      areas: [
        { mode: 'Enforce' as const, namespaces: ['net'] },
        { mode: 'Warn' as const, namespaces: ['late'] },
      ],
      sharesWith: [],
      restricted: new Map<string, number>(),
    };
    const late = violating('web', { namespace: 'late' });
    const evaluated = new Map([
      ['net', verdictIn('net', 'Enforce', [violating('web')])],
      ['late', verdictIn('late', 'Warn', [late])],
    ]);
    const status = buildStatus(input({ mode: 'Enforce', rollout: {} }, { coverage, verdicts: evaluated }));
    assert.deepEqual(
      status.violations?.map(({ namespace, mode }) => `${namespace}: ${mode}`),
      ['late: Warn', 'net: Enforce'],
    );
  });

  describe('has texts for columns', () => {
    const shares = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        policy: `p-${index}`,
        relation: 'Shares' as const,
        namespaces: 1,
      }));
    const sharing = (count: number) => {
      const from = input();
      return { ...from, coverage: { ...(from.coverage as Coverage), sharesWith: shares(count) } };
    };
    const rows: [string, StatusInput, NonNullable<ReturnType<typeof buildStatus>['columns']>][] = [
      ['ready', input(), { ready: 'True' }],
      ['not ready', input({}, { program: undefined, verdicts: new Map() }), { ready: 'False' }],
      ['not accepted', input({ levelVersion: 'v1.99' }), { ready: 'False' }],
      ['expired', input({ expires: '2026-01-01T00:00:00Z' }, { expired: true }), { ready: 'Expired' }],
      ['ready, with an end', input({ expires: '2999-01-01T00:00:00Z' }), { ready: 'True' }],
      ['sharing with one', sharing(1), { ready: 'True', sharesWith: 'p-0' }],
      ['sharing with three', sharing(3), { ready: 'True', sharesWith: 'p-0, p-1, p-2' }],
      ['sharing with eight', sharing(8), { ready: 'True', sharesWith: 'p-0, p-1, p-2 and 5 more' }],
      ['sharing with more than it lists', sharing(50), { ready: 'True', sharesWith: 'p-0, p-1, p-2 and 47 more' }],
    ];
    for (const [title, from, expected] of rows) {
      it(title, () => assert.deepEqual(buildStatus(from).columns, expected));
    }
  });

  it('has the effective fields: the fields that the policy states, and the defaults of the other fields', () => {
    const { effective } = buildStatus(input({ mode: 'Warn', priority: 7 }));
    assert.deepEqual(effective, { ...SPEC_DEFAULTS, mode: 'Warn', priority: 7 });
  });
});

type StatusWorkloads = Parameters<typeof verdicts>[0];

function verdictsOf(namespace: string) {
  return new Map([[namespace, verdictIn(namespace, 'Audit', [])]]);
}

function verdictIn(namespace: string, mode: Mode, workloads: StatusWorkloads): NamespaceVerdicts {
  const modes = { [mode]: { deciding: ['ping'], workloads } };
  return { namespace, modes, needs: new Map() };
}

/** The last accepted spec of a policy. The tests of refused edits use the returned object as a part of their input. */
function acceptedAs({ policy, resolution, coverage }: StatusInput) {
  assert.ok('policy' in resolution);
  return { lastAccepted: { policy: resolution.policy, spec: policy.spec }, coverage };
}

/** The expected values, without undefined values. Undefined values are not compared. */
function without(expected: object): object {
  return Object.fromEntries(Object.entries(expected).filter(([, value]) => value !== undefined));
}
