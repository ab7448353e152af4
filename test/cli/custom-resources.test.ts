/**
 * Tests `cappol check -f` with custom resources. The command finds pods by their shape, and names the objects that
 * cannot be checked.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { load } from 'js-yaml';
import { cappol } from '../support/cappol.ts';

const REFERENCE = join(import.meta.dirname, '..', '..', 'docs', 'reference', 'check.schema.json');
const isDocumented = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(REFERENCE, 'utf8')));

// biome-ignore lint/suspicious/noExplicitAny: tests read any field of the output of -o json
type Json = any;

const POLICY = `apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: baseline}
spec: {namespaceSelector: {}, level: baseline, mode: Enforce}
`;

/**
 * A manifest, and the fields that the level baseline refuses. A field is written as `item: path@line of the manifest`.
 */
interface Row {
  readonly what: string;
  readonly manifest: string;
  readonly found: readonly string[];
  readonly notEvaluated?: string;
}

const ROLLOUT = `apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: web}}
    spec:
      hostNetwork: true
      containers:
      - name: web
        image: web
        securityContext:
          capabilities:
            add: [SYS_ADMIN]
`;

const ROWS: readonly Row[] = [
  {
    what: 'spec.template of an Argo Rollout',
    manifest: ROLLOUT,
    found: [
      'Rollout shop/web: spec.template: spec.template.spec.containers[0].securityContext.capabilities.add@15',
      'Rollout shop/web: spec.template: spec.template.spec.hostNetwork@9',
    ],
  },
  {
    what: 'each template in a list',
    manifest: `apiVersion: batch.volcano.sh/v1alpha1
kind: Job
metadata: {name: train}
spec:
  tasks:
  - name: driver
    template: {spec: {containers: [{name: a, image: a}]}}
  - name: worker
    template:
      spec:
        hostPID: true
        containers: [{name: a, image: a}]
`,
    found: [
      'Job default/train: spec.tasks[0].template: Compliant',
      'Job default/train: spec.tasks[1].template: spec.tasks[1].template.spec.hostPID@11',
    ],
  },
  {
    what: 'templates by name',
    manifest: `apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata: {name: train}
spec:
  pytorchReplicaSpecs:
    Worker:
      template:
        spec:
          hostIPC: true
          containers: [{name: pytorch, image: a}]
`,
    found: [
      'PyTorchJob default/train: spec.pytorchReplicaSpecs.Worker.template: spec.pytorchReplicaSpecs.Worker.template.spec.hostIPC@9',
    ],
  },
  {
    what: 'a podTemplate whose images the operator chooses',
    manifest: `apiVersion: elasticsearch.k8s.elastic.co/v1
kind: Elasticsearch
metadata: {name: es}
spec:
  nodeSets:
  - name: default
    podTemplate:
      spec:
        containers:
        - name: elasticsearch
          securityContext: {privileged: true}
`,
    found: [
      'Elasticsearch default/es: spec.nodeSets[0].podTemplate: spec.nodeSets[0].podTemplate.spec.containers[0].securityContext.privileged@11',
    ],
  },
  {
    what: 'nothing in an Elasticsearch without podTemplate',
    manifest: `apiVersion: elasticsearch.k8s.elastic.co/v1
kind: Elasticsearch
metadata: {name: es}
spec: {nodeSets: [{name: default, count: 3}]}
`,
    found: [],
    notEvaluated: 'Elasticsearch.elasticsearch.k8s.elastic.co',
  },
  {
    what: "Prometheus' changes to its own containers, which are not evaluated",
    manifest: `apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: k8s}
spec:
  containers: [{name: sidecar, image: sidecar, securityContext: {privileged: true}}]
`,
    found: ['Prometheus default/k8s: spec: spec.containers[0].securityContext.privileged@5'],
    notEvaluated: 'Prometheus.monitoring.coreos.com',
  },
  {
    what: 'a bare PodSpec',
    manifest: `apiVersion: example.com/v1
kind: Agent
metadata: {name: agent}
spec:
  podSpec:
    hostNetwork: true
    containers: [{name: a, image: a}]
`,
    found: ['Agent default/agent: spec.podSpec: spec.podSpec.hostNetwork@6'],
  },
  {
    what: 'a Knative Service, whose only container needs no name',
    manifest: `apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: hello}
spec:
  template:
    spec:
      containers:
      - image: hello
        securityContext: {privileged: true}
`,
    found: ['Service default/hello: spec.template: spec.template.spec.containers[0].securityContext.privileged@9'],
  },
  {
    what: "an Argo Workflow: a single container, with the workflow's own fields",
    manifest: `apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: build-}
spec:
  entrypoint: main
  hostNetwork: true
  volumes: [{name: docker, hostPath: {path: /var/run/docker.sock}}]
  templates:
  - name: main
    container:
      image: alpine
      securityContext: {privileged: true}
    sidecars:
    - name: dind
      image: docker
      securityContext:
        capabilities: {add: [SYS_ADMIN]}
  - name: steps
    steps: [[{name: a, template: main}]]
`,
    found: [
      'Workflow default/build-*: spec.templates[0]: spec.templates[0].container.securityContext.privileged@12',
      'Workflow default/build-*: spec.templates[0]: spec.templates[0].sidecars[0].securityContext.capabilities.add@17',
      'Workflow default/build-*: spec.templates[0]: spec.volumes[0]@7',
      'Workflow default/build-*: spec.templates[0]: spec.hostNetwork@6',
    ],
  },
  {
    what: 'objects inside an object, as in an OpenShift Template',
    manifest: `apiVersion: template.openshift.io/v1
kind: Template
metadata: {name: app}
objects:
- apiVersion: v1
  kind: Pod
  metadata: {name: one}
  spec: {hostPID: true, containers: [{name: a, image: a}]}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: two}
  spec:
    template: {spec: {hostIPC: true, containers: [{name: a, image: a}]}}
`,
    found: [
      'Template default/app: objects[0]: objects[0].spec.hostPID@8',
      'Template default/app: objects[1].spec.template: objects[1].spec.template.spec.hostIPC@13',
    ],
  },
  {
    what: 'nothing in Prometheus, which adds its own containers',
    manifest: `apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: k8s}
spec:
  hostNetwork: true
  containers: [{name: prometheus, securityContext: {privileged: true}}]
`,
    found: [],
    notEvaluated: 'Prometheus.monitoring.coreos.com',
  },
  {
    what: 'nothing in a virtual machine',
    manifest: `apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: vm}
spec: {template: {spec: {domain: {devices: {}}, volumes: [{name: a, containerDisk: {image: a}}]}}}
`,
    found: [],
    notEvaluated: 'VirtualMachine.kubevirt.io',
  },
  {
    what: 'nothing in an unknown kind',
    manifest: 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {size: 1}\n',
    found: [],
    notEvaluated: 'Widget.example.com',
  },
  {
    what: 'nothing in a pattern for pods, as in policies',
    manifest: `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: a}
spec:
  rules:
  - validate:
      pattern: {spec: {containers: [{name: "*", image: "*:*"}]}}
  - mutate:
      patchStrategicMerge: {spec: {template: {spec: {containers: [{(name): "*", image: a}]}}}}
`,
    found: [],
  },
  {
    what: 'nothing in a kind that makes no pods',
    manifest:
      'apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: a}\nspec: {endpoints: [{port: web}]}\n',
    found: [],
  },
  {
    what: 'nothing in a CustomResourceDefinition',
    manifest: `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: a.example.com}
spec:
  versions:
  - schema: {openAPIV3Schema: {properties: {spec: {default: {containers: [{name: a, image: a}]}}}}}
`,
    found: [],
  },
];

async function check(manifests: string, ...args: readonly string[]) {
  const { code, stdout, stderr } = await cappol(['check', '-f', '-', '-o', 'json', ...args], manifests);
  const json: unknown = JSON.parse(stdout);
  assert.ok(isDocumented(json), JSON.stringify(isDocumented.errors));
  return { code, json: json as Json, stderr };
}

describe('check -f finds in custom resources', () => {
  for (const { what, manifest, found, notEvaluated } of ROWS) {
    it(what, async () => {
      const { json, stderr } = await check(`${manifest}---\n${POLICY}`);
      assert.equal(stderr, '');
      const told = json.items.flatMap(({ kind, namespace, name, template, verdict, violations }: Json) => {
        const item = `${kind} ${namespace}/${name}: ${template}`;
        if (violations.length === 0) return [`${item}: ${verdict}`];
        return violations.map(({ path, line }: Json) => `${item}: ${path}@${line}`);
      });
      assert.deepEqual(told.sort(), [...found].sort());
      assert.deepEqual(
        json.summary.notEvaluated.map(({ kind }: Json) => kind),
        notEvaluated === undefined ? [] : [notEvaluated],
      );
      assert.equal(json.summary.skipped, found.length === 0 && notEvaluated === undefined ? 1 : 0);
    });
  }

  it('check warns about a template with a value of the wrong type, and does not evaluate the kind', async () => {
    const workflow = `apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: a}
spec:
  templates:
  - name: main
    container:
      image: alpine
      securityContext: {privileged: "{{inputs.parameters.privileged}}"}
`;
    const { code, json, stderr } = await check(`${workflow}---\n${POLICY}`);
    assert.deepEqual([code, json.items.length, json.summary.warnings, json.summary.errors], [0, 0, 1, 0]);
    assert.match(
      stderr,
      /^cappol: standard input:9: warning: Workflow a: spec\.templates\[0\]: not evaluated: .*must be of type boolean\n$/,
    );
    assert.deepEqual(json.summary.notEvaluated, [{ kind: 'Workflow.argoproj.io', count: 1, makesPods: null }]);
  });

  it('the verdict on pods with an unknown creator depends on the right to use a policy', async () => {
    const exception = `apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: exception}
spec:
  namespaceSelector: {}
  level: privileged
  mode: Enforce
  usableBy: Subjects
  subjects: [{kind: ServiceAccount, namespace: shop, name: web}]
`;
    const { json } = await check(`${ROLLOUT}---\n${POLICY}---\n${exception}`);
    assert.equal(json.items[0].verdict, 'Unknown');
    const named = ROLLOUT.replace('hostNetwork', 'serviceAccountName: web\n      hostNetwork');
    assert.equal((await check(`${named}---\n${POLICY}---\n${exception}`)).json.items[0].verdict, 'Compliant');
  });
});

describe('the objects that check does not evaluate', () => {
  const NOT_EVALUATED = `${POLICY}---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: a}
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: b}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: a}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
---
${ROLLOUT}`;

  const TOLD: readonly (readonly [output: string, pattern: RegExp])[] = [
    [
      'table',
      /^not evaluated, and their operators make pods: Prometheus\.monitoring\.coreos\.com 2\nnot evaluated, no pod template found: Widget\.example\.com 1$/m,
    ],
    ['markdown', /^not evaluated, and their operators make pods: Prometheus\.monitoring\.coreos\.com 2<br>$/m],
    ['wide', /^not evaluated, and their operators make pods: Prometheus\.monitoring\.coreos\.com 2$/m],
    ['yaml', /notEvaluated:\n +- kind: Prometheus\.monitoring\.coreos\.com\n +count: 2\n +makesPods: true\n/],
    [
      'github',
      /^::notice title=cappol::not evaluated, and their operators make pods: Prometheus\.monitoring\.coreos\.com 2$/m,
    ],
    ['junit', /<testcase name="Prometheus\.monitoring\.coreos\.com 2" classname="not evaluated">\s*<skipped\/>/],
    ['sarif', /"text": "not evaluated, and their operators make pods: Prometheus\.monitoring\.coreos\.com 2"/],
  ];
  for (const [output, pattern] of TOLD) {
    it(`are named by kind in -o ${output}, and change no exit code`, async () => {
      const { code, stdout } = await cappol(['check', '-f', '-', '-o', output], NOT_EVALUATED);
      assert.equal(code, 1);
      assert.match(stdout, pattern);
    });
  }

  it('-o json first names the kinds that certainly make pods, and only counts a ConfigMap', async () => {
    const { json } = await check(NOT_EVALUATED);
    assert.deepEqual(json.summary.notEvaluated, [
      { kind: 'Prometheus.monitoring.coreos.com', count: 2, makesPods: true },
      { kind: 'Widget.example.com', count: 1, makesPods: null },
    ]);
    assert.equal(json.summary.skipped, 1);
  });

  it('fail the check with --fail-on NotEvaluated', async () => {
    const [notEvaluated = ''] = NOT_EVALUATED.split(`---\n${ROLLOUT}`);
    assert.equal((await check(notEvaluated)).code, 0);
    assert.equal((await check(notEvaluated, '--fail-on', 'Enforce,NotEvaluated')).code, 1);
    assert.equal((await check(notEvaluated, '--fail-on', 'Enforce')).code, 0);
    const rollout = ROLLOUT.replace('hostNetwork: true', '').replace('add: [SYS_ADMIN]', 'drop: [ALL]');
    assert.equal((await check(`${POLICY}---\n${rollout}`, '--fail-on', 'NotEvaluated')).code, 0);
  });

  for (const [apiVersion, kind] of [
    ['example.com/v1', '[Widget](https://example.com)'],
    ['example.com/v1', '<img src=x>'],
    ['example.com|@all/v1', 'Widget'],
    ['example.com/v1/x', 'Widget'],
  ]) {
    it(`is not an object that an API server could have: ${kind} of ${apiVersion}`, async () => {
      const text = `apiVersion: ${JSON.stringify(apiVersion)}\nkind: ${JSON.stringify(kind)}\n---\n${POLICY}`;
      const { code, json, stderr } = await check(text);
      assert.equal(code, 2);
      assert.match(stderr, /^cappol: standard input:\d: (?:Kind|.*) (?:kind|apiVersion) ".*" is invalid\n$/);
      assert.deepEqual(json.summary.notEvaluated, []);
    });
  }

  it('the table shows the place of a template', async () => {
    const { stdout } = await cappol(['check', '-f', '-'], NOT_EVALUATED);
    assert.match(stdout, /Rollout shop\/web: spec\.template +refused/);
    assert.ok(load((await cappol(['check', '-f', '-', '-o', 'yaml'], NOT_EVALUATED)).stdout));
  });
});
