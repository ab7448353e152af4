/**
 * Tests config/argocd as an app of apps. Argo CD installs the operator first, the policies second and the teams last.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { Json } from '../../hack/controlplane/api.ts';
import { ADMITTED, CREATOR, conditionOf, eventually } from '../support/harness.ts';
import { privilegedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { CONFIG } from '../support/rights.ts';
import { APPLICATIONS, ARGO_OBJECTS, application, resourceOf } from './applications.ts';
import { SERVER_SIDE } from './objects.ts';
import type { Files, Repository } from './repository.ts';
import type { Stage } from './stage.ts';

const ROOT = join(CONFIG, '..');
/** The folders that config/default includes. */
const FOLDERS = [
  'crds',
  'config/argocd',
  'config/crd',
  'config/default',
  'config/manager',
  'config/network-policy',
  'config/rbac',
];
export const ROOT_APPLICATION = 'root';
export const OPERATOR_APPLICATION = 'capabilitypolicy';

/** The project's own files, as in its repository. */
export function projectFiles(): Files {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return Object.fromEntries(files.map((file) => [file.slice(ROOT.length + 1), readFileSync(file, 'utf8')]));
}

interface Installation {
  readonly project: Repository;
  readonly commits: Readonly<Record<string, string>>;
}

/** Commits all files, and creates the single Application that a user creates by hand. */
export async function installDocumented(stage: Stage): Promise<Installation> {
  const [project, policies, teams, root] = [0, 1, 2, 3].map(() => stage.repository()) as [
    Repository,
    Repository,
    Repository,
    Repository,
  ];
  const sample = (name: string) => readFileSync(join(CONFIG, 'argocd', 'samples', `${name}.yaml`), 'utf8');
  const applications = documentedApplications({ project, policies, teams });
  const commits = {
    project: project.commit(projectFiles()),
    policies: policies.commit({ 'policies/policy.yaml': sample('policy') }),
    teams: teams.commit({ 'teams/shop/namespace.yaml': sample('namespace') }),
    root: root.commit({ 'applications.yaml': applications }),
  };
  await assertNoUnknownField(stage, applications);
  await stage.applications.create(application(ROOT_APPLICATION, { url: root.url, options: [SERVER_SIDE] }));
  return { project, commits };
}

/** The Applications of config/argocd, changed to read from the test's repositories. */
function documentedApplications(repositories: Readonly<Record<'project' | 'policies' | 'teams', Repository>>): Json[] {
  const urls: Readonly<Record<string, string>> = {
    'https://github.com/capabilitypolicy/capabilitypolicy': repositories.project.url,
    'https://git.example/platform/policies': repositories.policies.url,
    'https://git.example/platform/teams': repositories.teams.url,
  };
  const text = ['application', 'applicationset'].map((name) =>
    readFileSync(join(CONFIG, 'argocd', `${name}.yaml`), 'utf8'),
  );
  const replaced = Object.entries(urls).reduce(
    (all, [from, to]) => all.replaceAll(`repoURL: ${from}`, `repoURL: ${to}`),
    text.join('\n---\n'),
  );
  const objects = loadAll(replaced.replace('targetRevision: v0.1.0', 'targetRevision: main')) as Json[];
  assert.equal(objects.length, 3);
  assert.ok(!replaced.includes('https://git'));
  return objects;
}

/** Checks that Argo CD's CRDs have every field of the given objects. */
async function assertNoUnknownField({ api }: Stage, objects: readonly Json[]): Promise<void> {
  const query = { dryRun: 'All', fieldValidation: 'Strict' };
  for (const body of objects) {
    const { status, body: answer } = await api.ask('POST', `${ARGO_OBJECTS}/${body.kind.toLowerCase()}s`, {
      body,
      query,
    });
    assert.equal(status, 201, answer.message);
  }
}

/**
 * Waits until all Applications are Synced and Healthy. Checks that the policies were in force before the namespaces
 * were created.
 */
export async function assertInstalledInOrder(stage: Stage, { commits }: Installation): Promise<void> {
  await stage.applications.healthy(ROOT_APPLICATION, commits.root ?? '', 180_000);
  await stage.applications.healthy('capabilitypolicies', commits.policies ?? '');
  await stage.applications.healthy('shop', commits.teams ?? '');
  const operator = await stage.api.get(`${APPLICATIONS}/${OPERATOR_APPLICATION}`);
  assert.deepEqual([operator.status.sync.status, operator.status.health.status], ['Synced', 'Healthy']);
  const policy = await stage.inForce('production');
  const shop = await stage.api.get(`${NAMESPACES}/shop`);
  assert.ok((conditionOf(policy, 'Programmed')?.lastTransitionTime ?? '') <= shop.metadata.creationTimestamp);
}

/** Checks that the policies already refuse the first pod in a namespace from Argo CD. */
export async function assertEnforcedFromTheBeginning(stage: Stage): Promise<void> {
  await stage.account('shop');
  const query = { dryRun: 'All' };
  const { status, body } = await stage.api.ask('POST', `${NAMESPACES}/shop/pods`, {
    body: privilegedPod(),
    query,
    as: CREATOR,
  });
  assert.equal(status === 201 ? ADMITTED : body.message.slice(0, 4), 'pods');
  await stage.labelsBecome('shop', { enforce: 'restricted' });
}

/** Checks the health of a policy in Argo CD, and the health message that Argo CD shows. */
export async function assertHealthMessage(stage: Stage): Promise<void> {
  const health = async () => {
    const application = await stage.applications.compared('capabilitypolicies');
    return resourceOf(application, 'CapabilityPolicy', 'production')?.health;
  };
  assert.deepEqual((await health()).status, 'Healthy');
  const { spec } = privilegedPod() as Json;
  const template = { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name: 'loose' }, template: { spec } };
  await stage.api.apply(`${NAMESPACES}/shop/podtemplates/loose`, template);
  await eventually('the violation in the message of a healthy policy', async () => {
    const { status, message } = await health();
    assert.equal(status, 'Healthy');
    return /1 of 1 workload violates the policy: PodTemplate shop\/loose/.test(message ?? '');
  });
}
