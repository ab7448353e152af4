/**
 * Tests that a line removed from a policy in Git is also removed from the policy in the cluster. The tests cover each
 * way in which Argo CD applies and compares.
 */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../hack/controlplane/api.ts';
import { ADMITTED, CREATOR } from '../support/harness.ts';
import { privilegedPod } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { application } from './applications.ts';
import { block, LINES, without } from './full-policy.ts';
import { CLIENT_SIDE_APPLY, MODES, type Mode, policyOf, REPLACE, SERVER_SIDE_APPLY, slug } from './objects.ts';
import type { Scenario } from './side-by-side.ts';
import type { Stage } from './stage.ts';

/**
 * The number of copies of the policy that lose lines at the same time. Each copy loses lines that are far apart. So
 * most of the lines next to a removed line are not removed.
 */
const COPIES = 8;

export function lineScenarios(stage: () => Stage): Scenario[] {
  let groups: Promise<number[][]> | undefined;
  const lineGroups = () => {
    groups ??= groupsOfLines(stage());
    return groups;
  };
  return [...MODES, REPLACE].flatMap((mode) => [
    {
      title: `lines, by ${mode.title}: each line that is removed from a policy in Git is removed from the policy in the cluster`,
      run: async () => removeEachLine(stage(), mode, await lineGroups()),
    },
    [CLIENT_SIDE_APPLY, SERVER_SIDE_APPLY].includes(mode)
      ? {
          title: `lines, by ${mode.title}: the default of a field that is removed from Git is in force`,
          run: () => removeFields(stage(), mode),
        }
      : {
          title: `lines, by ${mode.title}: Argo CD does not notice that a field was removed from Git, until something else changes`,
          run: () => missFields(stage(), mode),
        },
  ]);
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

/** The policy sets no Pod Security labels, so only the admission policies decide. */
const FIELDS = {
  mode: 'Enforce',
  levelVersion: 'v1.30',
  priority: 10,
  usableBy: 'Subjects',
  subjects: [{ kind: 'Group', name: CREATOR.groups?.[0] ?? '' }],
  defaulting: 'Enabled',
  podSecurityLabels: 'Off',
} as const;

const { subjects: _subjects, ...EFFECTIVE } = FIELDS;
// Defaulting needs mode Enforce.
const { mode: _mode, defaulting: _defaulting, ...WITHOUT_MODE } = FIELDS;
const AUDITED = { ...EFFECTIVE, mode: 'Audit', defaulting: 'Disabled' };

/**
 * Creates an Application of one policy with FIELDS, and waits until the policy is in force.
 * @returns a function that commits other fields and waits until these fields are in force. The function returns the
 * policy's status.
 */
async function policyWithFields(stage: Stage, mode: Mode): Promise<(fields: object) => Promise<Json>> {
  const name = `fields-${slug(mode)}`;
  const repository = stage.repository();
  const { mode: _, ...spec } = policyOf(name).spec;
  const inForce = async (fields: object) => {
    const policy = { ...policyOf(name), spec: { ...spec, ...fields } };
    await stage.applications.healthy(name, repository.commit({ 'policy.yaml': [policy] }));
    return (await stage.inForce(name)).status;
  };
  await stage.namespace(name, { environment: name });
  await stage.applications.create(application(name, { url: repository.url, ...mode }));
  assert.deepEqual((await inForce(FIELDS)).effective, EFFECTIVE);
  assert.notEqual(await answerToPrivileged(stage, name), ADMITTED);
  return inForce;
}

async function removeFields(stage: Stage, mode: Mode): Promise<void> {
  const inForce = await policyWithFields(stage, mode);
  const audited = await inForce(WITHOUT_MODE);
  assert.deepEqual(audited.effective, AUDITED);
  assert.equal(await answerToPrivileged(stage, `fields-${slug(mode)}`), ADMITTED);
  const { levelVersion: _, ...withoutVersion } = WITHOUT_MODE;
  const newest = await inForce(withoutVersion);
  assert.deepEqual(newest.effective, { ...AUDITED, levelVersion: 'latest' });
  assert.notEqual(newest.rendered.version, audited.rendered.version);
  assert.deepEqual((await inForce({})).effective, {
    mode: 'Audit',
    levelVersion: 'latest',
    priority: 0,
    usableBy: 'Everyone',
    defaulting: 'Disabled',
    podSecurityLabels: 'Managed',
  });
}

/**
 * Checks a case in which Argo CD misses removed fields. For the comparison, Argo CD uses the records of another way of
 * applying.
 */
async function missFields(stage: Stage, mode: Mode): Promise<void> {
  const inForce = await policyWithFields(stage, mode);
  assert.deepEqual((await inForce(WITHOUT_MODE)).effective, EFFECTIVE);
  assert.deepEqual((await inForce({ ...WITHOUT_MODE, priority: 11 })).effective, { ...AUDITED, priority: 11 });
}

async function answerToPrivileged({ api }: Stage, namespace: string): Promise<string> {
  const path = `${NAMESPACES}/${namespace}/pods`;
  const { status, body } = await api.ask('POST', path, {
    body: privilegedPod(),
    query: { dryRun: 'All' },
    as: CREATOR,
  });
  return status === 201 ? ADMITTED : body.message;
}

/**
 * If the API server accepts the policy without a line, the function removes the line. Each copy of the policy loses
 * some of the lines.
 */
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
