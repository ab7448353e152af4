import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import { COLLECTIONS } from '../../hack/controlplane/rendered.ts';
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import { offers } from '../../operator/standards/server-features.ts';
import { ADMITTED, eventually, useCluster } from '../support/harness.ts';
import { eventsAbout } from '../support/observed.ts';
import { privilegedPod } from '../support/pod-manifests.ts';

const REPAIRED_MS = 30_000;

const MUTATES = offers(SERVER_MINOR, 'mutatingAdmissionPolicies');

const PARAM = { name: 'foreign', namespace: 'default', parameterNotFoundAction: 'Allow' };

/**
 * Manual changes to a rendered object. If several objects of the kind exist, the test changes the object whose name
 * ends with `suffix`. By default, the test changes the object of mode Enforce.
 */
const BY_HAND: readonly {
  readonly title: string;
  readonly kind: string;
  readonly suffix?: string;
  readonly patch: unknown;
}[] = [
  {
    title: 'a validation removed',
    kind: 'ValidatingAdmissionPolicy',
    patch: [{ op: 'remove', path: '/spec/validations/1' }],
  },
  {
    title: 'a matchCondition added',
    kind: 'ValidatingAdmissionPolicy',
    patch: [{ op: 'add', path: '/spec/matchConditions', value: [{ name: 'never', expression: 'false' }] }],
  },
  {
    title: 'a failurePolicy of Ignore',
    kind: 'ValidatingAdmissionPolicy',
    patch: { spec: { failurePolicy: 'Ignore' } },
  },
  {
    title: "a policy's selector changed",
    kind: 'ValidatingAdmissionPolicy',
    patch: { spec: { matchConstraints: { namespaceSelector: { matchLabels: { team: 'nobody' } } } } },
  },
  {
    title: "a binding's selector changed",
    kind: 'ValidatingAdmissionPolicyBinding',
    suffix: '.enforce-pods',
    patch: { spec: { matchResources: { namespaceSelector: { matchLabels: { team: 'nobody' } } } } },
  },
  {
    title: "a binding's selector narrowed",
    kind: 'ValidatingAdmissionPolicyBinding',
    suffix: '.enforce-pods',
    patch: { spec: { matchResources: { objectSelector: { matchLabels: { evaluated: 'yes' } } } } },
  },
  {
    title: "a binding's action changed",
    kind: 'ValidatingAdmissionPolicyBinding',
    suffix: '.enforce-pods',
    patch: { spec: { validationActions: ['Audit'] } },
  },
  {
    title: 'a parameter added',
    kind: 'ValidatingAdmissionPolicyBinding',
    suffix: '.enforce-pods',
    patch: { spec: { paramRef: PARAM } },
  },
  { title: 'a parameter added', kind: 'MutatingAdmissionPolicyBinding', patch: { spec: { paramRef: PARAM } } },
  {
    title: 'a mutation added',
    kind: 'MutatingAdmissionPolicy',
    patch: [
      {
        op: 'add',
        path: '/spec/mutations/-',
        value: { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } },
      },
    ],
  },
  {
    title: 'the label of its program removed',
    kind: 'ValidatingAdmissionPolicy',
    patch: { metadata: { labels: { 'capabilitypolicy.dev/program': null } } },
  },
  {
    title: 'the hash of its text changed',
    kind: 'ValidatingAdmissionPolicy',
    patch: { metadata: { labels: { 'capabilitypolicy.dev/text': '0123456789ab' } } },
  },
  {
    title: 'a validation of the guard removed',
    kind: 'ValidatingAdmissionPolicy',
    suffix: '.guard',
    patch: [{ op: 'remove', path: '/spec/validations/1' }],
  },
  {
    title: "the guard's action changed",
    kind: 'ValidatingAdmissionPolicyBinding',
    suffix: '.guard-namespaces',
    patch: { spec: { validationActions: ['Audit'] } },
  },
  {
    title: 'the label of its policy removed',
    kind: 'ClusterRole',
    patch: { metadata: { labels: { 'capabilitypolicy.dev/policy': null } } },
  },
  {
    title: 'the managed-by label removed',
    kind: 'ValidatingAdmissionPolicyBinding',
    suffix: '.enforce-pods',
    patch: { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } },
  },
  {
    title: 'the owner removed',
    kind: 'ValidatingAdmissionPolicy',
    patch: { metadata: { ownerReferences: null } },
  },
  {
    title: 'a rule added to a role',
    kind: 'ClusterRole',
    patch: [{ op: 'add', path: '/rules/-', value: { apiGroups: [''], resources: ['pods'], verbs: ['get'] } }],
  },
  {
    title: 'an aggregationRule added',
    kind: 'ClusterRole',
    patch: { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { team: 'drift' } }] } },
  },
  {
    title: 'a subject added',
    kind: 'ClusterRoleBinding',
    patch: [
      {
        op: 'add',
        path: '/subjects/-',
        value: { kind: 'Group', name: 'everybody', apiGroup: 'rbac.authorization.k8s.io' },
      },
    ],
  },
  { title: 'the subjects removed', kind: 'ClusterRoleBinding', patch: { subjects: null } },
];

describe('a change by hand', () => {
  const cluster = useCluster('drift');
  let namespace: string;
  let policy: string;

  before(async () => {
    namespace = await cluster.namespace('team', { team: 'drift' });
    policy = await cluster.policy('it', {
      namespaceSelector: { matchLabels: { team: 'drift' } },
      level: 'privileged',
      mode: 'Enforce',
      overrides: { privileged: false, runAsNonRoot: true, allowPrivilegeEscalation: false },
      defaulting: 'Enabled',
      usableBy: 'Subjects',
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace }],
    });
    await cluster.programmed(policy);
    await cluster.settled();
  });

  for (const { title, kind, suffix = '', patch } of BY_HAND.filter(
    (one) => MUTATES || !one.kind.startsWith('Mutating'),
  )) {
    it(`is repaired: ${kind}, ${title}`, async () => {
      const { path, before } = await find(kind, suffix);
      await cluster.byHand.patch(path, patch);
      await repaired(path, before);
    });
  }

  for (const [kind, suffix] of [
    ['ValidatingAdmissionPolicy', ''],
    ['ValidatingAdmissionPolicy', '.guard'],
    ['ValidatingAdmissionPolicyBinding', '.enforce-pods'],
    ['ValidatingAdmissionPolicyBinding', '.enforce-probe'],
    ['ValidatingAdmissionPolicyBinding', '.guard-namespaces'],
    ...(MUTATES ? [['MutatingAdmissionPolicy', ''] as const, ['MutatingAdmissionPolicyBinding', ''] as const] : []),
    ['ClusterRole', ''],
    ['ClusterRoleBinding', ''],
  ] as const) {
    it(`comes back when deleted: ${kind}${suffix}`, async () => {
      const { path, before } = await find(kind, suffix);
      await cluster.byHand.remove(path);
      await repaired(path, before);
    });
  }

  it('an Event on the policy reports a change of its role or binding, and an Event on the object reports other changes', async () => {
    const repairsOf = async (kind: string, name: string) => {
      const events = await eventsAbout(cluster.api, kind, name);
      return events.filter(({ reason }) => reason === 'DriftRepaired');
    };
    const times = (events: readonly Json[]) => events.reduce((sum, { series }) => sum + (series?.count ?? 1), 0);
    const roles = BY_HAND.filter(({ kind }) => kind.startsWith('ClusterRole')).length;
    await eventually('Events on the policy', async () => times(await repairsOf('CapabilityPolicy', policy)) > roles);
    const notes = (await repairsOf('CapabilityPolicy', policy)).map(({ note }) => String(note));
    for (const kind of ['ClusterRole', 'ClusterRoleBinding']) {
      assert.ok(
        notes.some((note) => note.startsWith(`${kind} capabilitypolicy.dev:use:${policy} `)),
        `${kind}: ${notes.join('; ')}`,
      );
    }
    const ofProgram = BY_HAND.filter(({ kind, suffix }) => kind === 'ValidatingAdmissionPolicy' && !suffix).length;
    await eventually('Events on the program', async () => {
      return times(await repairsOf('ValidatingAdmissionPolicy', 'capabilitypolicy.enforce')) > ofProgram;
    });
    for (const name of ['capabilitypolicy.enforce-pods', 'capabilitypolicy.guard-namespaces']) {
      const [event] = await repairsOf('ValidatingAdmissionPolicyBinding', name);
      assert.match(event?.note ?? '', new RegExp(`^ValidatingAdmissionPolicyBinding ${name} was modified`));
    }
  });

  it('the operator repairs all objects after a user deletes all objects at once', async () => {
    const objects = await existing();
    await Promise.all(objects.map((object) => cluster.byHand.remove(pathOf(object))));
    await cluster.settled(REPAIRED_MS);
  });

  it('is enforced again', async () => {
    const look = async () => {
      const answer = await cluster.admit(privilegedPod(), namespace);
      return answer !== ADMITTED && answer.includes(policy);
    };
    await eventually('the pod to be refused', look, REPAIRED_MS);
    await cluster.programmed(policy);
  });

  it('is repaired when the operator comes back', async () => {
    const { path, before } = await find('ValidatingAdmissionPolicy');
    await cluster.operator.stop();
    try {
      await cluster.byHand.patch(path, [{ op: 'remove', path: '/spec/validations/1' }]);
    } finally {
      await cluster.operator.startAndWatch();
    }
    await repaired(path, before);
  });

  it('if a user replaces a binding by a binding to another role, the operator repairs the binding', async () => {
    const { path, before } = await find('ClusterRoleBinding');
    const { uid: _, resourceVersion: __, creationTimestamp: ___, managedFields: ____, ...metadata } = before.metadata;
    const roleRef = { ...before.roleRef, name: 'view' };
    await cluster.operator.stop();
    try {
      await cluster.byHand.remove(path);
      await cluster.byHand.apply(path, { ...before, metadata, roleRef });
    } finally {
      await cluster.operator.startAndWatch();
    }
    await repaired(path, before);
    await cluster.programmed(policy);
  });

  it('the operator ignores a change of an object that has only the labels of the operator', async () => {
    const path = `${COLLECTIONS.ClusterRole}/drift-foreign`;
    const labels = {
      'app.kubernetes.io/managed-by': 'capabilitypolicy.dev',
      'capabilitypolicy.dev/policy': 'drift-gone',
    };
    await cluster.byHand.apply(path, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'drift-foreign', labels },
      rules: [],
    });
    const other = await cluster.policy('other', { namespaceSelector: {}, level: 'baseline', mode: 'Audit' });
    await cluster.programmed(other);
    assert.ok(await cluster.api.find(path));
    await cluster.byHand.remove(path);
  });

  async function find(kind: string, suffix = ''): Promise<{ path: string; before: Json }> {
    const objects = await existing();
    const end = suffix || (kind === 'ValidatingAdmissionPolicy' ? '.enforce' : '');
    const before = objects.find(({ kind: one, metadata }) => one === kind && metadata.name.endsWith(end));
    assert.ok(before, `no ${kind}${suffix} among ${objects.map(({ metadata }) => metadata.name)}`);
    return { path: pathOf(before), before };
  }

  async function existing(): Promise<Json[]> {
    return [...(await cluster.programs()), ...(await cluster.rendered(policy))];
  }

  async function repaired(path: string, before: Json): Promise<void> {
    let last: Json;
    const look = async () => {
      last = await cluster.api.find(path);
      return last !== undefined && JSON.stringify(said(last)) === JSON.stringify(said(before));
    };
    await eventually('the repair', look, REPAIRED_MS).catch(() => assert.deepEqual(said(last), said(before)));
  }
});

function pathOf({ kind, metadata }: Json): string {
  return `${COLLECTIONS[kind]}/${metadata.name}`;
}

/** The fields of a rendered object that the test compares. */
function said({ metadata = {}, spec, rules, aggregationRule, roleRef, subjects }: Json = {}): object {
  const { labels, ownerReferences } = metadata;
  return { labels, ownerReferences, spec, rules, aggregationRule, roleRef, subjects };
}
