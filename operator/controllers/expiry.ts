/**
 * Watches the clock. When a policy expires, the controller compiles the policies again. When the expiry time of a
 * policy comes near, the controller queues the policy's status.
 *
 * The controller compares the time of day with the expiry times of all policies. The controller does not use a timer
 * for each policy. If somebody sets the clock or suspends the machine, a timer does not notice the change of the time.
 * If a timer of setTimeout() is set to more than 24.8 days, the timer fires at once.
 */
import { NEVER, nextStageAt, type Stage, stageOf } from '../policy/expiry.ts';
import type { Context, Controller, Key } from './controller.ts';
import type { StateChange } from './state-change.ts';

const ALL = ['all'];
/** The maximum delay in ms until the controller notices that somebody has set the clock. */
const LOOK_MS = 10_000;

export class Expiry implements Controller {
  readonly name = 'expiry';
  readonly #context: Pick<Context, 'state' | 'found'>;
  readonly #now: () => number;
  /** The last known stage of each policy on the way to its expiry. The key is the policy's name. */
  #stages: ReadonlyMap<string, Stage> = new Map();

  constructor(context: Pick<Context, 'state' | 'found'>, now: () => number = () => context.state.now()) {
    this.#context = context;
    this.#now = now;
  }

  keysFor({ cause }: StateChange): Iterable<Key> {
    return cause.of === 'accepted' || cause.of === 'term' ? ALL : [];
  }

  async reconcile(_key: Key, again: (ms: number) => void): Promise<void> {
    const { state, found } = this.#context;
    const now = this.#now();
    const { policies, expired } = state.policies.compiled;
    const ending = [...policies, ...expired].filter(({ expires }) => expires !== NEVER);
    const before = this.#stages;
    this.#stages = new Map(ending.map(({ name, expires }) => [name, stageOf(expires, now)]));
    const changed = [...this.#stages].filter(([name, stage]) => before.get(name) !== stage).map(([name]) => name);
    // If the clock is set back, an expired policy takes effect again.
    const recompiles = policies.some(({ expires }) => expires <= now) || expired.some(({ expires }) => expires > now);
    if (changed.length > 0 || recompiles) found({ by: this.name, policies: changed, recompiles });
    if (ending.length === 0) return;
    const next = Math.min(...ending.map(({ expires }) => nextStageAt(expires, now)));
    again(Math.min(next - now, LOOK_MS));
  }
}
