/**
 * Attempts to use policies without the right to use them. The file also has attempts in namespaces that no policy
 * selects.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Identity, Json } from '../../hack/controlplane/api.ts';
import { CREATOR, eventually, serviceAccount } from '../support/harness.ts';
import { EDITOR, grant, onPolicy } from '../support/namespace-changes.ts';
import { privilegedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { type Attack, admitted, ask, create, createIn, refused, refusedBy, type Scene, type Step } from './attack.ts';
import { AGENT, agentPod } from './settings.ts';

const RBAC = 'rbac.authorization.k8s.io';
const NAMESPACED = `/apis/${RBAC}/v1/namespaces/NAMESPACE`;
/** A user who holds the role `admin` in every namespace of the table. */
export const OWNER: Identity = { user: 'attacks-owner', groups: ['attacks-owners'] };
const escalates = refused('RBAC', /attempting to grant RBAC permissions not currently held|not found/, [403, 404]);

function binds(role: (scene: Scene) => string): Step {
  return (scene) =>
    ask(
      'POST',
      `${NAMESPACED}/rolebindings`,
      {
        apiVersion: `${RBAC}/v1`,
        kind: 'RoleBinding',
        metadata: { name: scene.pod },
        roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role(scene) },
        subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: scene.namespace }],
      },
      { as: OWNER },
    )(scene);
}

export const PEOPLE: readonly Attack[] = [
  {
    attempt: 'creates the pod of an exception as another account',
    setting: 'halves',
    steps: [create(agentPod('default'))],
    expect: refusedBy('agent', /neither its service account nor its creator may use this policy/),
  },
  {
    attempt: 'names the account of an exception in its pod',
    setting: 'halves',
    steps: [create(agentPod())],
    expect: admitted('everybody who may create pods may choose among the accounts of the namespace'),
  },
  {
    attempt: 'names the account of an exception in the deprecated field only',
    setting: 'halves',
    steps: [create(accounts(undefined, AGENT))],
    expect: admitted('the API server reads it as serviceAccountName, and so do the policies', ({ spec }) => {
      if (spec.serviceAccountName !== AGENT) throw new Error(spec.serviceAccountName);
    }),
  },
  {
    attempt: 'names two accounts, that of the exception in the deprecated field',
    setting: 'halves',
    steps: [create(accounts('default', AGENT))],
    expect: refusedBy('agent', /may use this policy/),
  },
  {
    attempt: 'creates the pod of an exception in a namespace where the account of that name is another',
    setting: 'elsewhere',
    steps: [create(agentPod())],
    expect: refusedBy('elsewhere', /hostPID/),
  },
  {
    attempt: 'creates it as an account of that name of another namespace',
    setting: 'halves',
    steps: [create(agentPod('default'), serviceAccount('attacks-elsewhere', AGENT))],
    expect: refusedBy('agent', /may use this policy/),
  },
  {
    attempt: "binds an exception's role in a namespace as its owner, who may not use it",
    setting: 'halves',
    steps: [binds(({ cluster }) => `capabilitypolicy.dev:use:${cluster.named(AGENT)}`)],
    expect: escalates,
  },
  {
    attempt: 'binds the role of a future policy',
    setting: 'halves',
    steps: [binds(({ cluster }) => `capabilitypolicy.dev:use:${cluster.named('to-come')}`)],
    expect: escalates,
  },
  ...(['use', '*'] as const).map(
    (verb): Attack => ({
      attempt: `writes a role with the verb ${verb} on an exception as the owner of a namespace`,
      setting: 'halves',
      steps: [
        (scene) =>
          ask(
            'POST',
            `${NAMESPACED}/roles`,
            {
              apiVersion: `${RBAC}/v1`,
              kind: 'Role',
              metadata: { name: scene.pod },
              rules: [{ apiGroups: ['*'], resources: ['capabilitypolicies'], verbs: [verb] }],
            },
            { as: OWNER },
          )(scene),
      ],
      expect: escalates,
    }),
  ),
  {
    attempt: 'may use an exception in one namespace, and creates its pod in another',
    setting: 'elsewhere',
    steps: [
      async ({ cluster }) => {
        const rules = [onPolicy('use', cluster.named('bound'))];
        await grant(cluster.api, 'attacks-user', rules, { name: 'attacks-user', namespace: cluster.named('halves') });
        // The API server gets new rights through a watch, with a delay.
        await sleep(500);
        return cluster.api.ask('GET', NAMESPACES);
      },
      create(privilegedPod(), { user: 'attacks-user', groups: CREATOR.groups ?? [] }),
    ],
    expect: refusedBy('bound', /may use this policy/),
  },
  {
    attempt: 'makes a policy as the owner of a namespace',
    setting: 'halves',
    steps: [ask('POST', '/apis/capabilitypolicy.dev/v1alpha1/capabilitypolicies', {}, { as: OWNER })],
    expect: refused('RBAC', /cannot create resource "capabilitypolicies"/, [403]),
  },
  {
    attempt: 'has a controller create the pod: a Deployment with a privileged template',
    setting: 'narrow',
    steps: [
      (scene) => {
        const labels = { app: scene.pod };
        const { spec } = privilegedPod() as Json;
        return ask('POST', '/apis/apps/v1/namespaces/NAMESPACE/deployments', {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: scene.pod },
          spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
        })(scene);
      },
      async ({ cluster, namespace, pod }) => {
        const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${pod}`;
        const failure = await eventually('the refusal of its pods', async () => {
          const { status } = await cluster.api.get(path);
          return status.conditions?.find(({ type }: Json) => type === 'ReplicaFailure');
        });
        return { status: 403, body: { message: failure.message }, warnings: [] };
      },
    ],
    expect: refusedBy('narrow', /privileged/),
  },
  {
    attempt: 'deletes a namespace and makes it again',
    setting: 'remade',
    steps: [
      async ({ cluster, namespace }) => {
        const path = `${NAMESPACES}/${namespace}`;
        await cluster.api.remove(path);
        await eventually('it to be deleted', async () => (await cluster.api.find(path)) === undefined);
        await cluster.namespace('remade', { team: 'remade' });
        return cluster.api.ask('GET', path);
      },
      create(privilegedPod()),
    ],
    expect: refusedBy('remade', /privileged/),
  },
  {
    attempt: 'makes a namespace that has the name of another as its label',
    setting: 'narrow',
    steps: [
      ({ cluster, namespace }) => {
        const labels = { 'kubernetes.io/metadata.name': namespace };
        const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'alias', labels } };
        return cluster.api.ask('POST', NAMESPACES, { body, query: { dryRun: 'All' } });
      },
    ],
    expect: admitted('the API server rewrites the label', ({ metadata }) => {
      const label = metadata.labels['kubernetes.io/metadata.name'];
      if (label !== 'alias') throw new Error(label);
    }),
  },
  {
    attempt: "creates a privileged pod in a namespace whose name begins like an excluded one's: kube-system-x",
    setting: 'narrow',
    steps: [createIn('kube-system-attacks', privilegedPod())],
    expect: refusedBy('narrow', /privileged/),
  },
  {
    attempt: "sets one of the operator's labels by its service account's name",
    setting: 'narrow',
    steps: [
      ask(
        'PATCH',
        '/api/v1/namespaces/NAMESPACE',
        { metadata: { labels: { team: 'none' } } },
        {
          as: {
            user: 'system:serviceaccount:capabilitypolicy-system:capabilitypolicy-operator-forged',
            groups: EDITOR.groups ?? [],
          },
        },
      ),
    ],
    expect: refused('RBAC', /cannot patch resource "namespaces"/, [403]),
  },
];

function accounts(serviceAccountName: string | undefined, serviceAccount: string): Json {
  const one = agentPod();
  delete one.spec.serviceAccountName;
  Object.assign(one.spec, { serviceAccount, ...(serviceAccountName && { serviceAccountName }) });
  return one;
}
