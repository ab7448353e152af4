import assert from 'node:assert/strict';
import { statusText } from '../../cli/commands/status/text.ts';
import { type Readable, type StatusView, statusView } from '../../cli/commands/status/view.ts';
import { PLAIN, terminalOf } from '../../cli/output/terminal.ts';
import type { CapabilityPolicyStatus, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { EXCLUDED_NAMESPACES } from '../../operator/model/namespaces.ts';
import type { Cluster, RbacSubject } from '../../operator/model/objects.ts';
import { PolicyState } from '../../operator/state/policy-state.ts';
import { adding } from '../support/pods.ts';
import { baselinePolicy } from '../support/policies.ts';
import { binding, clusterOf, useRole, workloadView } from '../support/views.ts';

const PINGER: RbacSubject = { kind: 'ServiceAccount', namespace: 'net', name: 'pinger' };
const ADA: RbacSubject = { kind: 'User', name: 'ada' };
const VERB_ALL = { name: 'admin', rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] };

const READY: CapabilityPolicyStatus = {
  rendered: { level: 'baseline', exact: true, podSecurity: 'baseline:v1.36' },
  conditions: [condition('Accepted', 'True'), condition('Programmed', 'True'), condition('Ready', 'True')],
};

function condition(type: string, status: 'True' | 'False', reason = 'Told', message = 'as it should be') {
  return { type, status, reason, message, lastTransitionTime: '2026-01-01T00:00:00Z' as never };
}

function policy(name: string, spec: Parameters<typeof baselinePolicy>[1] = {}, status = READY): CompletePolicy {
  return { ...baselinePolicy(name, { mode: 'Enforce', ...spec }), status };
}

/**
 * In namespace net, 100 Deployments add SYS_ADMIN. In namespace web, one Deployment complies with the policy but has no
 * right to use the policy.
 */
const WORKLOADS = [
  ...Array.from({ length: 100 }, (_, i) => workloadView('Deployment', `bad-${i}`, { template: adding(['SYS_ADMIN']) })),
  workloadView('Deployment', 'good', { namespace: 'web', template: adding(['CHOWN']) }),
];

const CLUSTER: Cluster = {
  ...clusterOf(WORKLOADS),
  policies: () => [
    policy('net', { namespaceSelector: { matchLabels: { team: 'net' } } }),
    policy('rest', { usableBy: 'Bindings', priority: -1 }),
  ],
  policy: (name) => CLUSTER.policies().find(({ metadata }) => metadata?.name === name),
  namespaces: () => [namespace('kube-system'), namespace('net', { team: 'net' }), namespace('web')],
  namespace: (name) => CLUSTER.namespaces().find((one) => one.name === name),
  roles: () => [VERB_ALL, useRole('rest')],
  roleBindings: () => [binding('capabilitypolicy.dev:use:rest', PINGER, 'net'), binding('admin', ADA)],
  rendered: () => [],
  oldestServer: 36,
};

const OPEN = {
  status: 'False',
  message: 'cluster administrators can change the objects that enforce policies',
} as const;

function namespace(name: string, labels: Readonly<Record<string, string>> = {}) {
  return { name, uid: name, terminating: false, labels, labelOwners: {} };
}

function view(changes: Partial<Cluster> = {}, readable: Partial<Readable> = {}): StatusView {
  const cluster = { ...CLUSTER, ...changes };
  const options = { operatorNamespace: 'operator', excludedNamespaces: EXCLUDED_NAMESPACES, now: () => Date.now() };
  const state = new PolicyState(cluster, options);
  state.accept();
  return statusView(
    { cluster, state, canEvaluate: true, usersKnown: true, protection: OPEN, missing: [], ...readable },
    new Evaluator(),
  );
}

function text(seen: StatusView, options: Partial<Parameters<typeof statusText>[1]> = {}): string {
  return statusText(seen, { terminal: PLAIN, wide: false, whole: false, namespace: undefined, ...options });
}

describe('the output of cappol status for hostile texts', () => {
  const HOSTILE = '\u001b[2J\u009b31m\u202e';
  const hostile = view({
    workloads: () => [
      workloadView('Deployment', 'bad', { template: adding([HOSTILE], { runtimeClassName: HOSTILE }) }),
    ],
    roleBindings: () => [
      binding('capabilitypolicy.dev:use:rest', { kind: 'User', name: HOSTILE }, 'net'),
      binding('admin', { kind: 'User', name: HOSTILE }),
    ],
    policies: () => [
      policy('net', {}, { ...READY, conditions: [condition('Accepted', 'False', 'Told', HOSTILE)] }),
      policy('rest', { usableBy: 'Bindings', priority: -1 }),
    ],
  });

  for (const options of [{}, { wide: true }, { whole: true }]) {
    it(`contains no control characters: ${JSON.stringify(options)}`, () => {
      const lines = text(hostile, options).split('\n');
      assert.ok(lines.some((line) => line.includes('[2J')));
      for (const line of lines) assert.doesNotMatch(line, /[\p{Cc}\p{Bidi_Control}]/u);
    });
  }
});

describe('the view of cappol status', () => {
  it('the view contains all violations, even if a status has no room for the violations', () => {
    const [net] = view().policies;
    assert.equal(net?.violations.length, 100);
    assert.deepEqual(net?.violations[0], {
      namespace: 'net',
      kind: 'Deployment',
      name: 'bad-0',
      mode: 'Enforce',
      verdict: 'Violating',
      pods: 0,
      rule: 'capabilities',
      container: 'app',
      message:
        'container "app" must not add capability SYS_ADMIN (allowed: AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT)',
    });
  });

  it('the view says where each policy decides, and names the policies that share namespaces with each policy', () => {
    assert.deepEqual(
      view().policies.map(({ name, namespaces, sharesWith }) => ({ name, namespaces, sharesWith })),
      [
        {
          name: 'net',
          namespaces: { selected: 1, deciding: 1 },
          sharesWith: [{ policy: 'rest', relation: 'Overrides', namespaces: 1 }],
        },
        {
          name: 'rest',
          namespaces: { selected: 2, deciding: 1 },
          sharesWith: [{ policy: 'net', relation: 'OverriddenBy', namespaces: 1 }],
        },
      ],
    );
  });

  it('the view says who may use each policy, and separately who may use all policies', () => {
    const { policies, mayUseAll } = view();
    assert.deepEqual(
      policies.map(({ usableBy, usedBy }) => [usableBy, usedBy]),
      [
        ['Everyone', undefined],
        ['Bindings', [{ subject: PINGER, namespace: 'net' }]],
      ],
    );
    assert.deepEqual(mayUseAll, [{ subject: ADA, wildcard: true }]);
  });

  it('the view of one namespace has only the workloads of the namespace, and the policies that select the namespace', () => {
    const { policies } = view({}, { namespace: 'web' });
    assert.deepEqual(
      policies.map(({ name, workloads, violations }) => [name, workloads.violating, violations.map((one) => one.name)]),
      [['rest', 1, ['good']]],
    );
    assert.deepEqual(
      view({}, { namespace: 'net' }).policies.map(({ name, violations }) => [name, violations.length]),
      [
        ['net', 100],
        ['rest', 0],
      ],
    );
  });

  it("the view contains the operator's last report if the user has too few rights for an evaluation", () => {
    const violations = [
      {
        namespace: 'net',
        kind: 'Deployment',
        name: 'bad',
        verdict: 'Violating' as const,
        pods: 2,
        rule: 'privileged',
        message: 'bad',
      },
    ];
    const status = {
      ...READY,
      namespaces: { selected: 5, deciding: 4 },
      workloads: { evaluated: 9, violating: 3, unknown: 0 },
      violations,
    };
    const seen = view({ policies: () => [policy('net', {}, status)] }, { canEvaluate: false });
    const [net] = seen.policies;
    assert.equal(net?.verdictsFrom, 'Status');
    assert.deepEqual(net?.namespaces, { selected: 5, deciding: 4 });
    // A status from an earlier release does not contain the mode.
    assert.deepEqual(
      net?.violations,
      violations.map((one) => ({ mode: 'Enforce', ...one })),
    );
    assert.match(text(seen), /^1 policy: 1 workload in 1 namespace at least violates\.$/m);
    const elsewhere = view({ policies: () => [policy('net', {}, status)] }, { canEvaluate: false, namespace: 'web' });
    assert.deepEqual(elsewhere.policies[0]?.violations, []);
  });

  it('if roles and bindings cannot be read, the view does not say who may use policies', () => {
    const seen = view({}, { usersKnown: false });
    assert.equal(seen.mayUseAll, undefined);
    assert.equal(seen.policies[1]?.usedBy, undefined);
    assert.match(text(seen), /^rest .* \?$/m);
  });
});

describe('cappol status', () => {
  const lines = text(view()).split('\n');

  it('prints the summary, then the policies', () => {
    assert.equal(lines[0], '2 policies: 101 workloads in 2 namespaces violate.');
    assert.deepEqual(
      lines.slice(2, 5).map((line) => line.split(/ {2,}/)),
      [
        ['NAME', 'LEVEL', 'MODE', 'PSA', 'NAMESPACES', 'VIOLATING', 'UNKNOWN', 'READY', 'MAY USE'],
        ['net', 'baseline', 'Enforce', 'baseline:v1.36', '1', '100', '0', 'True', 'everyone'],
        ['rest', 'baseline', 'Enforce', 'baseline:v1.36', '1', '1', '0', 'True', 'ServiceAccount net/pinger'],
      ],
    );
  });

  it('prints violations by namespace', () => {
    const rows = lines.filter((line) => line.startsWith('net ') && line.includes('Deployment'));
    assert.equal(rows.length, 100);
    assert.match(rows[0] ?? '', /^net +Deployment bad-0 +0 +refused +net +capabilities +container "app" must not add/);
  });

  it('prints a violation once, with all policies that the workload violates', () => {
    const policies = () => [
      policy('audit', { mode: 'Audit' }),
      policy('ping', { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } }),
      policy('strict', { overrides: { capabilities: { allowedAdd: ['CHOWN'] } } }),
    ];
    const bad = workloadView('Deployment', 'bad', { template: adding(['SYS_ADMIN']) });
    const rows = text(view({ ...clusterOf([bad]), policies }))
      .split('\n')
      .filter((line) => line.includes('Deployment bad'));
    assert.equal(rows.length, 1);
    assert.match(
      rows[0] ?? '',
      /^net +Deployment bad +0 +refused +ping, strict, audit \(audited\) +capabilities +container "app" must not add capability SYS_ADMIN \(allowed by audit: AUDIT_WRITE, .*SYS_CHROOT; allowed by ping: NET_RAW; allowed by strict: CHOWN\)$/,
    );
  });

  it('prints violations on a terminal below their namespace and workload, in lines of at most 80 columns', () => {
    const terminal = terminalOf({ stdout: { isTTY: true, columns: 80 } as never, env: { NO_COLOR: '1' } });
    const bad = workloadView('Deployment', 'bad', { template: adding(['SYS_ADMIN']) });
    const shown = text(view(clusterOf([bad])), { terminal });
    for (const line of shown.split('\n')) assert.ok(line.length <= 80, line);
    assert.match(shown, /^NAME +LEVEL +MODE +NAMESPACES +VIOLATING +READY$/m);
    assert.ok(
      shown.includes(`Namespace net
  Deployment bad (by net)
    refused  capabilities: container "app" must not add capability SYS_ADMIN
             (allowed: AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL,
             MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID,
             SYS_CHROOT)
`),
      shown,
    );
  });

  it('prints refused workloads before audited workloads, and each group with the worst workload first', () => {
    const policies = () => [
      policy('audit', { mode: 'Audit', level: 'restricted' }),
      policy('enforce', { overrides: { readOnlyRootFilesystem: true } }),
    ];
    const bad = workloadView('Deployment', 'bad', { template: adding([], { hostPID: true, hostNetwork: true }) });
    const rows = text(view({ ...clusterOf([bad]), policies }))
      .split('\n')
      .filter((line) => line.includes('Deployment bad'))
      .map((line) => line.split(/ {3,}/))
      .map(([, , , result, , rule]) => `${result} ${rule}`);
    assert.deepEqual(rows, [
      'refused hostPID',
      'refused hostNetwork',
      'refused readOnlyRootFilesystem',
      'audited capabilities',
      'audited seccomp',
      'audited allowPrivilegeEscalation',
      'audited runAsNonRoot',
    ]);
  });

  it('prints which policy admits a workload that another policy only audits', () => {
    const policies = () => [
      policy('everywhere', { mode: 'Audit' }),
      policy('exception', { level: 'privileged', priority: 1 }),
    ];
    const bad = workloadView('Deployment', 'bad', { template: adding(['SYS_ADMIN']) });
    assert.match(
      text(view({ ...clusterOf([bad]), policies })),
      /audited +everywhere; admitted by exception +capabilities/,
    );
  });

  it('prints that no policy selects the namespace', () => {
    assert.equal(
      text({ policies: [], protection: OPEN, missing: [] }, { namespace: 'web' }),
      'No policy selects namespace web.\n',
    );
  });

  it('prints the users of each policy, and the users of all policies', () => {
    assert.ok(lines.some((line) => /^rest +ServiceAccount net\/pinger +namespace net$/.test(line)));
    assert.ok(lines.includes('May use every policy, by wildcard: User ada (everywhere)'));
  });

  it('prints once for all policies whether the API server protects the objects that enforce policies', () => {
    assert.equal(lines.filter((line) => line.startsWith('Protected: False, cluster administrators can')).length, 1);
    const conditions = [condition('Protected', 'False', 'NoFileInForce', 'not shown')];
    const policies = () => CLUSTER.policies().map((one) => ({ ...one, status: { conditions } }));
    assert.doesNotMatch(text(view({ policies })), /not shown/);
  });

  it('prints conditions with problems above the violations, and prints all conditions on request', () => {
    const refused = {
      conditions: [
        condition('Accepted', 'False', 'VersionTooNew', 'write v1.36'),
        condition('Programmed', 'True'),
        condition('Ready', 'False', 'NotAccepted', 'not accepted'),
      ],
    };
    const seen = view({ policies: () => [policy('net', {}, refused)] });
    const brief = text(seen);
    assert.match(brief, /^1 policy, 1 not ready: /);
    assert.match(brief, /\nnet: Accepted is False \(VersionTooNew\): write v1\.36\n\nNAMESPACE/);
    assert.doesNotMatch(brief, /Programmed/);
    assert.match(text(seen, { whole: true }), /\nnet: Programmed is True/);
  });

  it('prints Expired instead of True for a policy that counts as deleted', () => {
    const expires = { expires: '2020-01-01T00:00:00Z' };
    const seen = view({
      policies: () => [policy('net', expires), policy('rest', { expires: '2999-01-01T00:00:00Z' })],
    });
    assert.match(text(seen), /^net .* Expired +everyone$/m);
    assert.match(text(seen), /^rest .* True +everyone$/m);
  });

  it('prints the effect of the last accepted text while an edit is refused', () => {
    const spec = { rollout: { soak: '12h' }, expires: '2999-01-01T00:00:00Z' };
    const accepted = policy('net', spec);
    const rollout = { enforced: 2, soaking: 0, blocked: 0, progress: '2/2' };
    const edited = policy('net', { mode: 'Audit', levelVersion: 'v1.99' }, { ...READY, rollout });
    const recorded = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: {
        name: 'capabilitypolicy-net-0123456789ab',
        labels: { 'capabilitypolicy.dev/policy': 'net', 'capabilitypolicy.dev/ruleset': '0123456789ab' },
        annotations: { 'capabilitypolicy.dev/spec': JSON.stringify(accepted.spec) },
        ownerReferences: [{ name: 'net', uid: accepted.metadata?.uid }],
      },
    };
    const [net] = view({ policies: () => [edited], rendered: () => [recorded] as never }).policies;
    assert.deepEqual(
      [
        net?.mode,
        net?.workloads.violating,
        net?.violations[0]?.mode,
        net?.rollout?.progress,
        net?.rollout?.soak,
        net?.expires,
      ],
      ['Enforce', 100, 'Enforce', '2/2', '12h', spec.expires],
    );
  });

  it('prints more columns on request', () => {
    const wide = text(view(), { wide: true }).split('\n');
    assert.match(wide[2] ?? '', /PRIORITY +VERSION +SHARES WITH$/);
    assert.match(wide[4] ?? '', /-1 +latest +net \(OverriddenBy\)$/);
  });

  it('prints the grants that no workload needs, and since when', () => {
    const SINCE = '2026-11-01T00:00:00Z';
    const entry = { path: 'spec.overrides.capabilities.allowedAdd', entry: 'SYS_TIME' };
    const spec = {
      namespaceSelector: { matchLabels: { team: 'net' } },
      overrides: { capabilities: { allowedAdd: ['NET_RAW', 'SYS_TIME'] }, hostIPC: true },
    };
    const workloads = [workloadView('Deployment', 'ping', { template: adding(['NET_RAW']) })];
    const policies = [policy('net', spec, { unusedGrants: [{ ...entry, since: SINCE }] })];
    const seen = view({ ...clusterOf(workloads), policies: () => policies });
    assert.deepEqual(seen.policies[0]?.unusedGrants, [{ ...entry, since: SINCE }, { path: 'spec.overrides.hostIPC' }]);
    assert.match(text(seen), /^net +spec\.overrides\.capabilities\.allowedAdd: SYS_TIME +2026-11-01T00:00:00Z$/m);
    assert.match(text(seen), /^net +spec\.overrides\.hostIPC +now$/m);
    assert.deepEqual(
      view({ ...clusterOf(workloads), policies: () => policies }, { namespace: 'net' }).policies[0]?.unusedGrants,
      [],
    );
  });

  it('prints nothing about violations if there are none', () => {
    const clean = text(view({ ...clusterOf([]) }));
    assert.match(clean, /^2 policies: no workload violates\.$/m);
    assert.doesNotMatch(clean, /NAMESPACE {3}/);
  });

  it('prints that there are no policies', () => {
    assert.equal(text(view({ policies: () => [] })), 'There are no policies.\n');
  });

  it('prints no control characters', () => {
    const evil = workloadView('Deployment', 'bad\u001b[2J', { template: adding(['\u001b[31mX']) });
    assert.ok(!text(view({ ...clusterOf([evil]) })).includes('\u001b'));
  });
});

describe('cappol status about rollouts', () => {
  const since = '2026-01-01T00:00:00Z' as never;
  const worst = 'Deployment legacy: privileged: container "app" must not be privileged';
  const blockedNamespaces = [
    { name: 'net', violating: 1, since, worst },
    { name: 'web', violating: 0, since },
  ];
  const counts = { enforced: 458, soaking: 38, blocked: 4, progress: '458/500' };
  const next = { namespace: 'stage', time: '2026-01-02T00:00:00Z' as never };
  const rolledOut = (rollout: object, spec: object = {}) =>
    view({
      policies: () => [
        policy('net', { rollout: { soak: '12h', ...spec } }, { ...READY, rollout }),
        policy('rest', { usableBy: 'Bindings', priority: -1 }),
      ],
    });
  const part = (seen: StatusView, options = {}) =>
    text(seen, options)
      .split('\n')
      .filter(
        (line) => /^(NAME |net |rest |net:|POLICY +BLOCKED)/.test(line) && !/Deployment bad-|namespace net$/.test(line),
      );

  it('prints the progress and the blocked namespaces of each rollout, and since when each namespace is blocked', () => {
    assert.deepEqual(part(rolledOut({ ...counts, next, blockedNamespaces })), [
      'NAME   LEVEL      MODE      PSA              NAMESPACES   ENFORCED   VIOLATING   UNKNOWN   READY   MAY USE',
      'net    baseline   Enforce   baseline:v1.36   2            458/500    100         0         True    everyone',
      'rest   baseline   Enforce   baseline:v1.36   0            -          0           0         True    ServiceAccount net/pinger',
      'net: rolled out to 458 of 500 namespaces; 38 soak (12h without a violation), 4 are blocked; next is stage, not before 2026-01-02T00:00:00Z',
      'POLICY   BLOCKED IN   SINCE                  VIOLATING   WORST',
      `net      net          2026-01-01T00:00:00Z   1           ${worst}`,
      'net      web          2026-01-01T00:00:00Z   0           a pod that is gone',
      'net      2 more',
    ]);
  });

  it('prints only the blocked namespace that -n names', () => {
    const lines = part(rolledOut({ ...counts, blockedNamespaces }), { namespace: 'web' });
    assert.deepEqual(lines.slice(-1), ['net      web          2026-01-01T00:00:00Z   0           a pod that is gone']);
    assert.ok(!lines.some((line) => line.includes('legacy')));
  });

  describe('prints what happens to a workload', () => {
    const bad = (namespace: string) =>
      workloadView('Deployment', 'bad', { namespace, template: adding(['SYS_ADMIN'], { hostPID: true }) });
    const pending = { 'rollout.capabilitypolicy.dev/net': 'pending' };
    const spaces = [namespace('enforced', { team: 'net' }), namespace('late', { team: 'net', ...pending })];
    const seen = (meanwhile: 'Warn' | 'Audit', readable: Partial<Readable> = {}, status = READY) =>
      view(
        {
          ...clusterOf([bad('enforced'), bad('late')]),
          namespaces: () => spaces,
          namespace: (name) => spaces.find((one) => one.name === name),
          policies: () => [
            policy('net', { namespaceSelector: { matchLabels: { team: 'net' } }, rollout: { meanwhile } }, status),
            policy('other', { namespaceSelector: { matchLabels: { team: 'net' } }, level: 'restricted' }),
          ],
        },
        readable,
      );
    const results = (shown: StatusView) =>
      text(shown)
        .split('\n')
        .map((line) => line.split(/ {2,}/))
        .filter(([, workload]) => workload === 'Deployment bad')
        .map(([name, , , result, by, rule]) => `${name} ${rule}: ${result} by ${by}`);

    for (const [meanwhile, word] of [
      ['Warn', 'warned'],
      ['Audit', 'audited'],
    ] as const) {
      it(`where they are pending: ${word}, and refused by the others`, () => {
        assert.deepEqual(
          results(seen(meanwhile)).filter((line) => line.includes('hostPID')),
          ['enforced hostPID: refused by net, other', `late hostPID: refused by other, net (${word})`],
        );
      });
    }

    it('if the user has too few rights for an evaluation, the effects come from the report of the operator', () => {
      const violations = (['enforced', 'late'] as const).map((name) => ({
        namespace: name,
        kind: 'Deployment',
        name: 'bad',
        mode: name === 'late' ? ('Warn' as const) : ('Enforce' as const),
        verdict: 'Violating' as const,
        pods: 0,
        rule: 'hostPID',
        message: 'bad',
      }));
      const reported = seen('Warn', { canEvaluate: false }, { ...READY, violations });
      assert.deepEqual(results(reported), ['enforced hostPID: refused by net', 'late hostPID: warned by net']);
    });
  });

  it('prints that a rollout is paused', () => {
    const lines = part(rolledOut({ enforced: 1, soaking: 1, blocked: 0, progress: '1/2', next }, { paused: true }));
    assert.deepEqual(lines.slice(-1), [
      'net: rolled out to 1 of 2 namespaces; 1 soaks (12h without a violation); paused',
    ]);
  });

  it('prints a complete rollout in the table, and no other line about the rollout', () => {
    const lines = part(rolledOut({ enforced: 2, soaking: 0, blocked: 0, progress: '2/2' }));
    assert.ok(lines.some((line) => line.includes(' 2/2 ')));
    assert.ok(!lines.some((line) => line.includes('rolled out')));
  });

  it('prints no column ENFORCED if no policy has a rollout', () => {
    assert.doesNotMatch(text(view()), /ENFORCED/);
  });

  it('prints the progress of a rollout and the fields of spec.rollout as JSON', () => {
    const [net] = rolledOut({ ...counts, next, blockedNamespaces }, { namespacesPerHour: 50 }).policies;
    assert.deepEqual(net?.rollout, {
      meanwhile: 'Warn',
      soak: '12h',
      paused: false,
      namespacesPerHour: 50,
      ...counts,
      next,
      blockedNamespaces,
    });
  });
});
