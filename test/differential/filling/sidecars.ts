/**
 * Tests defaulting when other mutations add containers before or after the operator's mutation. The operator's mutation
 * must also fill the containers that other mutations add.
 */
import { isDeepStrictEqual } from 'node:util';
import { waitFor } from '../../../hack/controlplane/wait.ts';
import { podManifest } from '../../support/pod-manifests.ts';
import type { Pod } from '../../support/random-pods.ts';
import { fillingRules } from '../policies/arbitrary.ts';
import { type Case, type Plan, run, type Tally, type Verdict } from '../policies/campaign.ts';
import type { PolicyCluster } from '../policies/cluster.ts';
import type { StatedPod } from '../reference/pod.ts';
import { fate, plain } from './filling.ts';

const NAME = 'injected';
const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const CONTAINER = { name: 'injected', image: 'injected' };
const SIDECAR = { name: 'injected-sidecar', image: 'injected', restartPolicy: 'Always' };

/**
 * Two mutations that each add a container. The API server orders mutations by name. One of the mutations runs before
 * the operator's mutation, and the other one runs afterwards.
 */
const MUTATIONS = {
  'aaa-injects-a-container': add('containers', CONTAINER),
  'zzz-injects-a-sidecar': `!has(object.spec.initContainers) ? [JSONPatch{op: "add", path: "/spec/initContainers", value: [${JSON.stringify(SIDECAR)}]}] : ${add('initContainers', SIDECAR)}`,
};

function add(list: string, container: { readonly name: string }): string {
  const patch = `JSONPatch{op: "add", path: "/spec/${list}/-", value: ${JSON.stringify(container)}}`;
  return `object.spec.${list}.exists(c, c.name == ${JSON.stringify(container.name)}) ? [] : [${patch}]`;
}

export async function evaluateInjected(cluster: PolicyCluster, plan: Plan): Promise<Tally> {
  for (const [name, expression] of Object.entries(MUTATIONS)) await mutate(cluster, name, expression);
  const canary = await cluster.namespace('injected-canary', { [`differential-${NAME}`]: 'canary' });
  await waitFor('both mutations', async () => {
    const { pod } = await cluster.create(withInjected(CANARY, []), canary);
    return pod.spec.containers.length === 2 && pod.spec.initContainers?.length === 1;
  });
  const tally = await run(
    cluster,
    { name: NAME, rules: fillingRules(), evaluate: (one, pod) => evaluatePod(cluster, one, pod) },
    plan,
  );
  for (const name of Object.keys(MUTATIONS)) {
    await cluster.api.remove(`${ADMISSION}/mutatingadmissionpolicybindings/${name}`);
    await cluster.api.remove(`${ADMISSION}/mutatingadmissionpolicies/${name}`);
  }
  return tally;
}

const CANARY: Pod = podManifest({ name: 'canary', annotations: {} }, { containers: [{ name: 'app', image: 'app' }] });

async function evaluatePod(cluster: PolicyCluster, { policy, namespace }: Case, pod: Pod): Promise<Verdict> {
  const open = await cluster.defaulted(withInjected(pod, [CONTAINER], [SIDECAR]));
  if (open.status === 422) return { status: 'invalid', differences: [] };
  const expected = fate(policy, open.pod);
  const answer = await cluster.create(pod, namespace);
  const status = answer.status === 200 ? 'admitted' : 'refused';
  const differences = [
    ...((status === 'admitted') === expected.admitted ? [] : [`API server: ${answer.status} ${answer.text}`]),
    ...(status === 'refused' || isDeepStrictEqual(plain(answer.pod.spec), plain(expected.pod.spec))
      ? []
      : [`expected ${specText(expected.pod)}`, `API server makes ${specText(answer.pod)}`]),
  ];
  return { status, differences };
}

function withInjected(
  { spec, ...pod }: Pod,
  containers: readonly object[],
  initContainers: readonly object[] = [],
): Pod {
  const init = [...(spec.initContainers ?? []), ...initContainers];
  return {
    ...pod,
    spec: {
      ...spec,
      containers: [...spec.containers, ...containers],
      ...(init.length > 0 && { initContainers: init }),
    } as Pod['spec'],
  };
}

function specText({ spec }: StatedPod): string {
  return JSON.stringify(spec);
}

async function mutate(cluster: PolicyCluster, name: string, expression: string): Promise<void> {
  const matchConstraints = {
    matchPolicy: 'Equivalent',
    namespaceSelector: { matchExpressions: [{ key: `differential-${NAME}`, operator: 'Exists' }] },
    resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
  };
  const apiVersion = 'admissionregistration.k8s.io/v1';
  await cluster.api.apply(`${ADMISSION}/mutatingadmissionpolicies/${name}`, {
    apiVersion,
    kind: 'MutatingAdmissionPolicy',
    metadata: { name },
    spec: {
      matchConstraints,
      failurePolicy: 'Fail',
      reinvocationPolicy: 'IfNeeded',
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
    },
  });
  await cluster.api.apply(`${ADMISSION}/mutatingadmissionpolicybindings/${name}`, {
    apiVersion,
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name },
  });
}
