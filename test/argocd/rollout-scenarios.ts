/** Tests namespaces that Argo CD or `kubectl replace` manages during the rollout of a policy. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabelHistory } from '../rollout/label-history.ts';
import { CREATOR, eventually } from '../support/harness.ts';
import { baselinePod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { application, resourceOf, TWO_COMPARISONS_MS } from './applications.ts';
import { CLIENT_SIDE_APPLY, type Mode, namespaceOf, policyOf, REPLACE, SERVER_SIDE_APPLY, slug } from './objects.ts';
import type { Scenario } from './side-by-side.ts';
import type { Stage } from './stage.ts';

/**
 * The maximum time in ms that a repair of the namespace may take. On an idle machine, a repair takes far less time. The
 * test prints the measured time.
 */
const REPAIRED_WITHIN_MS = 5_000;
const PROBE_EVERY_MS = 25;
const REST_MS = 5_000;

export function rolloutScenarios(stage: () => Stage): Scenario[] {
  return [
    ...[CLIENT_SIDE_APPLY, SERVER_SIDE_APPLY].map((mode) => ({
      title: `rollout, by ${mode.title}: a pending namespace stays pending, and an enforced one enforced`,
      run: () => applied(stage(), mode),
    })),
    {
      title: 'rollout with Replace=true: the operator puts the label of a pending namespace back at once',
      run: () => replacedByArgo(stage()),
    },
    {
      title: 'rollout with kubectl replace: the operator puts the label of a pending namespace back at once',
      run: () => replacedByKubectl(stage()),
    },
  ];
}

/**
 * A namespace in Git, and a policy whose rollout has begun in the namespace. The rollout has not promoted the namespace
 * yet.
 */
class Rollout {
  readonly #stage: Stage;
  readonly #repository: ReturnType<Stage['repository']>;
  readonly #key: string;
  readonly name: string;
  #history: LabelHistory | undefined;
  /**
   * The answers to the probes, in order. An answer says whether the API server admitted a pod that the policy would
   * refuse. The field `at` is the time of the answer.
   */
  readonly #answers: { readonly admitted: boolean; readonly at: number }[] = [];
  #probing: Promise<void> | undefined;
  #ended = false;
  #soak = '1h';

  private constructor(stage: Stage, name: string) {
    this.#stage = stage;
    this.name = name;
    this.#key = `rollout.capabilitypolicy.dev/${name}`;
    this.#repository = stage.repository();
  }

  static async begin(stage: Stage, name: string, mode: Mode): Promise<Rollout> {
    const rollout = new Rollout(stage, name);
    const first = rollout.#repository.commit({ 'namespace.yaml': [namespaceOf(name, { environment: name })] });
    await stage.applications.create(application(name, { url: rollout.#repository.url, ...mode }));
    await stage.applications.healthy(name, first);
    await stage.account(name);
    rollout.#history = await LabelHistory.begin(stage.controlPlane, stage.api, rollout.#key);
    await rollout.git();
    await stage.inForce(name);
    await rollout.#labelIs('pending');
    rollout.#probing = rollout.#probe();
    return rollout;
  }

  get history(): LabelHistory {
    return this.#history as LabelHistory;
  }

  /**
   * Commits the namespace with these labels and the policy, and waits until the namespace and the policy are synced and
   * healthy.
   */
  async git(labels: Readonly<Record<string, string>> = {}): Promise<void> {
    const commit = this.#repository.commit({
      'namespace.yaml': [namespaceOf(this.name, { environment: this.name, ...labels }, { wave: 1 })],
      'policy.yaml': [policyOf(this.name, { rollout: { soak: this.#soak } }, { wave: 2 })],
    });
    await this.#stage.applications.healthy(this.name, commit);
  }

  async promote(): Promise<void> {
    this.#soak = '1s';
    await this.git();
    await this.#labelIs(undefined);
  }

  /**
   * Checks that the label and the API server's answers agree. Also checks that nobody writes the namespace while Argo
   * CD compares twice.
   */
  async stays(value: 'pending' | undefined): Promise<void> {
    await this.#labelIs(value);
    const version = async () => (await this.#stage.api.get(`${NAMESPACES}/${this.name}`)).metadata.resourceVersion;
    // Waits until Argo CD and the operator have restored the replaced namespace.
    await eventually(`${this.name} to be at rest`, async () => {
      const last = await version();
      await sleep(REST_MS);
      return (await version()) === last;
    });
    const before = await version();
    const from = Date.now();
    await sleep(TWO_COMPARISONS_MS);
    assert.equal(await version(), before);
    const answers = this.#answers.filter(({ at }) => at > from + 1_000).map(({ admitted }) => admitted);
    assert.deepEqual([...new Set(answers)], [value === 'pending']);
    const { status } = await this.#stage.applications.compared(this.name);
    assert.deepEqual([status.sync.status, status.health.status], ['Synced', 'Healthy']);
  }

  /** The health of the policy in Argo CD. */
  async health(expected: RegExp): Promise<void> {
    await eventually(`the health of policy ${this.name}`, async () => {
      const one = await this.#stage.applications.compared(this.name);
      const { status, message = '' } = resourceOf(one, 'CapabilityPolicy', this.name)?.health ?? {};
      assert.equal(status, 'Healthy');
      return expected.test(message);
    });
  }

  /**
   * Ends the probes.
   * @returns the values that the label had, in order, and the length of each gap. A gap begins when the namespace loses
   * the label, and ends when the namespace gets the label again.
   */
  async end(): Promise<{ readonly values: string; readonly gapsMs: readonly number[]; readonly refusedMs: number }> {
    this.#ended = true;
    await this.#probing;
    await this.history.caughtUp();
    this.history.end();
    const values = this.history.of(this.name);
    const gapsMs = values.flatMap(({ value, at }, index) => {
      const next = values[index + 1];
      return index > 0 && value === undefined && next ? [next.at - at] : [];
    });
    return { values: values.map(({ value = '-' }) => value).join(' '), gapsMs, refusedMs: this.#longestRefusal() };
  }

  /** The longest period in which the API server refused pods. A period ends when the API server admits a pod again. */
  #longestRefusal(): number {
    let longest = 0;
    let since: number | undefined;
    for (const { admitted, at } of this.#answers) {
      if (!admitted) since ??= at;
      else if (since !== undefined) {
        longest = Math.max(longest, at - since);
        since = undefined;
      }
    }
    return longest;
  }

  async #probe(): Promise<void> {
    const path = `${NAMESPACES}/${this.name}/pods`;
    const request = { body: baselinePod(), as: CREATOR, query: { dryRun: 'All' } };
    while (!this.#ended) {
      const { status } = await this.#stage.api.ask('POST', path, request);
      this.#answers.push({ admitted: status === 201, at: Date.now() });
      await sleep(PROBE_EVERY_MS);
    }
  }

  async #labelIs(value: string | undefined): Promise<void> {
    await eventually(`label ${this.#key} to be ${value}`, async () => {
      const { metadata } = await this.#stage.api.get(`${NAMESPACES}/${this.name}`);
      return metadata.labels?.[this.#key] === value;
    });
  }
}

async function applied(stage: Stage, mode: Mode): Promise<void> {
  const rollout = await Rollout.begin(stage, `rollout-${slug(mode)}`, mode);
  await rollout.health(/; rolled out to 0\/1 namespaces$/);
  await rollout.git({ more: 'labels' });
  await rollout.stays('pending');
  await rollout.promote();
  await rollout.git({ more: 'others' });
  await rollout.stays(undefined);
  const { values } = await rollout.end();
  assert.equal(values, '- pending -');
}

async function replacedByArgo(stage: Stage): Promise<void> {
  const rollout = await Rollout.begin(stage, 'rollout-replaced', REPLACE);
  for (const more of ['one', 'two', 'three']) {
    await rollout.git({ more });
    await rollout.stays('pending');
  }
  await rollout.promote();
  await rollout.git({ more: 'four' });
  await rollout.stays(undefined);
  // The changed policy lets the operator promote the namespace. The sync that applies the policy also replaces the
  // namespace.
  assertRepaired('Replace=true', 4, await rollout.end());
}

async function replacedByKubectl(stage: Stage): Promise<void> {
  const rollout = await Rollout.begin(stage, 'rollout-kubectl', SERVER_SIDE_APPLY);
  const { kubectl, kubeconfig } = stage.controlPlane;
  const input = JSON.stringify(namespaceOf(rollout.name, { environment: rollout.name }));
  for (let round = 0; round < 3; round++) {
    execFileSync(kubectl, ['--kubeconfig', kubeconfig, 'replace', '-f', '-'], { input });
    await rollout.stays('pending');
  }
  await rollout.promote();
  execFileSync(kubectl, ['--kubeconfig', kubeconfig, 'replace', '-f', '-'], { input });
  await rollout.stays(undefined);
  assertRepaired('kubectl replace', 3, await rollout.end());
}

/** Each replacement removes the label from the namespace for a moment. The namespace is promoted only once. */
function assertRepaired(how: string, replaced: number, ended: Awaited<ReturnType<Rollout['end']>>): void {
  const { values, gapsMs, refusedMs } = ended;
  console.log(`      ${how}: without the label for ${gapsMs.join(', ')} ms; pods refused for ${refusedMs} ms at most`);
  assert.equal(values, `-${' pending -'.repeat(replaced + 1)}`);
  for (const ms of [...gapsMs, refusedMs]) assert.ok(ms < REPAIRED_WITHIN_MS, `${ms} ms`);
}
