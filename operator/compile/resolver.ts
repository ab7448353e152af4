/**
 * Resolves policies repeatedly. An unchanged policy resolves to the same object each time. Compiled texts and verdicts
 * are cached by that object.
 */
import type { CompletePolicy } from '../api/capability-policy.ts';
import { Memo } from '../policy/memo.ts';
import { type Resolution, resolvePolicy } from '../policy/resolve.ts';
import { textOf } from './accept.ts';

export class Resolver {
  readonly #known = new Memo<Resolution>();

  /** @param oldestServer the version of the oldest API server, as N of Kubernetes 1.N */
  readonly resolve = (policy: CompletePolicy, oldestServer: number): Resolution => {
    const { name = '', uid = '' } = policy.metadata ?? {};
    const key = JSON.stringify([name, uid, oldestServer, textOf(policy.spec)]);
    return this.#known.get(key, () => resolvePolicy(policy, oldestServer));
  };

  /** Ends a round. Only policies that were resolved in this round are kept. */
  forgetUnused(): void {
    this.#known.forgetUnused();
  }
}
