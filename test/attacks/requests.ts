/** Attempts to get a pod admitted through an unusual form of the request. */
import type { Json } from '../../hack/controlplane/api.ts';
import { CREATOR } from '../support/harness.ts';
import { privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { type Attack, ask, createText, invalid, POD, PODS, refusedBy } from './attack.ts';
import { privilegedPodAsProtobuf } from './protobuf.ts';

const APPLY = 'application/apply-patch+yaml';
const refusal = refusedBy('narrow', /privileged/);

const YAML = `apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  containers:
    - &first {name: main, image: example.org/app, securityContext: {privileged: yes}}
    - {<<: *first, name: second}
`;

function apply(fieldManager: string, query: Readonly<Record<string, string | boolean>> = {}): Attack['steps'][number] {
  return (scene) => {
    const body = privilegedPod() as Json;
    body.metadata = { name: scene.pod };
    return ask('PATCH', POD, body, { contentType: APPLY, query: { fieldManager, ...query } })(scene);
  };
}

export const REQUESTS: readonly Attack[] = [
  {
    attempt: 'creates a privileged pod as YAML with anchors and merge keys',
    setting: 'narrow',
    steps: [createText(YAML, 'application/yaml')],
    expect: refusedBy('narrow', /container "main" [^|]*privileged[^|]*container "second" [^|]*privileged/),
  },
  {
    attempt: 'creates a privileged pod as protobuf',
    setting: 'narrow',
    steps: [
      ({ cluster, namespace, pod }) =>
        cluster.api.ask('POST', PODS.replace('NAMESPACE', namespace), {
          body: privilegedPodAsProtobuf(pod),
          contentType: 'application/vnd.kubernetes.protobuf',
          as: CREATOR,
        }),
    ],
    expect: refusal,
  },
  {
    attempt: 'creates a privileged pod as CBOR',
    setting: 'narrow',
    steps: [createText('\u00d9\u00d9\u00f7\u00a0', 'application/cbor')],
    expect: invalid(/body of the request was in an unknown format|not supported|cbor|Unsupported/i),
  },
  ...['test', 'capabilitypolicy.dev', 'kube-controller-manager', 'kubelet'].map(
    (manager): Attack => ({
      attempt: `creates a privileged pod by server-side apply as the field manager ${manager}`,
      setting: 'narrow',
      steps: [apply(manager, { force: true })],
      expect: refusal,
    }),
  ),
  {
    attempt: 'creates a privileged pod by server-side apply as a field manager that cannot be printed',
    setting: 'narrow',
    steps: [apply('\u0007\u202e', { force: true })],
    expect: invalid(/fieldManager/),
  },
  {
    attempt: 'creates a privileged pod by dry run, to learn what passes',
    setting: 'narrow',
    steps: [
      (scene) =>
        ask('POST', PODS, { ...privilegedPod(), metadata: { name: scene.pod } }, { query: { dryRun: 'All' } })(scene),
    ],
    expect: refusal,
  },
  ...(['Strict', 'Warn', 'Ignore'] as const).map(
    (fieldValidation): Attack => ({
      attempt: `creates a privileged pod with fieldValidation=${fieldValidation}`,
      setting: 'narrow',
      steps: [
        (scene) =>
          ask(
            'POST',
            PODS,
            { ...privilegedPod(), metadata: { name: scene.pod } },
            { query: { fieldValidation } },
          )(scene),
      ],
      expect: refusal,
    }),
  ),
  {
    attempt: 'creates a privileged pod with a generated name',
    setting: 'narrow',
    steps: [ask('POST', PODS, { ...privilegedPod(), metadata: { generateName: 'pod-' } })],
    expect: refusal,
  },
  {
    attempt: 'creates a privileged pod that claims an owner, a node and finalizers',
    setting: 'narrow',
    steps: [
      (scene) => {
        const body = privilegedPod() as Json;
        const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid: 'none', controller: true };
        body.metadata = { name: scene.pod, ownerReferences: [owner], finalizers: ['example.org/held'] };
        body.spec.nodeName = 'node';
        return ask('POST', PODS, body)(scene);
      },
    ],
    expect: refusal,
  },
  {
    attempt: 'updates a missing pod, to create it',
    setting: 'narrow',
    steps: [(scene) => ask('PUT', POD, { ...privilegedPod(), metadata: { name: scene.pod } })(scene)],
    expect: { title: 'refused by the API server', verify: ({ status }) => status === 404 || fail(status) },
  },
  {
    attempt: 'names another namespace in the pod than in the request',
    setting: 'narrow',
    steps: [
      (scene) =>
        ask('POST', PODS, { ...restrictedPod(), metadata: { name: scene.pod, namespace: 'kube-system' } })(scene),
    ],
    expect: invalid(/does not match the namespace/),
  },
];

function fail(status: number): never {
  throw new Error(`answered ${status}`);
}
