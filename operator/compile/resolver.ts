/**
 * Resolves policies repeatedly. An unchanged policy resolves to the same object each time. The resolved policy is the
 * key in the caches of compiled programs and verdicts.
 */
import { Memo } from '../policy/memo.ts';
import { type Resolution, resolvePolicy } from '../policy/resolve.ts';
import { textOf } from './accept.ts';

export class Resolver {
  readonly #known = new Memo<Resolution>();

  readonly resolve: typeof resolvePolicy = (policy, oldestServer, serverDefaults = []) => {
    const { name = '', uid = '' } = policy.metadata ?? {};
    const key = JSON.stringify([name, uid, oldestServer, serverDefaults, textOf(policy.spec)]);
    return this.#known.get(key, () => resolvePolicy(policy, oldestServer, serverDefaults));
  };

  /** Forgets policies that were not resolved since the last call of this method. */
  forgetUnused(): void {
    this.#known.forgetUnused();
  }
}
