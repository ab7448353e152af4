/**
 * Brings what is rendered into force, blue/green: the new set is created, seen in force on every API server, and only
 * then the old one deleted. Meanwhile both apply, so that nothing is admitted which either state refuses.
 *
 * A pass does what can be done now and says what is still awaited; it holds nothing that a fresh process could not find
 * out again, so that the operator may be killed at any point. docs/decisions/0002 has the order and its reasons.
 */
import { type ApiClient, ApiError, isConflict, isNotFound, isOverloaded, pathOf } from '../cluster/client.ts';
import type { RenderedObject } from '../cluster/objects.ts';
import type { AdmissionSet, Probed } from '../compile/admission-set.ts';
import type { Compiled, Rendered } from '../compile/compile.ts';
import { RULESET_LABEL } from '../compile/objects.ts';
import { askedMs } from '../runtime/retry-after.ts';
import type { RolloutOutcome } from './outcome.ts';
import { everywhere, probe } from './probe.ts';
import { outcomeOf, type Progress } from './progress.ts';
import {
  inOrderOfRemoval,
  isAdmission,
  isProbeBinding,
  keyOf,
  policyOf,
  type Standing,
  setsOf,
  standing,
  type Unwanted,
  unwanted,
  usesAsked,
} from './standing.ts';
import { type OnWrite, WATCH_LAG_MS, Writes } from './writes.ts';

export interface RolloutOptions {
  readonly operatorNamespace: string;
  /** One client for each API server that answers. */
  readonly servers: () => Promise<readonly ApiClient[]>;
  readonly onWrite: OnWrite;
}

export interface PassResult {
  readonly outcomes: ReadonlyMap<string, RolloutOutcome>;
  /** Why something old stays, if the API server refuses to delete it: for the log, since its policy may be gone. */
  readonly unremoved: ApiError | undefined;
  /** When to come back, in ms, if something is awaited that no watch will tell of. */
  readonly comeBackMs: number | undefined;
}

interface Refusal {
  readonly error: ApiError;
  /** In a row. */
  readonly times: number;
  /** The first time, as performance.now(). */
  readonly since: number;
}

interface Leaving extends Probed {
  readonly mutates: boolean;
  /** The policies that it asks for `use` on. */
  readonly uses: readonly string[];
}

/** An API server takes up to a second to compile a changed policy. */
const PROBE_AGAIN_MS = 100;
/** More than that, and what its watches need. */
const COMPILED_MS = 3_000;
const RETRY_REFUSED_MS = 30_000;
/** An API server that has just begun to serve refuses what it will take a moment later: it does not know its RBAC yet. */
const REFUSED_FOR_GOOD = { times: 3, ms: 15_000 };
/** How long to retry while the API server reports overload, which lasts longer than a start. */
const OVERLOADED_FOR_GOOD_MS = 300_000;
const RETRY_NEWLY_REFUSED_MS = 1_000;

export class Rollout {
  readonly #client: ApiClient;
  readonly #options: RolloutOptions;
  readonly #writes: Writes;
  /** Rulesets that every API server judged by, since we last wrote to them. */
  readonly #inForce = new Map<string, { readonly ruleset: string; readonly servers: number }>();
  /** Rulesets that we deleted and that some API server may still judge by. */
  readonly #leaving = new Map<string, Leaving>();
  /** When a probe tells of a ruleset whose objects were written in another order, by policy; as performance.now(). */
  readonly #notBefore = new Map<string, number>();
  /** What the API server refused, by policy. */
  readonly #failures = new Map<string, Refusal>();
  /** What it refused to delete in the last pass, by policy. */
  readonly #unremoved = new Map<string, ApiError>();
  /** Rulesets that all texts with a say in the same namespaces know of, by policy. */
  readonly #known = new Map<string, string>();
  /** Policies whose users change when no older text asks for them any more. */
  readonly #useAwaited = new Set<string>();
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
    this.#forgetFailures(compiled);
    this.#unremoved.clear();
    const asked = new Set([...live.values()].flatMap(usesAsked));
    for (const [name, set] of compiled.rendered) {
      await this.#attempt(name, async () => {
        await this.#writes.ensure(name, set.role, live);
        // It has to be there before the first text asks for it, and widens none that stands.
        if (!asked.has(name)) await this.#ensureBinding(name, set, live);
        // One that is refused later would leave the new text with the old users.
        else if (set.roleBinding) await this.#writes.rehearse(set.roleBinding, live);
        await this.#ensureSet(set.admission, live);
      });
    }
    for (const { admission } of compiled.guards) {
      await this.#attempt(admission.policy, () => this.#ensureSet(admission, live));
    }
    await this.#probeNew(setsOf(compiled), servers);
    const old = unwanted(compiled, live, new Set(this.#failures.keys()));
    const settled = setsOf(compiled).every((set) => this.#isRefusedForGood(set.policy) || this.#isInForce(set));
    await this.#changeUse(compiled, live, old, settled);
    if (settled) for (const object of old.stale.filter(isAdmission)) await this.#removeIfAllowed(object);
    await this.#probeLeaving(servers);
    return this.#result(compiled, old, distinct(servers));
  }

  /**
   * A set that comes back while API servers still judge by its last copy has to wait until that is gone: it would be seen
   * in force by the one, which goes before the other comes. What an interrupted removal has left of it goes first.
   */
  async #ensureSet(set: AdmissionSet, live: Standing): Promise<void> {
    if (this.#leaving.has(idOf(set))) {
      const remains = set.objects.flatMap((object) => live.get(keyOf(object)) ?? []);
      for (const object of inOrderOfRemoval(remains)) await this.#remove(object);
      return;
    }
    const answers = set.objects.some((object) => isProbeBinding(object) && live.has(keyOf(object)));
    let written = false;
    try {
      for (const object of set.objects) written = (await this.#writes.ensure(set.policy, object, live)) || written;
    } catch (error) {
      // What was written may be its answer that was lost.
      this.#inForce.delete(set.policy);
      throw error;
    }
    if (!written) return;
    this.#inForce.delete(set.policy);
    // The probe's binding comes last, to say that the others have come. One that stood before says nothing of these.
    if (answers) this.#notBefore.set(set.policy, performance.now() + COMPILED_MS);
  }

  async #ensureBinding(name: string, { roleBinding }: Rendered, live: Standing): Promise<void> {
    if (roleBinding) await this.#writes.ensure(name, roleBinding, live);
  }

  #forgetFailures(compiled: Compiled): void {
    const sets = new Set(setsOf(compiled).map(({ policy }) => policy));
    for (const policy of this.#failures.keys()) if (!sets.has(policy)) this.#failures.delete(policy);
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
        if (this.#leaving.has(idOf(set)) || performance.now() < (this.#notBefore.get(set.policy) ?? 0)) return;
        const result = await probe(servers, set, this.#options.operatorNamespace);
        const answering = distinct(servers);
        if (everywhere(result, 'InForce')) {
          this.#inForce.set(set.policy, { ruleset: set.ruleset, servers: answering });
          return;
        }
        this.#awaited.set(set.policy, result.message || 'waiting for the API servers to compile it');
      }),
    );
  }

  /**
   * Who may use a policy changes when everything new is in force and the old still stands: then it widens neither. It is
   * taken back only after the old when nothing new asks for it: an old text would refuse what both admit.
   */
  async #changeUse(compiled: Compiled, live: Standing, old: Unwanted, settled: boolean): Promise<void> {
    const askedByNew = new Set(setsOf(compiled).flatMap(({ objects }) => objects.flatMap(usesAsked)));
    const askedByOld = new Set([
      ...[...old.stale, ...old.kept].flatMap(usesAsked),
      ...[...this.#leaving.values()].flatMap(({ uses }) => uses),
    ]);
    this.#useAwaited.clear();
    for (const [name, set] of compiled.rendered) {
      if (this.#failures.has(name) || !set.roleBinding) continue;
      if (settled) await this.#attempt(name, () => this.#ensureBinding(name, set, live));
      else if (!this.#writes.isCurrent(set.roleBinding, live)) this.#useAwaited.add(name);
    }
    for (const object of old.stale.filter((one) => !isAdmission(one))) {
      const policy = policyOf(object);
      if (!settled && askedByNew.has(policy)) this.#useAwaited.add(policy);
      if (settled && (askedByNew.has(policy) || !askedByOld.has(policy))) await this.#removeIfAllowed(object);
    }
  }

  /** One that somebody's admission policy keeps must not keep all others. */
  async #removeIfAllowed(object: RenderedObject): Promise<void> {
    try {
      await this.#remove(object);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#unremoved.set(policyOf(object), error);
    }
  }

  async #remove(object: RenderedObject): Promise<void> {
    const { name, uid, labels } = object.metadata;
    this.#writes.forget(object);
    const policy = policyOf(object);
    const ruleset = labels?.[RULESET_LABEL];
    try {
      await this.#client.remove(pathOf(object), uid === undefined ? {} : { uid });
      this.#options.onWrite('deleted', { kind: object.kind, name, policy });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    if (ruleset === undefined) return;
    const id = idOf({ policy, ruleset });
    const before = this.#leaving.get(id);
    const mutates = before?.mutates || object.kind.startsWith('Mutating');
    const uses = [...(before?.uses ?? []), ...usesAsked(object)];
    this.#leaving.set(id, { policy, ruleset, mutates, uses });
  }

  async #probeLeaving(servers: readonly ApiClient[]): Promise<void> {
    await Promise.all(
      [...this.#leaving].map(async ([id, set]) => {
        const result = await probe(servers, set, this.#options.operatorNamespace);
        if (everywhere(result, 'NotInForce')) this.#leaving.delete(id);
      }),
    );
  }

  #isInForce({ policy, ruleset }: Probed): boolean {
    return this.#inForce.get(policy)?.ruleset === ruleset;
  }

  /**
   * A policy whose objects the API server refuses must not block the others, whatever the status code: the API server
   * answers 500 when etcd refuses an object that is too large.
   *
   * @throws errors that are not an answer of the API server: a lost connection, a lost lease
   */
  async #attempt(policy: string, write: () => Promise<void>): Promise<void> {
    try {
      await write();
      this.#failures.delete(policy);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { times = 0, since = performance.now() } = this.#failures.get(policy) ?? {};
      this.#failures.set(policy, { error, times: times + 1, since });
    }
  }

  /** Until then the others wait for it: what it is to refuse may be what their old rulesets refuse now. */
  #isRefusedForGood(policy: string): boolean {
    const failure = this.#failures.get(policy);
    return failure !== undefined && isForGood(failure);
  }

  #result(compiled: Compiled, old: Unwanted, answering: number): PassResult {
    const outdated = new Map([
      ...[...old.stale, ...old.kept]
        .filter(isAdmission)
        .map((object) => [policyOf(object), object.metadata.labels?.[RULESET_LABEL] ?? ''] as const),
      ...[...this.#leaving.values()].map(({ policy, ruleset }) => [policy, ruleset] as const),
    ]);
    const failures = [...this.#failures];
    const progress: Progress = {
      failures: new Map([
        ...[...this.#unremoved].map(([policy, error]) => [policy, error.message] as const),
        ...failures
          .filter(([, refusal]) => !mayPass(refusal))
          .map(([policy, { error }]) => [policy, error.message] as const),
      ]),
      inForce: this.#inForce,
      awaited: new Map([
        ...this.#awaited,
        ...failures
          .filter(([, refusal]) => mayPass(refusal))
          .map(([policy, { error }]) => [policy, error.message] as const),
      ]),
      useAwaited: this.#useAwaited,
      known: this.#known,
      outdated,
      answering,
    };
    const outcomes = new Map(compiled.policies.map((policy) => [policy.name, outcomeOf(policy, compiled, progress)]));
    for (const [name, { state, ruleset }] of outcomes) if (state === 'InForce') this.#known.set(name, ruleset);
    const awaited = setsOf(compiled).some((set) => !this.#failures.has(set.policy) && !this.#isInForce(set));
    return {
      outcomes,
      unremoved: [...this.#unremoved.values()][0],
      comeBackMs: this.#comeBackMs(awaited || this.#leaving.size > 0 || old.stale.some((one) => !isAdmission(one))),
    };
  }

  #comeBackMs(probing: boolean): number | undefined {
    if (probing) return PROBE_AGAIN_MS;
    if (this.#writes.mayBeUndone) return WATCH_LAG_MS;
    const refusals = [...this.#failures.values()];
    const newly = refusals.filter((refusal) => !isForGood(refusal));
    if (newly.length > 0) return Math.max(RETRY_NEWLY_REFUSED_MS, ...newly.map(({ error }) => askedMs(error)));
    return refusals.length > 0 || this.#unremoved.size > 0 ? RETRY_REFUSED_MS : undefined;
  }
}

function idOf({ policy, ruleset }: Probed): string {
  return `${policy}/${ruleset}`;
}

function isForGood({ error, times, since }: Refusal): boolean {
  const patience = isOverloaded(error) ? OVERLOADED_FOR_GOOD_MS : REFUSED_FOR_GOOD.ms;
  return times >= REFUSED_FOR_GOOD.times && performance.now() - since >= patience;
}

/**
 * Errors that may be transient: a conflict with another writer, a failing server. They are reported only after a few in
 * a row, so that conditions do not flap.
 */
function mayPass({ error, times }: Refusal): boolean {
  return (isConflict(error) || isOverloaded(error) || error.status >= 500) && times < REFUSED_FOR_GOOD.times;
}

/** Several connections to one address count once: nobody knows how many API servers are behind it. */
function distinct(servers: readonly ApiClient[]): number {
  return new Set(servers.map(({ server }) => server)).size;
}
