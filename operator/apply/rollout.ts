/**
 * Brings rendered rulesets into force, blue/green: creates the new set, waits until every API server enforces it, and
 * only then deletes the old one. Meanwhile both apply, so that nothing is admitted that either state refuses.
 *
 * A pass does everything that can be done now, and reports what it still waits for. It keeps nothing that a new process
 * could not determine again, so that the operator may be killed at any point. docs/decisions/0002 has the order and its
 * reasons.
 */
import { type ApiClient, ApiError, isNotFound, pathOf } from '../cluster/client.ts';
import type { AdmissionSet } from '../compile/admission-set.ts';
import type { Compiled } from '../compile/compile.ts';
import type { RenderedObject } from '../model/objects.ts';
import { inParallel } from '../runtime/in-parallel.ts';
import { grantsTheSame } from './drift.ts';
import { everywhere, probe, Rounds } from './probe.ts';
import { COMPILED_MS, Records } from './record.ts';
import { type PassResult, resultOf } from './result.ts';
import {
  askedIn,
  inOrderOfRemoval,
  isAdmission,
  isProbeBinding,
  keyOf,
  policyOf,
  rulesetOf,
  type Standing,
  setsOf,
  type Unwanted,
  unwanted,
  usesAsked,
} from './standing.ts';
import { type OnWrite, Writes } from './writes.ts';

interface RolloutOptions {
  /** One client for each answering API server. */
  readonly servers: () => Promise<readonly ApiClient[]>;
  readonly onWrite: OnWrite;
  /** Ends a pass before its next write, with its reason: writing hundreds of policies takes long. */
  readonly signal?: AbortSignal;
}

/** The input of a pass. */
interface Pass {
  readonly compiled: Compiled;
  readonly sets: readonly AdmissionSet[];
  readonly live: Standing;
  /** The policies that existing texts ask for `use` on. */
  readonly asked: ReadonlySet<string>;
  readonly servers: readonly ApiClient[];
}

/** The number of policies whose objects are written in parallel, and of previous sets that are removed in parallel. */
const WRITES_AT_ONCE = 8;
const COMPILING = 'waiting for the API servers to compile it';

export class Rollout {
  readonly #client: ApiClient;
  readonly #options: RolloutOptions;
  readonly #writes: Writes;
  readonly #records = new Records();
  readonly #rounds = new Rounds();

  constructor(client: ApiClient, options: RolloutOptions) {
    this.#client = client;
    this.#options = options;
    this.#writes = new Writes(client, options.onWrite, options.signal);
  }

  /** @param rendered the objects in the cluster with our managed-by label, as last seen */
  async pass(compiled: Compiled, rendered: readonly RenderedObject[]): Promise<PassResult> {
    const servers = await this.#options.servers();
    const uids = new Set(compiled.policies.map(({ uid }) => uid));
    const live = this.#writes.standing(rendered, uids);
    const pass: Pass = { compiled, sets: setsOf(compiled), live, asked: askedIn(live, uids), servers };
    this.#records.begin(
      pass.sets,
      servers.map(({ server }) => server),
    );
    await this.#writeUsers(pass);
    await this.#writeNew(pass);
    await this.#probeNew(pass);
    const records = pass.sets.map(({ policy }) => this.#records.of(policy));
    // Steps 3 and 4 wait for all policies: a sibling's old text may still ask for `use` on the policy.
    const settled = records.every((record) => record.isRefusedForGood || record.isInForce);
    const old = unwanted(compiled, live, this.#records.refused());
    await this.#changeUsers(pass, old, settled);
    if (settled) await this.#removeOld(old);
    await this.#probeLeaving(servers);
    const { mayBeUndone } = this.#writes;
    // Step 5.
    return resultOf(this.#records, { compiled, old, answering: distinct(servers), mayBeUndone });
  }

  /** Step 1: RBAC that widens nothing; of all policies before step 2, because the texts of siblings ask for it, too. */
  async #writeUsers({ compiled, live, asked }: Pass): Promise<void> {
    await inParallel(compiled.rendered, WRITES_AT_ONCE, ([name, { role, roleBinding }]) =>
      this.#attempt(name, async () => {
        await this.#writes.ensure(name, role, live);
        if (!roleBinding) return;
        // Its owners may differ: they keep it from the garbage collector as long as a sibling's text asks for `use`.
        const widensNothing = !asked.has(name) || grantsTheSame(live.get(keyOf(roleBinding)), roleBinding);
        if (widensNothing) await this.#writes.ensure(name, roleBinding, live);
        // Refused later, it would leave the new text with the old users.
        else await this.#writes.rehearse(roleBinding, live);
      }),
    );
  }

  /** Step 2: the new rulesets, except those whose users were refused. */
  async #writeNew({ sets, live }: Pass): Promise<void> {
    await inParallel(sets, WRITES_AT_ONCE, async (set) => {
      const record = this.#records.of(set.policy);
      if (record.wasRefused) return;
      await this.#attempt(set.policy, () => this.#ensureSet(set, live));
      if (!record.wasRefused) record.refusal = undefined;
    });
  }

  /**
   * A set that returns while API servers still enforce its deleted copy has to wait until that is gone. Otherwise the
   * old copy would answer the probe, and disappear before the new one is loaded. The remaining objects of an
   * interrupted removal are deleted first.
   */
  async #ensureSet(set: AdmissionSet, live: Standing): Promise<void> {
    const record = this.#records.of(set.policy);
    if (record.comesBack) {
      const remains = set.objects.flatMap((object) => live.get(keyOf(object)) ?? []);
      for (const object of inOrderOfRemoval(remains)) await this.#remove(object);
      return;
    }
    const answers = set.objects.some((object) => isProbeBinding(object) && live.has(keyOf(object)));
    let written = false;
    try {
      for (const object of set.objects) written = (await this.#writes.ensure(set.policy, object, live)) || written;
    } catch (error) {
      // The write may have succeeded although its answer was lost.
      record.inForce = undefined;
      throw error;
    }
    if (!written) return;
    record.inForce = undefined;
    // The probe's binding comes last, to show that the others have been loaded. A probe binding that existed before
    // proves nothing about the new objects.
    if (answers) record.trustedFrom = performance.now() + COMPILED_MS;
  }

  async #probeNew({ sets, servers }: Pass): Promise<void> {
    const answering = distinct(servers);
    const waiting = sets.filter((set) => this.#records.of(set.policy).isProbed);
    await this.#rounds.ask(waiting, async (set) => {
      const record = this.#records.of(set.policy);
      const result = await probe(servers, set);
      if (everywhere(result, 'InForce')) record.cameIntoForce(set.ruleset, answering);
      else record.waitsFor = result.message || COMPILING;
      return record.isInForce;
    });
    for (const set of waiting) this.#records.of(set.policy).waitsFor ??= COMPILING;
  }

  /**
   * Step 3. The users of a policy change when all new rulesets are in force and the old ones still exist: then the
   * change widens neither. If no new text asks for it, it is withdrawn only after the old text: an old text would
   * otherwise refuse what both admit.
   */
  async #changeUsers({ compiled, sets, live }: Pass, old: Unwanted, settled: boolean): Promise<void> {
    await inParallel(compiled.rendered, WRITES_AT_ONCE, async ([name, { roleBinding }]) => {
      const record = this.#records.of(name);
      if (record.refusal || !roleBinding || this.#writes.isCurrent(roleBinding, live)) return;
      if (!settled) record.usersWait = true;
      else await this.#attempt(name, async () => void (await this.#writes.ensure(name, roleBinding, live)));
    });
    const askedByNew = new Set(sets.flatMap(({ objects }) => objects.flatMap(usesAsked)));
    const leaving = this.#records.leaving().flatMap(({ uses }) => uses);
    const askedByOld = new Set([...leaving, ...[...old.stale, ...old.kept].flatMap(usesAsked)]);
    const stale = old.stale.filter((one) => !isAdmission(one));
    await inParallel(stale, WRITES_AT_ONCE, async (object) => {
      const policy = policyOf(object);
      if (!settled && askedByNew.has(policy)) this.#records.of(policy).usersWait = true;
      if (settled && (askedByNew.has(policy) || !askedByOld.has(policy))) await this.#removeIfAllowed(object);
    });
  }

  /** Step 4. Sets are removed in parallel, the objects of each in order. */
  async #removeOld({ stale }: Unwanted): Promise<void> {
    const sets = Map.groupBy(stale.filter(isAdmission), (object) => `${policyOf(object)}/${rulesetOf(object)}`);
    await inParallel(sets.values(), WRITES_AT_ONCE, async (objects) => {
      for (const object of objects) await this.#removeIfAllowed(object);
    });
  }

  /** A set that somebody's admission policy keeps must not block all others. */
  async #removeIfAllowed(object: RenderedObject): Promise<void> {
    try {
      await this.#remove(object);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#records.of(policyOf(object)).unremoved = error;
    }
  }

  async #remove(object: RenderedObject): Promise<void> {
    const { name, uid } = object.metadata;
    this.#options.signal?.throwIfAborted();
    this.#writes.forget(object);
    const policy = policyOf(object);
    try {
      await this.#client.remove(pathOf(object), uid === undefined ? {} : { uid });
      this.#options.onWrite('deleted', { kind: object.kind, name, policy });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    this.#writes.deleted(object);
    const ruleset = rulesetOf(object);
    const mutates = object.kind.startsWith('Mutating');
    if (ruleset) this.#records.of(policy).left({ policy, ruleset, mutates, uses: usesAsked(object) });
  }

  async #probeLeaving(servers: readonly ApiClient[]): Promise<void> {
    const leaving = this.#records.leaving().filter(({ trustedFrom }) => performance.now() >= trustedFrom);
    await this.#rounds.ask(leaving, async (set) => {
      const result = await probe(servers, set);
      const isGone = everywhere(result, 'NotInForce');
      if (isGone) this.#records.of(set.policy).gone(set.ruleset);
      return isGone;
    });
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
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#records.of(policy).refused(error);
    }
  }
}

/** Several connections to one address count once: the number of API servers behind it is unknown. */
function distinct(servers: readonly ApiClient[]): number {
  return new Set(servers.map(({ server }) => server)).size;
}
