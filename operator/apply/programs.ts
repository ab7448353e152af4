/**
 * Brings compiled programs into force. For each change, a single write replaces the program. Each API server therefore
 * changes from the old to the new state at once. Until all API servers have loaded a change, the other objects that a
 * pass writes must fit both the old programs and the new programs.
 *
 * A pass does all possible steps, and reports the steps that must wait. A new process can recompute all data that
 * passes keep in memory. So it is safe to kill the operator at any point.
 */
import type { ApiClient } from '../cluster/client.ts';
import type { Compiled } from '../compile/compile.ts';
import { isProbeBinding, objectsOfProgram, type Program, rowsIn, TEXT_LABEL } from '../compile/program.ts';
import type { RenderedObject } from '../model/objects.ts';
import { perObject } from '../policy/memo.ts';
import { evaluatesFilled, policyNameOf } from '../policy/parts.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { type Clock, SYSTEM_CLOCK } from '../runtime/clock.ts';
import { inParallel } from '../runtime/in-parallel.ts';
import { keyOf, type Live, labelOf, liveObjects } from '../state/live.ts';
import { Canaries, canaryUnit } from './canaries.ts';
import { Grants, type GrantsPass, refuses, unitsOf, usesOf } from './grants.ts';
import { differing, InForce, type Question } from './in-force.ts';
import { liveTextOf } from './live-text.ts';
import type { PassResult, RefusedProgram } from './outcome.ts';
import { distinct } from './probe.ts';
import { outcomesOf } from './program-outcomes.ts';
import { deletion, ProgramWrites } from './program-writes.ts';
import { Questions } from './questions.ts';
import { Refusals } from './refusals.ts';
import { Removal } from './removal.ts';
import { policiesIn, type Unwanted, unwanted, unwantedEnforce, wantedKeys } from './stale.ts';
import { type OnWrite, WATCH_LAG_MS, Writes } from './writes.ts';

interface ProgramsOptions {
  /** Returns one client for each API server that answers. */
  readonly servers: () => Promise<readonly ApiClient[]>;
  readonly onWrite: OnWrite;
  /** If this signal is aborted, a pass stops before its next write and throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** The clock for all waits. The operator waits for probes, for the watch, and for the next try of a refused write. */
  readonly clock?: Pick<Clock, 'now'>;
}

interface Pass extends GrantsPass {
  readonly servers: readonly ApiClient[];
}

const NONE: ReadonlySet<string> = new Set();
const AT_ONCE = 4;
/**
 * The minimum wait in ms before the next pass. An API server takes up to a second to compile a change. A change in the
 * cluster and other causes also start passes.
 */
const LOOK_AGAIN_MS = 100;
/**
 * For each program, the operator remembers this number of versions with their rows. The remembered versions must
 * include the version in the cluster. The remembered versions must also include each version that was replaced a short
 * time ago.
 */
const TEXTS_KEPT = 20;

export class Programs {
  readonly #options: ProgramsOptions;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #writes: Writes;
  readonly #programs: ProgramWrites;
  readonly #refusals: Refusals;
  readonly #canaries: Canaries;
  readonly #grants: Grants;
  readonly #removal: Removal;
  readonly #questions: Questions;
  /** The versions that API servers enforce. The key is the name of a program or canary. */
  readonly #inForce = new Map<string, InForce>();
  /** The rows of each version of a program. The key is the hash of the version. */
  readonly #rows = new Map<string, Program['rows']>();

  constructor(client: ApiClient, options: ProgramsOptions) {
    const { clock = SYSTEM_CLOCK, signal } = options;
    this.#options = options;
    this.#clock = clock;
    this.#writes = new Writes(client, { ...options, clock });
    this.#refusals = new Refusals(clock, signal);
    this.#programs = new ProgramWrites(this.#writes, clock);
    this.#canaries = new Canaries({
      writes: this.#writes,
      programs: this.#programs,
      refusals: this.#refusals,
      inForceOf: (name) => this.#inForceOf(name),
    });
    this.#grants = new Grants(this.#writes, this.#refusals, clock);
    this.#removal = new Removal(this.#writes, this.#refusals, clock);
    this.#questions = new Questions(clock);
  }

  /** @param rendered the objects with the operator's managed-by label, as last seen in the cluster */
  async pass(compiled: Compiled, rendered: readonly RenderedObject[]): Promise<PassResult> {
    const servers = await this.#options.servers();
    const unchanged = await this.#questions.askAgain({ compiled, rendered, servers });
    if (unchanged) return unchanged;
    await this.#writes.readOverdue(rendered);
    const live = this.#writes.live(rendered);
    for (const { name } of compiled.programs) this.#inForceOf(name).begins(live, servers);
    const begun: Pass = { compiled, live, shown: liveObjects(rendered), servers, ...this.#states(compiled, live) };
    const { programs } = compiled;
    this.#begin(begun);
    await this.#grants.writeAtOnce(begun);
    const ready: Program[] = [];
    await inParallel(programs, AT_ONCE, async (program) => {
      if (await this.#canaries.isReady(program, live, servers)) ready.push(program);
    });
    const changing = ready.map((program) => [program, this.#changing(program, live)] as const);
    const granted = { ...begun, live: this.#writes.latest(live) };
    await this.#grants.narrow(granted, new Set(changing.flatMap(([, policies]) => [...policies])));
    const pass = { ...begun, live: this.#writes.latest(live) };
    await inParallel(changing, AT_ONCE, ([program, policies]) => this.#write(program, policies, pass));
    await inParallel(this.#unwritten(pass), AT_ONCE, async (program) => {
      await this.#inForceOf(program.name).askProven(servers);
      await this.#recognise(program, pass);
    });
    await this.#grants.writeWanted(pass);
    await this.#removal.remove(this.#removable(compiled, live), (name) => this.#inForceOf(name));
    await this.#removal.ask(servers);
    const ended = { ...pass, live: this.#writes.latest(live) };
    for (const program of programs) this.#inForceOf(program.name).ends(objectsOfProgram(program), ended.live);
    const { stale } = unwanted(compiled, ended.live);
    const questions = new Map(programs.map((program) => [program, this.#question(program, ended.live)]));
    const toWrite = programs.filter((program) => !questions.get(program) && !this.#isRefused(program));
    return this.#questions.keep(
      { compiled, rendered, servers },
      [...questions.values()].filter((question) => question !== undefined),
      this.#found(ended, stale),
      this.#otherMs(ended, stale, toWrite),
    );
  }

  #begin({ compiled, live }: Pass): void {
    const { programs, grants } = compiled;
    for (const { name, hash, rows } of programs) {
      this.#removal.comesBack(name);
      this.#rows.delete(hash);
      this.#rows.set(hash, rows);
    }
    const kept = TEXTS_KEPT * Math.max(1, programs.length);
    for (const hash of [...this.#rows.keys()].slice(0, -kept)) this.#rows.delete(hash);
    const units = programs.flatMap(unitsFor);
    this.#refusals.keep(new Set([...units, ...[...grants.keys()].flatMap(unitsOf), ...live.keys()]));
    this.#writes.keep(wantedKeys(compiled));
  }

  /**
   * The names of the policies whose rows change when the operator writes the program. If the earlier rows are not
   * known, the result may be incomplete.
   */
  #changing(program: Program, live: Live): ReadonlySet<string> {
    const { policy, hash, rows } = program;
    const before = live.get(keyOf(policy));
    const liveHash = before && labelOf(before, TEXT_LABEL);
    if (liveHash === hash) return new Set();
    const known = before && (this.#rows.get(liveHash ?? '') ?? liveTextOf(program, before)?.rows);
    const names = (known ? differing(known, rows) : [...rows.keys()]).map(policyNameOf);
    return new Set(known || !before ? names : [...names, ...rowsIn(before)]);
  }

  async #write(program: Program, changing: ReadonlySet<string>, pass: Pass): Promise<void> {
    const { live, servers } = pass;
    const inForce = this.#inForceOf(program.name);
    if (this.#programs.mustWait(program, program.name, live)) return;
    if (this.#obstacleToWrite(program, changing, pass) !== undefined) return;
    const write = () => this.#programs.write(program, program, inForce, live);
    const written = await this.#refusals.attempt(program.name, program, write);
    if (written && this.#programs.isWritten(program, live)) await inForce.ask(program, servers);
  }

  /** The programs whose newest version is not in the cluster. The API servers enforce an older version, or none. */
  #unwritten({ compiled, live }: Pick<Pass, 'compiled' | 'live'>): readonly Program[] {
    return compiled.programs.filter((program) => !this.#programs.isWritten(program, live));
  }

  /** After a restart, finds out which rows of the refused program API servers already enforce. */
  async #recognise(program: Program, { live, servers }: Pass): Promise<void> {
    const before = live.get(keyOf(program.policy));
    const areBound = program.bindings.every((binding) => this.#writes.isCurrent(binding, live));
    if (!before || !areBound || !this.#isRefused(program)) return;
    const text = liveTextOf(program, before);
    if (text) await this.#inForceOf(program.name).recognise(text, program, servers);
  }

  #obstacleToWrite(program: Program, changing: ReadonlySet<string>, pass: Pass): string | undefined {
    const added = this.#addedBeside(program, pass);
    if (added) return `${added.name} has to come into force first`;
    for (const policy of changing) {
      const obstacle = this.#grants.obstacle(policy, pass);
      if (obstacle !== undefined) return obstacle;
    }
    return undefined;
  }

  /**
   * Returns another program of the same kind. The other program must come into force before the operator writes this
   * program. The other program is new. The cluster has an older version of this program, and no older version of the
   * other program. The older version may contain rows that move to the new program. The older version must keep these
   * rows until the new program is in force. If the cluster has older versions of both programs, the programs do not wait
   * for each other.
   */
  #addedBeside(program: Program, { compiled, live }: Pass): Program | undefined {
    const textOf = ({ policy }: Program) => {
      const object = live.get(keyOf(policy));
      return object && labelOf(object, TEXT_LABEL);
    };
    const before = textOf(program);
    if (before === undefined || before === program.hash) return undefined;
    return compiled.programs.find((other) => {
      const text = textOf(other);
      const isAdded = text === undefined || text === other.hash;
      return other !== program && other.kind === program.kind && isAdded && !this.#inForceOf(other.name).wasSeen;
    });
  }

  /**
   * Computes two facts about a policy. `isInForce` says whether every API server enforces the policy's rows.
   * `isLeaving` says whether some API server may still enforce removed rows of the policy.
   */
  #states(
    { policies, programs }: Compiled,
    live: Live,
  ): Pick<Pass, 'asked' | 'askedByNew' | 'isInForce' | 'isLeaving'> {
    const ids = Map.groupBy(policies, ({ name }) => name);
    const wanted = new Map(programs.map((one) => [keyOf(one.policy), policiesOf(one)]));
    const texts = [...live.values()].filter(refuses);
    const leaving = texts.flatMap((object) => [...policiesIn(object).difference(wanted.get(keyOf(object)) ?? NONE)]);
    const older = new Set(leaving);
    const refusing = programs.filter(({ policy }) => refuses(policy));
    const mayEnforceOther = new Map(refusing.map((one) => [one, this.#mayEnforceOther(one, live)]));
    const isGone = (id: string) => (program: Program) => !mayEnforceOther.get(program)?.(id);
    const isInForce = (id: string) => (program: Program) => this.#inForceOf(program.name).serversWith(id, program) > 0;
    const every = (policy: string, is: (id: string) => (program: Program) => boolean, has: boolean) =>
      (ids.get(policy) ?? []).every((part) => {
        const some = programs.filter((one) => one.rows.has(part.id) === has && !this.#isIdle(part, one, live));
        return some.every(is(part.id));
      });
    const found = new Set<string>();
    // A step that waited for the older rows must not look done to the later steps of the same pass.
    const isLeaving = (policy: string) => {
      const is = found.has(policy) || older.has(policy) || this.#removal.mayEnforce(policy);
      if (is || !every(policy, isGone, false)) found.add(policy);
      return found.has(policy);
    };
    return {
      asked: usesOf(texts),
      askedByNew: usesOf(refusing.map(({ policy }) => policy as unknown as RenderedObject)),
      isLeaving,
      isInForce: (policy) => !isLeaving(policy) && every(policy, isInForce, true),
    };
  }

  /**
   * Returns a check whose argument is the ID of a policy. The check is true if some API server may enforce an outdated
   * row of the policy. The check is also true if some API server may enforce a row that the program no longer has.
   */
  #mayEnforceOther(program: Program, live: Live): (id: string) => boolean {
    const inForce = this.#inForceOf(program.name);
    // Another process may have written the program just now. Before this write, the cluster may have contained any
    // other version of the program.
    const isUnknown = !inForce.wasSeen && this.#programs.isWritten(program, live);
    return (id) => isUnknown || inForce.isChanging(id);
  }

  /**
   * Returns a check of a policy. If the program has lost the policy's row, and some API server may still enforce this
   * row, the check is true.
   */
  #leaving(program: Program, live: Live): (policy: ResolvedPolicy) => boolean {
    const older = olderRows(program, live);
    const mayEnforceOther = this.#mayEnforceOther(program, live);
    return ({ id, name }) => !program.rows.has(id) && (mayEnforceOther(id) || older.has(name));
  }

  /** The unwanted objects that may be deleted now. */
  #removable(compiled: Compiled, live: Live): Unwanted {
    const old = unwanted(compiled, live);
    const unsettled = compiled.programs.filter((program) => !this.#isSettled(program, live));
    if (unsettled.length === 0) return old;
    return unsettled.some(({ kind }) => kind === 'Enforce') ? { stale: [], kept: [] } : unwantedEnforce(old);
  }

  #isSettled(program: Program, live: Live): boolean {
    const isInForce = this.#programs.isWritten(program, live) && this.#inForceOf(program.name).proves(program);
    return isInForce && deletion(program, live) === undefined;
  }

  #found(pass: Pass, stale: readonly RenderedObject[]): Omit<PassResult, 'comeBackMs'> {
    const { compiled, live, servers } = pass;
    const unremoved = stale.flatMap((object) => {
      const error = this.#refusals.error(keyOf(object));
      return error ? [{ object, error }] : [];
    });
    const leaving = compiled.programs.map((program) => [program, this.#leaving(program, live)] as const);
    const deletions = new Map(compiled.programs.map((program) => [program, deletion(program, live)]));
    const outcomes = outcomesOf({
      compiled,
      answering: distinct(servers),
      older: this.#removal.older(stale),
      serversWith: (id, program) => this.#inForceOf(program.name).serversWith(id, program),
      leaving: (policy) => leaving.find(([, isLeaving]) => isLeaving(policy))?.[0],
      failure: (program) => this.#failure(program, live),
      obstacle: (program) => this.#obstacle(program, pass),
      isIdle: (policy, program) => this.#isIdle(policy, program, live),
      isUnprovable: (program) => this.#programs.isWritten(program, live) && this.#inForceOf(program.name).isUnprovable,
      deletion: (program) => deletions.get(program),
      refused: (policy) =>
        this.#grants.failure(policy) ?? unremoved.find(({ object }) => policiesIn(object).has(policy))?.error.message,
      isGranted: (policy) => {
        const grant = compiled.grants.get(policy);
        return !grant || this.#grants.isCurrent(grant, live);
      },
    });
    const unremovedRows = compiled.programs.flatMap((program) => {
      const error = this.#unremovedRow(program, live);
      return error ? [{ error, object: program.policy }] : [];
    });
    const [left] = [...unremoved, ...unremovedRows];
    return {
      outcomes,
      held: this.#grants.unnarrowed(pass),
      refused: this.#refused(pass),
      unremoved: left?.error,
      unremovedFrom: left?.object,
    };
  }

  #refused({ compiled, live }: Pass): RefusedProgram[] {
    return compiled.programs.flatMap((program) => {
      if (!unitsFor(program).some((unit) => this.#refusals.reported(unit))) return [];
      const before = live.get(keyOf(program.policy));
      return [{ program, changing: this.#changing(program, live), live: before ? rowsIn(before) : NONE }];
    });
  }

  /**
   * The API server's refusal to write the program, if the live program has a row of a policy that the program has lost.
   * API servers still enforce this row. The policy may be deleted, so no status can say this.
   */
  #unremovedRow(program: Program, live: Live): Error | undefined {
    if (olderRows(program, live).size === 0) return undefined;
    return unitsFor(program).flatMap((unit) => this.#refusals.reported(unit) ?? [])[0];
  }

  #failure(program: Program, live: Live): string | undefined {
    const [failure] = unitsFor(program).flatMap((unit) => this.#refusals.failure(unit) ?? []);
    return failure ?? this.#canaries.failure(program, live);
  }

  /**
   * Whether a refused program for defaulting leaves the policy as it is. A policy that fills in nothing has a row in the
   * program so that other policies do not change the pods that the policy admits. If nothing binds the program, no
   * policy changes pods.
   */
  #isIdle(policy: ResolvedPolicy, program: Program, live: Live): boolean {
    if (program.kind !== 'Defaulting' || evaluatesFilled(policy)) return false;
    const isBound = program.bindings.some((binding) => !isProbeBinding(binding) && live.has(keyOf(binding)));
    return !isBound && this.#failure(program, live) !== undefined;
  }

  #obstacle(program: Program, pass: Pass): string | undefined {
    const [passing] = unitsFor(program).flatMap((unit) => this.#refusals.passing(unit) ?? []);
    if (passing !== undefined) return passing;
    const awaited = this.#canaries.awaited(program, pass.live);
    if (awaited) return awaited.waitsFor;
    const isWritten = this.#programs.isWritten(program, pass.live);
    return isWritten
      ? this.#inForceOf(program.name).waitsFor
      : this.#obstacleToWrite(program, this.#changing(program, pass.live), pass);
  }

  /**
   * The time in ms until a pass can do other work than to ask the open questions. The probes of older versions are such
   * work, because nobody waits for these versions.
   */
  #otherMs({ compiled, live }: Pass, stale: readonly RenderedObject[], toWrite: readonly Program[]): number {
    // The next try of a refused write has its own time.
    const isGranted = [...compiled.grants].every(
      ([policy, grant]) => this.#grants.failure(policy) !== undefined || this.#grants.isCurrent(grant, live),
    );
    const now = this.#clock.now();
    return Math.min(
      ...this.#unwritten({ compiled, live }).map(({ name }) => this.#inForceOf(name).askProvenAt - now),
      ...toWrite.map(({ name }) => Math.max(this.#programs.largeMs(name), LOOK_AGAIN_MS)),
      this.#removal.isWaiting(stale) || !isGranted ? LOOK_AGAIN_MS : Number.POSITIVE_INFINITY,
      this.#writes.mayBeUndone ? WATCH_LAG_MS : Number.POSITIVE_INFINITY,
      this.#refusals.nextTry - now,
    );
  }

  /**
   * The question that the operator asks API servers about the program or its canary. If a refused write waits for its
   * next try, or if another object must be written first, the result is undefined.
   */
  #question(program: Program, live: Live): Question | undefined {
    if (this.#isRefused(program)) return undefined;
    if (!this.#programs.isWritten(program, live)) return this.#canaries.question(program, live);
    return { inForce: this.#inForceOf(program.name), text: program };
  }

  /** Whether the API server refused a write of the program. After a refusal, the time of the next try is known. */
  #isRefused(program: Program): boolean {
    return unitsFor(program).some((unit) => this.#refusals.error(unit));
  }

  #inForceOf(name: string): InForce {
    const known = this.#inForce.get(name) ?? new InForce(this.#clock);
    this.#inForce.set(name, known);
    return known;
  }
}

/** The keys under which `Refusals` records the writes of the program and of its canary. */
function unitsFor(program: Program): string[] {
  return [program.name, canaryUnit(program)];
}

/** The names of the policies that have a row in the program. */
const policiesOf: (program: Pick<Program, 'rows'>) => ReadonlySet<string> = perObject(
  ({ rows }) => new Set([...rows.keys()].map(policyNameOf)),
);

/** The names of the policies that have a row in the live program, but not in the wanted program. */
function olderRows(program: Program, live: Live): ReadonlySet<string> {
  const object = live.get(keyOf(program.policy));
  return object ? rowsIn(object).difference(policiesOf(program)) : NONE;
}
