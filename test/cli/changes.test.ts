/**
 * Tests `cappol check --cluster --policy`. The command lists the changes that a policy would make. The list answers the
 * question "what would break?".
 */
import assert from 'node:assert/strict';
import { changesOf } from '../../analysis/check/changes.ts';
import type { Changes } from '../../analysis/check/changes-result.ts';
import { PolicyContextBuilder } from '../../analysis/policies/context-builder.ts';
import { changesMarkdown, changesText } from '../../cli/commands/check/changes-text.ts';
import { PLAIN, terminalOf } from '../../cli/output/terminal.ts';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { Cluster, Refusal } from '../../operator/model/objects.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { adding } from '../support/pods.ts';
import { baselinePolicy, writtenPolicy } from '../support/policies.ts';
import { clusterOf, ownedBy, podView, wholeCluster, workloadView } from '../support/views.ts';

const OPTIONS = {
  oldestServer: NEWEST_KNOWN_MINOR,
  namespaceLabels: {},
  operatorNamespace: 'operator',
  excludedNamespaces: [],
  at: Date.now(),
};

/**
 * In the namespace net, the workload `good` complies with the policy. The workload `bad` violates the policy, and
 * `worse` violates more rules than `bad`. In namespace web, `good` complies.
 */
const WORKLOADS = [
  workloadView('Deployment', 'good', { template: adding(['CHOWN']) }),
  workloadView('Deployment', 'bad', { template: adding(['SYS_TIME']) }),
  workloadView('Deployment', 'worse', { template: adding(['SYS_TIME'], { hostPID: true }) }),
  workloadView('Deployment', 'good', { namespace: 'web', template: adding(['CHOWN']) }),
];

type Policies = Readonly<Record<string, Partial<CapabilityPolicySpec>>>;

function clusterWith(
  policies: Policies,
  objects: ReturnType<typeof clusterOf>,
  labels: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Cluster {
  const all = Object.entries(policies).map(([name, spec]) => baselinePolicy(name, spec));
  const namespaces = ['net', 'web'].map((name) => ({
    name,
    uid: name,
    terminating: false,
    labels: labels[name] ?? {},
    labelOwners: {},
  }));
  return wholeCluster(objects, all, namespaces);
}

function changes(
  live: Policies,
  candidates: Policies,
  objects = clusterOf(WORKLOADS),
  namespace?: string,
  labels: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): Changes {
  const builderOf = (policies: Policies) => {
    const builder = new PolicyContextBuilder();
    builder.addCluster(clusterWith(policies, objects, labels));
    return builder;
  };
  const after = builderOf({ ...live, ...candidates });
  const names = Object.keys(candidates);
  const fail = (trouble: unknown) => assert.fail(JSON.stringify(trouble));
  const before = builderOf(live).build(OPTIONS, fail);
  return changesOf({
    candidates: names,
    rollouts: after.rollouts(names),
    before,
    after: (pending) => after.build(OPTIONS, fail, { pending, live: before }),
    enforced: after.build(OPTIONS, fail, { enforced: names, live: before }),
    namespace,
  });
}

function named({ changes: all }: Changes): string[] {
  return all.map((one) => `${one.namespace}/${one.name} ${one.change}: ${one.before} → ${one.after}`);
}

const AUDIT = { all: { mode: 'Audit' } } as const;
const WARN = { all: { mode: 'Warn' } } as const;
const ENFORCE = { all: { mode: 'Enforce' } } as const;

const TEXT_OF_ALL = { ...writtenPolicy('all', { reason: 'a text' }), metadata: { name: 'all' } };

/** The policies after the manifest was read. @param live the only policy of the cluster, if there is a cluster */
function builderWith(live: CompletePolicy | undefined, manifest: object): PolicyContextBuilder {
  const builder = new PolicyContextBuilder();
  if (live) builder.addCluster(wholeCluster(clusterOf(WORKLOADS), [live], []));
  const place = {
    path: [],
    file: 'all.yaml',
    line: 1,
    lineOf: () => 1,
    rangeOf: () => ({ line: 1, column: 1, endColumn: 2 }),
  };
  builder.addManifest({ object: manifest as never, ...place, textOf: () => undefined }, assertNoTrouble);
  return builder;
}

function policiesOf(builder: PolicyContextBuilder): readonly ResolvedPolicy[] {
  return builder.build(OPTIONS, assertNoTrouble).compiled.policies;
}

function assertNoTrouble(trouble: unknown): void {
  assert.fail(JSON.stringify(trouble));
}

describe('the changes that a policy would make', () => {
  it('a candidate that replaces the only live policy keeps the fields that API servers fill in', () => {
    const serverDefaults = ['spec.containers.securityContext.foo=true'];
    const [found] = policiesOf(builderWith({ ...baselinePolicy('all'), status: { serverDefaults } }, TEXT_OF_ALL));
    assert.deepEqual([found?.spec.reason, found?.standard.serverDefaults], ['a text', serverDefaults]);
  });

  for (const { title, live } of [
    { title: 'without a cluster', live: undefined },
    { title: 'beside the live policy', live: baselinePolicy('all') },
  ]) {
    it(`ignores the status of a policy in a file, ${title}`, () => {
      const status = {
        serverDefaults: ['spec.containers.securityContext.foo=true'],
        rollout: { progress: '2/2', soaking: 0, blocked: 0 },
      };
      const builder = builderWith(live, { ...TEXT_OF_ALL, status });
      const [found] = policiesOf(builder);
      assert.deepEqual([found?.spec.reason, found?.standard.serverDefaults ?? []], ['a text', []]);
      assert.equal(builder.policies.get('all')?.status, undefined);
    });
  }

  it('a status that the API server would not store is no error in a file', () => {
    const builder = builderWith(undefined, { ...TEXT_OF_ALL, status: { unheardOf: 1, serverDefaults: 'none' } });
    assert.equal(policiesOf(builder).length, 1);
  });

  it('if the mode changes from Audit to Enforce, the workloads that are audited today are refused', () => {
    const seen = changes(AUDIT, ENFORCE);
    assert.deepEqual(named(seen), [
      'net/bad NewlyRefused: Audited → Refused',
      'net/worse NewlyRefused: Audited → Refused',
    ]);
    assert.deepEqual(
      [seen.summary.newlyRefused, seen.summary.newlyAdmitted, seen.summary.unchanged, seen.summary.workloads],
      [2, 0, 2, 4],
    );
  });

  it('if the mode changes from Enforce to Audit, the workloads that are refused today are admitted and audited', () => {
    const seen = changes(ENFORCE, AUDIT);
    assert.deepEqual(named(seen), [
      'net/bad NewlyAdmitted: Refused → Audited',
      'net/worse NewlyAdmitted: Refused → Audited',
    ]);
    assert.deepEqual([seen.summary.newlyRefused, seen.summary.newlyAdmitted], [0, 2]);
  });

  it('a new policy in mode Audit, or a change from Audit to Warn, refuses no workload', () => {
    const audited = ['bad', 'worse'].map((name) => `net/${name} ReportedOtherwise: Admitted → Audited`);
    assert.deepEqual(named(changes({}, AUDIT)), audited);
    const warned = ['bad', 'worse'].map((name) => `net/${name} ReportedOtherwise: Audited → Warned`);
    const seen = changes(AUDIT, WARN);
    assert.deepEqual(named(seen), warned);
    const { newlyRefused, newlyAdmitted, reportedOtherwise, unchanged } = seen.summary;
    assert.deepEqual([newlyRefused, newlyAdmitted, reportedOtherwise, unchanged], [0, 0, 2, 2]);
  });

  it('nothing, for a policy that exists already', () => {
    assert.deepEqual(named(changes(ENFORCE, ENFORCE)), []);
  });

  it('an audited policy beside an enforced policy changes nothing for pods that are refused already', () => {
    assert.deepEqual(named(changes(ENFORCE, { other: { mode: 'Audit' } })), []);
  });

  it('a policy may change something for pods whose verdict depends on their creator', () => {
    const bare = podView('bare', adding(['SYS_TIME']));
    const candidate = {
      exception: { mode: 'Enforce', level: 'privileged', usableBy: 'Bindings' },
    } as const;
    const seen = changes({}, candidate, clusterOf([], [bare]));
    assert.deepEqual(named(seen), ['net/bare PerhapsRefused: Admitted → Unknown']);
    assert.equal(seen.summary.perhapsRefused, 1);
    assert.deepEqual(
      seen.namespaces.map(({ namespace, safeToEnforce }) => [namespace, safeToEnforce]),
      [
        ['net', false],
        ['web', true],
      ],
    );
  });

  it("the changes name the workloads that make a namespace unsafe, whatever the policy's mode", () => {
    for (const candidates of [AUDIT, WARN, ENFORCE]) {
      const [net, web] = changes(AUDIT, candidates).namespaces;
      assert.deepEqual(
        [net?.safeToEnforce, net?.refusedIfEnforced.map(({ kind, name, effect }) => [kind, name, effect])],
        [
          false,
          [
            ['Deployment', 'bad', 'Refused'],
            ['Deployment', 'worse', 'Refused'],
          ],
        ],
      );
      assert.deepEqual([web?.safeToEnforce, web?.refusedIfEnforced], [true, []]);
    }
  });

  it('the changes do not mention namespaces that were not read', () => {
    const inWeb = clusterOf(WORKLOADS.filter(({ namespace }) => namespace === 'web'));
    const { namespaces, summary } = changes(AUDIT, ENFORCE, inWeb, 'web');
    assert.deepEqual(
      namespaces.map(({ namespace }) => namespace),
      ['web'],
    );
    assert.deepEqual([summary.workloads, summary.safeToEnforce, summary.candidateNamespaces], [1, 1, 1]);
  });

  it('counts workloads by effect, before and after', () => {
    const [net] = changes(AUDIT, ENFORCE).namespaces;
    assert.deepEqual(net?.before, { refused: 0, unknown: 0, warned: 0, audited: 2, admitted: 1 });
    assert.deepEqual(net?.after, { refused: 2, unknown: 0, warned: 0, audited: 0, admitted: 1 });
  });
});

describe('the changes that a policy would make, as text', () => {
  const SYS_TIME =
    'capabilities: container "app" must not add capability SYS_TIME (allowed: AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER and 9 more)';

  it('the text lists the workloads that the policy would newly refuse', () => {
    const lines = changesText(changes(AUDIT, ENFORCE), PLAIN).split('\n');
    assert.deepEqual(
      lines.map((line) => line.split(/ {3,}/)),
      [
        ['WORKLOAD', 'TODAY', 'AFTER', 'POLICY', 'WHY'],
        ['Deployment net/bad', 'audited', 'refused', 'all', SYS_TIME],
        ['Deployment net/worse', 'audited', 'refused', 'all', 'hostPID: pod must not set hostPID=true'],
        ['Deployment net/worse', 'audited', 'refused', 'all', SYS_TIME],
        [''],
        ['NAMESPACE', 'WORKLOADS', 'REFUSED', 'AUDITED', 'SAFE TO ENFORCE', 'WHY NOT'],
        ['net', '3', '0 → 2', '2 → 0', 'no', 'Deployment worse and 1 more: hostPID: pod must not set hostPID=true'],
        ['web', '1', '0', '0', 'yes'],
        [''],
        ['all: 2 of 4 workloads newly refused, 2 unchanged; safe to enforce in 1 of 2 namespaces'],
        [''],
      ],
    );
  });

  it('fits the terminal, by namespace and workload', () => {
    const terminal = terminalOf({ stdout: { isTTY: true, columns: 80 } as never, env: { NO_COLOR: '1' } });
    assert.equal(
      changesText(changes(AUDIT, ENFORCE), terminal),
      `Namespace net
  Deployment bad (audited → refused, by all)
    refused  capabilities: container "app" must not add capability SYS_TIME
             (allowed: AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL,
             MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID,
             SYS_CHROOT)
  Deployment worse (audited → refused, by all)
    refused  hostPID: pod must not set hostPID=true
    refused  capabilities: container "app" must not add capability SYS_TIME
             (allowed: AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL,
             MKNOD, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID,
             SYS_CHROOT)

NAMESPACE   WORKLOADS   REFUSED   AUDITED   SAFE TO ENFORCE
net         3           0 → 2     2 → 0     no
    Deployment worse and 1 more: hostPID: pod must not set hostPID=true
web         1           0         0         yes

all: 2 of 4 workloads newly refused, 2 unchanged; safe to enforce in 1 of 2
  namespaces
`,
    );
  });

  it('is Markdown for a pull request, too', () => {
    const text = changesMarkdown(changes(AUDIT, ENFORCE));
    assert.match(text, /^### CapabilityPolicy: what would change\n\n`all`: 2 of 4 workloads newly refused/);
    assert.match(
      text,
      /^\| `Deployment net\/bad` \| audited \| \*\*refused\*\* \| `capabilities: container "app" must not/m,
    );
    assert.match(text, /^\| `net` \| `3` \| `0 → 2` \| `2 → 0` \| `no` \| `Deployment worse and 1 more: hostPID: /m);
  });
});

describe('a workload whose pods are refused today', () => {
  const NET_ADMIN = { capabilities: { allowedAdd: ['CHOWN', 'NET_ADMIN'] } };
  const BROKEN = 'container "istio-init" must not add capability NET_ADMIN';

  /** A Deployment whose ReplicaSet lacks its pods. */
  function refused(message: string, add: string, by: Refusal['by'] = 'Program') {
    const template = adding([add]);
    return clusterOf([
      workloadView('Deployment', 'web', { replicas: 1, template }),
      workloadView('ReplicaSet', 'web-1', {
        ...ownedBy('Deployment', 'web'),
        replicas: 1,
        template,
        refused: { by, message, at: 1 },
      }),
    ]);
  }

  const injected = refused(`CapabilityPolicy all: capabilities: ${BROKEN}`, 'CHOWN');
  const LOOSER = { all: { mode: 'Enforce', overrides: NET_ADMIN } } as const;

  it('is perhaps refused by other policies, because nobody knows what is injected', () => {
    const seen = changes(ENFORCE, LOOSER, injected);
    assert.deepEqual(named(seen), ['net/web PerhapsRefused: Refused → Unknown']);
    const text = changesText(seen, PLAIN);
    const why = `refused: the API server refuses the pods with container "istio-init" that the template lacks today, and it is not known whether it refuses them with these policies: capabilities: ${BROKEN}`;
    assert.ok(text.includes(why), text);
    assert.match(text, /1 perhaps refused \(it depends on who creates the pod, or its pods are refused today\)/);
    assert.doesNotMatch(text, /depends on who creates the pod: /);
  });

  it('is perhaps refused if Pod Security refuses its pods, and no policy did', () => {
    const byLabel = refused(
      'violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
      'CHOWN',
      'PodSecurity',
    );
    assert.deepEqual(named(changes({}, ENFORCE, byLabel)), ['net/web PerhapsRefused: Admitted → Unknown']);
  });

  it('stays refused if its template violates the other policies, too, or if nothing changes in its namespace', () => {
    const violating = refused(`CapabilityPolicy all: capabilities: ${BROKEN}`, 'SYS_TIME');
    assert.deepEqual(named(changes(ENFORCE, LOOSER, violating)), []);
    const elsewhere = { more: { mode: 'Enforce', namespaceSelector: { matchLabels: { no: 'body' } } } } as const;
    for (const candidates of [ENFORCE, elsewhere]) {
      const { changes: all, summary } = changes(ENFORCE, candidates, injected);
      assert.deepEqual([all, summary.unchanged], [[], 1]);
    }
  });

  it('is newly admitted if its template shows why it was refused', () => {
    const explained = refused(
      'CapabilityPolicy all: capabilities: container "app" must not add capability SYS_TIME',
      'SYS_TIME',
    );
    const allowed: Policies = { all: { mode: 'Enforce', overrides: { capabilities: { allowedAdd: ['SYS_TIME'] } } } };
    assert.deepEqual(named(changes(ENFORCE, allowed, explained)), ['net/web NewlyAdmitted: Refused → Admitted']);
  });

  it('blocks the beginning of a rollout, as the operator does', () => {
    const rollout = { all: { ...LOOSER.all, rollout: { soak: '0s' } } };
    const pending = { net: { 'rollout.capabilitypolicy.dev/all': 'pending' } };
    const [net] = changes({ all: { ...ENFORCE.all, rollout: {} } }, rollout, injected, undefined, pending).namespaces;
    assert.deepEqual(
      [net?.rollouts.map(({ state }) => state), net?.refusedIfEnforced.map(({ effect }) => effect)],
      [['Blocked'], ['Unknown']],
    );
  });
});

describe('the beginning of a rollout', () => {
  const rolledOut = (rollout: object) => ({ all: { mode: 'Enforce' as const, rollout } });
  const starts = ({ namespaces }: Changes) =>
    namespaces.map(({ namespace, rollouts }) => `${namespace}: ${rollouts.map(({ state }) => state).join(', ')}`);
  const lastLine = (seen: Changes) => changesText(seen, PLAIN).trimEnd().split('\n').at(-1);

  it('the beginning of a rollout refuses no running workload, but warns about violations', () => {
    const seen = changes(AUDIT, rolledOut({ soak: '24h' }));
    assert.deepEqual(named(seen), [
      'net/bad ReportedOtherwise: Audited → Warned',
      'net/worse ReportedOtherwise: Audited → Warned',
    ]);
    assert.deepEqual(starts(seen), ['net: Blocked', 'web: Soaking']);
  });

  it('or is audited', () => {
    assert.deepEqual(named(changes({}, rolledOut({ meanwhile: 'Audit' }))), [
      'net/bad ReportedOtherwise: Admitted → Audited',
      'net/worse ReportedOtherwise: Admitted → Audited',
    ]);
  });

  it('a rollout without a soak enforces the policy at once in namespaces without violations', () => {
    const seen = changes({}, rolledOut({ soak: '0s' }));
    assert.deepEqual(starts(seen), ['net: Blocked', 'web: EnforcedAtOnce']);
    assert.equal(seen.summary.newlyRefused, 0);
  });

  for (const [title, held, ending] of [
    ['paused', { paused: true }, ', and is paused'],
    ['namespacesPerHour', { namespacesPerHour: 60 }, ''],
  ] as const) {
    it(`enforces nothing at once against ${title}`, () => {
      const seen = changes({}, rolledOut({ soak: '0s', ...held }));
      assert.deepEqual(starts(seen), ['net: Blocked', 'web: Soaking']);
      assert.ok(lastLine(seen)?.endsWith(`begins with 1 namespace soaking for 0s, 1 blocked${ending}`), lastLine(seen));
    });
  }

  it('is none in another mode than Enforce', () => {
    const seen = changes({}, { all: { mode: 'Audit' as const, rollout: { soak: '0s' } } });
    assert.deepEqual(starts(seen), ['net: ', 'web: ']);
    assert.deepEqual(named(seen), named(changes({}, AUDIT)));
  });

  it('a namespace stays enforced if the policy is enforced there today', () => {
    assert.deepEqual(starts(changes(ENFORCE, rolledOut({}))), ['net: Enforced', 'web: Enforced']);
    const pending = { 'rollout.capabilitypolicy.dev/all': 'pending' };
    const live = rolledOut({});
    assert.deepEqual(
      starts(changes(live, rolledOut({ soak: '0s' }), clusterOf(WORKLOADS), undefined, { web: pending })),
      ['net: Enforced', 'web: Soaking'],
    );
  });

  it('if a selector is widened, the newly selected namespaces become pending', () => {
    const web = { matchLabels: { 'kubernetes.io/metadata.name': 'web' } };
    const live = { all: { mode: 'Enforce' as const, namespaceSelector: web } };
    assert.deepEqual(starts(changes(live, rolledOut({}))), ['net: Blocked', 'web: Enforced']);
  });

  it('the table has a column, and the summary has a sentence, about the beginning of a rollout', () => {
    const seen = changes({}, rolledOut({}));
    const text = changesText(seen, PLAIN);
    assert.match(text, /SAFE TO ENFORCE +ROLLOUT BEGINS +WHY NOT/);
    assert.match(text, /^net +3 +0 +0 → 2 +no +blocked +Deployment worse and 1 more: hostPID/m);
    assert.match(text, /^web +1 +0 +0 +yes +soaking$/m);
    assert.equal(
      lastLine(seen),
      'all: 0 of 4 workloads newly refused, 2 with another warning or audit annotation, 2 unchanged; safe to enforce in 1 of 2 namespaces; the rollout of all begins with 1 namespace soaking for 24h, 1 blocked',
    );
    assert.match(changesMarkdown(seen), /\| Rollout begins \|/);
  });

  it('the column names the policies if several policies are rolled out', () => {
    const seen = changes(
      {},
      { all: { mode: 'Enforce', rollout: {} }, more: { mode: 'Enforce', rollout: { soak: '0s' } } },
    );
    assert.match(changesText(seen, PLAIN), /all: soaking, more: enforced at once/);
  });

  it('the text does not mention rollouts for a policy without a rollout', () => {
    assert.doesNotMatch(changesText(changes({}, ENFORCE), PLAIN), /rollout/i);
  });
});
