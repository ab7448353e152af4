/**
 * Tests the guard of a namespace label. With this label, Kubernetes grants admin access to devices. To set the label on
 * a namespace, a user needs `exempt` on each policy with `adminAccessLabel: Guarded` that selects the namespace. To
 * show the effect of the label, the test creates resource claims with `adminAccess: true`.
 */
import assert from 'node:assert/strict';
import type { Answer, Identity } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMINISTRATOR, eventually, useCluster } from '../support/harness.ts';
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
import { itIfOffered } from '../support/needs.ts';
import { NAMESPACES } from '../support/rendered.ts';

const KEY = 'resource.kubernetes.io/admin-access';
const OLD_KEY = 'resource.k8s.io/admin-access';
const ON: MetadataChange = { labels: { [KEY]: 'true' } };
const APPLY = 'application/apply-patch+yaml';

describe('the guard of the label for admin access to devices', function () {
  this.timeout(300_000);
  const cluster = useCluster('guard-admin-access');
  let namespace: string;
  let policy: string;

  function enforce(team: string, rest: Partial<CapabilityPolicySpec> = {}): CapabilityPolicySpec {
    const namespaceSelector = { matchLabels: { team } };
    return { namespaceSelector, level: 'restricted', mode: 'Enforce', podSecurityLabels: 'Off', ...rest };
  }
  const guarded = (team: string, rest: Partial<CapabilityPolicySpec> = {}) =>
    enforce(team, { adminAccessLabel: 'Guarded', ...rest });

  before(async () => {
    await allowEditor(cluster.api);
    const rules = [{ apiGroups: [''], resources: ['namespaces'], verbs: ['create', 'patch'] }];
    await grant(cluster.api, EDITOR.user, rules, { name: 'namespace-creator' });
    namespace = await cluster.namespace('asks', { team: 'asks' });
    policy = await cluster.policy('asks', guarded('asks'));
    await cluster.programmed(
      policy,
      await cluster.policy('above', enforce('', { namespaceSelector: { matchLabels: { tier: 'top' } }, priority: 9 })),
      await cluster.policy('under', guarded('under')),
      await cluster.policy('without', enforce('without')),
      await cluster.policy('open', enforce('open', { adminAccessLabel: 'Unguarded' })),
      await cluster.policy('warns', guarded('warns', { mode: 'Warn' })),
      await cluster.policy('audits', guarded('audits', { mode: 'Audit' })),
    );
  });

  for (const [what, wanted] of Object.entries<MetadataChange>({
    'sets the label': ON,
    'sets the label that Kubernetes 1.33 reads': { labels: { [OLD_KEY]: 'true' } },
    'sets it together with other labels': { labels: { [KEY]: 'true', colour: 'blue' }, annotations: { note: 'x' } },
    'sets it while the namespace leaves the selector': { labels: { [KEY]: 'true', team: null } },
  })) {
    it(`lets no editor of namespaces: ${what}`, async () => {
      for (const route of routesOf(wanted)) {
        refused(await change(cluster.api, namespace, wanted, EDITOR, route), policy, route.title);
        const answer = await change(cluster.api, namespace, wanted, ADMINISTRATOR, route);
        assert.ok(isChanged(answer, wanted), route.title);
      }
    });
  }

  it('an editor can neither move a namespace with the label into the selector nor set the label on a selected namespace', async () => {
    const free = await cluster.namespace('enters', { [KEY]: 'false' });
    const enters: MetadataChange = { labels: { team: 'asks', [KEY]: 'true' } };
    for (const route of ROUTES) refused(await change(cluster.api, free, enters, EDITOR, route), policy, route.title);
    const set = await cluster.namespace('set', { [KEY]: 'true' });
    const later: MetadataChange = { labels: { team: 'asks' } };
    for (const route of ROUTES) refused(await change(cluster.api, set, later, EDITOR, route), policy, route.title);
    const plain = { labels: { team: 'asks' } };
    assert.ok(isChanged(await change(cluster.api, free, plain, EDITOR), plain), 'without the access');
    const inside = await cluster.namespace('inside', { team: 'asks', [KEY]: 'false' });
    for (const route of ROUTES) refused(await change(cluster.api, inside, ON, EDITOR, route), policy, route.title);
  });

  it('a namespace with the label cannot be created inside the selector, by create, apply or a generated name', async () => {
    const labels = { team: 'asks', [KEY]: 'true' };
    for (const create of [creates, applies, generates]) {
      refused(await create(labels), policy);
      assert.equal((await create({ team: 'asks' })).status, 201);
      assert.equal((await create({ [KEY]: 'true' })).status, 201, 'outside of the selector');
      assert.equal((await create(labels, ADMINISTRATOR)).status, 201);
    }
  });

  it('holds while another policy overrides the policy', async () => {
    const under = await cluster.namespace('under', { team: 'under', tier: 'top' });
    for (const route of ROUTES) {
      refused(await change(cluster.api, under, ON, EDITOR, route), cluster.named('under'), route.title);
    }
  });

  it('asks for exempt on this policy, cluster-wide', async () => {
    const other = await grant(cluster.api, EDITOR.user, [onPolicy('exempt', cluster.named('under'))], { name: 'aa-1' });
    const local = await grant(cluster.api, EDITOR.user, [onPolicy('exempt', policy)], { name: 'aa-2', namespace });
    const path = await grant(cluster.api, EDITOR.user, [onPolicy('exempt', cluster.named('above'))], { name: 'aa-3' });
    refused(await change(cluster.api, namespace, ON, EDITOR), policy);
    await grant(cluster.api, EDITOR.user, [onPolicy('exempt', policy)], { name: 'aa-3' });
    await eventually('the right', async () => isChanged(await change(cluster.api, namespace, ON, EDITOR), ON));
    await Promise.all([other, local, path].map((one) => cluster.api.remove(one)));
    await eventually('no right', async () => !isChanged(await change(cluster.api, namespace, ON, EDITOR), ON));
  });

  for (const [title, team] of [
    ['without the field', 'without'],
    ['with adminAccessLabel: Unguarded', 'open'],
    ['of mode Warn', 'warns'],
    ['of mode Audit', 'audits'],
    ['that selects other namespaces', 'elsewhere'],
  ] as const) {
    it(`does not exist for policies ${title}`, async () => {
      const other = await cluster.namespace(team, { team });
      for (const route of ROUTES) {
        assert.ok(isChanged(await change(cluster.api, other, ON, EDITOR, route), ON), route.title);
      }
    });
  }

  it('everybody may remove the label, and may keep a label that is older than the policy', async () => {
    const kept = await cluster.namespace('kept', { team: 'kept', [KEY]: 'true' });
    await cluster.programmed(await cluster.policy('kept', guarded('kept')));
    const wanted: MetadataChange[] = [
      { labels: { colour: 'blue' } },
      { labels: { [KEY]: null } },
      { labels: { [KEY]: 'false' } },
    ];
    for (const one of wanted) {
      for (const route of routesOf(one)) {
        const answer = await change(cluster.api, kept, one, EDITOR, route);
        // If a server-side apply leaves out labels, labels of other field managers stay.
        if (one.labels?.[KEY] === null && route.title.startsWith('server-side apply')) assert.equal(answer.status, 200);
        else assert.ok(isChanged(answer, one), route.title);
      }
    }
  });

  it('the guard protects only namespaces where the policy is enforced, and no namespaces where the policy is pending', async () => {
    const rolled = await cluster.namespace('rolled', { team: 'rolled' });
    const name = await cluster.policy('rolled', guarded('rolled', { rollout: { paused: true } }));
    await cluster.programmed(name);
    const label = `rollout.capabilitypolicy.dev/${name}`;
    await eventually('the label of the rollout', async () => (await labelsOf(rolled))[label] === 'pending');
    assert.ok(isChanged(await change(cluster.api, rolled, ON, EDITOR), ON));
    const promoted: MetadataChange = { labels: { [label]: 'enforced' } };
    assert.ok(isChanged(await change(cluster.api, rolled, promoted, EDITOR), promoted));
    const both: MetadataChange = { labels: { [label]: 'enforced', [KEY]: 'true' } };
    for (const route of ROUTES) refused(await change(cluster.api, rolled, both, EDITOR, route), name, route.title);
  });

  it('the guard of the label ends when the policy expires', async () => {
    const ends = await cluster.namespace('ends', { team: 'ends' });
    const expires = new Date(Date.now() + 20_000).toISOString().replace(/[.]\d+Z$/, 'Z');
    const name = await cluster.policy('ends', guarded('ends', { expires }));
    await eventually('the guard', async () => !isChanged(await change(cluster.api, ends, ON, EDITOR), ON), 19_000);
    refused(await change(cluster.api, ends, ON, EDITOR), name);
    await eventually('the end', async () => isChanged(await change(cluster.api, ends, ON, EDITOR), ON));
  });

  describe('the label lets the API server accept', () => {
    for (const resource of ['resourceclaims', 'resourceclaimtemplates'] as const) {
      itIfOffered('deviceAdminAccess', `${resource} with adminAccess: true only where the value is true`, async () => {
        const values = { none: undefined, false: 'false', True: 'True', 1: '1', empty: '', true: 'true' };
        for (const [name, value] of Object.entries(values)) {
          const labels: Record<string, string> = value === undefined ? {} : { [KEY]: value };
          const claimed = await cluster.namespace(
            `${resource.slice(0, 14)}-${name.toLowerCase()}-${name.length}`,
            labels,
          );
          const { status, body } = await claims(claimed, resource);
          assert.equal(status, value === 'true' ? 201 : 422, `${name}: ${JSON.stringify(body)}`);
          if (status !== 201)
            assert.match(body.message, /requires the `resource[.]kubernetes[.]io.admin-access: true` label/);
        }
      });

      itIfOffered('deviceAdminAccess', `${resource} by nobody whom the guard refuses the label`, async () => {
        assert.equal((await claims(namespace, resource)).status, 422);
        const set = { metadata: { labels: { [KEY]: 'true' } } };
        const options = { body: set, contentType: 'application/merge-patch+json' };
        const path = `${NAMESPACES}/${namespace}`;
        refused(await cluster.api.ask('PATCH', path, { ...options, as: EDITOR }), policy);
        assert.equal((await claims(namespace, resource)).status, 422);
        assert.equal((await cluster.api.ask('PATCH', path, { ...options, as: ADMINISTRATOR })).status, 200);
        try {
          await eventually('the access', async () => (await claims(namespace, resource)).status === 201, 10_000);
        } finally {
          await cluster.api.patch(path, { metadata: { labels: { [KEY]: null } } });
        }
      });
    }
  });

  function claims(where: string, resource: 'resourceclaims' | 'resourceclaimtemplates'): Promise<Answer> {
    const isTemplate = resource === 'resourceclaimtemplates';
    const exactly = { deviceClassName: 'gpu.example.org', allocationMode: 'All', adminAccess: true };
    const spec = { devices: { requests: [{ name: 'monitor', exactly }] } };
    const body = {
      apiVersion: 'resource.k8s.io/v1',
      kind: isTemplate ? 'ResourceClaimTemplate' : 'ResourceClaim',
      metadata: { name: 'monitor', namespace: where },
      spec: isTemplate ? { spec } : spec,
    };
    const path = `/apis/resource.k8s.io/v1/namespaces/${where}/${resource}`;
    return cluster.api.ask('POST', path, { body, as: ADMINISTRATOR, query: { dryRun: 'All' } });
  }

  function creates(labels: object, as: Identity = EDITOR): Promise<Answer> {
    return post({ name: cluster.named('created'), labels }, as);
  }

  function generates(labels: object, as: Identity = EDITOR): Promise<Answer> {
    return post({ generateName: `${cluster.named('generated')}-`, labels }, as);
  }

  function post(metadata: object, as: Identity): Promise<Answer> {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata };
    return cluster.api.ask('POST', NAMESPACES, { body, as, query: { dryRun: 'All' } });
  }

  function applies(labels: object, as: Identity = EDITOR): Promise<Answer> {
    const metadata = { name: cluster.named('applied'), labels };
    return cluster.api.ask('PATCH', `${NAMESPACES}/${metadata.name}`, {
      body: { apiVersion: 'v1', kind: 'Namespace', metadata },
      as,
      query: { dryRun: 'All', fieldManager: 'test' },
      contentType: APPLY,
    });
  }

  async function labelsOf(name: string): Promise<Record<string, string>> {
    return (await cluster.api.get(`${NAMESPACES}/${name}`)).metadata.labels;
  }
});

function refused({ status, body }: Answer, policy: string, how = ''): void {
  assert.equal(status, 403, `${how}: ${JSON.stringify(body)}`);
  assert.match(body.message, new RegExp(`CapabilityPolicy ${policy}: this change would`), how);
}
