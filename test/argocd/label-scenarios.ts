/** Tests each row of the table "Who sets the labels of a namespace" in docs/argocd.md, with each way of applying. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../hack/controlplane/api.ts';
import { conditionOf, eventually } from '../support/harness.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { type ApplicationOptions, application, TWO_COMPARISONS_MS } from './applications.ts';
import {
  CLIENT_SIDE_APPLY,
  ENFORCE,
  MODES,
  type Mode,
  namespaceOf,
  policyOf,
  REPLACE,
  SERVER_SIDE_APPLY,
  slug,
} from './objects.ts';
import type { Scenario } from './side-by-side.ts';
import type { Stage } from './stage.ts';

const OURS = { enforce: 'restricted' };
const IN_GIT = { enforce: 'baseline' };

export function labelScenarios(stage: () => Stage): Scenario[] {
  return [
    ...MODES.map((mode) => ({
      title: `labels, by ${mode.title}: Git names none, one, and none again`,
      run: () => named(stage(), mode),
    })),
    ...MODES.map((mode) => ({
      title: `labels, by ${mode.title}: Git names the operator's own value from the beginning`,
      run: () => equalFirst(stage(), mode),
    })),
    ...MODES.map((mode) => ({
      title: `labels, by ${mode.title}: Git names the operator's own value afterwards`,
      run: () => equalLater(stage(), mode),
    })),
    ...MODES.map((mode) => ({
      title: `labels, by ${mode.title}: with ignoreDifferences by field manager`,
      run: () => ignored(stage(), mode),
    })),
    { title: 'labels, by managedNamespaceMetadata: if Git names a label, Git wins', run: () => managed(stage()) },
    { title: 'labels, by Replace=true: the operator sets its own labels again', run: () => replaced(stage()) },
  ];
}

class LabelScene {
  readonly #stage: Stage;
  readonly name: string;
  readonly #commit: (labels: Readonly<Record<string, string>>) => string;

  private constructor(stage: Stage, name: string, commit: (labels: Readonly<Record<string, string>>) => string) {
    this.#stage = stage;
    this.name = name;
    this.#commit = commit;
  }

  /** A policy in force, and an Application for the only namespace that the policy selects. */
  static async make(
    stage: Stage,
    name: string,
    mode: Mode,
    options: Partial<ApplicationOptions> = {},
    labels: Readonly<Record<string, string>> = {},
  ): Promise<LabelScene> {
    await stage.api.apply(`${POLICIES}/${name}`, policyOf(name));
    await stage.inForce(name);
    const repository = stage.repository();
    const scene = new LabelScene(stage, name, (more) => {
      return repository.commit({ 'namespace.yaml': [namespaceOf(name, { environment: name, ...more })] });
    });
    const syncOptions = [...mode.options, ...(options.options ?? [])];
    const commit = scene.#commit(labels);
    await stage.applications.create(
      application(name, { url: repository.url, ...mode, ...options, options: syncOptions }),
    );
    await stage.applications.healthy(name, commit);
    return scene;
  }

  async git(labels: Readonly<Record<string, string>>): Promise<void> {
    await this.#stage.applications.healthy(this.name, this.#commit(labels));
  }

  async become(labels: Readonly<Record<string, string>>): Promise<void> {
    await this.#stage.labelsBecome(this.name, labels);
  }

  /** Checks that the namespace stays synced and unchanged during two comparisons. */
  async stay(labels: Readonly<Record<string, string>>): Promise<void> {
    const version = async () => (await this.#stage.api.get(`${NAMESPACES}/${this.name}`)).metadata.resourceVersion;
    const before = await version();
    await sleep(TWO_COMPARISONS_MS);
    assert.deepEqual(await this.#stage.labels(this.name), labels);
    assert.equal(await version(), before);
    const { status } = await this.#stage.applications.compared(this.name);
    assert.deepEqual([status.sync.status, status.health.status], ['Synced', 'Healthy']);
  }

  async conflict(expected: RegExp | undefined): Promise<void> {
    let last: Json;
    const look = async () => {
      const policy = await this.#stage.policy(this.name);
      last = policy && conditionOf(policy, 'LabelConflict');
      return expected === undefined ? last === undefined : expected.test(last?.message ?? '');
    };
    await eventually(`the condition LabelConflict of ${this.name}`, look).catch(() => assert.deepEqual(last, expected));
  }

  async policy(spec: object): Promise<void> {
    await this.#stage.api.patch(`${POLICIES}/${this.name}`, { spec });
    await this.#stage.inForce(this.name);
  }

  async deletePolicy(): Promise<void> {
    await this.#stage.api.remove(`${POLICIES}/${this.name}`);
  }
}

async function named(stage: Stage, mode: Mode): Promise<void> {
  const scene = await LabelScene.make(stage, `labels-named-${slug(mode)}`, mode);
  await scene.become(OURS);
  await scene.stay(OURS);
  await scene.git({ [ENFORCE]: 'baseline' });
  await scene.become(IN_GIT);
  await scene.conflict(new RegExp(`namespace ${scene.name}: label ${ENFORCE} is "baseline" by argocd-controller`));
  await scene.stay(IN_GIT);
  await scene.git({});
  if (mode !== CLIENT_SIDE_APPLY && mode !== SERVER_SIDE_APPLY) {
    // If Argo CD applies in one way and compares in another way, Argo CD finds no difference, because the comparison
    // reads records of earlier applies. An apply in the one way writes no records for a comparison in the other way.
    // The next sync applies Git's state.
    await scene.stay(IN_GIT);
    await scene.git({ more: 'labels' });
  }
  await scene.become(OURS);
  await scene.conflict(undefined);
  await scene.stay(OURS);
}

async function equalFirst(stage: Stage, mode: Mode): Promise<void> {
  const scene = await LabelScene.make(stage, `labels-equal-${slug(mode)}`, mode, {}, { [ENFORCE]: 'restricted' });
  await scene.become(OURS);
  await scene.stay(OURS);
  await scene.deletePolicy();
  await sleep(5_000);
  await scene.become(OURS);
  await scene.stay(OURS);
}

async function equalLater(stage: Stage, mode: Mode): Promise<void> {
  const scene = await LabelScene.make(stage, `labels-later-${slug(mode)}`, mode);
  await scene.become(OURS);
  await scene.git({ [ENFORCE]: 'restricted' });
  await scene.stay(OURS);
  await scene.policy({ level: 'baseline' });
  // The operator changes its own label. The next sync restores Git's value.
  await scene.conflict(new RegExp(`namespace ${scene.name}: label ${ENFORCE} is "restricted" by argocd-controller`));
  await scene.become(OURS);
  await scene.stay(OURS);
}

async function ignored(stage: Stage, mode: Mode): Promise<void> {
  const scene = await LabelScene.make(stage, `labels-ignored-${slug(mode)}`, mode, {
    ignoreDifferences: [{ group: '', kind: 'Namespace', managedFieldsManagers: ['capabilitypolicy.dev'] }],
    options: ['RespectIgnoreDifferences=true'],
  });
  await scene.become(OURS);
  await scene.git({ [ENFORCE]: 'baseline' });
  await scene.become(OURS);
  await scene.stay(OURS);
}

async function managed(stage: Stage): Promise<void> {
  const name = 'labels-managed';
  await stage.api.apply(`${POLICIES}/${name}`, policyOf(name));
  await stage.inForce(name);
  const repository = stage.repository();
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' } };
  const commit = repository.commit({ 'map.yaml': [map] });
  const withLabels = (labels: object) =>
    application(name, {
      url: repository.url,
      options: ['CreateNamespace=true', 'ServerSideApply=true'],
      namespace: name,
      policy: { managedNamespaceMetadata: { labels: { environment: name, ...labels } } },
    });
  await stage.applications.create(withLabels({}));
  await stage.applications.healthy(name, commit);
  await stage.labelsBecome(name, OURS);
  await stage.applications.create(withLabels({ [ENFORCE]: 'baseline' }));
  await stage.labelsBecome(name, IN_GIT);
  await sleep(TWO_COMPARISONS_MS);
  await stage.labelsBecome(name, IN_GIT);
}

async function replaced(stage: Stage): Promise<void> {
  const scene = await LabelScene.make(stage, 'labels-replaced', REPLACE);
  await scene.become(OURS);
  await scene.stay(OURS);
  // A sync replaces the namespace.
  await scene.git({ more: 'labels' });
  await scene.become(OURS);
  await scene.stay(OURS);
}
