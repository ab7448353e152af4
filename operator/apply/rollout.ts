/**
 * Brings what is rendered into force, blue/green: the new set is created, seen in force on every API server, and only
 * then the old one deleted. Meanwhile both apply, so that nothing is admitted which either state refuses.
 *
 * A pass does what can be done now and says what is still awaited; it holds nothing that a fresh process could not find
 * out again, so that the operator may be killed at any point. docs/decisions/0002 has the order and its reasons.
 */
import { type ApiClient, ApiError, isNotFound, pathOf } from '../cluster/client.ts';
import type { AdmissionSet } from '../compile/admission-set.ts';
import type { Compiled } from '../compile/compile.ts';
import type { RenderedObject } from '../model/objects.ts';
import { inParallel } from '../runtime/in-parallel.ts';
import { everywhere, probe } from './probe.ts';
import { COMPILED_MS, Records } from './record.ts';
import { type PassResult, resultOf } from './result.ts';
import {
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
  readonly operatorNamespace: string;
  /** One client for each API server that answers. */
  readonly servers: () => Promise<readonly ApiClient[]>;
  readonly onWrite: OnWrite;
  /** Ends a pass before its next write, with its reason: hundreds of policies take long to write. */
  readonly signal?: AbortSignal;
}

/** What a pass works from. */
interface Pass {
  readonly compiled: Compiled;
  readonly sets: readonly AdmissionSet[];
  readonly live: Standing;
  readonly servers: readonly ApiClient[];
}

/** Policies whose objects are written at a time, and old sets that are removed. */
const WRITES_AT_ONCE = 8;
const PROBES_AT_ONCE = 32;

export class Rollout {
  readonly #client: ApiClient;
  readonly #options: RolloutOptions;
  readonly #writes: Writes;
  readonly #records = new Records();

  constructor(client: ApiClient, options: RolloutOptions) {
    this.#client = client;
    this.#options = options;
    this.#writes = new Writes(client, options.onWrite, options.signal);
  }

  /** @param rendered what stands in the cluster with our managed-by label, as last seen */
  async pass(compiled: Compiled, rendered: readonly RenderedObject[]): Promise<PassResult> {
    const servers = await this.#options.servers();
    const pass: Pass = { compiled, sets: setsOf(compiled), live: this.#writes.standing(rendered), servers };
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
    const old = unwanted(compiled, pass.live, this.#records.refused());
    await this.#changeUsers(pass, old, settled);
    if (settled) await this.#removeOld(old);
    await this.#probeLeaving(servers);
    // Step 5.
    return resultOf(this.#records, {
      compiled,
      old,
      answering: distinct(servers),
      mayBeUndone: this.#writes.mayBeUndone,
    });
  }

  /** Step 1: RBAC that widens nothing. Of all policies before step 2, because the texts of siblings ask for it, too. */
  async #writeUsers({ compiled, live }: Pass): Promise<void> {
    const asked = new Set([...live.values()].flatMap(usesAsked));
    await inParallel(compiled.rendered, WRITES_AT_ONCE, ([name, { role, roleBinding }]) =>
      this.#attempt(name, async () => {
        await this.#writes.ensure(name, role, live);
        // It has to be there before the first text asks for it, and widens none that stands.
        if (roleBinding && !asked.has(name)) await this.#writes.ensure(name, roleBinding, live);
        // One that is refused later would leave the new text with the old users.
        else if (roleBinding) await this.#writes.rehearse(roleBinding, live);
      }),
    );
  }

  /** Step 2: the new rulesets, but for those whose users were refused. */
  async #writeNew({ sets, live }: Pass): Promise<void> {
    await inParallel(sets, WRITES_AT_ONCE, async (set) => {
      const record = this.#records.of(set.policy);
      if (record.wasRefused) return;
      await this.#attempt(set.policy, () => this.#ensureSet(set, live));
      if (!record.wasRefused) record.refusal = undefined;
    });
  }

  /**
   * A set that comes back while API servers still judge by its last copy has to wait until that is gone: it would be seen
   * in force by the one, which goes before the other comes. What an interrupted removal has left of it goes first.
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
      // What was written may be its answer that was lost.
      record.inForce = undefined;
      throw error;
    }
    if (!written) return;
    record.inForce = undefined;
    // The probe's binding comes last, to say that the others have come. One that stood before says nothing of these.
    if (answers) record.trustedFrom = performance.now() + COMPILED_MS;
  }

  async #probeNew({ sets, servers }: Pass): Promise<void> {
    const answering = distinct(servers);
    await inParallel(sets, PROBES_AT_ONCE, async (set) => {
      const record = this.#records.of(set.policy);
      if (record.refusal || record.isInForce || record.comesBack || performance.now() < record.trustedFrom) return;
      const result = await probe(servers, set, this.#options.operatorNamespace);
      if (everywhere(result, 'InForce')) record.cameIntoForce(set.ruleset, answering);
      else record.waitsFor = result.message || 'waiting for the API servers to compile it';
    });
  }

  /**
   * Step 3. Who may use a policy changes when everything new is in force and the old still stands: then it widens
   * neither. It is taken back only after the old when nothing new asks for it: an old text would refuse what both admit.
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

  /** Step 4. The sets go one beside the other, the objects of each in order. */
  async #removeOld({ stale }: Unwanted): Promise<void> {
    const sets = Map.groupBy(stale.filter(isAdmission), (object) => `${policyOf(object)}/${rulesetOf(object)}`);
    await inParallel(sets.values(), WRITES_AT_ONCE, async (objects) => {
      for (const object of objects) await this.#removeIfAllowed(object);
    });
  }

  /** One that somebody's admission policy keeps must not keep all others. */
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
    await inParallel(this.#records.leaving(), PROBES_AT_ONCE, async (set) => {
      if (performance.now() < set.trustedFrom) return;
      const result = await probe(servers, set, this.#options.operatorNamespace);
      if (everywhere(result, 'NotInForce')) this.#records.of(set.policy).gone(set.ruleset);
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

/** Several connections to one address count once: nobody knows how many API servers are behind it. */
function distinct(servers: readonly ApiClient[]): number {
  return new Set(servers.map(({ server }) => server)).size;
}
