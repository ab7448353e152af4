/** Tests which exceptions and grants the history of a cluster lists. */
import assert from 'node:assert/strict';
import { type History, historyOf } from '../../analysis/history/history.ts';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import { BASELINE } from '../../operator/rules/capability-lists.ts';
import { adding } from '../support/pods.ts';
import { baselinePolicy } from '../support/policies.ts';
import { between, DAY, MONDAY, namespaceView, PRIVILEGED, snapshotAt, TUESDAY, type World, web } from './worlds.ts';

describe('the history of a cluster', () => {
  describe('lists exceptions', () => {
    const base = baselinePolicy('base', { mode: 'Enforce' });
    const ping = (fields: Parameters<typeof baselinePolicy>[1] = {}) =>
      baselinePolicy('ping', { mode: 'Enforce', ...fields });
    const expiring = ping({ expires: '2026-11-23T12:00:00Z' });
    const LOOSER = { overrides: { hostNetwork: true } } as const;
    type Row = readonly [CompletePolicy[], CompletePolicy[], because: readonly [string, string], why: string[]];
    const ROWS: Readonly<Record<string, Row>> = {
      'that only some users may use': [
        [base],
        [base, ping({ usableBy: 'Bindings' })],
        ['Created', 'Deleted'],
        ['RestrictedUse'],
      ],
      'that admit more than the policy beside them': [
        [base],
        [base, ping(LOOSER)],
        ['Created', 'Deleted'],
        ['AdmitsMore'],
      ],
      'of a looser level': [[base], [base, ping({ level: 'privileged' })], ['Created', 'Deleted'], ['AdmitsMore']],
      'that expire': [[base], [base, ping({ expires: '2027-01-31T00:00:00Z' })], ['Created', 'Deleted'], ['Expires']],
      'for all these reasons': [
        [base],
        [base, ping({ ...LOOSER, usableBy: 'Bindings', expires: '2027-01-31T00:00:00Z' })],
        ['Created', 'Deleted'],
        ['AdmitsMore', 'RestrictedUse', 'Expires'],
      ],
      'that an edit makes exceptions': [[base, ping()], [base, ping(LOOSER)], ['Changed', 'Changed'], ['AdmitsMore']],
    };
    const brief = ({ new: found, ended }: History['exceptions']) =>
      [found, ended].map((list) =>
        list.map(({ policy, because, why, namespaces }) => [policy, because, why, namespaces]),
      );
    for (const [what, [old, now, [created, deleted], why]] of Object.entries(ROWS)) {
      it(`${what}, when they begin and end`, () => {
        const one = (because: string) => [['ping', because, why, ['net']]];
        assert.deepEqual(brief(between({ policies: old }, { policies: now }).exceptions), [one(created), []]);
        assert.deepEqual(brief(between({ policies: now }, { policies: old }).exceptions), [[], one(deleted)]);
      });
    }

    describe('in some of their namespaces', () => {
      const labelled = (name: string) => namespaceView(name, { labels: { [name]: '' } });
      const [net, web, lab] = [labelled('net'), labelled('web'), labelled('lab')];
      const inNet = { namespaceSelector: { matchLabels: { net: '' } } };
      const inLab = { namespaceSelector: { matchLabels: { lab: '' } } };
      const ofNet = baselinePolicy('base', { mode: 'Enforce', ...inNet });
      type Brief = readonly (readonly [because: readonly [begin: string, end: string], namespaces: string[]])[];
      const CASES: Readonly<Record<string, readonly [World, World, Brief]>> = {
        'an exception that also decides alone in another namespace': [
          { policies: [ofNet], namespaces: [net, lab] },
          { policies: [ofNet, ping(LOOSER)], namespaces: [net, lab] },
          [
            [
              ['Created', 'Deleted'],
              ['lab', 'net'],
            ],
          ],
        ],
        'an exception that decides alone in a new namespace': [
          { policies: [ofNet, ping(LOOSER)], namespaces: [net] },
          { policies: [ofNet, ping(LOOSER)], namespaces: [net, lab] },
          [],
        ],
        'an exception for a new namespace': [
          { policies: [base, ping({ ...LOOSER, ...inLab })], namespaces: [net] },
          { policies: [base, ping({ ...LOOSER, ...inLab })], namespaces: [net, lab] },
          [[['NamespaceCreated', 'NamespaceDeleted'], ['lab']]],
        ],
        'an exception for a namespace that is not being deleted': [
          { policies: [base, ping({ ...LOOSER, ...inLab })], namespaces: [net, { ...lab, terminating: true }] },
          { policies: [base, ping({ ...LOOSER, ...inLab })], namespaces: [net, lab] },
          [[['NamespaceCreated', 'NamespaceDeleted'], ['lab']]],
        ],
        'an exception beside a new policy': [
          { policies: [ping(LOOSER)], namespaces: [net, web] },
          { policies: [ping(LOOSER), ofNet], namespaces: [net, web] },
          [
            [
              ['OtherChange', 'OtherChange'],
              ['net', 'web'],
            ],
          ],
        ],
        'a policy that decides only alone': [
          { policies: [ofNet], namespaces: [net, web] },
          { policies: [ofNet, ping({ ...LOOSER, ...inLab })], namespaces: [net, lab] },
          [],
        ],
      };
      for (const [what, [old, now, found]] of Object.entries(CASES)) {
        it(`${what}, in both directions`, () => {
          const listed = (i: 0 | 1) =>
            found.map(([because, namespaces]) => ['ping', because[i], ['AdmitsMore'], namespaces]);
          assert.deepEqual(brief(between(old, now).exceptions), [listed(0), []]);
          assert.deepEqual(brief(between(now, old).exceptions), [[], listed(1)]);
        });
      }
    });

    it('an exception whose namespace the second cluster excludes has not lost its namespace', () => {
      const world = { policies: [base, ping(LOOSER)] };
      const [old, now] = [snapshotAt(MONDAY, world), snapshotAt(TUESDAY, world)];
      const { ended } = historyOf(old, { ...now, excludedNamespaces: ['net'] }).exceptions;
      assert.deepEqual(
        ended.map(({ because }) => because),
        ['OtherChange'],
      );
    });

    it('exceptions that expired between the snapshots are listed, although the policies still exist', () => {
      const world = { policies: [base, expiring] };
      assert.deepEqual(brief(between(world, world).exceptions), [[], [['ping', 'Expired', ['Expires'], ['net']]]]);
    });

    it('that were renewed', () => {
      const [old, now] = [
        { policies: [base, expiring] },
        { policies: [base, ping({ expires: '2027-01-31T00:00:00Z' })] },
      ];
      const history = historyOf(snapshotAt(TUESDAY, old), snapshotAt(TUESDAY + DAY, now));
      assert.deepEqual(brief(history.exceptions), [[['ping', 'Renewed', ['Expires'], ['net']]], []]);
    });

    it('with their end and reason', () => {
      const found = ping({ usableBy: 'Bindings', expires: '2027-01-31T00:00:00Z', reason: 'TICKET-1' });
      const [one] = between({}, { policies: [found] }).exceptions.new;
      assert.deepEqual(
        [one?.mode, one?.usableBy, one?.expires, one?.reason],
        ['Enforce', 'Bindings', '2027-01-31T00:00:00Z', 'TICKET-1'],
      );
    });
  });

  describe('lists grants that no workload needs', () => {
    const allowing = (allowedAdd: string[], unusedGrants: { path: string; entry: string; since: string }[] = []) => ({
      ...baselinePolicy('ping', { mode: 'Enforce', overrides: { capabilities: { allowedAdd } } }),
      status: { unusedGrants },
    });
    const NETWORK = { capabilities: { allowedAdd: ['NET_ADMIN'] } };
    const ping = (spec: Parameters<typeof baselinePolicy>[1]) => baselinePolicy('ping', { mode: 'Enforce', ...spec });
    const onlyIn = (name: string) => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } });
    const exceptional = [
      baselinePolicy('base', { mode: 'Enforce', ...onlyIn('net') }),
      baselinePolicy('loose', { mode: 'Enforce', level: 'privileged' }),
    ];
    const GRANT = { path: 'spec.overrides.capabilities.allowedAdd', entry: 'SYS_TIME' };
    const needing = (add: string[], allowed = ['NET_ADMIN', 'SYS_TIME']) => ({
      ...web(adding(add)),
      policies: [allowing(allowed)],
    });
    const [both, one] = [needing(['NET_ADMIN', 'SYS_TIME']), needing(['NET_ADMIN'])];

    it('any more', () => {
      const { exceptions } = between(both, one);
      assert.deepEqual([exceptions.unused, exceptions.neededAgain], [[{ policy: 'ping', ...GRANT }], []]);
    });

    it('or need again', () => {
      const { exceptions } = between(one, both);
      assert.deepEqual([exceptions.unused, exceptions.neededAgain], [[], [{ policy: 'ping', ...GRANT }]]);
    });

    it('or need again: a whole exception, even if its policy decides alone in a namespace that only one snapshot has', () => {
      const [net, lab] = ['net', 'lab'].map((name) =>
        namespaceView(name, { labels: { 'kubernetes.io/metadata.name': name } }),
      );
      const { workloads: [plain] = [] } = web();
      const { workloads: [privileged] = [] } = web(PRIVILEGED);
      assert.ok(net && lab && plain && privileged);
      const needed = {
        policies: exceptional,
        namespaces: [net, lab],
        workloads: [plain, { ...privileged, name: 'old' }],
      };
      const unneeded = { policies: exceptional, namespaces: [net], workloads: [plain] };
      const whole = [{ policy: 'loose', path: 'spec' }];
      assert.deepEqual(between(needed, unneeded).exceptions.unused, whole);
      assert.deepEqual(between(unneeded, needed).exceptions.neededAgain, whole);
    });

    it('since they were granted', () => {
      const { exceptions } = between(needing(['NET_ADMIN'], ['NET_ADMIN']), one);
      assert.deepEqual(exceptions.unused, [{ policy: 'ping', ...GRANT }]);
    });

    it('since the time that the operator reported', () => {
      const since = '2026-11-23T10:00:00Z';
      const reported = { ...one, policies: [allowing(['NET_ADMIN', 'SYS_TIME'], [{ ...GRANT, since }])] };
      assert.deepEqual(between(both, reported).exceptions.unused, [{ policy: 'ping', ...GRANT, since }]);
    });

    it('the history lists a grant only once if a status truncates the text of the grant', () => {
      const localhostProfiles = [`${'x'.repeat(300)}`];
      const overrides = { seccomp: { types: ['Localhost' as const], localhostProfiles } };
      const idle = { ...web(), policies: [baselinePolicy('ping', { mode: 'Enforce', overrides })] };
      const { exceptions } = between(needing(['NET_ADMIN']), idle);
      assert.ok(exceptions.unused.some(({ entry = '' }) => localhostProfiles.includes(entry)));
      assert.deepEqual(between(idle, idle).exceptions.unused, []);
    });

    it('a grant that the policy lost between the snapshots is not listed', () => {
      const { exceptions } = between(one, needing(['NET_ADMIN'], ['NET_ADMIN']));
      assert.deepEqual([exceptions.unused, exceptions.neededAgain], [[], []]);
    });

    it('the history lists an unused entry of spec.containers as one grant, and does not list the values in the entry', () => {
      const containers = [{ names: ['app'], overrides: { capabilities: { allowedAdd: [...BASELINE, 'SYS_TIME'] } } }];
      const policies = [baselinePolicy('ping', { mode: 'Enforce', containers })];
      const [idle, ticking] = [
        { ...web(), policies },
        { ...web(adding(['SYS_TIME'])), policies },
      ];
      const [used, unused] = [between(idle, ticking), between(ticking, idle)];
      const whole = [{ policy: 'ping', path: 'spec.containers[0]' }];
      assert.deepEqual(unused.exceptions.unused, whole);
      assert.deepEqual(used.exceptions.neededAgain, whole);
    });

    const entry = (names: string[], ...allowedAdd: string[]) => ({
      names,
      overrides: { capabilities: { allowedAdd } },
    });
    const withEntries = (...containers: ReturnType<typeof entry>[]) => [
      baselinePolicy('ping', { mode: 'Enforce', containers }),
    ];
    const [app, other] = [entry(['app', 'init'], 'SYS_TIME'), entry(['other'], 'NET_ADMIN')];
    const usableBy = (...names: string[]) => {
      const subjects = names.map((name) => ({ kind: 'ServiceAccount' as const, namespace: 'net', name }));
      return [ping({ overrides: NETWORK, usableBy: 'Subjects', subjects })];
    };
    const ALIKE: Readonly<Record<string, readonly [World, World]>> = {
      'entries of spec.containers in another order': [
        { ...web(adding(['SYS_TIME'])), policies: withEntries(app, other) },
        { ...web(adding(['SYS_TIME'])), policies: withEntries(other, { ...app, names: ['init', 'app'] }) },
      ],
      'subjects in another order': [
        { ...web(adding(['NET_ADMIN'])), policies: usableBy('default', 'x') },
        { ...web(adding(['NET_ADMIN'])), policies: usableBy('x', 'default') },
      ],
      'a workload that needs no grant, as the first workload': [
        { policies: withEntries(app) },
        { ...web(), policies: withEntries(app) },
      ],
      'a policy that decides for the first time': [
        { ...web(), policies: [ping({ ...onlyIn('web'), overrides: NETWORK })] },
        { ...web(), policies: [ping({ ...onlyIn('net'), overrides: NETWORK })] },
      ],
      'an unused exception that decides alone in a namespace that is deleted': [
        { ...web(), policies: exceptional, namespaces: [namespaceView('net'), namespaceView('lab')] },
        { ...web(), policies: exceptional },
      ],
    };
    for (const [what, [old, now]] of Object.entries(ALIKE)) {
      it(`but not for ${what}`, () => {
        for (const { exceptions } of [between(old, now), between(now, old)]) {
          assert.deepEqual([exceptions.unused, exceptions.neededAgain], [[], []]);
        }
      });
    }

    it('also if an entry of spec.containers replaced another entry that no workload needed', () => {
      const { exceptions } = between(
        { ...web(), policies: withEntries(other) },
        { ...web(), policies: withEntries(entry(['third'], ...BASELINE, 'BPF')) },
      );
      assert.deepEqual(exceptions.unused, [{ policy: 'ping', path: 'spec.containers[0]' }]);
    });

    it('and whole exceptions', () => {
      const policies = [
        baselinePolicy('base', { mode: 'Enforce' }),
        baselinePolicy('loose', { mode: 'Enforce', level: 'privileged' }),
      ];
      const { exceptions } = between({ ...web(PRIVILEGED), policies }, { ...web(), policies });
      assert.deepEqual(exceptions.unused, [{ policy: 'loose', path: 'spec' }]);
    });
  });
});
