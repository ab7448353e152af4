/** Tests changed, renamed, removed and invalid policies in Git. The policies in Git stay in force all the time. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadAll } from 'js-yaml';
import type { Json } from '../../hack/controlplane/api.ts';
import { eventually } from '../support/harness.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { CONFIG } from '../support/rights.ts';
import { APPLICATIONS, application, resourceOf } from './applications.ts';
import { namespaceOf, policyOf, privilegedProbe, SERVER_SIDE } from './objects.ts';
import type { Scenario } from './side-by-side.ts';
import type { Stage } from './stage.ts';

/** The minimum number of probes that the API server has to answer during a change. */
const ROUNDS = 20;

/** The Application in config/argocd/application.yaml, with another name and repository. */
export function policiesApplication(name: string, url: string): Json {
  const all = loadAll(readFileSync(join(CONFIG, 'argocd', 'application.yaml'), 'utf8')) as Json[];
  const sample = all.find(({ metadata }) => metadata.name === 'capabilitypolicies');
  const source = { repoURL: url, targetRevision: 'main', path: '.' };
  return { ...sample, metadata: { name, namespace: 'argocd' }, spec: { ...sample.spec, source } };
}

export function inForceScenarios(stage: () => Stage): Scenario[] {
  return [
    { title: 'no pod slips in while a policy is renamed in one commit', run: () => rename(stage()) },
    { title: 'no pod slips in during a change and its revert', run: () => revert(stage()) },
    {
      title: 'Prune=false: a policy that is removed from Git stays in force, and syncs and self-heal continue',
      run: () => keep(stage()),
    },
    { title: 'a policy that is removed from Git is deleted, and its labels are withdrawn', run: () => prune(stage()) },
    {
      title:
        'a policy that is not accepted: the old rules stay, others heal, the next wave waits, and a fix is applied',
      run: () => notAccepted(stage()),
    },
    {
      title: 'Delete=confirm: the policies of a deleted Application stay in force until the deletion is confirmed',
      run: () => confirm(stage()),
    },
  ];
}

/**
 * Creates the Application of `policy`, and a namespace in which `policy` decides. Waits until the policy is in force.
 */
export async function settled(stage: Stage, app: Json, commit: string, policy: string): Promise<void> {
  await stage.namespace(policy, { environment: policy });
  await stage.applications.create(app);
  await stage.applications.healthy(app.metadata.name, commit);
  await stage.inForce(policy);
}

/** Runs `act`. While `act` runs, the API server must refuse each pod that the policies in Git refuse. */
export async function assertNoGap(stage: Stage, namespace: string, act: () => Promise<void>): Promise<void> {
  const { surprises, rounds } = await stage.probing([privilegedProbe(namespace)], act);
  assert.deepEqual(surprises, []);
  assert.ok(rounds >= ROUNDS, `asked only ${rounds} times`);
}

async function rename(stage: Stage): Promise<void> {
  const [old, next] = ['argo-old-name', 'argo-new-name'];
  const repository = stage.repository();
  const { spec } = policyOf(old);
  const first = repository.commit({ 'policy.yaml': [policyOf(old)] });
  await settled(stage, policiesApplication('rename', repository.url), first, old);
  await assertNoGap(stage, old, async () => {
    const second = repository.commit({ 'renamed.yaml': [policyOf(next, spec)] });
    await stage.applications.healthy('rename', second);
    await eventually('the old policy to be deleted', async () => (await stage.policy(old)) === undefined);
    await stage.inForce(next);
    await sleep(3_000);
  });
}

async function revert(stage: Stage): Promise<void> {
  const name = 'argo-revert';
  const repository = stage.repository();
  const level = async () => (await stage.inForce(name)).spec.level;
  const first = repository.commit({ 'policy.yaml': [policyOf(name)] });
  await settled(stage, policiesApplication(name, repository.url), first, name);
  await assertNoGap(stage, name, async () => {
    await stage.applications.healthy(
      name,
      repository.commit({ 'policy.yaml': [policyOf(name, { level: 'baseline' })] }),
    );
    assert.equal(await level(), 'baseline');
    await stage.applications.healthy(name, repository.revert());
    assert.equal(await level(), 'restricted');
  });
}

async function keep(stage: Stage): Promise<void> {
  const [app, kept, other] = ['keep', 'argo-kept', 'argo-kept-other'];
  const repository = stage.repository();
  const policy = policyOf(kept, {}, { options: 'Prune=false' });
  const first = repository.commit({ 'kept.yaml': [policy], 'other.yaml': [policyOf(other)] });
  await settled(stage, policiesApplication(app, repository.url), first, kept);
  await assertNoGap(stage, kept, async () => {
    const second = repository.commit({ 'other.yaml': [policyOf(other, { level: 'baseline' })] });
    await stage.applications.sees(app, second);
    await eventually('the other commit', async () => (await stage.policy(other))?.spec.level === 'baseline');
    const seen = await stage.applications.compared(app);
    assert.equal(seen.status.sync.status, 'OutOfSync');
    assert.partialDeepStrictEqual(resourceOf(seen, 'CapabilityPolicy', kept), {
      status: 'OutOfSync',
      requiresPruning: true,
    });
    await assertHealed(stage, other);
    assert.ok(await stage.policy(kept));
  });
  const last = repository.commit({ 'kept.yaml': [policy], 'other.yaml': [policyOf(other)] });
  await stage.applications.healthy(app, last);
}

async function prune(stage: Stage): Promise<void> {
  const [name, other] = ['argo-pruned', 'argo-pruned-other'];
  const repository = stage.repository();
  const first = repository.commit({ 'policy.yaml': [policyOf(name)], 'other.yaml': [policyOf(other)] });
  await settled(stage, policiesApplication(name, repository.url), first, name);
  await stage.labelsBecome(name, { enforce: 'restricted' });
  await stage.applications.healthy(name, repository.commit({ 'other.yaml': [policyOf(other)] }));
  assert.equal(await stage.policy(name), undefined);
  await stage.labelsBecome(name, {});
}

async function notAccepted(stage: Stage): Promise<void> {
  const [app, good, bad, next] = ['unaccepted', 'argo-accepted', 'argo-unaccepted', 'argo-next-wave'];
  const repository = stage.repository();
  const files = (levelVersion?: string) => ({
    'good.yaml': [policyOf(good, {}, { wave: 1 })],
    'bad.yaml': [policyOf(bad, levelVersion === undefined ? {} : { levelVersion }, { wave: 1 })],
  });
  const namespace = { 'namespace.yaml': [namespaceOf(next, { environment: bad }, { wave: 2 })] };
  await settled(stage, policiesApplication(app, repository.url), repository.commit(files()), bad);
  await assertNoGap(stage, bad, async () => {
    await stage.applications.sees(app, repository.commit({ ...files('v1.99'), ...namespace }));
    const degraded = await stage.applications.becomes(app, 'Degraded', (one) => {
      return resourceOf(one, 'CapabilityPolicy', bad)?.health?.status === 'Degraded';
    });
    assert.match(
      resourceOf(degraded, 'CapabilityPolicy', bad)?.health.message,
      /^spec\.levelVersion: v1\.99 is too new/,
    );
    await stage.applications.becomes(app, 'retrying', ({ status }) => (status.operationState?.retryCount ?? 0) > 0);
    await assertHealed(stage, good);
    assert.equal(await stage.api.find(`${NAMESPACES}/${next}`), undefined);
    const mended = repository.commit({ ...files('v1.30'), ...namespace });
    await stage.applications.healthy(app, mended);
  });
  assert.ok(await stage.api.find(`${NAMESPACES}/${next}`));
}

async function confirm(stage: Stage): Promise<void> {
  const name = 'argo-confirmed';
  const repository = stage.repository();
  const policy = policyOf(name, {}, { options: 'Delete=confirm' });
  const app = application(name, {
    url: repository.url,
    options: [SERVER_SIDE],
    finalizers: ['resources-finalizer.argocd.argoproj.io'],
  });
  await settled(stage, app, repository.commit({ 'policy.yaml': [policy] }), name);
  const path = `${APPLICATIONS}/${name}`;
  await assertNoGap(stage, name, async () => {
    await stage.api.remove(path);
    await sleep(10_000);
    assert.ok(await stage.policy(name));
  });
  const approved = { 'argocd.argoproj.io/deletion-approved': new Date().toISOString() };
  await stage.api.patch(path, { metadata: { annotations: approved } });
  await eventually('the Application to be deleted', async () => (await stage.api.find(path)) === undefined);
  assert.equal(await stage.policy(name), undefined);
}

/** Checks that Argo CD reverts a manual change of the policy. */
export async function assertHealed(stage: Stage, policy: string): Promise<void> {
  await stage.api.patch(`${POLICIES}/${policy}`, { spec: { mode: 'Audit' } });
  await eventually(`${policy} to be healed`, async () => (await stage.policy(policy))?.spec.mode === 'Enforce');
}
