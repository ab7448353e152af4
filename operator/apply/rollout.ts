/**
 * Brings what is rendered into force, blue/green: the new set is created, seen in force on every API server, and only
 * then the old one deleted. Meanwhile both apply, so that nothing is admitted which either state refuses.
 *
 * A pass does what can be done now and says what is still awaited; it holds nothing that a fresh process could not find
 * out again, so that the operator may be killed at any point. docs/decisions/0002 has the order and its reasons.
 */
import { type ApiClient, ApiError, isNotFound, pathOf } from '../cluster/client.ts';
import type { RenderedObject } from '../cluster/objects.ts';
import { type AdmissionSet, GUARD, type Probed } from '../compile/admission-set.ts';
import type { Compiled, Rendered } from '../compile/compile.ts';
import { POLICY_LABEL, RULESET_LABEL } from '../compile/objects.ts';
import type { RolloutOutcome } from './outcome.ts';
import { everywhere, probe } from './probe.ts';
import { isUseChecked, type Standing, setsOf, stale, standing } from './standing.ts';
import { type OnWrite, Writes } from './writes.ts';

export interface RolloutOptions {
  readonly operatorNamespace: string;
  /** One client for each API server that answers. */
  readonly servers: () => Promise<readonly ApiClient[]>;
  readonly onWrite: OnWrite;
}

export interface PassResult {
  readonly outcomes: ReadonlyMap<string, RolloutOutcome>;
  /** When to come back, in ms, if something is awaited that no watch will tell of. */
  readonly comeBackMs: number | undefined;
}

type Leaving = Probed & { readonly mutates: boolean };

/** An API server takes up to a second to compile a changed policy. */
const PROBE_AGAIN_MS = 100;
const RETRY_REFUSED_MS = 30_000;

export class Rollout {
  readonly #client: ApiClient;
  readonly #options: RolloutOptions;
  readonly #writes: Writes;
  /** Rulesets that every API server judged by, since we last wrote to them. */
  readonly #inForce = new Map<string, { readonly ruleset: string; readonly servers: number }>();
  /** Rulesets that we deleted and that some API server may still judge by. */
  readonly #leaving = new Map<string, Leaving>();
  /** What the API server refused, by policy. */
  readonly #failures = new Map<string, string>();
  /** Why a ruleset is not in force yet, by policy. */
  readonly #awaited = new Map<string, string>();
  #probed = '';

  constructor(client: ApiClient, options: RolloutOptions) {
    this.#client = client;
    this.#options = options;
    this.#writes = new Writes(client, options.onWrite);
  }

  /** @param rendered what stands in the cluster with our managed-by label, as last seen */
  async pass(compiled: Compiled, rendered: readonly RenderedObject[]): Promise<PassResult> {
    const live = standing(rendered);
    const servers = await this.#options.servers();
    this.#forgetIfServersChanged(servers);
    for (const [name, set] of compiled.rendered) {
      await this.#attempt(name, async () => {
        await this.#writes.ensure(name, set.role, live);
        if (!isUseChecked(name, live)) await this.#ensureBinding(name, set, live);
        await this.#ensureSet(set.admission, live);
      });
    }
    const { guard } = compiled;
    if (guard) await this.#attempt(GUARD, () => this.#ensureSet(guard, live));
    await this.#probeNew(setsOf(compiled), servers);
    const settled = setsOf(compiled).every((set) => this.#failures.has(set.policy) || this.#isInForce(set));
    if (settled) await this.#finish(compiled, live);
    await this.#probeLeaving(servers);
    return this.#result(compiled, distinct(servers));
  }

  async #ensureSet(set: AdmissionSet, live: Standing): Promise<void> {
    let written = false;
    for (const object of set.objects) written = (await this.#writes.ensure(set.policy, object, live)) || written;
    if (written) this.#inForce.delete(set.policy);
  }

  async #ensureBinding(name: string, { roleBinding }: Rendered, live: Standing): Promise<void> {
    if (roleBinding) await this.#writes.ensure(name, roleBinding, live);
  }

  #forgetIfServersChanged(servers: readonly ApiClient[]): void {
    const now = servers.map(({ server }) => server).join(' ');
    if (now !== this.#probed) this.#inForce.clear();
    this.#probed = now;
  }

  async #probeNew(sets: readonly AdmissionSet[], servers: readonly ApiClient[]): Promise<void> {
    this.#awaited.clear();
    const waiting = sets.filter((set) => !this.#failures.has(set.policy) && !this.#isInForce(set));
    await Promise.all(
      waiting.map(async (set) => {
        const result = await probe(servers, set, this.#options.operatorNamespace);
        const answering = distinct(servers);
        if (everywhere(result, 'InForce')) {
          this.#inForce.set(set.policy, { ruleset: set.ruleset, servers: answering });
          return;
        }
        const behind = distinct(servers.filter((_, i) => result.answers[i] !== 'InForce'));
        const reason = result.message === '' ? '' : `: ${result.message}`;
        this.#awaited.set(set.policy, `in force on ${answering - behind} of ${answering} API servers${reason}`);
      }),
    );
  }

  /** Everything new is in force: who may use what changes, then the old goes. */
  async #finish(compiled: Compiled, live: Standing): Promise<void> {
    for (const [name, set] of compiled.rendered) {
      await this.#attempt(name, () => this.#ensureBinding(name, set, live));
    }
    for (const object of stale(compiled, live)) await this.#remove(object);
  }

  async #remove(object: RenderedObject): Promise<void> {
    const { name, uid, labels } = object.metadata;
    const policy = labels?.[POLICY_LABEL] ?? '';
    const ruleset = labels?.[RULESET_LABEL];
    try {
      await this.#client.remove(pathOf(object), uid === undefined ? {} : { uid });
      this.#options.onWrite('deleted', { kind: object.kind, name, policy });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    if (ruleset === undefined) return;
    const id = `${policy}/${ruleset}`;
    const mutates = this.#leaving.get(id)?.mutates || object.kind.startsWith('Mutating');
    this.#leaving.set(id, { policy, ruleset, mutates });
  }

  async #probeLeaving(servers: readonly ApiClient[]): Promise<void> {
    for (const [id, set] of this.#leaving) {
      const result = await probe(servers, set, this.#options.operatorNamespace);
      if (everywhere(result, 'NotInForce')) this.#leaving.delete(id);
    }
  }

  #isInForce({ policy, ruleset }: Probed): boolean {
    return this.#inForce.get(policy)?.ruleset === ruleset;
  }

  /**
   * A policy whose objects the API server refuses must not hold up the others.
   *
   * @throws what is no refusal: a conflict, a lost connection, an overloaded server
   */
  async #attempt(policy: string, write: () => Promise<void>): Promise<void> {
    try {
      await write();
      this.#failures.delete(policy);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#failures.set(policy, error.message);
    }
  }

  #result(compiled: Compiled, answering: number): PassResult {
    const outcomes = new Map(
      compiled.policies.map(({ name, mode }) => {
        const set = compiled.rendered.get(name)?.admission as AdmissionSet;
        return [name, this.#outcome(set, mode === 'Enforce' ? compiled.guard : undefined, answering)];
      }),
    );
    const states = [...outcomes.values()].map(({ state }) => state);
    const working = this.#leaving.size > 0 || states.includes('Working');
    const refused = states.includes('Failed') ? RETRY_REFUSED_MS : undefined;
    return { outcomes, comeBackMs: working ? PROBE_AGAIN_MS : refused };
  }

  /** @param guard without it a policy of mode Enforce is not in force */
  #outcome(set: AdmissionSet, guard: AdmissionSet | undefined, answering: number): RolloutOutcome {
    const { policy, ruleset } = set;
    const failure = this.#failures.get(policy) ?? (guard && this.#failures.get(GUARD));
    if (failure !== undefined) {
      return { state: 'Failed', ruleset, servers: { inForce: 0, answering }, message: failure };
    }
    const pending = [set, ...(guard ? [guard] : [])].find((one) => !this.#isInForce(one));
    if (pending) {
      const message = `${pending === guard ? 'the guard is ' : ''}${this.#awaited.get(pending.policy) ?? 'being written'}`;
      return { state: 'Working', ruleset, servers: { inForce: 0, answering }, message };
    }
    const seen = this.#inForce.get(policy)?.servers ?? 0;
    const servers = { inForce: seen, answering: seen };
    const old = [...this.#leaving.values()].find((one) => one.policy === policy);
    if (old) {
      return { state: 'Working', ruleset, servers, message: `ruleset ${old.ruleset} is still in force beside it` };
    }
    return { state: 'InForce', ruleset, servers, message: '' };
  }
}

function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && [400, 403, 413, 422].includes(error.status);
}

/** Several connections to one address count once: nobody knows how many API servers are behind it. */
function distinct(servers: readonly ApiClient[]): number {
  return new Set(servers.map(({ server }) => server)).size;
}
