/**
 * Tests two changes that a subject without `exempt` cannot make. A subject without `exempt` cannot make a namespace
 * pending, and cannot take a namespace out of an Enforce policy. The guard refuses both changes even if another policy
 * overrides the Enforce policy. The guard refuses both changes even while a rollout is added. The guard also refuses a
 * change that is made in several steps.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMINISTRATOR, ADMITTED, eventually, useCluster } from '../support/harness.ts';
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
import { baselinePod, privilegedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';

const APPLY = 'application/apply-patch+yaml';
const HIGH = 10;

describe('an editor of namespaces without exempt', function () {
  this.timeout(300_000);
  const cluster = useCluster('guard-overridden');

  const labelOf = (policy: string) => `rollout.capabilitypolicy.dev/${policy}`;

  function enforce(team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
    const namespaceSelector = { matchLabels: { team } };
    return { namespaceSelector, level: 'restricted', mode: 'Enforce', podSecurityLabels: 'Off', ...rest };
  }

  before(async () => {
    await allowEditor(cluster.api);
    const rules = [{ apiGroups: [''], resources: ['namespaces'], verbs: ['create', 'patch'] }];
    await grant(cluster.api, EDITOR.user, rules, { name: 'namespace-creator' });
  });

  describe('of a namespace in which another policy overrides the policy of the namespace', () => {
    let namespace: string;
    let plain: string;
    let rolled: string;

    before(async () => {
      namespace = await cluster.namespace('under', { team: 'under', tier: 'exception', grade: 'middle' });
      plain = await cluster.policy('plain', enforce('under'));
      rolled = await cluster.policy('rolled', enforce('under', { rollout: { soak: '0s' } }));
      const above = await Promise.all([
        // The policy `higher` overrides the policy `middle`, because `higher` has a higher priority.
        cluster.policy(
          'middle',
          enforce('', { namespaceSelector: { matchLabels: { grade: 'middle' } }, level: 'baseline', priority: 5 }),
        ),
        cluster.policy(
          'higher',
          enforce('', {
            namespaceSelector: { matchLabels: { tier: 'exception' } },
            level: 'privileged',
            priority: HIGH,
          }),
        ),
      ]);
      await cluster.programmed(plain, rolled, ...above);
      await eventually('no pending namespace', async () => (await labelsOf(namespace))[labelOf(rolled)] === undefined);
      assert.equal(await cluster.admit(privilegedPod(), namespace), ADMITTED);
    });

    const changes: Readonly<Record<string, (policy: string) => MetadataChange>> = {
      'makes it pending': (policy) => ({ labels: { [labelOf(policy)]: 'pending' } }),
      'takes it out of the selector': () => ({ labels: { team: null } }),
      'gives it another value': () => ({ labels: { team: 'nobody' } }),
      'takes it out of both policies': () => ({ labels: { team: null, tier: null } }),
      'makes it pending and takes it out of the one that overrides': (policy) => ({
        labels: { [labelOf(policy)]: 'pending', tier: null },
      }),
      'makes it pending and takes it out of the selector': (policy) => ({
        labels: { [labelOf(policy)]: 'pending', team: null },
      }),
    };
    for (const [what, wantedFor] of Object.entries(changes)) {
      for (const which of ['plain', 'rolled'] as const) {
        it(`never ${what}, as far as the policy ${which} is concerned`, async () => {
          const policy = { plain, rolled }[which];
          const wanted = wantedFor(policy);
          // The editor holds `exempt` on all policies except the policy under test. These rights are not enough.
          const others = [plain, rolled, cluster.named('middle'), cluster.named('higher')].filter(
            (one) => one !== policy,
          );
          await exempt(others, async () => {
            await eventually('the answer about this policy', async () => {
              const { status, body } = await change(cluster.api, namespace, wanted, EDITOR);
              return status === 403 && String(body.message).includes(`CapabilityPolicy ${policy}: this change would`);
            });
            for (const route of routesOf(wanted)) {
              refused(await change(cluster.api, namespace, wanted, EDITOR, route), policy, route.title);
            }
          });
          for (const route of routesOf(wanted)) {
            const { status } = await change(cluster.api, namespace, wanted, EDITOR, route);
            assert.equal(status, 403, route.title);
            assert.ok(
              isChanged(await change(cluster.api, namespace, wanted, ADMINISTRATOR, route), wanted),
              route.title,
            );
          }
        });
      }
    }

    for (const { method, contentType } of [{ method: 'POST' }, { method: 'PATCH', contentType: APPLY }] as const) {
      it(`never creates such a namespace as pending: ${method}`, async () => {
        for (const policy of [plain, rolled]) {
          const labels = { team: 'under', tier: 'exception', [labelOf(policy)]: 'pending' };
          refused(await creates('born', labels, method, contentType), policy);
          assert.equal((await creates('born', { team: 'under', tier: 'exception' }, method, contentType)).status, 201);
        }
      });
    }

    it('the editor may make changes that concern none of the policies', async () => {
      const wanted: MetadataChange = { labels: { colour: 'blue' } };
      for (const route of ROUTES) {
        assert.ok(isChanged(await change(cluster.api, namespace, wanted, EDITOR, route), wanted), route.title);
      }
    });

    it('the editor cannot prepare a change that takes effect when the other policy is deleted', async () => {
      for (const labels of [{ [labelOf(plain)]: 'pending' }, { [labelOf(rolled)]: 'pending' }, { team: null }]) {
        const { status } = await patch(namespace, labels);
        assert.equal(status, 403);
      }
      await cluster.deletePolicy(cluster.named('higher'));
      await eventually('the next policy to decide', async () => {
        return (await cluster.admit(privilegedPod(), namespace)).includes(cluster.named('middle'));
      });
      await cluster.deletePolicy(cluster.named('middle'));
      await eventually('the policies below to decide', async () => {
        return (await cluster.admit(privilegedPod(), namespace)).includes(plain);
      });
      await cluster.programmed(plain, rolled);
      assert.notEqual(await cluster.admit(baselinePod(), namespace), ADMITTED);
    });
  });

  const roots: Readonly<Record<string, Partial<CapabilityPolicySpec>>> = {
    'is added': {},
    'and a priority are added': { priority: 3 },
    'and a wider selector are added': {
      namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'In', values: ['adding', 'more'] }] },
    },
    'and another level are added': { level: 'baseline' },
  };
  it('the editor cannot make a namespace pending while a rollout is added, even if the edit of the policy has other changes', async () => {
    const namespaces = await Promise.all(
      [0, 150, 400, 800].map((ms) => cluster.namespace(`adding-${ms}`, { team: 'adding' })),
    );
    const policy = await cluster.policy('adding', enforce('adding'));
    await cluster.programmed(policy);
    const pending = { [labelOf(policy)]: 'pending' };
    const succeeded: string[] = [];
    let tried = 0;
    for (const [title, rest] of Object.entries(roots)) {
      for (const rollout of [{ paused: true }, { soak: '24h' }]) {
        let done = false;
        const trying = namespaces.map(async (namespace) => {
          while (!done) {
            const { status } = await patch(namespace, pending);
            tried++;
            if (status < 300) succeeded.push(`${title}: ${namespace}`);
            await sleep(10);
          }
        });
        try {
          await cluster.policy('adding', enforce('adding', { ...rest, rollout } as Partial<CapabilityPolicySpec>));
          for (const [i, ms] of [0, 150, 250, 400].entries()) {
            await sleep(ms);
            const { status } = await patch(namespaces[i] ?? '', pending);
            if (status < 300) succeeded.push(`${title}: ${namespaces[i]} once`);
          }
          await cluster.programmed(policy);
          await sleep(500);
        } finally {
          done = true;
          await Promise.all(trying);
        }
        // The next round begins with a policy without a rollout.
        await cluster.policy('adding', enforce('adding'));
        await cluster.programmed(policy);
      }
    }
    assert.deepEqual([...new Set(succeeded)], []);
    assert.ok(tried > 100, `${tried} attempts`);
    for (const namespace of namespaces) {
      assert.equal((await labelsOf(namespace))[labelOf(policy)], undefined);
      assert.match(await cluster.admit(privilegedPod(), namespace), new RegExp(policy));
    }
  });

  describe('who lets a namespace enter a policy', () => {
    let rolled: string;
    let plain: string;

    before(async () => {
      rolled = await cluster.policy('entered-rolled', enforce('entered', { rollout: { paused: true } }));
      plain = await cluster.policy('entered-plain', enforce('entered'));
      await cluster.programmed(rolled, plain);
      // The operator would remove the label of a rollout from a namespace that the policy does not select. The test
      // therefore stops the operator.
      await cluster.operator.stop();
    });
    after(() => cluster.operator.startAndWatch());

    for (const which of ['rolled', 'plain'] as const) {
      const policyOf = () => ({ rolled, plain })[which];

      it(`never makes it pending with the same update: ${which}`, async () => {
        const outside = await cluster.namespace(`outside-${which}`);
        const wanted: MetadataChange = { labels: { team: 'entered', [labelOf(policyOf())]: 'pending' } };
        for (const route of routesOf(wanted)) {
          refused(await change(cluster.api, outside, wanted, EDITOR, route), policyOf(), route.title);
        }
        const without: MetadataChange = { labels: { team: 'entered' } };
        for (const route of routesOf(without)) {
          assert.ok(isChanged(await change(cluster.api, outside, without, EDITOR, route), without), route.title);
        }
        const enforced: MetadataChange = { labels: { team: 'entered', [labelOf(policyOf())]: 'enforced' } };
        assert.ok(isChanged(await change(cluster.api, outside, enforced, EDITOR), enforced));
      });

      for (const [how, prepare] of Object.entries({
        'the label first': async (name: string, label: object) => {
          await cluster.namespace(name);
          return patch(cluster.named(name), label);
        },
        'created with the label': (name: string, label: object) =>
          cluster.api.ask('POST', NAMESPACES, {
            body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: cluster.named(name), labels: label } },
            as: EDITOR,
          }),
      })) {
        it(`never makes it pending in two steps: ${which}, ${how}`, async () => {
          const name = `steps-${which}-${how.replaceAll(' ', '-')}`;
          const { status, body } = await prepare(name, { [labelOf(policyOf())]: 'pending' });
          assert.ok(status === 200 || status === 201, body.message);
          const namespace = cluster.named(name);
          const enters: MetadataChange = { labels: { team: 'entered' } };
          for (const route of routesOf(enters)) {
            refused(await change(cluster.api, namespace, enters, EDITOR, route), policyOf(), route.title);
          }
          const cleans: MetadataChange = { labels: { team: 'entered', [labelOf(policyOf())]: null } };
          for (const route of routesOf(cleans)) {
            const answer = await change(cluster.api, namespace, cleans, EDITOR, route);
            // If a server-side apply leaves out labels, labels of other field managers stay. The value therefore stays
            // `pending`.
            if (route.title.startsWith('server-side apply')) refused(answer, policyOf(), route.title);
            else assert.ok(isChanged(answer, cleans), route.title);
          }
        });
      }

      it(`never creates it as pending: ${which}`, async () => {
        const labels = { team: 'entered', [labelOf(policyOf())]: 'pending' };
        refused(await creates('created', labels, 'POST'), policyOf());
        refused(await creates('created', labels, 'PATCH', APPLY), policyOf());
        const generated = { generateName: `${cluster.named('generated')}-`, labels };
        refused(await post(generated), policyOf());
      });
    }
  });

  async function exempt(policies: readonly string[], meanwhile: () => Promise<void>): Promise<void> {
    const rules = policies.map((policy) => onPolicy('exempt', policy));
    const path = await grant(cluster.api, EDITOR.user, rules, { name: 'guard-overridden' });
    await meanwhile().finally(() => cluster.api.remove(path));
    // The API server learns of new rights through a watch, with a delay.
    await sleep(500);
  }

  /** Changes the labels of a namespace, without dry run. */
  function patch(namespace: string, labels: object): Promise<Answer> {
    return cluster.api.ask('PATCH', `${NAMESPACES}/${namespace}`, {
      body: { metadata: { labels } },
      contentType: 'application/merge-patch+json',
      as: EDITOR,
    });
  }

  function creates(name: string, labels: object, method: 'POST' | 'PATCH', contentType?: string): Promise<Answer> {
    const metadata = { name: cluster.named(name), labels };
    if (method === 'POST') return post(metadata);
    return cluster.api.ask(method, `${NAMESPACES}/${metadata.name}`, {
      body: { apiVersion: 'v1', kind: 'Namespace', metadata },
      as: EDITOR,
      query: { dryRun: 'All', fieldManager: 'test' },
      ...(contentType !== undefined && { contentType }),
    });
  }

  function post(metadata: object): Promise<Answer> {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata };
    return cluster.api.ask('POST', NAMESPACES, { body, as: EDITOR, query: { dryRun: 'All' } });
  }

  async function labelsOf(namespace: string): Promise<Record<string, string>> {
    return (await cluster.api.get(`${NAMESPACES}/${namespace}`)).metadata.labels;
  }
});

function refused({ status, body }: Answer, policy: string, how = ''): void {
  assert.equal(status, 403, `${how}: ${JSON.stringify(body)}`);
  assert.match(body.message, new RegExp(`CapabilityPolicy ${policy}: this change would`), how);
}
