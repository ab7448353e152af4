import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../../hack/controlplane/api.ts';
import { COLLECTIONS } from '../../hack/controlplane/rendered.ts';
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { completeSpec } from '../../operator/api/defaults.ts';
import { compile } from '../../operator/compile/compile.ts';
import { formatVersion } from '../../operator/standards/level-version.ts';
import { PROTECTED } from '../support/control-plane.ts';
import { ADMINISTRATOR, eventually, OPERATOR_NAMESPACE, useCluster } from '../support/harness.ts';
import { LATEST, LATEST_MINOR } from '../support/latest.ts';
import {
  allowEditor,
  change,
  EDITOR,
  grant,
  isChanged,
  type MetadataChange,
  onPolicy,
  ROUTES,
  routesOf,
} from '../support/namespace-changes.ts';
import { itUnprotected } from '../support/needs.ts';
import { NAMESPACES } from '../support/rendered.ts';

const ENFORCE = 'pod-security.kubernetes.io/enforce';
const RECORD = 'capabilitypolicy.dev/labels';
const TYPE = { apiVersion: 'capabilitypolicy.dev/v1alpha1', kind: 'CapabilityPolicy' } as const;

const LEAVES: MetadataChange = { labels: { team: null } };

/** Changes to a namespace under an Enforce policy of level restricted. Each change needs `exempt` on the policy. */
const OF_LABELS: Readonly<Record<string, MetadataChange>> = {
  'take the namespace out of the selection': LEAVES,
  'put it under no policy by another value': { labels: { team: 'nobody' } },
  'put it under a policy of higher priority as well': { labels: { grade: 'high' } },
  'put it under another policy of equal priority as well': { labels: { exception: 'yes' } },
  'move it to another policy': { labels: { team: null, exception: 'yes' } },
  'weaken our label': { labels: { [ENFORCE]: 'baseline' } },
  'remove our label': { labels: { [ENFORCE]: null } },
  'weaken its version': { labels: { [`${ENFORCE}-version`]: 'v1.20' } },
  'remove its version': { labels: { [`${ENFORCE}-version`]: null } },
  'remove both': { labels: { [ENFORCE]: null, [`${ENFORCE}-version`]: null } },
};
/** Changes that need `exempt`. The protection refuses the changes even to users with the verb `exempt`. */
const OF_RECORD: Readonly<Record<string, MetadataChange>> = {
  'remove our record': { annotations: { [RECORD]: null } },
  'change our record': { annotations: { [RECORD]: '{}' } },
};

const GUARDED = PROTECTED ? OF_LABELS : { ...OF_LABELS, ...OF_RECORD };

describe('the guard', () => {
  const cluster = useCluster('guard');
  let namespace: string;
  let policy: string;

  function enforce(labels: Record<string, string>, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
    return { namespaceSelector: { matchLabels: labels }, level: 'restricted', mode: 'Enforce', ...rest };
  }

  before(async () => {
    await allowEditor(cluster.api);
    namespace = await labelled('team', { team: 'guard' });
    policy = await cluster.policy('it', enforce({ team: 'guard' }));
    const others = await Promise.all([
      cluster.policy('equal', enforce({ exception: 'yes' }, { level: 'privileged' })),
      cluster.policy('higher', enforce({ grade: 'high' }, { level: 'privileged', priority: 10 })),
      cluster.policy('base', enforce({ team: 'base' }, { level: 'baseline' })),
    ]);
    await cluster.programmed(policy, ...others);
    await eventually('our labels', async () => {
      const { metadata } = await cluster.api.get(`${NAMESPACES}/${namespace}`);
      return metadata.labels[ENFORCE] === 'restricted' && metadata.annotations?.[RECORD] !== undefined;
    });
  });

  for (const [what, wanted] of Object.entries({ ...OF_LABELS, ...OF_RECORD })) {
    const itGuards = what in OF_RECORD ? itUnprotected.bind(undefined, 'the protection refuses it to everybody') : it;
    itGuards(`lets no editor of namespaces ${what}, and cluster administrators`, async () => {
      for (const route of routesOf(wanted)) {
        refused(await change(cluster.api, namespace, wanted, EDITOR, route), policy, route.title);
        admitted(await change(cluster.api, namespace, wanted, ADMINISTRATOR, route), wanted, route.title);
      }
    });
  }

  it('the guard lets editors make changes that affect no policy', async () => {
    const wanted = { labels: { colour: 'blue' }, annotations: { 'example.org/colour': 'blue' } };
    for (const route of ROUTES) {
      admitted(await change(cluster.api, namespace, wanted, EDITOR, route), wanted, route.title);
    }
  });

  it('lets editors tighten the level', async () => {
    const base = await labelled('base', { team: 'base' });
    await eventually('our label', async () => (await labelsOf(base))[ENFORCE] === 'baseline');
    const wanted = { labels: { [ENFORCE]: 'restricted' } };
    for (const route of ROUTES) admitted(await change(cluster.api, base, wanted, EDITOR, route), wanted, route.title);
  });

  describe('the guard protects the label that policies require, for any owner of the label', () => {
    // The test deletes the namespaces, because a remaining label would look like a label that the operator forgot.
    after(async () => {
      const namespaces = ['wanted', 'tightened', 'loose'].map((name) => cluster.named(name));
      await Promise.all(namespaces.map((name) => cluster.api.remove(`${NAMESPACES}/${name}`)));
    });

    it('the guard protects the label after an editor has stated the previous value of the label', async () => {
      const wanted = await labelled('wanted', { team: 'wanted' });
      await cluster.policy('wanted', enforce({ team: 'wanted' }, { level: 'baseline' }));
      const stated = { [ENFORCE]: 'baseline', [`${ENFORCE}-version`]: LATEST };
      await ours(wanted, stated);
      await applies(wanted, stated);
      await cluster.programmed(await cluster.policy('wanted', enforce({ team: 'wanted' })));
      await ours(wanted, { [ENFORCE]: 'restricted', [`${ENFORCE}-version`]: LATEST });
      await refusesWeakening(wanted, cluster.named('wanted'), 'privileged', 'baseline', null);
    });

    it('the guard protects the label after an editor has tightened the label and owns the label', async () => {
      const base = await labelled('tightened', { team: 'base' });
      await ours(base, { [ENFORCE]: 'baseline', [`${ENFORCE}-version`]: LATEST });
      await applies(base, { [ENFORCE]: 'restricted' });
      await eventually('it to be given up', async () => {
        const { metadata } = await cluster.api.get(`${NAMESPACES}/${base}`);
        return metadata.annotations?.[RECORD] === undefined;
      });
      await refusesWeakening(base, cluster.named('base'), 'privileged', null);
      for (const version of ['v1.0', formatVersion(LATEST_MINOR - 1)]) {
        const older: MetadataChange = { labels: { [`${ENFORCE}-version`]: version } };
        for (const route of routesOf(older))
          refused(await change(cluster.api, base, older, EDITOR, route), cluster.named('base'));
      }
      const back: MetadataChange = { labels: { [ENFORCE]: 'baseline' } };
      for (const route of routesOf(back)) admitted(await change(cluster.api, base, back, EDITOR, route), back);
    });

    it('before the operator has set it', async () => {
      await cluster.operator.stop();
      try {
        const early = await labelled('early', { team: 'guard' });
        await refusesWeakening(early, policy, 'privileged', 'baseline');
        const version: MetadataChange = { labels: { [`${ENFORCE}-version`]: 'v1.0' } };
        refused(await change(cluster.api, early, version, EDITOR), policy);
        const tight: MetadataChange = { labels: { [ENFORCE]: 'restricted' } };
        admitted(await change(cluster.api, early, tight, EDITOR), tight);
      } finally {
        await cluster.operator.startAndWatch();
      }
    });

    it('the guard lets editors tighten or remove an older, looser label', async () => {
      const loose = await labelled('loose', { team: 'guard', [ENFORCE]: 'baseline', [`${ENFORCE}-version`]: 'v1.20' });
      const changes: Record<string, string | null>[] = [
        { [ENFORCE]: null, [`${ENFORCE}-version`]: null },
        { [ENFORCE]: null },
        { [`${ENFORCE}-version`]: null, [ENFORCE]: 'restricted' },
        { [ENFORCE]: 'restricted' },
      ];
      for (const labels of changes) {
        const wanted: MetadataChange = { labels };
        admitted(await change(cluster.api, loose, wanted, EDITOR), wanted);
      }
      await refusesWeakening(loose, policy, 'privileged');
    });

    /** Tries to weaken the label through each route, and expects a refusal each time. */
    async function refusesWeakening(name: string, by: string, ...levels: readonly (string | null)[]): Promise<void> {
      for (const level of levels) {
        const weakened: MetadataChange = { labels: { [ENFORCE]: level } };
        for (const route of routesOf(weakened)) {
          // If a server-side apply leaves out fields, fields of other field managers stay.
          if (level === null && route.title.startsWith('server-side apply')) continue;
          refused(await change(cluster.api, name, weakened, EDITOR, route), by, `${level}: ${route.title}`);
        }
      }
    }

    /** Waits until the operator has set and recorded the given labels. */
    async function ours(name: string, labels: Record<string, string>): Promise<void> {
      await eventually(`our labels on ${name}`, async () => {
        const { metadata } = await cluster.api.get(`${NAMESPACES}/${name}`);
        return metadata.annotations?.[RECORD] === JSON.stringify(labels) && labelsOf(name);
      });
      assert.partialDeepStrictEqual(await labelsOf(name), labels);
    }

    /** The editor applies the labels by server-side apply, with a separate field manager. */
    async function applies(name: string, labels: Record<string, string>): Promise<void> {
      const { status, body } = await cluster.api.ask('PATCH', `${NAMESPACES}/${name}`, {
        body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
        contentType: 'application/apply-patch+yaml',
        as: EDITOR,
        query: { fieldManager: 'argocd-controller', force: true },
      });
      assert.equal(status, 200, body.message);
    }
  });

  it('the guard lets editors put a namespace without a policy under a policy', async () => {
    const free = await cluster.namespace('free');
    const wanted = { labels: { team: 'guard' } };
    admitted(await change(cluster.api, free, wanted, EDITOR), wanted);
  });

  it('holders of exempt on the policy in all namespaces may make every change', async () => {
    const path = await grant(cluster.api, EDITOR.user, [onPolicy('exempt', policy)], { name: 'guard-exempt' });
    try {
      for (const wanted of Object.values(GUARDED)) {
        await eventually('the right', async () =>
          isChanged(await change(cluster.api, namespace, wanted, EDITOR), wanted),
        );
        for (const route of routesOf(wanted)) {
          admitted(await change(cluster.api, namespace, wanted, EDITOR, route), wanted, route.title);
        }
      }
    } finally {
      await cluster.api.remove(path);
    }
    await eventually(
      'the right to be removed',
      async () => !isChanged(await change(cluster.api, namespace, LEAVES, EDITOR), LEAVES),
    );
  });

  it('a user who holds exempt only in the namespace, or on another policy, is stopped', async () => {
    const paths = [
      await grant(cluster.api, EDITOR.user, [onPolicy('exempt', policy)], { name: 'guard-local', namespace }),
      await grant(cluster.api, EDITOR.user, [onPolicy('exempt', cluster.named('equal'))], { name: 'guard-other' }),
    ];
    // The API server learns of new rights through a watch, with a delay.
    await sleep(1_000);
    for (const wanted of Object.values(GUARDED)) refused(await change(cluster.api, namespace, wanted, EDITOR), policy);
    await Promise.all(paths.map((path) => cluster.api.remove(path)));
  });

  it('the guard requires exempt on each policy that decides', async () => {
    const both = await labelled('both', { team: 'guard', exception: 'yes' });
    const path = await grant(cluster.api, EDITOR.user, [onPolicy('exempt', policy)], { name: 'guard-one' });
    await eventually('the right', async () => isChanged(await change(cluster.api, namespace, LEAVES, EDITOR), LEAVES));
    refused(
      await change(cluster.api, both, { labels: { team: null, exception: null } }, EDITOR),
      cluster.named('equal'),
    );
    admitted(await change(cluster.api, both, LEAVES, EDITOR), LEAVES);
    await cluster.api.remove(path);
  });

  for (const mode of ['Warn', 'Audit'] as const) {
    it(`does not exist for policies of mode ${mode}`, async () => {
      const team = mode.toLowerCase();
      const other = await labelled(team, { team });
      await cluster.programmed(await cluster.policy(team, enforce({ team }, { mode })));
      admitted(await change(cluster.api, other, LEAVES, EDITOR), LEAVES);
    });
  }

  it('does not apply in excluded namespaces', async () => {
    const name = 'kube-public';
    await cluster.api.patch(`${NAMESPACES}/${name}`, { metadata: { labels: { team: 'guard' } } });
    admitted(await change(cluster.api, name, LEAVES, EDITOR), LEAVES);
    await cluster.api.patch(`${NAMESPACES}/${name}`, { metadata: { labels: { team: null } } });
  });

  it('the guard lets users remove finalizers and delete namespaces', async () => {
    const going = await labelled('going', { team: 'guard' });
    const path = `${NAMESPACES}/${going}`;
    const held = (finalizers: readonly string[]) =>
      cluster.api.ask('PATCH', path, {
        body: { metadata: { finalizers } },
        contentType: 'application/merge-patch+json',
        as: EDITOR,
      });
    assert.equal((await held(['example.org/held'])).status, 200);
    await cluster.api.remove(path);
    await eventually('its contents to be deleted', async () => {
      const { spec } = await cluster.api.get(path);
      return (spec.finalizers ?? []).length === 0;
    });
    refused(await change(cluster.api, going, LEAVES, EDITOR), policy);
    assert.equal((await held([])).status, 200);
    await eventually('the namespace to be gone', async () => (await cluster.api.find(path)) === undefined);
  });

  it('if a policy of mode Enforce is Programmed, the guard of the policy is in force', async () => {
    const namespaces = [await labelled('left', { side: 'left' }), await labelled('right', { side: 'right' })];
    const wanted: MetadataChange = { labels: { side: null } };
    for (let i = 0; i < 4; i++) {
      const side = ['left', 'right'][i % 2] ?? '';
      const sided = await cluster.policy('sided', enforce({ side }));
      await cluster.programmed(sided);
      refused(await change(cluster.api, namespaces[i % 2] ?? '', wanted, EDITOR), sided, `change ${i}`);
    }
    await cluster.deletePolicy(cluster.named('sided'));
  });

  it('the guard protects the objects of a policy even if an edit of the policy is not accepted', async () => {
    const kept = await labelled('kept', { team: 'kept' });
    const spec = enforce({ team: 'kept' });
    const changed = await cluster.policy('kept', spec);
    await cluster.programmed(changed);
    await cluster.policy('kept', { ...spec, levelVersion: 'v1.99' });
    await eventually('the refusal', async () => (await cluster.condition(changed, 'Accepted'))?.status === 'False');
    // Because of the new policy, the operator writes the guard again. The guard must still protect the policy that is
    // no longer accepted.
    await cluster.programmed(
      await cluster.policy('base', enforce({ team: 'base' }, { level: 'baseline', priority: 1 })),
    );
    await sleep(2_000);
    refused(await change(cluster.api, kept, LEAVES, EDITOR), changed);

    await cluster.deletePolicy(changed);
    await eventually('freedom', async () => isChanged(await change(cluster.api, kept, LEAVES, EDITOR), LEAVES));
    await cluster.settled();
  });

  it('the guard admits only cluster administrators and holders of exempt, even with the largest number of policies', async () => {
    const crowded = await labelled('crowded', { crowd: 'yes' });
    const names = Array.from({ length: 40 }, (_, i) => `crowd-${i}`);
    const { programs } = compile(
      names.map((name) => ({
        ...TYPE,
        metadata: { name, uid: 'none' },
        spec: completeSpec(enforce({ crowd: 'yes' })),
      })),
      { oldestServer: SERVER_MINOR, operatorNamespace: OPERATOR_NAMESPACE, excludedNamespaces: [] },
    );
    const guards = programs.filter(({ kind }) => kind === 'Guard');
    const rendered = guards.flatMap(({ policy, bindings }) => [policy, ...bindings]);
    const objects = rendered.map(({ metadata: { name }, ...rest }) => ({ ...rest, metadata: { name } }));
    const paths = objects.map(({ kind, metadata }) => `${COLLECTIONS[kind]}/${metadata.name}`);
    // A running operator would replace the guard under test by the operator's guard. The guard under test has the same
    // name as the operator's guard.
    await cluster.operator.stop();
    try {
      for (const [i, object] of objects.entries()) await cluster.byHand.apply(paths[i] ?? '', object);
      const wanted: MetadataChange = { labels: { crowd: null } };
      await eventually('the guard', async () => (await change(cluster.api, crowded, wanted, EDITOR)).status === 403);
      // If several guards refuse a request, the API server returns the message of any of the guards.
      refused(await change(cluster.api, crowded, wanted, EDITOR), 'crowd-\\d+');
      admitted(await change(cluster.api, crowded, wanted, ADMINISTRATOR), wanted);
      // Each check has a cost. A guard that makes all of its checks must not exceed the API server's cost limit.
      paths.push(
        await grant(
          cluster.api,
          EDITOR.user,
          names.map((name) => onPolicy('exempt', name)),
          { name: 'guard-crowd' },
        ),
      );
      await eventually('the right', async () => isChanged(await change(cluster.api, crowded, wanted, EDITOR), wanted));
    } finally {
      for (const path of paths.toReversed()) await cluster.byHand.remove(path);
      await cluster.operator.start();
    }
  });

  describe('is deleted with the last Enforce policy', () => {
    beforeEach(async () => {
      await cluster.deletePolicies();
      await cluster.settled();
      assert.deepEqual(await guards(), []);
      await cluster.programmed(await cluster.policy('it', enforce({ team: 'guard' })));
      assert.equal((await guards()).length, 4);
    });

    it('when that is deleted', async () => {
      await cluster.deletePolicy(policy);
      await gone();
    });

    it('the guard is deleted when the operator runs again after the deletion of the last policy', async () => {
      const another = await cluster.policy('another', enforce({ team: 'another' }));
      await cluster.programmed(policy, another);
      await cluster.operator.stop();
      try {
        await cluster.deletePolicy(another);
        await sleep(1_000);
        refused(await change(cluster.api, namespace, LEAVES, EDITOR), policy);
        await cluster.deletePolicy(policy);
        await sleep(1_000);
        refused(await change(cluster.api, namespace, LEAVES, EDITOR), policy);
      } finally {
        await cluster.operator.startAndWatch();
      }
      await gone();
    });

    it('when that is given another mode', async () => {
      await cluster.policy('it', enforce({ team: 'guard' }, { mode: 'Audit' }));
      await gone();
    });

    it('the guard is deleted when the operator runs again after the last policy was deleted with orphaned objects', async () => {
      await cluster.operator.stop();
      try {
        await cluster.deletePolicy(policy, 'Orphan');
        assert.equal((await guards()).length, 4);
      } finally {
        await cluster.operator.startAndWatch();
      }
      await gone();
    });
  });

  async function labelled(suffix: string, labels: Record<string, string>): Promise<string> {
    return cluster.namespace(suffix, labels);
  }

  async function labelsOf(name: string): Promise<Record<string, string>> {
    return (await cluster.api.get(`${NAMESPACES}/${name}`)).metadata.labels;
  }

  async function guards(): Promise<string[]> {
    const lists = ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'].map((kind) =>
      cluster.api.list(COLLECTIONS[kind] ?? ''),
    );
    const names = (await Promise.all(lists)).flat().map(({ metadata }) => metadata.name as string);
    return names.filter((name) => name.startsWith('capabilitypolicy.guard'));
  }

  async function gone(): Promise<void> {
    await eventually('the guard to be deleted', async () => (await guards()).length === 0);
    await eventually('freedom', async () => isChanged(await change(cluster.api, namespace, LEAVES, EDITOR), LEAVES));
  }
});

function refused({ status, body }: Answer, policy: string, how = ''): void {
  assert.equal(status, 403, `${how}: ${JSON.stringify(body)}`);
  assert.match(body.message, new RegExp(`CapabilityPolicy ${policy}: this change would`), how);
}

function admitted(answer: Answer, wanted: MetadataChange, how = ''): void {
  assert.equal(answer.status, 200, `${how}: ${answer.body.message}`);
  assert.ok(isChanged(answer, wanted), `${how}: ${JSON.stringify(answer.body.metadata)}`);
}
