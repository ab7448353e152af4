import assert from 'node:assert/strict';
import { POD_VARIABLES } from '../../operator/compile/pod-cel.ts';
import { useRoleName } from '../../operator/compile/rbac.ts';
import { createUseIndex } from '../../operator/evaluate/use.ts';
import {
  type Candidate,
  COST_RULE,
  evaluate,
  podCandidate,
  templateCandidate,
  USE_RULE,
  type Verdict,
} from '../../operator/evaluate/verdict.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodView, RoleBindingView } from '../../operator/model/objects.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { adding, container } from '../support/pods.ts';
import { resolvedBaseline } from '../support/policies.ts';
import { binding, ownedBy, podView, useRole, workloadView } from '../support/views.ts';

const evaluator = new Evaluator();
const baseline = resolvedBaseline('baseline');
const raw = resolvedBaseline('raw', { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } });
const bound = resolvedBaseline('raw', {
  usableBy: 'Bindings',
  overrides: { capabilities: { allowedAdd: ['NET_RAW'] } },
});
const controller = { kind: 'ServiceAccount', namespace: 'kube-system' } as const;

function evaluated(
  candidate: Candidate,
  policies: readonly ResolvedPolicy[],
  bindings: readonly RoleBindingView[] = [],
) {
  return evaluate(candidate, policies, { evaluator, use: createUseIndex([useRole('raw')], bindings) });
}

describe('the verdict on a pod', () => {
  it('the verdict is Compliant, and names the first deciding policy that admits the pod', () => {
    const candidate = podCandidate(podView('web', adding(['NET_RAW'])));
    assert.deepEqual(evaluated(candidate, [baseline, raw]), {
      verdict: 'Compliant',
      admittedBy: 'raw',
      violations: {},
    });
  });

  it('the verdict is Violating, with the violations of every deciding policy', () => {
    const { verdict, violations } = evaluated(podCandidate(podView('web', adding(['SYS_ADMIN']))), [baseline, raw]);
    assert.equal(verdict, 'Violating');
    assert.deepEqual(
      Object.entries(violations).map(([name, list]) => [name, list.map(({ rule, container }) => [rule, container])]),
      [
        ['baseline', [['capabilities', 'app']]],
        ['raw', [['capabilities', 'app']]],
      ],
    );
  });

  it('one policy must admit all containers, so a pod is refused if two policies each admit only a half', () => {
    const halves = {
      annotations: {},
      spec: { containers: [container('ping', ['NET_RAW']), container('own', ['CHOWN'])] },
    };
    assert.equal(evaluated(podCandidate(podView('web', halves)), [baseline, raw]).verdict, 'Violating');
  });

  it('the verdict on a compliant template does not depend on defaulting', () => {
    const capabilities = { defaultAdd: ['CHOWN'], allowedBounding: [] };
    const filling = resolvedBaseline('filling', {
      defaulting: 'Enabled',
      mode: 'Enforce',
      overrides: { capabilities },
    });
    const nothing = { name: 'app', securityContext: { capabilities: { drop: ['ALL'] } } };
    const { verdict } = evaluated(
      templateCandidate(workloadView('Deployment', 'web', { template: adding([], { containers: [nothing] }) })),
      [filling],
    );
    assert.equal(verdict, 'Compliant');
  });

  describe('more deciding policies with restricted use than an API server asks about', () => {
    const several = (count: number) =>
      Array.from({ length: count }, (_, i) => resolvedBaseline(`p${i}`, { usableBy: 'Bindings' as const }));
    const candidate = podCandidate(podView('web', adding([])));
    const verdict = (policies: readonly ResolvedPolicy[], ...usable: string[]) => {
      const bindings = usable.map((name) =>
        binding(useRoleName(name), { kind: 'Group', name: 'system:serviceaccounts' }),
      );
      return evaluate(candidate, policies, {
        evaluator,
        use: createUseIndex(
          usable.map((name) => useRole(name)),
          bindings,
        ),
      });
    };

    it('the verdict is Compliant if the API server asks about a policy that the pod may use', () => {
      assert.equal(verdict(several(10), 'p9').verdict, 'Compliant');
      assert.equal(verdict(several(11), 'p0', 'p1').verdict, 'Compliant');
      assert.equal(verdict([...several(11), baseline], 'p10').verdict, 'Compliant');
    });

    it('the verdict is Unknown if the API server might skip the usable policy, and the message says why', () => {
      const { verdict: is, violations } = verdict(several(11), 'p10');
      assert.equal(is, 'Unknown');
      assert.match(
        violations.p10?.[0]?.message ?? '',
        /may use policy p10, but .* more than 10 policies with restricted use/,
      );
      assert.match(violations.p0?.[0]?.message ?? '', /use policy p0/);
    });

    it('the verdict is not Compliant if the pod may use no policy', () => {
      assert.notEqual(verdict(several(11)).verdict, 'Compliant');
    });
  });

  describe('when an evaluation costs too much', () => {
    const none = { evaluator: new Evaluator({ costLimit: 0 }), use: createUseIndex([], []) };
    const candidate = templateCandidate(workloadView('Deployment', 'web', { template: adding(['SYS_ADMIN']) }));

    it('is Unknown, and says why', () => {
      const { verdict, violations } = evaluate(candidate, [baseline, raw], none);
      assert.equal(verdict, 'Unknown');
      for (const name of ['baseline', 'raw']) {
        assert.deepEqual(
          violations[name]?.map(({ rule }) => rule),
          [COST_RULE],
        );
        assert.match(violations[name]?.[0]?.message ?? '', /^pod is too expensive to evaluate/);
      }
    });

    it('the verdict is Compliant if a policy admits the pod at a lower cost', () => {
      const open = resolvedBaseline('open', { level: 'privileged' });
      const little = { ...none, evaluator: new Evaluator({ costLimit: 1 }) };
      assert.equal(evaluate(candidate, [baseline, open], little).admittedBy, 'open');
    });

    it('the verdict is Unknown even if other policies refuse the pod, because the expensive policy might admit the pod', () => {
      const dear = resolvedBaseline('dear', {
        level: 'restricted',
        overrides: { capabilities: { allowedBounding: [] } },
      });
      const limit = { ...none, evaluator: new Evaluator({ costLimit: 15_000 }) };
      assert.equal(evaluate(candidate, [baseline], limit).verdict, 'Violating');
      assert.equal(evaluate(candidate, [baseline, dear], limit).verdict, 'Unknown');
    });
  });

  it('the violation names the role that would grant the right to use the policy', () => {
    const candidate = podCandidate(podView('web', { ...adding(['NET_RAW']), ...ownedBy('ReplicaSet', 'web') }));
    assert.deepEqual(evaluated(candidate, [bound]).violations, {
      raw: [
        {
          rule: USE_RULE,
          message:
            'pod complies, but neither system:serviceaccount:net:default nor system:serviceaccount:kube-system:replicaset-controller may use policy raw: a RoleBinding to ClusterRole capabilitypolicy.dev:use:raw in namespace net grants it',
          path: 'serviceAccountName',
        },
      ],
    });
  });

  describe('a pod that only a policy with restricted use admits', () => {
    const serviceAccount = binding(useRoleName('raw'), { kind: 'ServiceAccount', name: 'default', namespace: 'net' });
    const replicaSets = binding(useRoleName('raw'), { ...controller, name: 'replicaset-controller' });
    const jobs = binding(useRoleName('raw'), { ...controller, name: 'job-controller' }, 'net');
    const elsewhere = binding(useRoleName('raw'), { ...controller, name: 'job-controller' }, 'web');
    const debugged = adding(['NET_RAW'], { ephemeralContainers: [container('debug')] });
    const cases: [string, Partial<PodView>, RoleBindingView[], Verdict][] = [
      ['a bare pod may by its service account', {}, [serviceAccount], 'Compliant'],
      ['a bare pod may by its unknown creator', {}, [replicaSets], 'Unknown'],
      ["a ReplicaSet's pod may by its controller", ownedBy('ReplicaSet', 'web'), [replicaSets], 'Compliant'],
      ["a ReplicaSet's pod may not by another controller", ownedBy('ReplicaSet', 'web'), [jobs], 'Violating'],
      ["a Job's pod may by its controller", ownedBy('Job', 'web'), [jobs], 'Compliant'],
      ["a Job's pod may not by a binding elsewhere", ownedBy('Job', 'web'), [elsewhere], 'Violating'],
      ["a custom controller's pod may by its unknown creator", ownedBy('Task', 'web', 'tekton.dev/v1'), [], 'Unknown'],
      [
        'a Job of another API group is a custom controller',
        ownedBy('Job', 'web', 'batch.volcano.sh/v1'),
        [jobs],
        'Unknown',
      ],
      [
        'the controller did not add the ephemeral container',
        { ...debugged, ...ownedBy('ReplicaSet', 'web') },
        [],
        'Unknown',
      ],
      [
        'but the API server may have asked for the others',
        { ...debugged, ...ownedBy('ReplicaSet', 'web') },
        [replicaSets],
        'Compliant',
      ],
    ];
    for (const [name, fields, bindings, expected] of cases) {
      it(name, () => {
        const candidate = podCandidate(podView('web', { ...adding(['NET_RAW']), ...fields }));
        assert.equal(evaluated(candidate, [baseline, bound], bindings).verdict, expected);
      });
    }
  });

  it('the verdict is never Unknown for a pod that complies with no policy', () => {
    assert.equal(
      evaluated(podCandidate(podView('web', adding(['SYS_ADMIN']))), [baseline, bound]).verdict,
      'Violating',
    );
  });
});

describe('the verdict on a template', () => {
  const kinds = [
    ['Deployment', 'replicaset-controller'],
    ['ReplicaSet', 'replicaset-controller'],
    ['ReplicationController', 'replication-controller'],
    ['StatefulSet', 'statefulset-controller'],
    ['DaemonSet', 'daemon-set-controller'],
    ['Job', 'job-controller'],
    ['CronJob', 'job-controller'],
  ] as const;
  for (const [kind, name] of kinds) {
    it(`counts ${name} for a ${kind}, as the admission policy does`, () => {
      const candidate = templateCandidate(workloadView(kind, 'web', { template: adding(['NET_RAW']) }));
      const bindings = [binding(useRoleName('raw'), { ...controller, name })];
      assert.equal(evaluated(candidate, [bound]).verdict, 'Violating');
      assert.equal(evaluated(candidate, [bound], bindings).verdict, 'Compliant');
      const cel = POD_VARIABLES.find((variable) => variable.name === 'controller')?.expression;
      assert.ok(cel?.includes(`"${kind.toLowerCase()}s": "${name}"`), cel);
    });
  }

  it('only the rights of the service account count for a PodTemplate', () => {
    const template = adding(['NET_RAW'], { serviceAccountName: 'pinger' });
    const candidate = templateCandidate(workloadView('PodTemplate', 'web', { template }));
    const pinger = binding(useRoleName('raw'), { kind: 'ServiceAccount', name: 'pinger', namespace: 'net' });
    assert.equal(evaluated(candidate, [bound]).verdict, 'Violating');
    assert.equal(evaluated(candidate, [bound], [pinger]).verdict, 'Compliant');
  });
});
