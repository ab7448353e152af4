/**
 * Brings rendered rulesets into force, blue/green: creates the new set, waits until every API server enforces it, and
 * only then deletes the old one. Meanwhile both apply, so that nothing is admitted that either state refuses.
 *
 * A pass does everything that can be done now, and reports what it still waits for. It keeps nothing that a new process
 * could not determine again, so that the operator may be killed at any point. docs/decisions/0002 has the order and its
 * reasons.
 */
import { type ApiClient, ApiError } from '../cluster/client.ts';
import type { AdmissionSet } from '../compile/admission-set.ts';
import type { Compiled } from '../compile/compile.ts';
import type { RenderedObject } from '../model/objects.ts';
import { policyNameOf } from '../policy/parts.ts';
import { type Clock, SYSTEM_CLOCK } from '../runtime/clock.ts';
import { inParallel } from '../runtime/in-parallel.ts';
import { grantsTheSame } from './drift.ts';
import { distinct, Probing } from './probing.ts';
import { Records } from './record.ts';
import { Removal } from './removal.ts';
import { type PassResult, resultOf } from './result.ts';
import {
  askedIn,
  inOrderOfRemoval,
  isAdmission,
  isProbeBinding,
  keyOf,
  policyOf,
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
  /** By which a pass waits: for probes, for the watch, and before it tries a refused write again. */
  readonly clock?: Pick<Clock, 'now'>;
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

/** The number of policies whose objects are written in parallel */
const WRITES_AT_ONCE = 8;
/**
 * How long a pass writes new rulesets: between two passes, those that came into force are reported. Much longer than a write
 * takes, because a pass waits for its last one.
 */
const WRITES_MS = 10_000;

/** The result of a pass, with its input. */
interface LastPass {
  readonly compiled: Compiled;
  readonly rendered: readonly RenderedObject[];
  /** The API servers. */
  readonly addresses: string;
  readonly result: PassResult;
}

export class Rollout {
  readonly #options: RolloutOptions;
  readonly #now: () => number;
  readonly #writes: Writes;
  readonly #removal: Removal;
  readonly #records: Records;
  readonly #probing: Probing;
  /** The last pass, unless it failed. */
  #last: LastPass | undefined;

  constructor(client: ApiClient, options: RolloutOptions) {
    const { clock = SYSTEM_CLOCK } = options;
    this.#options = options;
    this.#now = () => clock.now();
    this.#records = new Records(clock);
    this.#probing = new Probing(this.#records, clock);
    this.#writes = new Writes(client, { ...options, clock });
    this.#removal = new Removal(client, this.#writes, this.#records, options);
  }

  /** @param rendered the objects in the cluster with our managed-by label, as last seen */
  async pass(compiled: Compiled, rendered: readonly RenderedObject[]): Promise<PassResult> {
    const servers = await this.#options.servers();
    const addresses = servers.map(({ server }) => server).join(' ');
    const last = this.#last;
    const isSame = last?.compiled === compiled && last.rendered === rendered && last.addresses === addresses;
    const waits = isSame && this.#now() < last.result.waitsForProbesUntil;
    if (waits && !(await this.#probing.ask(setsOf(compiled), servers))) return last.result;
    this.#last = undefined;
    const result = await this.#pass(compiled, rendered, servers);
    this.#last = { compiled, rendered, addresses, result };
    return result;
  }

  async #pass(
    compiled: Compiled,
    rendered: readonly RenderedObject[],
    servers: readonly ApiClient[],
  ): Promise<PassResult> {
    const uids = new Set(compiled.policies.map(({ uid }) => uid));
    const live = this.#writes.standing(rendered, uids);
    const pass: Pass = { compiled, sets: setsOf(compiled), live, asked: askedIn(live, uids), servers };
    const addresses = servers.map(({ server }) => server);
    this.#records.begin(pass.sets, addresses);
    await this.#writeUsers(pass);
    const isWritten = await this.#writeNew(pass);
    await this.#probing.askNew(pass.sets, servers);
    const records = pass.sets.map(({ policy }) => this.#records.of(policy));
    // Steps 3 and 4 wait for all policies: a sibling's old text may still ask for `use` on the policy.
    const settled = isWritten && records.every((record) => record.isRefusedForGood || record.isInForce);
    const old = unwanted(compiled, live, this.#records.refused());
    await this.#changeUsers(pass, old, settled);
    if (settled) await this.#removal.removeOld(old);
    const hasGone = await this.#probing.askLeaving(servers);
    const { mayBeUndone } = this.#writes;
    const seen = { old, isWritten, mayBeUndone, hasGone, answering: distinct(servers), now: this.#now() };
    // Step 5.
    return resultOf(this.#records, { compiled, ...seen });
  }

  /** Step 1: RBAC that widens nothing; of all policies before step 2, because the texts of siblings ask for it, too. */
  async #writeUsers({ compiled, live, asked }: Pass): Promise<void> {
    await inParallel(compiled.rendered, WRITES_AT_ONCE, ([id, { role, roleBinding }]) =>
      this.#attempt(id, async () => {
        const name = policyNameOf(id);
        if (role) await this.#writes.ensure(name, role, live);
        if (!roleBinding) return;
        // Its owners may differ: they keep it from the garbage collector as long as a sibling's text asks for `use`.
        const widensNothing = !asked.has(name) || grantsTheSame(live.get(keyOf(roleBinding)), roleBinding);
        if (widensNothing) await this.#writes.ensure(name, roleBinding, live);
        // Refused later, it would leave the new text with the old users.
        else await this.#writes.rehearse(roleBinding, live);
      }),
    );
  }

  /**
   * Step 2: the new rulesets, except those whose users were refused. Those that have waited longest come first.
   *
   * @returns false if the next pass has to write the rest, because it took long: some can be reported until then
   */
  async #writeNew({ sets, live }: Pass): Promise<boolean> {
    const until = this.#now() + WRITES_MS;
    const since = ({ policy }: AdmissionSet) => this.#records.of(policy).desiredSince;
    let hasWritten = false;
    let isComplete = true;
    await inParallel(
      sets.toSorted((a, b) => since(a) - since(b)),
      WRITES_AT_ONCE,
      async (set) => {
        const record = this.#records.of(set.policy);
        if (record.isSkipped) return;
        if (hasWritten && this.#now() >= until) {
          isComplete = false;
          return;
        }
        await this.#attempt(set.policy, async () => {
          hasWritten = (await this.#ensureSet(set, live)) || hasWritten;
        });
        if (record.isSkipped) hasWritten = true;
        else record.refusal = undefined;
      },
    );
    return isComplete;
  }

  /**
   * A set that returns while API servers still enforce its deleted copy has to wait until that is gone. Otherwise the
   * old copy would answer the probe, and disappear before the new one is loaded. The remaining objects of an
   * interrupted removal are deleted first.
   *
   * @returns whether anything had to be changed
   */
  async #ensureSet(set: AdmissionSet, live: Standing): Promise<boolean> {
    const record = this.#records.of(set.policy);
    if (record.comesBack) {
      const remains = set.objects.flatMap((object) => live.get(keyOf(object)) ?? []);
      for (const object of inOrderOfRemoval(remains)) await this.#removal.remove(object);
      return remains.length > 0;
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
    record.written = set.ruleset;
    if (!written) return false;
    record.inForce = undefined;
    // The probe's binding comes last, to show that the others have been loaded. A probe binding that existed before
    // proves nothing about the new objects.
    if (answers) record.distrustUntilCompiled();
    return true;
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
      if (settled && (askedByNew.has(policy) || !askedByOld.has(policy))) await this.#removal.removeIfAllowed(object);
    });
  }

  /**
   * A policy whose objects the API server refuses must not block the others, whatever the status code: the API server
   * answers 500 when etcd refuses an object that is too large.
   *
   * @throws errors that are not an answer of the API server: a lost connection, a lost lease
   */
  async #attempt(policy: string, write: () => Promise<void>): Promise<void> {
    const record = this.#records.of(policy);
    if (record.isSkipped) return;
    try {
      await write();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      record.refused(error);
    }
  }
}
