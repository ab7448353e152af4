/** Whatever line leaves a policy in Git leaves the policy in the cluster, however Argo CD applies and compares. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../integration/api.ts';
import { POLICIES } from '../integration/rendered.ts';
import { application } from './applications.ts';
import { block, LINES, without } from './full-policy.ts';
import { MODES, type Mode, policyOf, REPLACE, slug } from './objects.ts';
import type { Scenario } from './side-by-side.ts';
import type { Stage } from './stage.ts';

/** So many copies lose their lines at the same time: each some that are far apart, so that most of what is around them stays. */
const COPIES = 8;

export function lineScenarios(stage: () => Stage): Scenario[] {
  let groups: Promise<number[][]> | undefined;
  const lineGroups = () => {
    groups ??= groupsOfLines(stage());
    return groups;
  };
  return [...MODES, REPLACE].map((mode) => ({
    title: `lines, by ${mode.title}: whichever line leaves a policy in Git leaves the policy in the cluster`,
    run: async () => removeEachLine(stage(), mode, await lineGroups()),
  }));
}

async function removeEachLine(stage: Stage, mode: Mode, groups: readonly number[][]): Promise<void> {
  const name = `lines-${slug(mode)}`;
  const repository = stage.repository();
  const policies = groups.map((lines, index) => ({ name: `${name}-${index}`, lines, spec: without(lines) }));
  const commit = (specOf: (policy: (typeof policies)[number]) => Json) =>
    repository.commit({ 'policies.yaml': policies.map((one) => ({ ...policyOf(one.name), spec: specOf(one) })) });
  await stage.applications.create(application(name, { url: repository.url, ...mode }));
  await stage.applications.synced(
    name,
    commit(() => without([])),
  );
  for (const one of policies) assert.deepEqual((await stage.policy(one.name))?.spec, without([]));
  await stage.applications.synced(
    name,
    commit(({ spec }) => spec),
  );
  const stayed: string[] = [];
  for (const { name: policy, lines, spec } of policies) {
    const live = await stage.policy(policy);
    const text = lines.map((line) => LINES[line]?.trim()).join('; ');
    if (!isDeepStrictEqual(live?.spec, spec)) stayed.push(`one of ${text}: ${JSON.stringify(live?.spec)}`);
  }
  assert.deepEqual(stayed, []);
}

/** Every line that a policy can be without, in the copies that lose it. */
async function groupsOfLines(stage: Stage): Promise<number[][]> {
  const groups: number[][] = Array.from({ length: COPIES }, () => []);
  let grouped = 0;
  for (const line of LINES.keys()) {
    if (!(await isAccepted(stage, [line]))) continue;
    const turns = groups.map((_, turn) => groups[(grouped + turn) % COPIES] ?? []);
    let found: number[] | undefined;
    for (const group of turns) {
      const isApart = group.every((other) => !block(other).includes(line));
      if (found === undefined && isApart && (await isAccepted(stage, [...group, line]))) found = group;
    }
    assert.ok(found, `no copy can lose ${LINES[line]}`);
    found.push(line);
    grouped += 1;
  }
  assert.ok(grouped >= 45, `only ${grouped} lines`);
  return groups;
}

async function isAccepted({ api }: Stage, lines: readonly number[]): Promise<boolean> {
  const query = { dryRun: 'All', fieldValidation: 'Strict' };
  const body = { ...policyOf('dry-run'), spec: without(lines) };
  return (await api.ask('POST', POLICIES, { query, body })).status === 201;
}
