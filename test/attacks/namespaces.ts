/** Attempts to change the labels of namespaces or the owners of labels, and attempts to bypass the guard. */
import type { Answer } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { rolloutLabel } from '../../operator/policy/parts.ts';
import { ADMINISTRATOR, eventually } from '../support/harness.ts';
import { change, EDITOR, type MetadataChange, ROUTES, routesOf } from '../support/namespace-changes.ts';
import { podSecurityOf, vanish } from '../support/observed.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { type Attack, admitted, ask, changeNamespace, guarded, refused, type Scene, type Step } from './attack.ts';

const LABELS = 'pod-security.kubernetes.io';
const ENFORCE = `${LABELS}/enforce`;
const RECORD = 'capabilitypolicy.dev/labels';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const APPLY = 'application/apply-patch+yaml';
const NAMESPACE = `${NAMESPACES}/NAMESPACE`;
const PRIVILEGED: MetadataChange = { labels: { [ENFORCE]: 'privileged' } };

const ADMIN_ACCESS = { labels: { 'resource.kubernetes.io/admin-access': 'true' } };
const ADMIN_CLAIM = {
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: { name: 'monitor' },
  spec: {
    devices: {
      requests: [
        { name: 'all', exactly: { deviceClassName: 'gpu.example.org', allocationMode: 'All', adminAccess: true } },
      ],
    },
  },
};

/**
 * Applies the current labels of the namespace. So `fieldManager` becomes another owner of the labels. @param rest other
 * metadata to apply
 */
function appliesTheSame(fieldManager: string, ...rest: readonly 'annotations'[]): Step {
  return async (scene) => {
    const { labels, annotations } = (await scene.cluster.api.get(`${NAMESPACES}/${scene.namespace}`)).metadata;
    const body = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: scene.namespace, labels, ...(rest.includes('annotations') && { annotations }) },
    };
    return ask('PATCH', NAMESPACE, body, { as: EDITOR, contentType: APPLY, query: { fieldManager } })(scene);
  };
}

function patches(metadata: object): Step {
  return ask('PATCH', NAMESPACE, { metadata }, { as: EDITOR });
}

/** Waits until the namespace has the Pod Security label of its policy. */
function labelled(level: string): Step {
  return async ({ cluster, namespace }) => {
    await eventually(`the label ${level}`, async () => (await enforced({ cluster, namespace })) === level, 15_000);
    return cluster.api.ask('GET', `${NAMESPACES}/${namespace}`);
  };
}

/**
 * Changes the level of the policy. As a result, the operator sets another label on the namespace. Waits until the
 * operator has observed the change.
 */
function policyBecomes(level: CapabilityPolicySpec['level']): Step {
  return async ({ cluster, namespace }) => {
    const suffix = namespace.replace('attacks-', '');
    const namespaceSelector = { matchLabels: { team: suffix } };
    const policy = await cluster.policy(suffix, { namespaceSelector, level, mode: 'Enforce' });
    await cluster.programmed(policy);
    // Waits until the operator has set the label, or until the status reports another owner of the label.
    await eventually('the label pass', async () => {
      const conflict = await cluster.condition(policy, 'LabelConflict');
      return conflict !== undefined || (await enforced({ cluster, namespace })) === level;
    });
    return cluster.api.ask('GET', `${NAMESPACES}/${namespace}`);
  };
}

/** The operator does not remove labels of other field managers, so the test deletes the whole namespace. */
function vanishes({ cluster, namespace }: Scene): Promise<void> {
  return vanish(cluster.api, namespace);
}

async function enforced({ cluster, namespace }: Pick<Scene, 'cluster' | 'namespace'>): Promise<string | undefined> {
  return (await podSecurityOf(cluster.api, namespace)).labels.enforce;
}

/**
 * Tries each route of the API that can make the change. Returns the first answer that is not a refusal. If every answer
 * is a refusal, the step returns the last refusal.
 */
function byEveryRoute(wanted: MetadataChange): Step {
  return async ({ cluster, namespace }) => {
    let last: Answer | undefined;
    for (const route of routesOf(wanted)) {
      last = await change(cluster.api, namespace, wanted, EDITOR, route);
      if (last.status !== 403) return last;
    }
    return last as Answer;
  };
}

const CHANGES: Readonly<Record<string, MetadataChange>> = {
  'takes it out of the policy': { labels: { team: null } },
  'puts it under a looser policy by another value': { labels: { team: 'bounded' } },
  'puts it under another policy as well': { labels: { exception: 'yes' } },
  'weakens the enforced level': PRIVILEGED,
  'removes the enforced level': { labels: { [ENFORCE]: null } },
  'weakens the version of the level': { labels: { [`${ENFORCE}-version`]: 'v1.20' } },
  'sets the version of the level to the newest': { labels: { [`${ENFORCE}-version`]: 'latest' } },
  "removes the operator's record": { annotations: { [RECORD]: null } },
  "makes the operator's record unreadable": { annotations: { [RECORD]: '{' } },
};

export const NAMESPACE_CHANGES: readonly Attack[] = [
  ...Object.entries(CHANGES).map(
    ([what, wanted]): Attack => ({
      attempt: `${what}, as an editor of namespaces, by update, patch and apply, of /status and /finalize too`,
      setting: 'labelled',
      steps: [labelled('restricted'), byEveryRoute(wanted)],
      expect: guarded,
    }),
  ),
  {
    attempt: 'takes it out of a policy that another one overrides at the moment',
    setting: 'overridden',
    steps: [byEveryRoute({ labels: { team: null } })],
    expect: guarded,
  },
  {
    attempt: 'makes it pending for a policy that another one overrides, and that may get a rollout',
    setting: 'overridden',
    steps: [byEveryRoute({ labels: { [rolloutLabel('attacks-overridden')]: 'pending' } })],
    expect: guarded,
  },
  ...[ADMIN_ACCESS, { labels: { ...ADMIN_ACCESS.labels, colour: 'blue' } }].map(
    (wanted): Attack => ({
      attempt: `gives it admin access to devices, where an overridden policy guards that, by ${Object.keys(wanted.labels).length} labels`,
      setting: 'devices',
      steps: [byEveryRoute(wanted)],
      expect: guarded,
    }),
  ),
  {
    attempt: 'claims devices with admin access, after the label was refused',
    setting: 'devices',
    needs: 'deviceAdminAccess',
    steps: [
      ask('POST', '/apis/resource.k8s.io/v1/namespaces/NAMESPACE/resourceclaims', ADMIN_CLAIM, { as: ADMINISTRATOR }),
    ],
    expect: refused('the API server', /admin access to devices requires the .* label/),
  },
  {
    attempt: 'puts it under a policy and makes it pending for that, in one change',
    setting: 'entering',
    steps: [byEveryRoute({ labels: { entered: 'yes', [rolloutLabel('attacks-entering')]: 'pending' } })],
    expect: guarded,
  },
  {
    attempt: 'puts it under a policy where none decided',
    setting: 'entering',
    steps: [changeNamespace({ labels: { entered: 'yes' } }, EDITOR)],
    expect: admitted('it only tightens'),
  },
  {
    attempt: 'sets another label, which tightens and loosens nothing',
    setting: 'labelled',
    steps: [byEveryRoute({ labels: { colour: 'blue' } })],
    expect: admitted('it decides nothing'),
  },
  {
    attempt: 'weakens the label of another mode',
    setting: 'labelled',
    steps: [byEveryRoute({ labels: { [`${LABELS}/warn`]: 'privileged', [`${LABELS}/audit`]: 'privileged' } })],
    expect: admitted('it refuses nothing'),
  },
  {
    attempt: 'weakens the enforced level as cluster administrator',
    setting: 'labelled',
    steps: [changeNamespace(PRIVILEGED, ADMINISTRATOR)],
    expect: admitted('administrators hold exempt'),
  },
  {
    attempt: 'states the current labels as another field manager, and weakens them when the policy has changed',
    setting: 'claimed',
    steps: [
      labelled('restricted'),
      appliesTheSame('argocd'),
      policyBecomes('baseline'),
      changeNamespace(PRIVILEGED, EDITOR, ROUTES[1]),
    ],
    expect: guarded,
    after: vanishes,
  },
  {
    attempt:
      'states the labels and their record as another field manager, and weakens them when the policy has changed',
    setting: 'recorded',
    steps: [
      labelled('restricted'),
      appliesTheSame('argocd', 'annotations'),
      policyBecomes('baseline'),
      changeNamespace(PRIVILEGED, EDITOR, ROUTES[1]),
    ],
    expect: guarded,
    after: vanishes,
  },
  {
    attempt: "states the current labels under the operator's own name, and weakens them later",
    setting: 'impersonated',
    steps: [
      labelled('restricted'),
      appliesTheSame('capabilitypolicy.dev', 'annotations'),
      policyBecomes('baseline'),
      changeNamespace(PRIVILEGED, EDITOR, ROUTES[1]),
    ],
    expect: guarded,
    after: vanishes,
  },
  {
    attempt: 'removes the owner of the labels, and weakens them when the policy has changed',
    setting: 'unowned',
    steps: [
      labelled('restricted'),
      patches({ managedFields: [{}] }),
      policyBecomes('baseline'),
      changeNamespace(PRIVILEGED, EDITOR, ROUTES[1]),
    ],
    expect: guarded,
    after: vanishes,
  },
  {
    attempt: 'claims that kubectl applied the current labels, and weakens them when the policy has changed',
    setting: 'stated',
    steps: [
      labelled('restricted'),
      patches({
        annotations: {
          [LAST_APPLIED]: JSON.stringify({ metadata: { labels: { [ENFORCE]: 'restricted' } } }),
        },
      }),
      policyBecomes('baseline'),
      changeNamespace(PRIVILEGED, EDITOR, ROUTES[1]),
    ],
    expect: guarded,
    after: vanishes,
  },
];
