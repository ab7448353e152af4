import assert from 'node:assert/strict';
import type { ProgramOutcome } from '../../operator/apply/outcome.ts';
import type { ProtectionOutcome } from '../../operator/apply/protection-probe.ts';
import { resolvePolicy } from '../../operator/policy/resolve.ts';
import { buildStatus, type StatusInput } from '../../operator/report/status.ts';
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { baselinePolicy } from '../support/policies.ts';
import {
  CONFLICT,
  compliant,
  condition,
  EARLIER,
  IN_FORCE,
  input,
  labels,
  NOW,
  REFUSED,
  ROLLOUT_LABEL,
  refused,
  restrictedIn,
  tooExpensive,
  verdicts,
  violating,
  withStatus,
} from './fixtures.ts';

const PLATFORM = [{ name: 'net', evidence: 'label a=b (AKS)' }];
const SERVERS: ProgramOutcome['servers'] = { inForce: 1, answering: 2 };
const WORKING: ProgramOutcome = { ...IN_FORCE, state: 'Working', servers: SERVERS, message: 'waiting for 10.0.0.2' };
const FAILED: ProgramOutcome = { ...IN_FORCE, state: 'Failed', servers: SERVERS, message: 'forbidden' };
const tooNew = input({ levelVersion: 'v1.99' });

/** The conditions in the order of the status, each as `Type=Status Reason`. */
function conditions(from: StatusInput): string[] {
  return (buildStatus(from).conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);
}

function message(from: StatusInput, type: string): string | undefined {
  return condition(buildStatus(from), type)?.message;
}

const NEWEST = formatVersion(NEWEST_KNOWN_MINOR);

function protection(state: ProtectionOutcome['state'], protecting: number): ProtectionOutcome {
  return { state, servers: { protecting, answering: 2 }, message: state === 'Unknown' ? 'forbidden' : '' };
}

const STRICT_GROUPS = baselinePolicy('groups', { overrides: { supplementalGroups: { policy: 'Strict' } } });

const SHARED_PROCESSES =
  'spec.containers: in a pod with shareProcessNamespace: true, other containers that run as the same user can end the processes of the selected containers';

describe('the conditions of a policy', () => {
  it('the condition Protected keeps the last answer until a restarted operator has asked the API servers', () => {
    const before = input({}, { protection: protection('Protected', 2) });
    const { protection: _, ...restarted } = withStatus(buildStatus(before), before);
    assert.deepEqual(condition(buildStatus(restarted), 'Protected'), condition(buildStatus(before), 'Protected'));
  });

  it('the condition Accepted names statements that have no effect because of other statements', () => {
    const text = message(input({ overrides: { hostPaths: [{ pathPrefix: '/var/log' }] } }), 'Accepted');
    assert.equal(
      text,
      `compiled: baseline ${NEWEST}, mode Audit; overrides.hostPaths has no effect: the policy admits no hostPath volume; add hostPath to overrides.volumes, or remove the field`,
    );
  });

  it('the condition Protected says how many API servers protect the objects, and how to protect the objects', () => {
    const text = message(input({}, { protection: protection('Unprotected', 1) }), 'Protected');
    assert.equal(
      text,
      'cluster administrators can change the objects that enforce policies: 1 of 2 API servers protect it by a file; `cappol render --static` writes the file',
    );
  });

  it('if the API server refuses a label, the conditions name the namespace, the label, and who refuses the label', () => {
    const refused = input({}, { labels: labels({ refusal: { ...REFUSED, remove: [ROLLOUT_LABEL] } }) });
    for (const type of ['LabelRefused', 'Ready']) {
      assert.equal(
        message(refused, type),
        'namespace net: label rollout.capabilitypolicy.dev/ping cannot be removed: admission webhook "frozen.example" denied the request: labels are frozen. The policy is not enforced there until the label is gone; the operator tries again',
      );
    }
    assert.equal(buildStatus(refused).namespaces?.refused, 1);
  });

  it("refusals in a platform's namespaces are counted and named apart", () => {
    const refused = input(
      {},
      { labels: labels({ refusal: { ...REFUSED, set: [ROLLOUT_LABEL] } }), platform: PLATFORM },
    );
    assert.match(
      message(refused, 'LabelRefused') ?? '',
      /^1 namespace of the platform \(net\) may refuse labels forever, and Ready leaves them out: add them to --excluded-namespaces, .* namespace net: label /,
    );
    assert.equal(buildStatus(refused).namespaces?.refused, undefined);
  });

  it("the condition Accepted names selected namespaces that carry the cluster's platform, with the evidence", () => {
    const text = (mode: 'Enforce' | 'Audit') => message(input({ mode }, { platform: PLATFORM }), 'Accepted') ?? '';
    assert.match(
      text('Enforce'),
      /; warning: 1 selected namespace carries the cluster's platform \(net: label a=b \(AKS\)\), and the policy refuses their/,
    );
    assert.match(text('Audit'), /, and in mode Enforce, the policy would refuse their violating pods; leave them out/);
  });

  it('the condition Accepted says that a rollout rests if the mode is not Enforce', () => {
    const text = (mode: 'Enforce' | 'Audit') => message(input({ mode, rollout: {} }), 'Accepted') ?? '';
    assert.match(
      text('Audit'),
      /; spec\.rollout rests in mode Audit, so nothing is enforced\. Write mode: Enforce to begin or continue/,
    );
    assert.doesNotMatch(text('Enforce'), /rests/);
  });

  const cases: [string, StatusInput, string[]][] = [
    [
      'in force and not violated',
      input(),
      ['Accepted=True Compiled', 'Compliant=True NoViolation', 'Programmed=True InForce', 'Ready=True InForce'],
    ],
    [
      'violated: still ready',
      input({}, { verdicts: verdicts([violating('web')]) }),
      ['Accepted=True Compiled', 'Compliant=False WorkloadViolates', 'Programmed=True InForce', 'Ready=True InForce'],
    ],
    [
      'protected by a file of the API servers',
      input({}, { protection: protection('Protected', 2) }),
      [
        'Accepted=True Compiled',
        'Compliant=True NoViolation',
        'Programmed=True InForce',
        'Protected=True FileInForce',
        'Ready=True InForce',
      ],
    ],
    ...(
      [
        ['not protected by every API server', 'Unprotected', 1, 'False NoFileInForce'],
        ['protected for another operator', 'OtherOperator', 2, 'False OtherOperator'],
        ['not known to be protected', 'Unknown', 0, 'Unknown NotAnswered'],
      ] as const
    ).map(([title, state, protecting, expected]): [string, StatusInput, string[]] => [
      `${title}: still ready`,
      input({}, { protection: protection(state, protecting) }),
      [
        'Accepted=True Compiled',
        'Compliant=True NoViolation',
        'Programmed=True InForce',
        `Protected=${expected}`,
        'Ready=True InForce',
      ],
    ]),
    [
      'with a label conflict: still ready',
      input({}, { labels: labels({ conflicts: [CONFLICT] }) }),
      [
        'Accepted=True Compiled',
        'Compliant=True NoViolation',
        'LabelConflict=True ForeignLabel',
        'Programmed=True InForce',
        'Ready=True InForce',
      ],
    ],
    [
      'with a label that cannot be set',
      input({}, { labels: labels({ refusal: { ...REFUSED, set: [ROLLOUT_LABEL] } }) }),
      [
        'Accepted=True Compiled',
        'Compliant=True NoViolation',
        'LabelRefused=True WriteRefused',
        'Programmed=True InForce',
        'Ready=False ApplyFailed',
        'Reconciling=True ApplyFailed',
      ],
    ],
    [
      "with a label that cannot be set in a platform's namespace: still ready",
      input({}, { labels: labels({ refusal: { ...REFUSED, set: [ROLLOUT_LABEL] } }), platform: PLATFORM }),
      [
        'Accepted=True Compiled',
        'Compliant=True NoViolation',
        'LabelRefused=True WriteRefused',
        'Programmed=True InForce',
        'Ready=True InForce',
      ],
    ],
    [
      'with a refused probe',
      input({}, { program: { ...IN_FORCE, state: 'Working', isUnprovable: true, message: 'webhook a refuses' } }),
      [
        'Accepted=True Compiled',
        'Compliant=True NoViolation',
        'Programmed=False ProbeRefused',
        'Ready=False ProbeRefused',
        'Reconciling=True ProbeRefused',
      ],
    ],
    [
      'with a namespace that stays pending because its label cannot be removed',
      input({}, { labels: labels({ refusal: { ...REFUSED, remove: [ROLLOUT_LABEL] } }) }),
      [
        'Accepted=True Compiled',
        'Compliant=True NoViolation',
        'LabelRefused=True WriteRefused',
        'Programmed=True InForce',
        'Ready=False ApplyFailed',
        'Reconciling=True ApplyFailed',
      ],
    ],
    [
      "with a label of another policy's rollout that cannot be removed",
      input({}, { labels: labels({ refusal: { ...REFUSED, remove: [`${ROLLOUT_LABEL}-too`] } }) }),
      ['Accepted=True Compiled', 'Compliant=True NoViolation', 'Programmed=True InForce', 'Ready=True InForce'],
    ],
    [
      'in a namespace where more than ten policies with restricted use decide: still ready',
      input({}, { coverage: restrictedIn({ net: 11 }) }),
      [
        'Accepted=True Compiled',
        'Compliant=True NoViolation',
        'Programmed=True InForce',
        'Ready=True InForce',
        'UseLimitExceeded=True TooManyRestricted',
      ],
    ],
    [
      'in a namespace where ten policies with restricted use decide',
      input({}, { coverage: restrictedIn({ net: 10 }) }),
      ['Accepted=True Compiled', 'Compliant=True NoViolation', 'Programmed=True InForce', 'Ready=True InForce'],
    ],
    [
      'not accepted',
      tooNew,
      [
        'Accepted=False VersionTooNew',
        'Compliant=Unknown NotEvaluated',
        'Programmed=False NotAccepted',
        'Ready=False VersionTooNew',
        'Stalled=True VersionTooNew',
      ],
    ],
    [
      'just created',
      input({}, { program: undefined, verdicts: new Map() }),
      [
        'Accepted=True Compiled',
        'Compliant=Unknown NotEvaluated',
        'Programmed=False Pending',
        'Ready=False Pending',
        'Reconciling=True Pending',
      ],
    ],
    [
      'being written',
      input({}, { program: WORKING }),
      [
        'Accepted=True Compiled',
        'Compliant=True NoViolation',
        'Programmed=False Programming',
        'Ready=False Programming',
        'Reconciling=True Programming',
      ],
    ],
    [
      'refused by an API server',
      input({}, { program: FAILED }),
      [
        'Accepted=True Compiled',
        'Compliant=True NoViolation',
        'Programmed=False ApplyFailed',
        'Ready=False ApplyFailed',
      ],
    ],
  ];
  for (const [name, from, expected] of cases) {
    it(name, () => assert.deepEqual(conditions(from), expected));
  }

  const messages: [string, StatusInput, string, string][] = [
    ['names the version', input(), 'Accepted', `compiled: baseline ${NEWEST}, mode Audit`],
    [
      'warns about subjects that include everybody',
      input({ usableBy: 'Subjects', subjects: [{ kind: 'Group', name: 'system:serviceaccounts' }] }),
      'Accepted',
      `compiled: baseline ${NEWEST}, mode Audit; warning: Group system:serviceaccounts includes built-in workload controllers, so anybody who may create a workload may use this policy through such a controller; holders of wildcard verbs (cluster administrators) may use this policy, too, so their test pods are admitted: test with --as, such as kubectl create -f pod.yaml --as=system:serviceaccount:kube-system:replicaset-controller`,
    ],
    [
      'warns about containers that everybody may name',
      input({ containers: [{ names: ['istio-init', 'linkerd-init'], overrides: { runAsNonRoot: false } }] }),
      'Accepted',
      `compiled: baseline ${NEWEST}, mode Audit; warning: the author of a pod chooses the names and images of its containers, so every pod may have a container that spec.containers selects (istio-init, linkerd-init); set usableBy to Subjects, and list the service accounts that need the exception; ${SHARED_PROCESSES}`,
    ],
    [
      'names the images where no names are stated',
      input({ containers: [{ images: ['registry.example.com/gateway:*'], overrides: { runAsNonRoot: false } }] }),
      'Accepted',
      `compiled: baseline ${NEWEST}, mode Audit; warning: the author of a pod chooses the names and images of its containers, so every pod may have a container that spec.containers selects (registry.example.com/gateway:*); set usableBy to Subjects, and list the service accounts that need the exception; ${SHARED_PROCESSES}`,
    ],
    [
      'does not warn about containers of pods that not everybody may create',
      input({
        usableBy: 'Subjects',
        subjects: [{ kind: 'ServiceAccount', name: 'pinger', namespace: 'net' }],
        containers: [{ names: ['istio-init'], overrides: { runAsNonRoot: false } }],
      }),
      'Accepted',
      `compiled: baseline ${NEWEST}, mode Audit; ${SHARED_PROCESSES}; holders of wildcard verbs (cluster administrators) may use this policy, too, so their test pods are admitted: test with --as, such as kubectl create -f pod.yaml --as=system:serviceaccount:kube-system:replicaset-controller`,
    ],
    [
      'does not warn about others',
      input({ usableBy: 'Subjects', subjects: [{ kind: 'ServiceAccount', name: 'pinger', namespace: 'net' }] }),
      'Accepted',
      `compiled: baseline ${NEWEST}, mode Audit; holders of wildcard verbs (cluster administrators) may use this policy, too, so their test pods are admitted: test with --as, such as kubectl create -f pod.yaml --as=system:serviceaccount:kube-system:replicaset-controller`,
    ],
    [
      'says that latest lags behind newer servers',
      input(
        {},
        { resolution: resolvePolicy(baselinePolicy('ping', { levelVersion: 'latest' }), NEWEST_KNOWN_MINOR + 1) },
      ),
      'Accepted',
      `compiled: baseline ${NEWEST}, mode Audit; levelVersion latest means ${NEWEST} here, because this release has no newer Standards; the API servers are at ${formatVersion(NEWEST_KNOWN_MINOR + 1)}: upgrade the operator`,
    ],
    [
      'does not, if a version is stated',
      input(
        {},
        { resolution: resolvePolicy(baselinePolicy('ping', { levelVersion: 'v1.30' }), NEWEST_KNOWN_MINOR + 1) },
      ),
      'Accepted',
      'compiled: baseline v1.30, mode Audit',
    ],
    [
      'says that an older server fills nothing in',
      input({}, { resolution: resolvePolicy(baselinePolicy('ping', { mode: 'Enforce', defaulting: 'Enabled' }), 35) }),
      'Accepted',
      'compiled: baseline v1.35, mode Enforce; defaulting fills in no field: it needs MutatingAdmissionPolicy, which requires Kubernetes v1.36 on every API server',
    ],
    [
      'says that capabilities in user namespaces are not admitted on older servers',
      input(
        {},
        {
          resolution: resolvePolicy(
            baselinePolicy('ping', { overrides: { capabilities: { allowedAddInUserNamespace: ['NET_ADMIN'] } } }),
            32,
          ),
        },
      ),
      'Accepted',
      'compiled: baseline v1.32, mode Audit; overrides.capabilities.allowedAddInUserNamespace has no effect: it needs Kubernetes v1.33 on every API server, since with an older API server, a pod with hostUsers: false may run without a user namespace',
    ],
    [
      "says that nodes may ignore the field about the image's groups, while API servers allow such nodes",
      input({}, { resolution: resolvePolicy(STRICT_GROUPS, 35) }),
      'Accepted',
      'compiled: baseline v1.35, mode Audit; warning: overrides.supplementalGroups.policy may have no effect on some nodes until every API server is at v1.36: a kubelet below v1.33 ignores supplementalGroupsPolicy and still adds the groups of the image. Check the versions with kubectl get nodes',
    ],
    [
      'says nothing about such nodes on newer API servers',
      input({}, { resolution: resolvePolicy(STRICT_GROUPS, 36) }),
      'Accepted',
      'compiled: baseline v1.36, mode Audit',
    ],
    [
      'names pod fields that no rule checks',
      input({}, { unknownPodFields: ['spec.containers.securityContext.ulimits', 'spec.restoreFrom'] }),
      'Accepted',
      `compiled: baseline ${NEWEST}, mode Audit; warning: API servers have pod fields that this release does not know, so no rule checks them: spec.containers.securityContext.ulimits, spec.restoreFrom. Upgrade the operator`,
    ],
    [
      'names values that a webhook or mutating policy may have set',
      input(
        {},
        { unlearnedDefaults: { values: ['spec.foo=1'], mutators: ['webhook a', 'webhook b'], namespace: 'ops' } },
      ),
      'Accepted',
      `compiled: baseline ${NEWEST}, mode Audit; warning: policies do not admit the values of unknown fields that API servers fill in (spec.foo=1), because webhook a, webhook b may have set them. Exclude namespace ops from their rules, or upgrade the operator`,
    ],
    [
      'points out who may use it by wildcard, administrators of the cluster included, and how to test',
      input(
        { usableBy: 'Bindings' },
        {
          holdersOfAll: [
            { subject: { kind: 'User', name: 'bob' }, namespace: 'net', wildcard: true },
            { subject: { kind: 'Group', name: 'system:masters' }, wildcard: true },
            { subject: { kind: 'Group', name: 'ops' }, wildcard: true },
            { subject: { kind: 'User', name: 'eve' } },
          ],
        },
      ),
      'Accepted',
      `compiled: baseline ${NEWEST}, mode Audit; holders of wildcard verbs (cluster administrators, Group ops, User bob in namespace net) may use this policy, too, so their test pods are admitted: test with --as, such as kubectl create -f pod.yaml --as=system:serviceaccount:kube-system:replicaset-controller`,
    ],
    [
      'names older bindings to its name',
      input({ usableBy: 'Bindings' }, { olderBindings: [{ namespace: 'net', name: 'old' }, { name: 'everywhere' }] }),
      'Accepted',
      `compiled: baseline ${NEWEST}, mode Audit; these bindings are older than this policy and grant its use by name: ClusterRoleBinding everywhere, RoleBinding net/old; delete the bindings that were meant for an earlier policy; holders of wildcard verbs (cluster administrators) may use this policy, too, so their test pods are admitted: test with --as, such as kubectl create -f pod.yaml --as=system:serviceaccount:kube-system:replicaset-controller`,
    ],
    [
      'does not name the binding that the operator writes',
      input({ usableBy: 'Subjects', subjects: [] }, { olderBindings: [{ name: 'capabilitypolicy.dev:use:ping' }] }),
      'Accepted',
      `compiled: baseline ${NEWEST}, mode Audit; holders of wildcard verbs (cluster administrators) may use this policy, too, so their test pods are admitted: test with --as, such as kubectl create -f pod.yaml --as=system:serviceaccount:kube-system:replicaset-controller`,
    ],
    [
      'says nothing about bindings when everyone may use it',
      input({}, { olderBindings: [{ name: 'everywhere' }] }),
      'Accepted',
      `compiled: baseline ${NEWEST}, mode Audit`,
    ],
    [
      'names a rolled-out policy that it loosens for everybody',
      input(
        {},
        { loosenings: [{ policy: 'everywhere', rules: ['hostPID', 'hostIPC'], namespaces: ['a', 'b', 'c', 'd'] }] },
      ),
      'Accepted',
      `compiled: baseline ${NEWEST}, mode Audit; warning: everybody may use this policy, and it loosens 2 rules (hostPID, hostIPC) of policy everywhere, which is being rolled out in 4 namespaces (a, b, c and 1 more); write usableBy: Subjects if this policy is an exception for some service accounts`,
    ],
    ['counts servers', input(), 'Programmed', 'row 0123456789ab is in force on 1 of 1 API servers'],
    [
      'says what it waits for',
      input({}, { program: WORKING }),
      'Ready',
      'row 0123456789ab is in force on 1 of 2 API servers; waiting for 10.0.0.2',
    ],
    ['says only what failed', input({}, { program: FAILED }), 'Programmed', FAILED.message],
    [
      'names the first three workloads',
      input({}, { verdicts: verdicts([...'edcba'].map((name) => violating(name)).concat(compliant('f'))) }),
      'Compliant',
      '5 of 6 workloads violate the policy: Deployment net/a, Deployment net/b, Deployment net/c and 2 more',
    ],
    [
      'says which pods are refused, and why',
      input({}, { verdicts: verdicts([refused('a'), refused('b'), violating('c')]) }),
      'Compliant',
      '3 of 3 workloads violate the policy: Deployment net/a, Deployment net/b, Deployment net/c; Deployment net/a: the pods of a are refused; the pods of 1 more workload are refused',
    ],
    [
      'says which pods were refused before the policies changed',
      input({}, { verdicts: verdicts([refused('a', 'ByOthers')]) }),
      'Compliant',
      'none of 1 workload violates the policy; unknown for 1, whose pods were refused before the policies changed and not tried again',
    ],
    [
      'distinguishes unknown from violating',
      input({}, { verdicts: verdicts([violating('a', { kind: 'Pod', verdict: 'Unknown' })]) }),
      'Compliant',
      'none of 1 workload violates the policy; unknown for 1, since the verdict depends on who created the pod',
    ],
    [
      'distinguishes too expensive evaluations from those that depend on a creator',
      input({}, { verdicts: verdicts([tooExpensive('a'), violating('b', { kind: 'Pod', verdict: 'Unknown' })]) }),
      'Compliant',
      'no known violation among 2 workloads; unknown for 1, since the verdict depends on who created the pod; unknown for 1, too expensive to evaluate',
    ],
    [
      "names the label's owner, its value, ours, and the consequence",
      input({}, { labels: labels({ conflicts: [CONFLICT] }) }),
      'LabelConflict',
      'namespace net: label pod-security.kubernetes.io/audit is "restricted" by kubectl-label; the operator would set "baseline", so Pod Security Admission complains about pods that the policy admits. The policy is still enforced; to let the operator manage the label, remove it',
    ],
    [
      'says that Pod Security Admission refuses pods if the label enforce is tighter',
      input(
        { mode: 'Enforce' },
        {
          labels: labels({ conflicts: [{ ...CONFLICT, label: 'pod-security.kubernetes.io/enforce', refuses: true }] }),
        },
      ),
      'LabelConflict',
      'namespace net: label pod-security.kubernetes.io/enforce is "restricted" by kubectl-label; the operator would set "baseline", so Pod Security Admission refuses pods that the policy admits: run kubectl label namespace net pod-security.kubernetes.io/enforce-. The policy is still enforced; to let the operator manage the label, remove it',
    ],
    [
      'names the namespaces, sorted, and what to do',
      input({}, { coverage: restrictedIn({ d: 12, c: 11, net: 10, b: 11, a: 11 }) }),
      'UseLimitExceeded',
      'more than 10 policies with restricted use decide in 4 namespaces (a, b, c and 1 more): if a pod complies with more than 10 of these policies, the API server checks the right to use only 10 of them, and may refuse the pod although the pod may use another of these policies. Merge some of the policies, or let everyone use some of them',
    ],
  ];
  for (const [name, from, type, expected] of messages) {
    it(`${type} ${name}`, () => assert.equal(message(from, type), expected));
  }

  it('Accepted names a default that refuses what the policy admits, and a wrong flag', () => {
    const text = (mode: 'Enforce' | 'Audit') =>
      message(
        input(
          { mode },
          {
            labels: labels({ refusingDefault: 'baseline:v1.30' }),
            wrongFlag: { flag: 'restricted:v1.30', enforced: 'baseline:v1.30' },
          },
        ),
        'Accepted',
      ) ?? '';
    const said =
      'warning: the default of Pod Security, baseline:v1.30, refuses pods that the policy admits, in 1 namespace without the label pod-security.kubernetes.io/enforce: net. To admit them, run kubectl label namespace net pod-security.kubernetes.io/enforce=privileged';
    assert.deepEqual([text('Enforce').includes(said), text('Audit').includes(said)], [true, false]);
    assert.match(
      text('Audit'),
      /; warning: --psa-defaults says enforce=restricted:v1\.30, but API servers enforce baseline:v1\.30 by default; correct the flag/,
    );
  });

  it("leaves another mode's label conflicts out", () => {
    const conflicts = [{ ...CONFLICT, label: 'pod-security.kubernetes.io/enforce' }];
    assert.equal(message(input({}, { labels: labels({ conflicts }) }), 'LabelConflict'), undefined);
  });

  describe('remember', () => {
    const first = buildStatus(input({}, { now: EARLIER }));

    it('when their status changed, in whole seconds', () => {
      const next = buildStatus(withStatus(first, input({}, { verdicts: verdicts([violating('web')]) })));
      assert.equal(condition(next, 'Ready')?.lastTransitionTime, EARLIER);
      assert.equal(condition(next, 'Compliant')?.lastTransitionTime, NOW.replace('.678', ''));
    });

    it('while a namespace is not evaluated yet, the status keeps the last evaluation and its generation', () => {
      const violated = buildStatus(input({}, { now: EARLIER, verdicts: verdicts([violating('web')]) }));
      const waiting = withStatus(violated, input({}, { verdicts: new Map() }));
      const next = buildStatus({
        ...waiting,
        policy: { ...waiting.policy, metadata: { name: 'ping', generation: 2 } },
      });
      assert.deepEqual(condition(next, 'Compliant'), condition(violated, 'Compliant'));
      assert.deepEqual(next.violations, violated.violations);
      assert.equal(next.violationsTotal, 1);
      assert.equal(next.observedGeneration, 2);
    });

    it('until the restarted operator has checked the policy, the policy counts as in force', () => {
      assert.deepEqual(buildStatus(withStatus(first, input({}, { program: undefined }))), first);
    });

    it('if an older generation of the policy was in force, the new generation does not count as in force', () => {
      const next = withStatus(first, input({}, { program: undefined }));
      const edited = { ...next, policy: { ...next.policy, metadata: { name: 'ping', generation: 2 } } };
      assert.equal(condition(buildStatus(edited), 'Programmed')?.reason, 'Pending');
    });

    it('results from the time before the policy was accepted do not count', () => {
      const next = withStatus(buildStatus(tooNew), input({}, { program: undefined, verdicts: new Map() }));
      assert.equal(condition(buildStatus(next), 'Programmed')?.reason, 'Pending');
      assert.equal(
        condition(buildStatus(next), 'Compliant')?.message,
        'not evaluated: not every namespace has been evaluated yet',
      );
    });
  });
});
