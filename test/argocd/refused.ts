/** Tests a policy that the CRD refuses. The policies of the previous commit stay in force. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../hack/controlplane/api.ts';
import { eventually } from '../support/harness.ts';
import { POLICIES } from '../support/rendered.ts';
import { isSyncedTo, TWO_COMPARISONS_MS } from './applications.ts';
import { assertHealed, assertNoGap, policiesApplication, settled } from './in-force.ts';
import { CLIENT_SIDE_APPLY, type Mode, policyOf, SERVER_SIDE, SERVER_SIDE_APPLY, slug } from './objects.ts';
import type { Scenario } from './side-by-side.ts';
import type { Stage } from './stage.ts';

export function refusedScenarios(stage: () => Stage): Scenario[] {
  return [SERVER_SIDE_APPLY, CLIENT_SIDE_APPLY].map((mode) => ({
    title: `a policy that the CRD refuses, by ${mode.title}: the old rules stay, and a fix is applied`,
    run: () => refused(stage(), mode),
  }));
}

async function refused(stage: Stage, mode: Mode): Promise<void> {
  const [wrong, other] = [`argo-wrong-${slug(mode)}`, `argo-beside-${slug(mode)}`];
  const repository = stage.repository();
  const base = policiesApplication(wrong, repository.url);
  const { syncPolicy } = base.spec;
  const syncOptions = syncPolicy.syncOptions.filter((option: string) => option !== SERVER_SIDE).concat(mode.options);
  const app = { ...base, spec: { ...base.spec, syncPolicy: { ...syncPolicy, syncOptions } } };
  const files = (level: string) => ({
    'wrong.yaml': [policyOf(wrong, { level } as object)],
    'other.yaml': [policyOf(other, { priority: level === 'restricted' ? 0 : 1 })],
  });
  const [good, bad] = [files('restricted'), files('restrictive')];
  await settled(stage, app, repository.commit(good), wrong);
  await assertNoGap(stage, wrong, async () => {
    const commit = repository.commit(bad);
    await stage.applications.sees(wrong, commit);
    await (mode === SERVER_SIDE_APPLY ? assertLaterHidden(stage, wrong, other, commit) : assertFailing(stage, wrong));
    await eventually('the other policy', async () => (await stage.policy(other))?.spec.priority === 1);
    assert.equal((await stage.inForce(wrong)).spec.level, 'restricted');
    await stage.applications.healthy(wrong, repository.commit(files('baseline')));
  });
  if (mode === SERVER_SIDE_APPLY) {
    await stage.applications.sees(wrong, repository.commit(bad));
    await stage.api.patch(`${POLICIES}/${wrong}`, { spec: { mode: 'Audit' } });
    await sleep(TWO_COMPARISONS_MS);
    assert.equal((await stage.policy(wrong))?.spec.mode, 'Audit');
    await stage.applications.healthy(wrong, repository.commit(good));
    assert.equal((await stage.policy(wrong))?.spec.mode, 'Enforce');
  }
  // The docs recommend a dry run of a changed policy before a merge.
  const query = { dryRun: 'All', fieldManager: 'ci', force: true };
  const path = `${POLICIES}/${wrong}`;
  const body = policyOf(wrong, { level: 'restrictive' } as object);
  const answer = await stage.api.ask('PATCH', path, { body, query, contentType: 'application/apply-patch+yaml' });
  assert.equal(answer.status, 422);
}

/**
 * Argo CD compares by a dry-run apply, and the dry run of an invalid policy fails. The next regular comparison reuses
 * the result for the previous commit. So Argo CD reports the commit with the invalid policy as Synced. When a policy
 * changes in the cluster, Argo CD compares the policy again.
 */
async function assertLaterHidden(stage: Stage, wrong: string, other: string, commit: string): Promise<void> {
  const { status } = await stage.applications.compared(wrong);
  assert.deepEqual([status.sync.status, status.health.status], ['Unknown', 'Healthy']);
  const error = status.conditions.find(({ type }: Json) => type === 'ComparisonError');
  assert.match(error?.message, /spec\.level: Unsupported value: "restrictive"/);
  const hidden = await stage.applications.becomes(wrong, 'Synced', isSyncedTo(commit));
  assert.equal(hidden.status.health.status, 'Healthy');
  assert.equal(hidden.status.conditions, undefined);
  assert.equal((await stage.policy(other))?.spec.priority, 0);
  await assertHealed(stage, other);
}

async function assertFailing({ applications }: Stage, wrong: string): Promise<void> {
  const failed = ({ status }: Json) => /failed|unsuccessful/.test(status.operationState?.message ?? '');
  await applications.becomes(wrong, 'failing', failed);
}
