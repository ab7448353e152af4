/** Tests each kind of finding about a set of policies. Also tests sets that differ in one detail. */
import assert from 'node:assert/strict';
import type { Finding, FindingKind } from '../../analysis/compare/finding.ts';
import { findingsOf } from '../../analysis/compare/findings.ts';
import { DEFAULT_LIMIT } from '../../analysis/compare/limits.ts';
import type { PolicySet } from '../../analysis/compare/policy-set.ts';
import { TOO_MANY_ASKED } from '../../analysis/compare/uses.ts';
import { MOST_ASKED } from '../../operator/compile/decision.ts';
import { type Spec, type Specs, setOf } from './sets.ts';

const NOW = Date.parse('2026-11-29T00:00:00Z');

/**
 * An expected finding is a list of a policy, a kind of finding, and the reasons. The reasons are other policies, or
 * rules.
 */
type Expected = readonly [policy: string, kind: FindingKind, ...reasons: string[]];

interface Case {
  readonly specs: Specs;
  readonly found?: readonly Expected[];
  /** Sets without the finding. Compared with `specs`, one policy of each set differs in a detail. */
  readonly misses?: Readonly<Record<string, Specs>>;
}

const team = (name: string): Spec => ({ namespaceSelector: { matchLabels: { team: name } } });
const named = (...values: string[]): Spec => ({
  namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }] },
});
const user = (...names: string[]): Spec => ({
  usableBy: 'Subjects',
  subjects: names.map((name) => ({ kind: 'User' as const, name })),
});
const adding = (...allowedAdd: string[]): Spec => ({ overrides: { capabilities: { allowedAdd } } });
const network: Spec = { overrides: { hostNetwork: true } };
const networkAndIds: Spec = { overrides: { hostNetwork: true, hostPID: true } };
const rollout = (one: object): Spec => ({ rollout: one as never });
/** Returns a policy that sets this runtime class in each pod without a runtimeClassName. */
const filling = (runtimeClass: string): Spec => ({
  level: 'baseline',
  defaulting: 'Enabled',
  overrides: { runtimeClasses: { default: runtimeClass } },
});

const CASES: Readonly<Record<string, Case>> = {
  'a policy below another one for all namespaces': {
    specs: { all: { priority: 1 }, low: team('a') },
    found: [['low', 'decides-nowhere', 'all']],
    misses: {
      'another label': { all: { ...team('b'), priority: 1 }, low: team('a') },
      'the same priority': { all: { priority: 1 }, low: { ...team('a'), level: 'baseline', priority: 1 } },
      'another mode': { all: { priority: 1 }, low: { ...team('a'), mode: 'Warn' } },
      'a higher policy that expires first': {
        all: { priority: 1, expires: '2027-01-01T00:00:00Z' },
        low: { ...team('a'), level: 'baseline' },
      },
      'a higher policy that is rolled out': { all: { ...rollout({}), priority: 1 }, low: team('a') },
    },
  },
  'a policy below several ones that together have all its namespaces': {
    specs: {
      some: { ...team('a'), priority: 1 },
      others: {
        namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] },
        priority: 2,
      },
      low: {},
    },
    found: [['low', 'decides-nowhere', 'others', 'some']],
    misses: {
      'one label that is left': {
        some: { ...team('a'), priority: 1 },
        others: {
          namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a', 'b'] }] },
          priority: 2,
        },
        low: { level: 'baseline' },
      },
    },
  },
  'a policy of mode Warn below another one': {
    specs: { all: { mode: 'Warn', priority: 1 }, low: { ...team('a'), mode: 'Warn', level: 'baseline' } },
    found: [['low', 'decides-nowhere', 'all']],
    misses: { 'another mode': { all: { mode: 'Audit', priority: 1 }, low: { ...team('a'), mode: 'Warn' } } },
  },
  'a selector that contradicts itself': {
    specs: {
      one: {
        namespaceSelector: {
          matchLabels: { team: 'a' },
          matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a', 'b'] }],
        },
      },
    },
    found: [['one', 'decides-nowhere']],
    misses: {
      'another value': {
        one: {
          namespaceSelector: {
            matchLabels: { team: 'c' },
            matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a', 'b'] }],
          },
        },
      },
    },
  },
  'a selector of excluded namespaces': {
    specs: { one: named('kube-system') },
    found: [['one', 'decides-nowhere']],
    misses: { 'one more name': { one: named('kube-system', 'net') } },
  },
  'a selector of a name that no namespace has': {
    specs: { one: named('team_a') },
    found: [['one', 'decides-nowhere']],
    misses: { 'a name of a namespace': { one: named('team-a') } },
  },
  'a policy that guards a label, below another one': {
    specs: { all: { priority: 1 }, low: { ...team('a'), level: 'baseline' } },
    found: [['low', 'decides-nowhere', 'all']],
    misses: {
      'the guard, which does not depend on the priority': {
        all: { priority: 1 },
        low: { ...team('a'), level: 'baseline', adminAccessLabel: 'Guarded' },
      },
    },
  },
  'a rolled-out policy that will decide nowhere': {
    specs: { all: { priority: 1, level: 'baseline' }, late: rollout({}) },
    found: [['late', 'decides-nowhere', 'all']],
    misses: { 'the same priority': { all: { level: 'baseline', ...team('a') }, late: rollout({}) } },
  },
  'a profile that must be set, and cannot be': {
    // Up to v1.24, the Standards require a seccomp profile of pods for Windows, too.
    specs: {
      one: { levelVersion: 'v1.24', overrides: { seccomp: { types: ['Localhost'], localhostProfiles: [] } } },
    },
    found: [['one', 'admits-nothing', 'seccomp']],
    misses: {
      'a profile': {
        one: { levelVersion: 'v1.24', overrides: { seccomp: { types: ['Localhost'], localhostProfiles: ['a'] } } },
      },
    },
  },
  'an AppArmor profile that must be set, and cannot be': {
    specs: { one: { overrides: { appArmor: { types: ['Localhost'], unset: 'Refused', localhostProfiles: [] } } } },
    found: [['one', 'admits-only-windows', 'appArmor']],
    misses: {
      'a profile': {
        one: { overrides: { appArmor: { types: ['Localhost'], unset: 'Refused', localhostProfiles: ['a'] } } },
      },
      'a profile that need not be set': {
        one: { overrides: { appArmor: { types: ['Localhost'], unset: 'Allowed', localhostProfiles: [] } } },
      },
      'a profile for one container': {
        one: {
          overrides: { appArmor: { types: ['Localhost'], unset: 'Refused', localhostProfiles: [] } },
          containers: [{ names: ['app'], overrides: { appArmor: { types: ['RuntimeDefault'] } } }],
        },
      },
    },
  },
  'a profile that only pods for Windows need not set': {
    specs: { one: { overrides: { seccomp: { types: ['Localhost'], localhostProfiles: [] } } } },
    found: [['one', 'admits-only-windows', 'seccomp']],
    misses: {
      'another level': {
        one: { level: 'baseline', overrides: { seccomp: { types: ['Localhost'], localhostProfiles: [] } } },
      },
      'defaulting that fills in the profile': {
        one: {
          defaulting: 'Enabled',
          overrides: {
            seccomp: {
              types: ['Localhost'],
              localhostProfiles: ['a'],
              default: { type: 'Localhost', localhostProfile: 'a' },
            },
          },
        },
      },
    },
  },
  'an exception that the policy for everybody covers': {
    specs: { all: network, one: { ...network, ...user('ann') } },
    found: [['one', 'opens-nothing', 'all']],
    misses: {
      'one more rule': { all: network, one: { ...networkAndIds, ...user('ann') } },
      'another label': { all: { ...network, ...team('a') }, one: { ...network, ...user('ann'), ...team('b') } },
      'a higher priority': { all: network, one: { ...network, ...user('ann'), ...team('a'), priority: 1 } },
      'a later end': { all: { ...network, expires: '2027-01-01T00:00:00Z' }, one: { ...network, ...user('ann') } },
      'a container exception': {
        all: network,
        one: {
          ...network,
          ...user('ann'),
          containers: [{ names: ['app'], overrides: { capabilities: { allowedAdd: ['SYS_TIME'] } } }],
        },
      },
      'a guard': { all: network, one: { ...network, ...user('ann'), adminAccessLabel: 'Guarded' } },
      'a policy beside it for other users': {
        all: { ...network, ...user('bob') },
        one: { ...network, ...user('ann') },
      },
      'a policy beside it by bindings': {
        all: { ...network, usableBy: 'Bindings' },
        one: { ...network, ...user('ann') },
      },
    },
  },
  'an exception that a wider one covers for more users': {
    specs: { one: { ...adding('KILL'), ...user('ann') }, wide: { ...adding('CHOWN', 'KILL'), ...user('bob', 'ann') } },
    found: [['one', 'opens-nothing', 'wide']],
    misses: {
      'one more user': {
        one: { ...adding('KILL'), ...user('ann', 'eve') },
        wide: { ...adding('CHOWN', 'KILL'), ...user('bob', 'ann') },
      },
      'one more capability': {
        one: { ...adding('KILL', 'SETUID'), ...user('ann') },
        wide: { ...adding('CHOWN', 'KILL'), ...user('bob', 'ann') },
      },
    },
  },
  'a policy that two others cover by namespaces': {
    specs: {
      a: { ...networkAndIds, ...team('a') },
      b: {
        ...networkAndIds,
        namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] },
      },
      one: network,
    },
    found: [['one', 'opens-nothing', 'a', 'b']],
    misses: {
      'namespaces that are left': {
        a: { ...networkAndIds, ...team('a') },
        b: {
          ...networkAndIds,
          namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a', 'c'] }] },
        },
        one: network,
      },
    },
  },
  'an exception in mode Warn': {
    specs: { all: { ...network, mode: 'Warn' }, one: { ...network, ...user('ann'), mode: 'Warn' } },
    found: [['one', 'opens-nothing', 'all']],
    misses: { 'another mode': { all: network, one: { ...networkAndIds, ...user('ann'), mode: 'Warn' } } },
  },
  'a higher policy without which the same pods are admitted': {
    specs: { all: {}, one: { ...team('a'), priority: 1 } },
    found: [['one', 'redundant', 'all']],
    misses: {
      'another rule': { all: {}, one: { ...network, ...team('a'), priority: 1 } },
      'a stricter rule': { all: network, one: { ...team('a'), priority: 1 } },
      'no policy below it': { all: team('b'), one: { ...team('a'), priority: 1 } },
      'defaulting that fills in what the other one asks for': {
        all: {},
        one: { ...team('a'), priority: 1, defaulting: 'Enabled' },
      },
      'defaulting that fills in pods that comply': {
        all: { level: 'baseline' },
        one: { ...filling('gvisor'), ...team('a'), priority: 1 },
      },
      'defaulting of allowPrivilegeEscalation': {
        all: { level: 'baseline' },
        one: {
          ...team('a'),
          level: 'baseline',
          priority: 1,
          defaulting: 'Enabled',
          overrides: { defaultAllowPrivilegeEscalation: false },
        },
      },
      'no defaulting, above a policy that fills in pods that comply': {
        all: filling('gvisor'),
        one: { ...team('a'), level: 'baseline', priority: 1 },
      },
    },
  },
  'an exception from defaulting': {
    specs: { all: { level: 'baseline' }, one: { level: 'baseline', ...user('ann') } },
    found: [['one', 'opens-nothing', 'all']],
    misses: {
      'a policy that fills in pods that comply': { all: filling('gvisor'), one: { level: 'baseline', ...user('ann') } },
    },
  },
  'a policy whose defaulting fills in nothing more': {
    specs: { all: { defaulting: 'Enabled' }, one: { ...team('a'), ...user('ann'), defaulting: 'Enabled' } },
    found: [['one', 'opens-nothing', 'all']],
    misses: {
      'defaulting of the exception alone': { all: {}, one: { ...team('a'), ...user('ann'), defaulting: 'Enabled' } },
    },
  },
  'two policies that cover each other': {
    specs: { a: {}, b: { ...user('ann'), expires: '2027-01-01T00:00:00Z' } },
    found: [['b', 'opens-nothing', 'a']],
  },
  'two policies that say the same in other words': {
    specs: {
      a: adding('CHOWN', 'KILL'),
      b: {
        ...adding('KILL', 'CHOWN'),
        namespaceSelector: {},
        reason: 'another one',
      },
    },
    found: [['a', 'same', 'b']],
    misses: {
      'another mode': { a: adding('CHOWN'), b: { ...adding('CHOWN'), mode: 'Warn' } },
      'other users': { a: { ...adding('CHOWN'), ...user('ann') }, b: { ...adding('CHOWN'), ...user('bob') } },
      bindings: {
        a: { ...adding('CHOWN'), usableBy: 'Bindings' },
        b: { ...adding('CHOWN'), usableBy: 'Bindings' },
      },
      'another capability each': { a: adding('CHOWN'), b: adding('KILL') },
    },
  },
  'two policies for the same users and labels': {
    specs: {
      a: { ...network, ...user('ann', 'bob'), ...team('a') },
      b: {
        ...network,
        ...user('bob', 'ann'),
        namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'In', values: ['a'] }] },
      },
    },
    found: [['a', 'same', 'b']],
    misses: {
      'another label': {
        a: { ...network, ...user('ann'), ...team('a') },
        b: { ...network, ...user('ann'), ...team('b') },
      },
    },
  },
  'three policies that say the same, and one that they cover': {
    specs: { a: network, b: network, c: network, d: user('ann') },
    found: [
      ['a', 'same', 'b', 'c'],
      ['d', 'opens-nothing', 'a'],
    ],
  },
  'a rollout in another mode': {
    specs: { one: { ...rollout({}), mode: 'Audit' } },
    found: [['one', 'endless-rollout']],
    misses: { 'mode Enforce': { one: rollout({ meanwhile: 'Audit' }) } },
  },
  'a soak that ends after the policy': {
    specs: { one: { ...rollout({ soak: '48h' }), expires: '2026-12-01T00:00:00Z' } },
    found: [['one', 'endless-rollout']],
    misses: {
      'a shorter soak': { one: { ...rollout({ soak: '47h59m59s' }), expires: '2026-12-01T00:00:00Z' } },
      'no end': { one: rollout({ soak: '48h' }) },
    },
  },
};

function found(specs: Specs): Expected[] {
  const { findings, undecided } = findingsOf(setOf(specs), { at: NOW, limit: DEFAULT_LIMIT });
  assert.deepEqual(undecided, []);
  return findings.map(expectedOf);
}

function expectedOf({ policy, kind, others, rules }: Finding): Expected {
  return [policy, kind, ...others, ...rules];
}

describe('findings', () => {
  for (const [title, { specs, found: expected = [], misses = {} }] of Object.entries(CASES)) {
    it(`are found: ${title}`, function () {
      this.timeout(60_000);
      assert.deepEqual(found(specs), expected);
    });
    for (const [detail, others] of Object.entries(misses)) {
      it(`are not found: ${title}, with ${detail}`, function () {
        this.timeout(60_000);
        assert.deepEqual(found(others), []);
      });
    }
  }

  it('a finding names only the rules that contradict each other', () => {
    const network = 'variables.spec.?hostNetwork.orValue(false)';
    const set = withChecks(['network', `!${network}`], ['no network', network]);
    const { findings } = findingsOf(set, { at: NOW, limit: DEFAULT_LIMIT });
    assert.deepEqual(findings.map(expectedOf), [['one', 'admits-nothing', 'network', 'no network']]);
  });

  it('a finding is undecided if the comparison does not understand a check, or reaches its limit', () => {
    const strange = withChecks(['strange', '2 * 3 == 7']);
    const open = (set: PolicySet, limit: number) =>
      findingsOf(set, { at: NOW, limit }).undecided.map(({ policy, kind, message }) => [policy, kind, message]);
    const twins = { ...strange, policies: [...strange.policies, ...setOf({ two: { level: 'privileged' } }).policies] };
    assert.deepEqual(open(twins, DEFAULT_LIMIT), [
      ['one', 'same', 'the comparison does not understand the checks of rule strange'],
      ['two', 'opens-nothing', 'the comparison does not understand the checks of rule strange'],
    ]);
    const names = ['a', 'b', 'c'];
    const ranges = names.map((_, i) => ({ rule: 'MustRunAs' as const, ranges: [{ min: 70 + i, max: 80 + i }] }));
    const many = setOf(
      Object.fromEntries(names.map((name, i) => [name, { overrides: { runAsGroup: ranges[i] as never } }])),
    );
    assert.ok(open(many, 10).length > 0);
    assert.deepEqual(findingsOf(many, { at: NOW, limit: 10 }).findings, []);
  });

  it('a finding is undecided if other policies may fill in other values', () => {
    const set = setOf({ all: filling('kata'), one: { ...filling('gvisor'), ...user('ann') } });
    const { findings, undecided } = findingsOf(set, { at: NOW, limit: DEFAULT_LIMIT });
    assert.deepEqual([findings, undecided.map(({ policy, kind }) => [policy, kind])], [[], [['one', 'opens-nothing']]]);
    assert.match(undecided[0]?.message ?? '', /policies with other defaulting may fill them in/);
  });

  it('copies are not found if defaulting would then take another policy, because the policy is the next one by name', () => {
    const kinds = (specs: Specs) => {
      const { findings } = findingsOf(setOf(specs), { at: NOW, limit: DEFAULT_LIMIT });
      return findings.map(({ policy, kind, others }) => [policy, kind, ...others]);
    };
    assert.deepEqual(kinds({ a: filling('gvisor'), b: filling('kata'), c: filling('gvisor') }), []);
    assert.deepEqual(kinds({ a: filling('gvisor'), b: filling('gvisor'), c: filling('kata') }), [['a', 'same', 'b']]);
  });

  it('a finding is undecided if the API server would ask about another policy after the deletion', () => {
    const names = Array.from({ length: MOST_ASKED - 1 }, (_, i) => `q${i}`);
    const others = Object.fromEntries(names.map((name) => [name, { level: 'privileged' as const, ...user(name) }]));
    const ann = { level: 'privileged' as const, ...user('ann') };
    const { findings, undecided } = findingsOf(setOf({ ...others, a: ann, b: ann }), { at: NOW, limit: DEFAULT_LIMIT });
    assert.deepEqual(findings, []);
    assert.deepEqual(undecided[0], { policy: 'a', kind: 'same', message: TOO_MANY_ASKED });
    const few = findingsOf(setOf({ q0: others.q0 ?? {}, a: ann, b: ann }), { at: NOW, limit: DEFAULT_LIMIT });
    assert.deepEqual(few.findings.map(expectedOf), [['a', 'same', 'b']]);
  });

  it('say that a policy with a rollout is never enforced, because it may decide while the rollout is pending', () => {
    const late = { all: { priority: 1, level: 'baseline' as const }, late: rollout({}) };
    const [finding] = findingsOf(setOf(late), { at: NOW, limit: DEFAULT_LIMIT }).findings;
    assert.match(
      finding?.message ?? '',
      /^this policy will be enforced nowhere: policy all, which has a higher priority/,
    );
  });

  it('say what to do', () => {
    const { findings } = findingsOf(setOf({ all: {}, one: { ...user('ann') } }), { at: NOW, limit: DEFAULT_LIMIT });
    assert.deepEqual(
      findings.map(({ message }) => message),
      [
        'this exception opens nothing: for each user of policy one, policy all admits every pod that policy one admits; you can delete policy one',
      ],
    );
  });
});

/** A set of one policy with additional checks. Each check has its rule, and a CEL expression that finds violations. */
function withChecks(...rules: readonly (readonly [rule: string, violates: string])[]): PolicySet {
  const added = rules.map(([rule, violates]) => ({
    rule,
    checks: [{ over: 'pod', violates, message: '""', path: '' }],
  }));
  const { policies, isExcluded } = setOf({ one: { level: 'privileged' } });
  const checked = policies.map((policy) => ({ ...policy, checks: [...policy.checks, ...added] as never }));
  return { policies: checked, isExcluded };
}
