/** Each row of the table "Who sets the labels of a namespace" in docs/argocd.md, by each way of applying. */
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
    { title: 'labels, by managedNamespaceMetadata: Git wins if it names a label', run: () => managed(stage()) },
    { title: 'labels, by Replace=true: the operator sets its own again', run: () => replaced(stage()) },
  ];
}

class Place {
  readonly #stage: Stage;
  readonly name: string;
  readonly #commit: (labels: Readonly<Record<string, string>>) => string;

  private constructor(stage: Stage, name: string, commit: (labels: Readonly<Record<string, string>>) => string) {
    this.#stage = stage;
    this.name = name;
    this.#commit = commit;
  }

  /** A policy that is in force, and an Application for the one namespace that it selects. */
  static async make(
    stage: Stage,
    name: string,
    mode: Mode,
    options: Partial<ApplicationOptions> = {},
    labels: Readonly<Record<string, string>> = {},
  ): Promise<Place> {
    await stage.api.apply(`${POLICIES}/${name}`, policyOf(name));
    await stage.inForce(name);
    const repository = stage.repository();
    const place = new Place(stage, name, (more) => {
      return repository.commit({ 'namespace.yaml': [namespaceOf(name, { environment: name, ...more })] });
    });
    const syncOptions = [...mode.options, ...(options.options ?? [])];
    const commit = place.#commit(labels);
    await stage.applications.create(
      application(name, { url: repository.url, ...mode, ...options, options: syncOptions }),
    );
    await stage.applications.healthy(name, commit);
    return place;
  }

  async git(labels: Readonly<Record<string, string>>): Promise<void> {
    await this.#stage.applications.healthy(this.name, this.#commit(labels));
  }

  async become(labels: Readonly<Record<string, string>>): Promise<void> {
    await this.#stage.labelsBecome(this.name, labels);
  }

  /** Synced and unchanged over two comparisons. */
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
  const place = await Place.make(stage, `labels-named-${slug(mode)}`, mode);
  await place.become(OURS);
  await place.stay(OURS);
  await place.git({ [ENFORCE]: 'baseline' });
  await place.become(IN_GIT);
  await place.conflict(new RegExp(`namespace ${place.name}: label ${ENFORCE} is "baseline" by argocd-controller`));
  await place.stay(IN_GIT);
  await place.git({});
  if (mode !== CLIENT_SIDE_APPLY && mode !== SERVER_SIDE_APPLY) {
    // The comparison looks for the traces of another way of applying, and finds nothing. The next sync applies it.
    await place.stay(IN_GIT);
    await place.git({ more: 'labels' });
  }
  await place.become(OURS);
  await place.conflict(undefined);
  await place.stay(OURS);
}

async function equalFirst(stage: Stage, mode: Mode): Promise<void> {
  const place = await Place.make(stage, `labels-equal-${slug(mode)}`, mode, {}, { [ENFORCE]: 'restricted' });
  await place.become(OURS);
  await place.stay(OURS);
  await place.deletePolicy();
  await sleep(5_000);
  await place.become(OURS);
  await place.stay(OURS);
}

async function equalLater(stage: Stage, mode: Mode): Promise<void> {
  const place = await Place.make(stage, `labels-later-${slug(mode)}`, mode);
  await place.become(OURS);
  await place.git({ [ENFORCE]: 'restricted' });
  await place.stay(OURS);
  await place.policy({ level: 'baseline' });
  // The operator changes its own label; the next sync makes it Git's.
  await place.conflict(new RegExp(`namespace ${place.name}: label ${ENFORCE} is "restricted" by argocd-controller`));
  await place.become(OURS);
  await place.stay(OURS);
}

async function ignored(stage: Stage, mode: Mode): Promise<void> {
  const place = await Place.make(stage, `labels-ignored-${slug(mode)}`, mode, {
    ignoreDifferences: [{ group: '', kind: 'Namespace', managedFieldsManagers: ['capabilitypolicy.dev'] }],
    options: ['RespectIgnoreDifferences=true'],
  });
  await place.become(OURS);
  await place.git({ [ENFORCE]: 'baseline' });
  await place.become(OURS);
  await place.stay(OURS);
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
  const place = await Place.make(stage, 'labels-replaced', REPLACE);
  await place.become(OURS);
  await place.stay(OURS);
  // A sync replaces the namespace.
  await place.git({ more: 'labels' });
  await place.become(OURS);
  await place.stay(OURS);
}
