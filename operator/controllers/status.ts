/** Writes the status of each policy, and the Events about changes of the status. */
import type { CapabilityPolicyStatus, CompletePolicy } from '../api/capability-policy.ts';
import { isForbidden, isInvalid } from '../cluster/api-error.ts';
import { MODES } from '../policy/deciding.ts';
import type { Resolution } from '../policy/resolve.ts';
import { GrantHistories, type Unused } from '../report/grant-histories.ts';
import { buildStatus } from '../report/status.ts';
import { policyEvents, statusRefusedEvent } from '../report/transitions.ts';
import type { FindIdentity } from '../report/violation-events.ts';
import { WrittenStatuses, writeReport } from '../report/writer.ts';
import { Cooldown } from '../runtime/cooldown.ts';
import { RateLimit } from '../runtime/rate-limit.ts';
import { type Context, type Controller, type Key, originOf } from './controller.ts';
import type { StateChange } from './state-change.ts';

/** The wait in ms for more changes. Changes come in bursts, and a burst leads to one write. */
const DELAY_MS = 200;
/**
 * While many policies come into force, the controller waits for this time in ms before it writes the progress of the
 * policies. Most policies are in force when the wait ends. If a policy is already in force, the controller does not
 * need a separate write for the policy's progress.
 */
const MANY_CHANGE_MS = 5_000;
/**
 * The rate limit for statuses when hundreds of policies come into force together. The first number is the average
 * number of statuses per second. The second number is the maximum number of statuses at once.
 */
const PROGRESS_LIMIT = [1, 10] as const;

export class Status implements Controller {
  readonly name = 'status';
  readonly concurrency = 8;
  readonly #context: Context;
  /**
   * The cooldown of statuses. If a policy has thousands of namespaces, building the status takes long. A change in any
   * of these namespaces changes the status.
   */
  readonly #cooldown = new Cooldown({ times: 9, mostMs: 1_500 });
  /** The cooldown for the progress of a policy that comes into force. The cooldown delays the write of the progress. */
  readonly #progress = new Cooldown({ times: 1 });
  readonly #progressLimit = new RateLimit(...PROGRESS_LIMIT);
  readonly #written = new WrittenStatuses();
  readonly #grants = new GrantHistories();

  constructor(context: Context) {
    this.#context = context;
  }

  keysFor({ policies }: StateChange): Iterable<Key> {
    return policies;
  }

  delay(policy: Key, { recompiles }: StateChange): number {
    // The person who changed a policy waits for its status, so the wait is short after a change of policies.
    if (recompiles) return DELAY_MS;
    const { state = 'Working' } = this.#context.state.outcomes.programs.get(policy) ?? {};
    return state === 'Working' ? this.#untilProgress(policy) : Math.max(DELAY_MS, this.#cooldown.left(policy));
  }

  #untilProgress(policy: Key): number {
    if (this.#progress.left(policy) === 0) {
      const waitMs = this.#progressLimit.take();
      this.#progress.start(policy, waitMs === 0 ? DELAY_MS : MANY_CHANGE_MS + waitMs);
    }
    return this.#progress.left(policy);
  }

  async reconcile(name: Key, again: (ms: number) => void): Promise<void> {
    const { client, cluster, state, recorder } = this.#context;
    const seen = cluster.policy(name);
    if (!seen) for (const known of [this.#cooldown, this.#progress, this.#written, this.#grants]) known.forget(name);
    const resolution = state.policies.resolution(name);
    if (!seen || !resolution) return;
    const policy = this.#written.latest(seen);
    const origin = originOf(this.#context);
    const areas = state.policies.coverage(name)?.areas ?? [];
    const unused = this.#grants.look(policy, areas, state.outcomes.verdicts, state.now());
    const status = this.#cooldown.after(name, () => this.#build(policy, resolution, unused, origin.now));
    const events = policyEvents(policy, status, this.#findIdentity, origin);
    await writeReport(client, recorder.tell, policy, status, events).catch((error: unknown) => {
      // Without a status, an Event is the only report on the policy.
      if (isForbidden(error) || isInvalid(error)) recorder.later(statusRefusedEvent(policy, error as Error, origin));
      throw error;
    });
    this.#written.add(seen, status);
    if (unused?.untilNextMs !== undefined) again(unused.untilNextMs);
  }

  #build(
    policy: CompletePolicy,
    resolution: Resolution,
    unused: Unused | undefined,
    now: string,
  ): CapabilityPolicyStatus {
    const { cluster, state } = this.#context;
    const { outcomes } = state;
    const { use } = state.policies;
    const name = policy.metadata?.name ?? '';
    const coverage = state.policies.coverage(name);
    const program = outcomes.programs.get(name);
    const progress = outcomes.progress.get(name);
    const lastAccepted = state.policies.acceptedText(name);
    const wrongFlag = state.wrongFlag();
    return buildStatus({
      policy,
      resolution,
      ...(lastAccepted && { lastAccepted }),
      expired: state.policies.hasExpired(name),
      ...(coverage && { coverage }),
      ...(program && { program }),
      ...(outcomes.protection.current && { protection: outcomes.protection.current }),
      ...(progress && { progress }),
      ...(wrongFlag && { wrongFlag }),
      labels: state.labelOutcomes(coverage?.selected ?? []),
      platform: state.platformAmong(coverage?.selected ?? []),
      verdicts: outcomes.verdicts,
      ...(unused && { unusedGrants: unused.grants }),
      holdersOfAll: use.holdersOfAll(),
      unknownPodFields: cluster.unknownPodFields,
      unlearnedDefaults: cluster.unlearnedDefaults,
      loosenings: state.policies.loosenings(name),
      olderBindings: use.olderBindings(name, String(policy.metadata?.creationTimestamp ?? '')),
      now,
    });
  }

  readonly #findIdentity: FindIdentity = ({ kind, namespace, name }) => {
    const { cluster, state } = this.#context;
    if (kind === 'Pod') return [...cluster.pods(namespace)].find((pod) => pod.name === name);
    const isIt = (one: { readonly kind: string; readonly name: string }) => one.kind === kind && one.name === name;
    const { modes = {} } = state.outcomes.verdicts.get(namespace) ?? {};
    const evaluated = MODES.flatMap((mode) => modes[mode]?.workloads.find(isIt) ?? []);
    return evaluated.find(({ custom }) => custom)?.custom ?? cluster.workload(namespace, kind, name);
  };
}
