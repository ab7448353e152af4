/**
 * Tests lists of workloads. Each list is about a capability or a rule. The workloads of the list hold the capability,
 * or use the feature that the rule restricts. The lists have the verdict of each policy.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { holdings } from '../../analysis/capabilities/held.ts';
import { UsedCapabilities } from '../../analysis/evidence/used-capabilities.ts';
import { type ExplainedCluster, explainedTopics, type FoundUse } from '../../analysis/explain/explained.ts';
import { topicOf } from '../../analysis/explain/topic.ts';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import { examplePod } from '../../operator/evaluate/example-pods.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { EXCLUDED_NAMESPACES } from '../../operator/model/namespaces.ts';
import type { PodContent, PodView, WorkloadView } from '../../operator/model/objects.ts';
import { RULES } from '../../operator/rules/index.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { PolicyState } from '../../operator/state/policy-state.ts';
import { adding, app, OWN_USERS, pod, secured, WINDOWS } from '../support/pods.ts';
import { baselinePolicy, policy, resolved } from '../support/policies.ts';
import { arbitraryOverrides, arbitraryPod } from '../support/random-policies.ts';
import { clusterOf, ownedBy, podView, wholeCluster, workloadView } from '../support/views.ts';

const NOW = Date.parse('2026-11-01T00:00:00Z');
const EXPIRES = '2027-01-31T00:00:00Z';

interface Given {
  readonly workloads?: readonly WorkloadView[];
  readonly pods?: readonly PodView[];
  readonly policies?: readonly CompletePolicy[];
  readonly namespaces?: readonly string[];
}

function explained(
  name: string,
  { workloads = [], pods = [], policies = [], namespaces = ['net'] }: Given,
  options: Partial<ExplainedCluster> = {},
) {
  const topic = topicOf(name);
  assert.ok(topic, name);
  const views = namespaces.map((one) => ({ name: one, uid: one, terminating: false, labels: {}, labelOwners: {} }));
  const cluster = wholeCluster(clusterOf(workloads, pods), policies, views);
  const state = new PolicyState(cluster, {
    operatorNamespace: 'operator',
    excludedNamespaces: EXCLUDED_NAMESPACES,
    now: () => NOW,
  });
  state.accept();
  const evaluation = { evaluator: new Evaluator(), use: state.use };
  const all = explainedTopics([topic], { cluster, state, evaluation, installed: true, missing: [], ...options });
  const [first] = all.topics;
  assert.ok(first);
  return { ...first, workloads: all.workloads, refused: all.refused };
}

function foundIn(name: string, template: PodContent, policies: readonly CompletePolicy[] = []): readonly FoundUse[] {
  return explained(name, { workloads: [workloadView('Deployment', 'web', { template })], policies }).found;
}

const STRICT_POD = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };

/** A pod that complies with the level restricted, apart from `capabilities`. */
function strict(capabilities: object, fields: object = {}): PodContent {
  return app(secured({ allowPrivilegeEscalation: false, capabilities }), { securityContext: STRICT_POD, ...fields });
}

describe('explain NAME --cluster: refused pods', () => {
  it('lists the workloads whose pods are refused', () => {
    const refused = { by: 'Program', message: 'CapabilityPolicy it: container "istio-init" must not', at: 1 } as const;
    const workloads = [workloadView('Job', 'import', { refused }), workloadView('Job', 'other')];
    assert.deepEqual(explained('NET_RAW', { workloads }).refused, [
      { kind: 'Job', namespace: 'net', name: 'import', message: refused.message },
    ]);
  });
});

describe('explain NAME --cluster: how a container holds a capability', () => {
  const ROWS: readonly [title: string, PodContent, expected: object | undefined][] = [
    ['added', adding(['NET_RAW']), { how: 'Added', runtimes: ['containerd', 'CRI-O', 'Docker'], beyond: 'baseline' }],
    ['by default', pod(), { how: 'ByDefault', runtimes: ['containerd', 'Docker'], beyond: 'restricted' }],
    ['privileged', app(secured({ privileged: true })), { how: 'Privileged', beyond: 'baseline' }],
    ['ALL added', adding(['ALL']), { how: 'Added', beyond: 'baseline' }],
    // The runtime containerd ignores a name with the prefix CAP_. containerd gives NET_RAW by default.
    ['added with CAP_', adding(['CAP_NET_RAW']), { how: 'Added', runtimes: ['containerd', 'CRI-O', 'Docker'] }],
    ['in a user namespace', adding(['NET_RAW'], OWN_USERS), { how: 'Added', inUserNamespace: true }],
    ['ALL dropped', strict({ drop: ['ALL'] }), undefined],
    ['NET_RAW dropped', app(secured({ capabilities: { drop: ['NET_RAW'] } })), undefined],
    ['a pod for Windows nodes', app(secured({ capabilities: { add: ['NET_RAW'] } }), WINDOWS), undefined],
  ];
  for (const [title, template, expected] of ROWS) {
    it(`${title}: ${expected ? JSON.stringify(expected) : 'it does not'}`, () => {
      const [one, ...others] = foundIn('NET_RAW', template);
      assert.deepEqual(others, []);
      if (expected) assert.partialDeepStrictEqual(one, expected);
      else assert.equal(one, undefined);
    });
  }

  it('no level is too tight for adding NET_BIND_SERVICE, because the level restricted admits this capability', () => {
    const [one] = foundIn('NET_BIND_SERVICE', strict({ drop: ['ALL'], add: ['NET_BIND_SERVICE'] }));
    assert.deepEqual([one?.how, one?.beyond, one?.messages], ['Added', null, []]);
    const [byDefault] = foundIn('NET_BIND_SERVICE', pod());
    assert.equal(byDefault?.beyond, 'restricted');
  });

  it('in random pods, explain finds exactly the containers whose bounding set has the capability on some runtime', () => {
    const rows = fc.tuple(arbitraryPod, fc.constantFrom(...CAPABILITIES));
    fc.assert(
      fc.property(rows, ([template, capability]) => {
        const holds = holdings(template.spec).filter(({ runtimes }) =>
          runtimes.some((one) => one.holdings.some(({ bounding }) => bounding.includes(capability))),
        );
        assert.deepEqual(
          foundIn(capability, template).map(({ container }) => container),
          holds.map(({ name }) => name),
        );
      }),
      { numRuns: 80 },
    );
  });
});

describe('explain NAME --cluster: what policies say', () => {
  const net = (spec: Parameters<typeof policy>[1] = {}) => policy('net', spec);
  const netRaw = { overrides: { capabilities: { allowedAdd: ['NET_RAW' as const] } } };
  const added = strict({ drop: ['ALL'], add: ['NET_RAW'] });

  interface Row {
    readonly topic?: string;
    readonly template: PodContent;
    readonly policies: readonly CompletePolicy[];
    readonly admission: FoundUse['admission'];
    readonly answers: readonly object[];
  }
  const ROWS: Readonly<Record<string, Row>> = {
    'no policy': { template: added, policies: [], admission: 'NoPolicy', answers: [] },
    'a policy that admits it, until when and why': {
      template: added,
      policies: [net({ ...netRaw, expires: EXPIRES, reason: 'TICKET-1' })],
      admission: 'Admitted',
      answers: [{ policy: 'net', mode: 'Enforce', answer: 'Admits', expires: EXPIRES, reason: 'TICKET-1' }],
    },
    'an expired policy counts as deleted': {
      template: added,
      policies: [net({ ...netRaw, expires: '2026-10-31T00:00:00Z' }), policy('all', { priority: -1 })],
      admission: 'Refused',
      answers: [{ policy: 'all', answer: 'Refuses' }],
    },
    'a policy that refuses it': {
      template: added,
      policies: [net()],
      admission: 'Refused',
      answers: [
        {
          answer: 'Refuses',
          messages: ['container "app" must not add capability NET_RAW (allowed: NET_BIND_SERVICE)'],
        },
      ],
    },
    'a policy that refuses it by runtime default': {
      template: strict({}),
      policies: [net()],
      admission: 'Refused',
      answers: [{ answer: 'Refuses' }],
    },
    'allowedBounding refuses it by runtime default': {
      template: pod(),
      policies: [
        baselinePolicy('net', { mode: 'Enforce', overrides: { capabilities: { allowedBounding: ['CHOWN'] } } }),
      ],
      admission: 'Refused',
      answers: [{ answer: 'Refuses' }],
    },
    'a policy that refuses only another capability of the container': {
      template: strict({ drop: ['ALL'], add: ['NET_RAW', 'SYS_TIME'] }),
      policies: [net(netRaw)],
      admission: 'Refused',
      answers: [{ answer: 'RefusesOtherwise', rules: ['capabilities'] }],
    },
    'a policy that admits adding it, where the container does not drop ALL': {
      template: strict({ add: ['NET_RAW'] }),
      policies: [net(netRaw)],
      admission: 'Refused',
      answers: [{ answer: 'RefusesOtherwise', rules: ['capabilities'] }],
    },
    'a policy that refuses the pod by another rule': {
      template: { ...added, spec: { ...added.spec, hostNetwork: true } },
      policies: [net(netRaw)],
      admission: 'Refused',
      answers: [{ answer: 'RefusesOtherwise', rules: ['hostNetwork'] }],
    },
    'a privileged container': {
      template: app(secured({ privileged: true })),
      policies: [baselinePolicy('net', { mode: 'Enforce' })],
      admission: 'Refused',
      answers: [{ answer: 'Refuses', messages: ['container "app" must not set securityContext.privileged=true'] }],
    },
    'two policies of the same priority, of which one admits it': {
      template: added,
      policies: [net(netRaw), policy('all')],
      admission: 'Admitted',
      answers: [
        { policy: 'all', answer: 'Refuses' },
        { policy: 'net', answer: 'Admits' },
      ],
    },
    'a policy of a lower priority does not decide': {
      template: added,
      policies: [net(netRaw), policy('all', { priority: 1 })],
      admission: 'Refused',
      answers: [{ policy: 'all' }],
    },
    'a policy that the workload may not use': {
      template: added,
      policies: [net({ ...netRaw, usableBy: 'Bindings' })],
      admission: 'Refused',
      answers: [{ answer: 'RefusesOtherwise', rules: ['use'] }],
    },
    'a policy in mode Audit decides nothing': {
      template: added,
      policies: [net({ mode: 'Audit' })],
      admission: 'NoPolicy',
      answers: [{ mode: 'Audit', answer: 'Refuses' }],
    },
    'hostPath, which rule volumes refuses first': {
      topic: 'hostPath',
      template: pod({ volumes: [{ name: 'log', hostPath: { path: '/var/log' } }] }),
      policies: [baselinePolicy('net', { mode: 'Enforce' })],
      admission: 'Refused',
      answers: [{ answer: 'Refuses' }],
    },
    'hostPath that must be mounted read-only': {
      topic: 'hostPath',
      template: app(
        { volumeMounts: [{ name: 'log', mountPath: '/log' }] },
        { volumes: [{ name: 'log', hostPath: { path: '/var/log' } }] },
      ),
      policies: [
        baselinePolicy('net', {
          mode: 'Enforce',
          overrides: { volumes: ['*'], hostPaths: [{ pathPrefix: '/var/log', readOnly: true }] },
        }),
      ],
      admission: 'Refused',
      answers: [{ answer: 'Refuses' }],
    },
    'a hostPath volume beside a volume of a forbidden type': {
      topic: 'hostPath',
      template: strict(
        { drop: ['ALL'] },
        {
          volumes: [
            { name: 'log', hostPath: { path: '/var/log' } },
            { name: 'nfs', nfs: {} },
          ],
        },
      ),
      policies: [net({ overrides: { volumes: ['hostPath'] } })],
      admission: 'Refused',
      answers: [{ answer: 'RefusesOtherwise', rules: ['volumes'] }],
    },
    'hostNetwork that a policy admits': {
      topic: 'hostNetwork',
      template: pod({ hostNetwork: true }),
      policies: [baselinePolicy('net', { mode: 'Enforce', overrides: { hostNetwork: true } })],
      admission: 'Admitted',
      answers: [{ answer: 'Admits' }],
    },
  };
  for (const [title, { topic = 'NET_RAW', template, policies, admission, answers }] of Object.entries(ROWS)) {
    it(title, () => {
      const [one, ...others] = foundIn(topic, template, policies);
      assert.deepEqual(others, []);
      assert.equal(one?.admission, admission);
      assert.equal(one?.policies.length, answers.length);
      for (const [index, answer] of answers.entries()) assert.partialDeepStrictEqual(one?.policies[index], answer);
    });
  }

  it('an answer agrees with the violations of the pod, for random pods and policies', () => {
    const evaluator = new Evaluator();
    const topics = fc.constantFrom(...CAPABILITIES, ...RULES.map(({ id }) => id));
    fc.assert(
      fc.property(arbitraryPod, arbitraryOverrides, topics, (template, overrides, topic) => {
        const one = policy('random', { level: 'baseline', overrides });
        const workloads = [workloadView('Deployment', 'web', { template })];
        const state = { policies: [one], workloads };
        for (const { admission, policies } of explained(topic, state).found) {
          const [answer, ...others] = policies;
          assert.deepEqual(others, []);
          const broken = evaluator.violations(template, resolved('random', { level: 'baseline', overrides }));
          assert.equal(admission, broken.length === 0 ? 'Admitted' : 'Refused');
          assert.equal(answer?.answer === 'Admits', broken.length === 0);
          const messages = broken.map(({ message }) => message);
          for (const said of answer?.messages ?? []) assert.ok(messages.includes(said), said);
          if (answer?.answer === 'RefusesOtherwise') {
            assert.deepEqual(answer.rules, [...new Set(broken.map(({ rule }) => rule))]);
          }
        }
      }),
      { numRuns: 80 },
    );
  });

  it('no policy decides in an excluded namespace, or in a cluster without the CRD', () => {
    const state = {
      workloads: [workloadView('Deployment', 'web', { namespace: 'kube-system', template: added })],
      policies: [net()],
      namespaces: ['kube-system'],
    };
    const workloads = [workloadView('Deployment', 'web', { template: added })];
    for (const { found } of [
      explained('NET_RAW', state),
      explained('NET_RAW', { workloads, policies: [net()] }, { installed: false }),
    ]) {
      assert.deepEqual(
        found.map(({ admission, policies }) => [admission, policies]),
        [['NoPolicy', []]],
      );
    }
  });

  it('the admission is Unknown if it is unknown whether the creator of the pod may use the policy', () => {
    const pods = [podView('bare', added)];
    const [one] = explained('NET_RAW', { pods, policies: [net({ ...netRaw, usableBy: 'Bindings' })] }).found;
    assert.deepEqual([one?.admission, one?.policies[0]?.answer], ['Unknown', 'Unknown']);
  });
});

describe('explain NAME --cluster: what a rule is about', () => {
  /**
   * Pods that the levels refuse. If the levels admit the example pods of a rule, the tests use these pods for the rule.
   */
  const REFUSED: Readonly<Record<string, PodContent>> = {
    volumes: pod({ volumes: [{ name: 'one', hostPath: { path: '/' } }] }),
    procMount: app(secured({ procMount: 'Unmasked' })),
  };
  for (const rule of RULES) {
    it(`finds a pod that breaks ${rule.id}`, () => {
      const refused = rule.examples.flatMap(({ refuses }) => refuses.map(examplePod));
      const found = [...refused, ...(REFUSED[rule.id] ? [REFUSED[rule.id] as PodContent] : [])].flatMap((template) =>
        foundIn(rule.id, template),
      );
      assert.ok(found.length > 0);
      for (const { messages } of found) assert.ok(messages.length > 0);
    });
  }

  it('the answer names the loosest level that refuses the workload, or the compared override if no level refuses the workload', () => {
    const hostNetwork = explained('hostNetwork', {
      workloads: [workloadView('Deployment', 'web', { template: pod({ hostNetwork: true }) })],
    });
    assert.equal(hostNetwork.comparedWith, undefined);
    assert.partialDeepStrictEqual(hostNetwork.found, [
      { beyond: 'baseline', messages: ['pod must not set hostNetwork=true'], container: null },
    ]);
    const root = explained('runAsNonRoot', { workloads: [workloadView('Deployment', 'web')] });
    assert.deepEqual(
      root.found.map(({ beyond }) => beyond),
      ['restricted'],
    );
    const writable = explained('readOnlyRootFilesystem', { workloads: [workloadView('Deployment', 'web')] });
    assert.equal(writable.comparedWith, 'readOnlyRootFilesystem: true');
    assert.deepEqual(
      writable.found.map(({ beyond }) => beyond),
      [null],
    );
    const mounted = explained('hostPath', {
      workloads: [
        workloadView('Deployment', 'web', { template: pod({ volumes: [{ name: 'a', hostPath: { path: '/a' } }] }) }),
      ],
    });
    assert.deepEqual([mounted.comparedWith, mounted.found[0]?.beyond], ['hostPaths: []', 'baseline']);
  });
});

describe('explain NAME --cluster: workloads and pods', () => {
  it('explain counts the pods that equal their template, and lists other pods separately', () => {
    const template = adding(['NET_RAW']);
    const owner = ownedBy('StatefulSet', 'db');
    const { found, workloads } = explained('NET_RAW', {
      workloads: [workloadView('StatefulSet', 'db', { template })],
      pods: [
        podView('db-0', { ...template, ...owner }),
        podView('db-1', { ...template, ...owner }),
        podView('db-2', { ...pod(), ...owner }),
        podView('done', { ...template, finished: true }),
        podView('static', { ...template, mirror: true }),
      ],
    });
    assert.equal(workloads, 1);
    assert.deepEqual(
      found.map(({ kind, name, how, pods }) => [kind, name, how, pods]),
      [
        ['StatefulSet', 'db', 'Added', 2],
        ['StatefulSet', 'db', 'ByDefault', 1],
      ],
    );
  });

  it('explain reads one namespace, or all namespaces in the order of their names', () => {
    const state = {
      namespaces: ['net', 'web'],
      workloads: ['web', 'net'].map((namespace) => workloadView('Deployment', 'x', { namespace })),
    };
    const namespaces = (only?: string) => explained('NET_RAW', state, { only }).found.map(({ namespace }) => namespace);
    assert.deepEqual(namespaces(), ['net', 'web']);
    assert.deepEqual(namespaces('web'), ['web']);
  });
});

describe('explain NAME --cluster --used', () => {
  const OBSERVED = { namespace: 'net', workload: { kind: 'Deployment', name: 'web' }, pod: 'web-1' };
  const evidence = new UsedCapabilities({
    uses: [
      { ...OBSERVED, container: 'ping', capability: 'NET_RAW', outcome: 'granted', count: 3, last: EXPIRES },
      { ...OBSERVED, container: 'idle', capability: 'NET_RAW', outcome: 'granted', count: 5, noise: 'NonAudit' },
    ],
    watches: ['ping', 'idle'].map((container) => ({
      ...OBSERVED,
      container,
      from: '2026-11-01T10:00:00.000Z',
      to: '2026-11-01T11:00:00.000Z',
      started: true,
    })),
  });
  const template = pod({ containers: ['ping', 'idle', 'other'].map((name) => ({ name })) });
  const state = { workloads: [workloadView('Deployment', 'web', { template })] };

  it('explain --used says whether the container used the capability, and does not count noise as a use', () => {
    const { found } = explained('NET_RAW', state, { evidence });
    assert.deepEqual(
      found.map(({ container, evidence: one }) => [
        container,
        one && [one.used, one.checks, one.last, one.coverage.seconds],
      ]),
      [
        ['ping', [true, 3, EXPIRES, 3600]],
        ['idle', [false, 0, undefined, 3600]],
        ['other', null],
      ],
    );
  });

  it('explain --used says nothing if there is no evidence, and nothing about rules', () => {
    for (const [name, options] of [
      ['NET_RAW', {}],
      ['readOnlyRootFilesystem', { evidence }],
    ] as const) {
      const { found } = explained(name, state, options);
      assert.equal(found.length, 3);
      assert.ok(found.every((one) => !('evidence' in one)));
    }
  });
});
