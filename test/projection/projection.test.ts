import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SPEC_DEFAULTS } from '../../operator/api/spec-defaults.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import { isHistory } from '../../operator/model/revisions.ts';
import { createProjection } from '../../operator/projection/projection.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Rule } from '../../operator/rules/rule.ts';
import { heapOf } from '../support/garbage.ts';
import { resolved } from '../support/policies.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';

const reading = (reads: Rule['reads']) => ({ reads }) as Rule;
const projection = createProjection([
  reading({ spec: ['hostNetwork', 'securityContext'], container: ['securityContext'] }),
  reading({
    spec: ['volumes', 'hostNetwork'],
    container: ['ports'],
    annotations: ['seccomp.security.alpha.kubernetes.io/'],
  }),
]);

const metadata = { namespace: 'net', name: 'a', uid: 'u1', resourceVersion: '7' };
const owned = (kind: string, controller = true, apiVersion = 'apps/v1') => ({
  ...metadata,
  ownerReferences: [
    { apiVersion: 'v1', kind: 'ConfigMap', name: 'other', uid: 'u0' },
    { apiVersion, kind, name: 'web', uid: 'u2', controller },
  ],
});

describe('projection of a pod', () => {
  const pod = (spec: object, rest: object = {}) => projection.pod({ metadata, spec, ...rest });

  const specs: [title: string, spec: object, expected: object][] = [
    [
      'keeps the fields that rules or spec.containers read, and drops all others',
      {
        hostNetwork: true,
        hostPID: true,
        nodeName: 'n1',
        containers: [{ name: 'app', image: 'x', env: [{ name: 'KEY', value: 's3cret' }], ports: [{ hostPort: 80 }] }],
      },
      { hostNetwork: true, containers: [{ name: 'app', image: 'x', ports: [{ hostPort: 80 }] }] },
    ],
    [
      'keeps containers of every kind',
      {
        containers: [{ name: 'app' }],
        initContainers: [{ name: 'init', securityContext: { privileged: true }, image: 'x' }],
        ephemeralContainers: [{ name: 'debug', targetContainerName: 'app' }],
      },
      {
        containers: [{ name: 'app' }],
        initContainers: [{ name: 'init', image: 'x', securityContext: { privileged: true } }],
        ephemeralContainers: [{ name: 'debug' }],
      },
    ],
    [
      'drops null everywhere',
      {
        hostNetwork: null,
        securityContext: { runAsUser: null, sysctls: [{ name: 'a', value: null }, null] },
        containers: [{ name: 'app', securityContext: null }],
        initContainers: null,
        volumes: [{ name: 'v', emptyDir: null, configMap: {} }],
      },
      {
        securityContext: { sysctls: [{ name: 'a' }] },
        containers: [{ name: 'app' }],
        volumes: [{ name: 'v', configMap: {} }],
      },
    ],
    [
      'makes an emptyDir of a volume without a source, as the API server does',
      { volumes: [{ name: 'v' }, { name: 'w', hostPath: null }], containers: [] },
      {
        volumes: [
          { name: 'v', emptyDir: {} },
          { name: 'w', emptyDir: {} },
        ],
        containers: [],
      },
    ],
    [
      'drops empty lists of containers and volumes, and keeps empty objects and false',
      { hostNetwork: false, containers: [], initContainers: [], volumes: [], securityContext: {} },
      { hostNetwork: false, containers: [], securityContext: {} },
    ],
    [
      'keeps the service account',
      { serviceAccountName: 'sa', containers: [] },
      { serviceAccountName: 'sa', containers: [] },
    ],
    ['survives a spec that is missing its containers', {}, { containers: [] }],
  ];
  for (const [title, spec, expected] of specs) {
    it(title, () => assert.deepEqual(pod(spec).spec, expected));
  }

  it('names the pod, the service account of the pod, and the controlling owner', () => {
    const { spec: _, ...view } = projection.pod({ metadata: owned('ReplicaSet'), spec: { containers: [] } });
    assert.deepEqual(view, {
      namespace: 'net',
      name: 'a',
      uid: 'u1',
      owner: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u2' },
      serviceAccount: 'default',
      mirror: false,
      finished: false,
      annotations: {},
    });
  });

  it('ignores an owner that does not control the pod', () => {
    assert.equal('owner' in projection.pod({ metadata: owned('ReplicaSet', false), spec: {} }), false);
  });

  const accounts: [spec: object, account: string][] = [
    [{}, 'default'],
    [{ serviceAccountName: '' }, 'default'],
    [{ serviceAccountName: 'new', serviceAccount: 'old' }, 'new'],
    [{ serviceAccount: 'old' }, 'old'],
  ];
  for (const [spec, account] of accounts) {
    it(`${JSON.stringify(spec)} runs as ${account}`, () => assert.equal(pod(spec).serviceAccount, account));
  }

  it('keeps annotations by prefix', () => {
    const annotations = {
      'seccomp.security.alpha.kubernetes.io/pod': 'unconfined',
      other: 'x',
    };
    const view = projection.pod({ metadata: { ...metadata, annotations }, spec: {} });
    assert.deepEqual(view.annotations, { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' });
  });

  const mirrors: [what: string, annotated: boolean, owner: object | undefined, mirror: boolean][] = [
    ['is annotated, and its node owns it', true, { apiVersion: 'v1', kind: 'Node' }, true],
    ['is annotated only', true, undefined, false],
    ['is annotated, and a ReplicaSet owns it', true, { apiVersion: 'apps/v1', kind: 'ReplicaSet' }, false],
    ['is annotated, and another’s Node owns it', true, { apiVersion: 'example.org/v1', kind: 'Node' }, false],
    ['is owned by a node only', false, { apiVersion: 'v1', kind: 'Node' }, false],
  ];
  for (const [what, annotated, owner, mirror] of mirrors) {
    it(`is ${mirror ? 'a' : 'no'} mirror pod when it ${what}`, () => {
      const annotations = annotated ? { 'kubernetes.io/config.mirror': 'hash' } : {};
      const ownerReferences = owner ? [{ ...owner, name: 'a', uid: 'u', controller: true }] : [];
      const view = projection.pod({ metadata: { ...metadata, annotations, ownerReferences }, spec: {} } as RawObject);
      assert.equal(view.mirror, mirror);
    });
  }

  for (const [phase, finished] of Object.entries({ Pending: false, Running: false, Succeeded: true, Failed: true })) {
    it(`${phase}: ${finished ? '' : 'not '}finished`, () =>
      assert.equal(pod({}, { status: { phase } }).finished, finished));
  }

  it('shares no part with the raw object, so that the memory of the raw object can be freed', () => {
    const raw = { metadata, spec: { containers: [{ name: 'app', ports: [{ hostPort: 80 }] }] } };
    assert.notEqual(projection.pod(raw).spec.containers[0]?.ports, raw.spec.containers[0]?.ports);
  });

  it('with the real rules, the projection keeps every field that affects a decision', () => {
    const spec = {
      hostNetwork: true,
      hostPID: true,
      hostIPC: true,
      hostUsers: false,
      os: { name: 'linux' },
      securityContext: { runAsNonRoot: true },
      volumes: [{ name: 'v', hostPath: { path: '/' } }],
      containers: [{ name: 'app', securityContext: {}, ports: [{}], livenessProbe: {}, lifecycle: {} }],
    };
    assert.deepEqual(createProjection(RULES).pod({ metadata, spec }).spec, spec);
  });
});

describe('the content of pods', () => {
  const token = (suffix: string) => ({ name: `kube-api-access-${suffix}`, projected: { sources: [{}] } });
  const mount = (name: string) => ({ name, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' });
  const copy = (suffix: string, spec: object = {}) => ({
    metadata: { ...metadata, name: `web-${suffix}` },
    spec: {
      containers: [{ name: 'app', volumeMounts: [mount(`kube-api-access-${suffix}`)] }],
      initContainers: [{ name: 'init', volumeMounts: [mount('other'), mount(`kube-api-access-${suffix}`)] }],
      ephemeralContainers: [{ name: 'debug' }],
      volumes: [{ name: 'other', emptyDir: {} }, token(suffix)],
      ...spec,
    },
  });
  const all = createProjection(RULES);

  it('the pods of a template share one object, even if their token volumes have different names', () => {
    const [first, second] = ['abcde', 'x29z7'].map((suffix) => all.pod(copy(suffix)));
    assert.equal(first?.spec, second?.spec);
    assert.equal(first?.annotations, second?.annotations);
    assert.equal(all.pod(copy('fghij', { hostPID: false })).spec === first?.spec, false);
    assert.deepEqual(first?.spec.volumes, [
      { name: 'other', emptyDir: {} },
      { name: 'kube-api-access', projected: { sources: [{}] } },
    ]);
    const mounts = [...(first?.spec.initContainers ?? []), ...(first?.spec.containers ?? [])].map(
      ({ volumeMounts }) => volumeMounts,
    );
    assert.deepEqual(mounts, [[mount('other'), mount('kube-api-access')], [mount('kube-api-access')]]);
  });

  const keepers: [title: string, volumes: object[]][] = [
    ['there are two', [token('abcde'), token('fghij')]],
    ['another volume has that name', [token('abcde'), { name: 'kube-api-access', emptyDir: {} }]],
    ['it has other content', [{ name: 'kube-api-access-abcde', emptyDir: {} }]],
    ['the name is longer', [{ name: 'kube-api-access-abcdef', projected: {} }]],
  ];
  for (const [title, volumes] of keepers) {
    it(`keep the name of such a volume when ${title}`, () => {
      const { spec } = all.pod(copy('abcde', { volumes }));
      assert.deepEqual(
        spec.volumes?.map(({ name }) => name),
        volumes.map((volume) => (volume as { name: string }).name),
      );
      assert.deepEqual(spec.containers[0]?.volumeMounts, [mount('kube-api-access-abcde')]);
    });
  }

  it('the content of pods contains the volume fields that rules read', () => {
    const volumes = [
      { name: 'a', hostPath: { path: '/var' } },
      { name: 'b', csi: { driver: 'd' } },
      { name: 'c', flexVolume: { driver: 'e/f' } },
      { name: 'd', persistentVolumeClaim: { claimName: 'data-web-0' } },
      { name: 'e', sourceOfTheFuture: { field: 1 } },
    ];
    const kept = [{ persistentVolumeClaim: {} }, { sourceOfTheFuture: {} }].map((source, index) => ({
      name: volumes[index + 3]?.name,
      ...source,
    }));
    assert.deepEqual(all.pod({ metadata, spec: { volumes } }).spec.volumes, [...volumes.slice(0, 3), ...kept]);
  });

  it('templates and pods with equal content share the content, and objects with the same owner share the owner', () => {
    const { spec } = copy('abcde');
    const template = { spec };
    const owner = owned('ReplicaSet');
    const pod = all.pod({ metadata: owner, spec });
    const deployment = all.workload({ kind: 'Deployment', metadata, spec: { template } });
    assert.equal(deployment.template.spec, pod.spec);
    assert.equal(all.pod({ metadata: { ...owner, name: 'b' }, spec }).owner, pod.owner);
    assert.equal(all.distinctContents() > 0, true);
  });

  it('the content of pods keeps every difference that a rule could see', () => {
    const evaluator = new Evaluator();
    const psp = {
      volumes: ['*'],
      hostPaths: [{ pathPrefix: '/var', readOnly: true }],
      csiDrivers: ['csi.example.org'],
      flexVolumeDrivers: ['example/other'],
      readOnlyRootFilesystem: true,
    };
    const policies = [
      resolved('restricted'),
      resolved('baseline', { level: 'baseline', defaulting: 'Enabled' }),
      resolved('psp', { overrides: psp }),
    ];
    fc.assert(
      fc.property(randomPods(), fc.constantFrom(...policies), fc.boolean(), (random, policy, filled) => {
        const [whole, projected] = [contentOf(random), all.content(random)].map((each) =>
          evaluator.violations(each, policy, filled),
        );
        assert.deepEqual(projected, whole);
      }),
      { numRuns: 500 },
    );
  });
});

describe('projection of a workload', () => {
  const pvc = (name: string) => ({ name, persistentVolumeClaim: {} });
  const template = {
    metadata: { annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined', other: 'x' } },
    spec: { hostNetwork: true, nodeName: 'n1', containers: [{ name: 'app', image: 'x' }] },
  };
  const content = {
    annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' },
    spec: { hostNetwork: true, containers: [{ name: 'app', image: 'x' }] },
  };

  const kinds: [kind: string, raw: object][] = [
    ['Deployment', { spec: { template } }],
    ['ReplicaSet', { spec: { template } }],
    ['StatefulSet', { spec: { template } }],
    ['DaemonSet', { spec: { template } }],
    ['ReplicationController', { spec: { template } }],
    ['Job', { spec: { template } }],
    ['CronJob', { spec: { jobTemplate: { spec: { template } } } }],
    ['PodTemplate', { template }],
  ];
  for (const [kind, raw] of kinds) {
    it(`finds the template of a ${kind}`, () => {
      const view = { kind, namespace: 'net', name: 'a', uid: 'u1', finished: false, template: content };
      assert.deepEqual(projection.workload({ kind, metadata, ...raw }), view);
    });
  }

  describe('of a StatefulSet', () => {
    const claim = (name: string) => ({ metadata: { name }, spec: { storageClassName: 'fast' } });
    const volumesOf = (claims: unknown, volumes?: unknown, kind = 'StatefulSet') =>
      projection.workload({
        kind,
        metadata,
        spec: {
          volumeClaimTemplates: claims,
          template: { spec: { containers: [], ...(volumes !== undefined && { volumes }) } },
        },
      }).template.spec.volumes;
    const HOST = { name: 'data', hostPath: { path: '/' } };
    const rows: [string, unknown, unknown, unknown][] = [
      ['has a volume for each claim', [claim('data'), claim('log')], undefined, [pvc('data'), pvc('log')]],
      [
        'has them after its own volumes',
        [claim('data')],
        [{ name: 'tmp' }],
        [{ name: 'tmp', emptyDir: {} }, pvc('data')],
      ],
      [
        'has a claim in place of its own volume with this name',
        [claim('data')],
        [HOST, { name: 'tmp' }],
        [pvc('data'), { name: 'tmp', emptyDir: {} }],
      ],
      ['has one volume for claims with one name', [claim('data'), claim('data')], undefined, [pvc('data')]],
      ['has no volume for empty and malformed entries', [null, {}, 'x', { metadata: null }], undefined, undefined],
      ['has none without claims', null, undefined, undefined],
    ];
    for (const [title, claims, volumes, expected] of rows) {
      it(title, () => assert.deepEqual(volumesOf(claims, volumes), expected));
    }

    it('is the only kind with claims', () =>
      assert.equal(volumesOf([claim('data')], undefined, 'Deployment'), undefined));
  });

  it('keeps the desired number of pods, including 0', () => {
    assert.equal(projection.workload({ kind: 'Deployment', metadata, spec: { replicas: 0, template } }).replicas, 0);
  });

  it('keeps the template of a Deployment with 0 pods, because the Deployment will be scaled up', () => {
    const view = projection.workload({ kind: 'Deployment', metadata, spec: { replicas: 0, template } });
    assert.deepEqual(view.template, content);
  });

  it('keeps the names of an old ReplicaSet of a Deployment, but not the template', () => {
    const view = projection.workload({
      kind: 'ReplicaSet',
      metadata: owned('Deployment'),
      spec: { replicas: 0, template },
    });
    assert.equal(isHistory(view), true);
    assert.equal(view.owner?.name, 'web');
    assert.deepEqual(view.template, { annotations: {}, spec: { containers: [] } });
  });

  const current: [title: string, object: object, replicas: number][] = [
    ['with pods', owned('Deployment'), 1],
    ['that nobody owns', metadata, 0],
    ['with another owner', owned('Rollout'), 0],
    ['of a Deployment in another API group', owned('Deployment', true, 'example.com/v1'), 0],
    ['of something else that is called Deployment in the core group', owned('Deployment', true, 'v1'), 0],
  ];
  for (const [title, meta, replicas] of current) {
    it(`keeps the template of a ReplicaSet ${title}`, () => {
      const view = projection.workload({ kind: 'ReplicaSet', metadata: meta, spec: { replicas, template } });
      assert.equal(isHistory(view), false);
      assert.deepEqual(view.template, content);
    });
  }

  const conditions: [conditions: object[] | null, finished: boolean][] = [
    [[{ type: 'Complete', status: 'True' }], true],
    [[{ type: 'Failed', status: 'True' }], true],
    [[{ type: 'Complete', status: 'False' }], false],
    [[{ type: 'Suspended', status: 'True' }], false],
    [null, false],
  ];
  for (const [list, finished] of conditions) {
    it(`a Job with ${JSON.stringify(list)} is ${finished ? '' : 'not '}finished`, () => {
      const view = projection.workload({ kind: 'Job', metadata, spec: { template }, status: { conditions: list } });
      assert.equal(view.finished, finished);
    });
  }
});

describe('projection of a namespace', () => {
  const entry = (manager: string, operation: string, labels: string[], subresource?: string) => ({
    manager,
    operation,
    ...(subresource && { subresource }),
    fieldsV1: { 'f:metadata': { 'f:labels': Object.fromEntries(labels.map((label) => [`f:${label}`, {}])) } },
  });
  const enforce = 'pod-security.kubernetes.io/enforce';

  it('keeps the labels, the record of the operator, and the owners of the Pod Security labels', () => {
    const view = projection.namespace({
      metadata: {
        name: 'net',
        uid: 'u1',
        labels: { team: 'net', [enforce]: 'baseline' },
        annotations: { 'capabilitypolicy.dev/labels': '{}', other: 'x' },
        managedFields: [
          entry('kubectl', 'Update', ['.', 'team', enforce]),
          entry('capabilitypolicy.dev', 'Apply', [enforce, `${enforce}-version`]),
          entry('kubectl', 'Update', [enforce], 'status'),
          { manager: 'm', operation: 'Update', fieldsV1: { 'f:status': { 'f:phase': {} } } },
        ],
      },
    });
    assert.deepEqual(view, {
      name: 'net',
      uid: 'u1',
      terminating: false,
      labels: { team: 'net', [enforce]: 'baseline' },
      recorded: '{}',
      labelOwners: {
        [enforce]: [
          { manager: 'capabilitypolicy.dev', operation: 'Apply' },
          { manager: 'kubectl', operation: 'Update' },
        ],
        [`${enforce}-version`]: [{ manager: 'capabilitypolicy.dev', operation: 'Apply' }],
      },
    });
  });

  const lastApplied = (labels: unknown) => ({
    'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ metadata: { labels } }),
  });
  const appliers: [title: string, annotations: Record<string, string>, operation: string][] = [
    ['a change by hand', {}, 'Update'],
    ["a client-side apply's statement", lastApplied({ [enforce]: 'baseline' }), 'Apply'],
    ['a change by hand of what a client-side apply states', lastApplied({ [enforce]: 'restricted' }), 'Update'],
    ['a change by hand beside a client-side apply', lastApplied({ team: 'net' }), 'Update'],
    [
      'a change by hand where the annotation is not JSON',
      { 'kubectl.kubernetes.io/last-applied-configuration': `{"${enforce}` },
      'Update',
    ],
  ];
  for (const [title, annotations, operation] of appliers) {
    it(`recognizes a label for ${title}`, () => {
      const managedFields = [
        entry('argocd-controller', 'Update', [enforce]),
        entry('capabilitypolicy.dev', 'Update', [enforce]),
      ];
      const labels = { [enforce]: 'baseline' };
      const view = projection.namespace({ metadata: { name: 'net', labels, annotations, managedFields } });
      assert.deepEqual(view.labelOwners[enforce], [
        { manager: 'argocd-controller', operation },
        { manager: 'capabilitypolicy.dev', operation: 'Update' },
      ]);
    });
  }

  const endings: [title: string, raw: RawObject, terminating: boolean][] = [
    ['by its phase', { metadata: { name: 'a' }, status: { phase: 'Terminating' } }, true],
    ['by its deletion time', { metadata: { name: 'a', deletionTimestamp: '2026-01-01T00:00:00Z' } }, true],
    ['not while active', { metadata: { name: 'a', labels: null }, status: { phase: 'Active' } }, false],
  ];
  for (const [title, raw, terminating] of endings) {
    it(`knows that it is being deleted ${title}`, () =>
      assert.equal(projection.namespace(raw).terminating, terminating));
  }
});

describe('projection of a policy', () => {
  it('keeps all fields that do not change at every write, and fills in the defaults', () => {
    const view = projection.policy({
      apiVersion: 'capabilitypolicy.dev/v1alpha1',
      kind: 'CapabilityPolicy',
      metadata: {
        name: 'ping',
        uid: 'u1',
        resourceVersion: '5',
        managedFields: [],
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', note: 'x' },
      },
      spec: { level: 'restricted', namespaceSelector: {}, mode: null },
      status: { observedGeneration: 1 },
    });
    assert.deepEqual(view, {
      apiVersion: 'capabilitypolicy.dev/v1alpha1',
      kind: 'CapabilityPolicy',
      metadata: { name: 'ping', uid: 'u1', annotations: { note: 'x' } },
      spec: { level: 'restricted', namespaceSelector: {}, ...SPEC_DEFAULTS },
      status: { observedGeneration: 1 },
    });
  });
});

describe('projection of RBAC', () => {
  const rule = (apiGroup: string, resource: string) => ({
    apiGroups: [apiGroup],
    resources: [resource],
    verbs: ['use'],
  });

  const kept: [apiGroup: string, resource: string, kept: boolean][] = [
    ['capabilitypolicy.dev', 'capabilitypolicies', true],
    ['*', 'capabilitypolicies', true],
    ['capabilitypolicy.dev', '*', true],
    ['*', '*', true],
    ['', 'pods', false],
    ['', '*', false],
    ['apps', 'capabilitypolicies', false],
    ['capabilitypolicy.dev', 'capabilitypolicies/status', false],
  ];
  for (const [apiGroup, resource, wanted] of kept) {
    it(`${wanted ? 'keeps' : 'drops'} a rule for ${resource} of "${apiGroup}"`, () => {
      const role = projection.role({ metadata: { name: 'r' }, rules: [rule(apiGroup, resource)] });
      assert.deepEqual(role, wanted ? { name: 'r', rules: [rule(apiGroup, resource)] } : undefined);
    });
  }

  it('keeps the names in rules, drops rules for URLs, and identifies a Role with its namespace', () => {
    const named = { ...rule('capabilitypolicy.dev', 'capabilitypolicies'), resourceNames: ['ping'] };
    const rules = [{ nonResourceURLs: ['*'], verbs: ['*'] }, named, rule('', 'pods')];
    const view = projection.role({ metadata: { name: 'r', namespace: 'net' }, rules });
    assert.deepEqual(view, { namespace: 'net', name: 'r', rules: [named] });
  });

  it('drops a role without rules', () => {
    assert.equal(projection.role({ metadata: { name: 'aggregate' }, rules: null }), undefined);
  });

  it('keeps the subjects and the role of a binding', () => {
    const view = projection.roleBinding({
      metadata: { name: 'b', namespace: 'net' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' },
      subjects: [
        { kind: 'ServiceAccount', name: 'sa', namespace: 'net' },
        { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'devs' },
        { kind: 'Robot', name: 'x' },
      ],
    });
    assert.deepEqual(view, {
      namespace: 'net',
      name: 'b',
      role: { kind: 'ClusterRole', name: 'r' },
      subjects: [
        { kind: 'ServiceAccount', name: 'sa', namespace: 'net' },
        { kind: 'Group', name: 'devs' },
      ],
    });
  });

  it('keeps a binding without subjects', () => {
    const view = projection.roleBinding({ metadata: { name: 'b' }, roleRef: { kind: 'Role', name: 'r' } });
    assert.deepEqual(view, { name: 'b', role: { kind: 'Role', name: 'r' }, subjects: [] });
  });
});

describe('projection of our objects', () => {
  const rendered = (index: number) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: {
      name: `policy-${index}`,
      managedFields: [
        {
          manager: 'capabilitypolicy.dev',
          operation: 'Apply',
          time: '2026-01-01T00:00:00Z',
          fieldsV1: { 'f:metadata': { 'f:labels': {}, 'f:ownerReferences': { 'k:{"uid":"u1"}': {} } }, 'f:spec': {} },
        },
      ],
    },
    spec: { validations: [{ expression: 'true || '.repeat(4_000) }] },
  });

  it('shortens the managed fields of the object to the owners, and keeps all other fields', () => {
    const { metadata, ...rest } = rendered(1);
    const fieldsV1 = { 'f:metadata': { 'f:ownerReferences': { 'k:{"uid":"u1"}': {} } } };
    assert.deepEqual(projection.rendered({ metadata, ...rest }), {
      ...rest,
      metadata: { ...metadata, managedFields: [{ manager: 'capabilitypolicy.dev', fieldsV1 }] },
    });
  });

  it('keeps equal texts once', async () => {
    const texts = Array.from({ length: 100 }, (_, index) => JSON.stringify(rendered(index)));
    const bytes = await heapOf(() => texts.map((text) => projection.rendered(JSON.parse(text))));
    assert.ok(bytes < 1_000_000, `${bytes} bytes for texts of ${texts.join('').length}`);
  });
});
