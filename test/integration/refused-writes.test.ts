/** Writes that the API server refuses: for a moment, because it has just started, or permanently. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import type { PassResult } from '../../operator/apply/result.ts';
import type { Rollout } from '../../operator/apply/rollout.ts';
import type { ApiErrorParts } from '../../operator/cluster/api-error.ts';
import { ApiError } from '../../operator/cluster/client.ts';
import type { AdmissionSet } from '../../operator/compile/admission-set.ts';
import type { Compiled } from '../../operator/compile/compile.ts';
import { type BeforeWrite, type Specs, useRolloutPlace } from './rollout-place.ts';

const NAMESPACE = 'refused-writes';
const [ONE, TWO] = ['refused-one', 'refused-two'];
const MOMENT_MS = 3_000;

describe('writes that the API server refuses', function () {
  this.timeout(120_000);
  const place = useRolloutPlace(NAMESPACE, [ONE, TWO]);
  /** Whether this write is refused now. */
  let refuses: (...write: Parameters<BeforeWrite>) => boolean;
  let refusal: ApiErrorParts;
  let rollout: Rollout;

  beforeEach(() => {
    refuses = () => false;
    refusal = { status: 403, reason: 'Forbidden', message: 'not now', causes: [] };
    rollout = place.rollout((...write) => {
      if (refuses(...write)) throw new ApiError(refusal);
    });
  });

  it('for a moment: nothing old is deleted before the refused object exists', async () => {
    const before = await settle({ [ONE]: selecting('a'), [TWO]: selecting('b') });
    // Either guard has to protect namespaces of team a.
    const after = place.compiled({ [ONE]: selecting('b'), [TWO]: selecting('a') });
    const until = performance.now() + MOMENT_MS;
    const set = after.rendered.get(TWO)?.admission;
    refuses = (verb, path) => verb === 'apply' && path.includes(`${TWO}-${set?.ruleset}`) && performance.now() < until;
    while (performance.now() < until) {
      await rollout.pass(after, await place.rendered());
      const names = await place.namesOf(ONE);
      for (const name of before.get(ONE) ?? []) assert.ok(names.includes(name), `${name} is gone`);
      await sleep(100);
    }
    await settled(after);
    assert.deepEqual(await place.namesOf(TWO), set?.objects.map(({ metadata }) => metadata.name).sort());
  });

  it('permanently: the others do not wait forever', async () => {
    await settle({ [ONE]: selecting('a') });
    const after = place.compiled({ [ONE]: selecting('b'), [TWO]: { ...selecting('b'), priority: 10 } });
    refuses = (verb, path) => verb === 'apply' && path.includes(TWO);
    await passUntil(after, ({ outcomes }) => outcomes.get(ONE)?.state === 'InForce');
    const { outcomes } = await rollout.pass(after, await place.rendered());
    assert.equal(outcomes.get(TWO)?.state, 'Failed');
    assert.match(outcomes.get(TWO)?.message ?? '', /not now/);
  });

  for (const status of [409, 413, 422, 429, 500, 504]) {
    it(`with HTTP status ${status}: the others come into force, and the condition has the cause`, async () => {
      const after = place.compiled({ [ONE]: selecting('a'), [TWO]: selecting('b') });
      refuses = (verb, path) => verb === 'apply' && path.includes(TWO);
      refusal = { status, reason: 'Unknown', message: `refused with ${status}`, causes: [] };
      await passUntil(after, ({ outcomes }) => outcomes.get(ONE)?.state === 'InForce');
      await passUntil(after, ({ outcomes }) => outcomes.get(TWO)?.state === 'Failed');
      const { outcomes } = await rollout.pass(after, await place.rendered());
      assert.equal(outcomes.get(TWO)?.message, `refused with ${status}`);
    });
  }

  it('because etcd accepts no object of that size: the others come into force, and the condition has the cause', async () => {
    const after = place.compiled({ [ONE]: selecting('a'), [TWO]: selecting('b') });
    tooLarge(after.rendered.get(TWO)?.admission);
    await passUntil(after, ({ outcomes }) => outcomes.get(ONE)?.state === 'InForce');
    await passUntil(after, ({ outcomes }) => outcomes.get(TWO)?.state === 'Failed');
    const { outcomes } = await rollout.pass(after, await place.rendered());
    assert.match(outcomes.get(TWO)?.message ?? '', /too large/);
  });

  it('of a guard: only the policies that it guards are not in force, and the message names it', async () => {
    const after = place.compiled({ [ONE]: selecting('a'), [TWO]: { ...selecting('b'), mode: 'Audit' } });
    tooLarge(after.guards[0]?.admission);
    await passUntil(after, ({ outcomes }) => outcomes.get(TWO)?.state === 'InForce');
    await passUntil(after, ({ outcomes }) => outcomes.get(ONE)?.state === 'Failed');
    const { outcomes } = await rollout.pass(after, await place.rendered());
    assert.match(outcomes.get(ONE)?.message ?? '', /^the guard capabilitypolicy\.guard-\w+ was refused: .*too large/);
  });

  it("of a policy's users: its old text keeps its old users", async () => {
    const subjects = (name: string) => ({
      usableBy: 'Subjects' as const,
      subjects: [{ kind: 'ServiceAccount' as const, namespace: NAMESPACE, name }],
    });
    const before = await settle({ [ONE]: { ...selecting('a'), ...subjects('old') } });
    refuses = (verb, path) => verb === 'apply' && path.includes('clusterrolebindings');
    const after = place.compiled({ [ONE]: { ...selecting('a'), ...subjects('new'), level: 'privileged' } });
    for (let pass = 0; pass < 30; pass++) {
      await rollout.pass(after, await place.rendered());
      await sleep(100);
    }
    assert.deepEqual(await place.namesOf(ONE), before.get(ONE));
  });

  it('of one object to delete: the others are deleted, and the refusal is reported', async () => {
    const before = await settle({ [ONE]: selecting('a'), [TWO]: selecting('b') });
    const [kept = ''] = (before.get(ONE) ?? []).filter((name) => name.endsWith('-pods'));
    refuses = (verb, path) => verb === 'delete' && path.endsWith(kept);
    const after = place.compiled({ [ONE]: selecting('c'), [TWO]: selecting('d') });
    await passUntil(after, ({ outcomes }) => outcomes.get(TWO)?.state === 'InForce');
    const { outcomes } = await rollout.pass(after, await place.rendered());
    assert.equal(outcomes.get(ONE)?.state, 'Failed');
    assert.match(outcomes.get(ONE)?.message ?? '', /not now/);
    const wanted = after.rendered.get(TWO)?.admission.objects.map(({ metadata }) => metadata.name);
    assert.deepEqual(await place.namesOf(TWO), wanted?.sort());
  });

  it('of a policy that was deleted meanwhile: the set that decided for it and its peer is deleted, too', async () => {
    await settle({ [ONE]: selecting('a'), [TWO]: selecting('a') });
    const edited = place.compiled({ [ONE]: { ...selecting('a'), level: 'baseline' }, [TWO]: selecting('a') });
    refuses = (verb, path) => verb === 'apply' && path.includes(ONE);
    await rollout.pass(edited, await place.rendered());
    await settled(place.compiled({ [TWO]: selecting('a') }));
    assert.deepEqual(await place.namesOf(ONE), []);
  });

  /** @returns the names of the admission policies and bindings of each policy, once no others exist */
  async function settle(specs: Specs): Promise<Map<string, string[]>> {
    const result = place.compiled(specs);
    await settled(result);
    const names = Object.keys(specs).map(async (name) => [name, await place.namesOf(name)] as const);
    return new Map(await Promise.all(names));
  }

  async function settled(wanted: Compiled): Promise<void> {
    await passUntil(wanted, ({ outcomes }) => [...outcomes.values()].every(({ state }) => state === 'InForce'));
  }

  async function passUntil(wanted: Compiled, is: (result: PassResult) => boolean): Promise<void> {
    for (let pass = 0; pass < 300; pass++) {
      if (is(await rollout.pass(wanted, await place.rendered()))) return;
      await sleep(100);
    }
    assert.fail('it does not come into force');
  }

  /** etcd accepts at most 1.5 MiB (--max-request-bytes). */
  function tooLarge(set: AdmissionSet | undefined): void {
    assert.ok(set);
    const [admissionPolicy] = set.objects as readonly unknown[] as readonly [{ spec: { variables: object[] } }];
    for (let i = 0; i < 20; i++) {
      admissionPolicy.spec.variables.push({ name: `padding${i}`, expression: `"${'x'.repeat(90_000)}"` });
    }
  }

  function selecting(team: string): Partial<CapabilityPolicySpec> {
    return { namespaceSelector: { matchLabels: { team } }, level: 'restricted' };
  }
});
