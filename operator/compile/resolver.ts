/**
 * Resolves policies repeatedly. An unchanged policy resolves to the same object each time. Compiled programs and
 * verdicts are cached by the resolved policy.
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

  /** Forgets policies that were not resolved since the last call of this method. */
  forgetUnused(): void {
    this.#known.forgetUnused();
  }
}
