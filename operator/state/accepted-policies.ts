/**
 * Keeps the policies as they were at the last accepted compilation. The class also records whether policies have
 * changed since the last accepted compilation.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CompletePolicy, CompleteSpec } from '../api/capability-policy.ts';
import type { Rejection } from '../compile/accept.ts';
import {
  type Compiled,
  type CompileOptions,
  type CompilerOptions,
  compiler,
  NOTHING_COMPILED,
} from '../compile/compile.ts';
import { programsOf } from '../compile/program.ts';
import type { RenderedObject } from '../model/objects.ts';
import type { AcceptedText } from '../policy/accepted-text.ts';
import { pendingPartOf } from '../policy/parts.ts';
import type { Resolution, ResolvedPolicy } from '../policy/resolve.ts';
import { runToEnd } from '../policy/run-to-end.ts';
import { lastAccepted, specsInForce } from './accepted-specs.ts';

export interface CompileInput {
  readonly policies: readonly CompletePolicy[];
  readonly rendered: readonly RenderedObject[];
  readonly options: Omit<CompileOptions, 'lastAccepted'>;
}

export class AcceptedPolicies {
  readonly #compile: ReturnType<typeof compiler>;
  /**
   * The uid and the generation of each policy. Together, the uid and the generation identify a version of the policy's
   * spec. The key is the policy's name.
   */
  readonly #generations = new Map<string, string>();
  #compiled: Compiled = NOTHING_COMPILED;
  /** The parts of each policy. The key is the policy's name. */
  #byName: ReadonlyMap<string, readonly ResolvedPolicy[]> = new Map();
  /**
   * The last accepted specs. The key is the policy's uid. The operator also writes the specs to roles, but the watch
   * may show a written role only later. So the class keeps the specs in memory.
   */
  #accepted: ReadonlyMap<string, CompleteSpec> = new Map();
  /**
   * The policies that keep an earlier spec because their former users cannot be removed, with the earlier spec. The key
   * is the policy's name.
   */
  readonly #held = new Map<string, CompleteSpec | undefined>();
  /**
   * The policies that keep an earlier spec because the API server refuses the programs with their current spec. The key
   * is the policy's name.
   */
  #rejected: ReadonlyMap<string, Rejection> = new Map();
  /**
   * The specs whose rows every API server enforced at the end of some pass. The key is the policy's name. The value is
   * undefined until the first compilation reads the specs from the cluster's roles.
   */
  #proven: Map<string, CompleteSpec> | undefined;
  /** Compiles sets of policies that are only supposed. */
  #supposing: ReturnType<typeof compiler> | undefined;
  /** The names of policies that have changed since they were compiled. */
  readonly #edited = new Set<string>();
  #isStale = true;
  /** The number of changes so far. */
  #changes = 0;

  constructor(options: CompilerOptions = {}) {
    this.#compile = compiler(options);
  }

  /** The result of the last `take`. */
  get compiled(): Compiled {
    return this.#compiled;
  }

  /** Whether something has changed since the last `take`. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** @param edited the names of policies that have changed */
  outdate(edited: Iterable<string> = []): void {
    this.#isStale = true;
    this.#changes++;
    for (const policy of edited) this.#edited.add(policy);
  }

  /** Forgets the specs that this process accepted. The roles in the cluster also record the last accepted specs. */
  forget(): void {
    this.#accepted = new Map();
    this.#held.clear();
    this.#rejected = new Map();
    this.#proven = undefined;
    this.outdate();
  }

  /** @returns whether the policy has a new spec, or was deleted */
  see(name: string, policy: CompletePolicy | undefined): boolean {
    const generation = policy && `${policy.metadata?.uid}/${policy.metadata?.generation}`;
    const isNew = generation === undefined || this.#generations.get(name) !== generation;
    if (generation === undefined) this.#generations.delete(name);
    else this.#generations.set(name, generation);
    // A new spec may have other users.
    if (isNew) this.#held.delete(name);
    if (isNew) this.#rejected = new Map([...this.#rejected].filter(([rejected]) => rejected !== name));
    if (generation === undefined) this.#proven?.delete(name);
    if (isNew) this.outdate([name]);
    return isNew;
  }

  /**
   * Lets the given policies keep the specs that their roles record, and lets all other policies take their current
   * specs. @returns the names of the policies that keep another spec than before
   */
  hold(policies: ReadonlySet<string>, rendered: readonly RenderedObject[]): ReadonlySet<string> {
    const changed = policies.symmetricDifference(new Set(this.#held.keys()));
    const specs = changed.size > 0 ? specsInForce(rendered) : undefined;
    for (const name of changed) {
      if (policies.has(name)) this.#held.set(name, specs?.get(name));
      else this.#held.delete(name);
    }
    if (changed.size > 0) this.outdate(changed);
    return changed;
  }

  /** The policies whose current spec is rejected. */
  get rejected(): ReadonlyMap<string, Rejection> {
    return this.#rejected;
  }

  /**
   * Lets the given policies keep the specs that were last in force, and lets all other policies take their current
   * specs. @returns the names of the policies that keep another spec than before
   */
  reject(messages: ReadonlyMap<string, string>): ReadonlySet<string> {
    const changed = new Set(messages.keys()).symmetricDifference(new Set(this.#rejected.keys()));
    this.#rejected = new Map([...messages].map(([name, message]) => [name, this.#rejection(name, message)]));
    this.outdate(changed);
    return changed;
  }

  #rejection(name: string, message: string): Rejection {
    return { message, before: this.#proven?.get(name) };
  }

  /** Records that every API server enforces the rows of the given policies. */
  proved(policies: Iterable<string>): void {
    for (const name of policies) {
      const spec = this.#compiled.specs.get(name);
      if (spec) this.#proven?.set(name, spec);
    }
  }

  /** Whether an earlier version of the policy is known to have been in force. */
  isProven(policy: string): boolean {
    return this.#proven?.has(policy) === true;
  }

  /** Compiles the policies as if the given policies, and no others, were rejected. Nothing changes. */
  *supposing(rejected: ReadonlySet<string>, input: CompileInput): Generator<void, Compiled> {
    this.#supposing ??= compiler();
    const rejections = new Map([...rejected].map((name) => [name, this.#rejection(name, '')]));
    return yield* this.#supposing(input.policies, this.#optionsFor(input, rejections));
  }

  /** Compiles the policies, and yields after each policy. Nothing changes before `take`. */
  *compiling(input: () => CompileInput): Generator<void, Compiled> {
    const begun = this.#changes;
    const compiled = yield* this.#compiling(input());
    // Compiles again if something changed during the compilation. For the second compilation, the compiler has cached
    // most results. The second compilation runs without interruption, so that it ends even if changes keep coming.
    return begun === this.#changes ? compiled : runToEnd(this.#compiling(input()));
  }

  #compiling(input: CompileInput): Generator<void, Compiled> {
    this.#proven ??= new Map(specsInForce(input.rendered));
    return this.#compile(input.policies, this.#optionsFor(input, this.#rejected));
  }

  #optionsFor({ rendered, options }: CompileInput, rejected: ReadonlyMap<string, Rejection>): CompileOptions {
    return {
      ...options,
      lastAccepted: new Map([...lastAccepted(rendered), ...this.#accepted]),
      held: new Map(this.#held),
      rejected,
    };
  }

  /** Accepts the compiled policies. @returns the names of the policies whose resolution changed */
  take(compiled: Compiled, policies: readonly CompletePolicy[]): Set<string> {
    const before = this.#resolutions();
    this.#compiled = compiled;
    const accepted = policies.flatMap(({ metadata }) => {
      const spec = compiled.specs.get(metadata?.name ?? '');
      return spec ? [[metadata?.uid ?? '', spec] as const] : [];
    });
    this.#accepted = new Map(accepted);
    this.#byName = Map.groupBy(compiled.policies, ({ name }) => name);
    this.#isStale = false;
    this.#edited.clear();
    return differing(before, this.#resolutions());
  }

  /**
   * Whether the policy has the same rows and the same users as in an earlier compilation. The parameter `then` is the
   * earlier compilation.
   */
  isCompiledAs(policy: string, then: Compiled): boolean {
    if (this.#edited.has(policy)) return false;
    if (this.#compiled === then) return true;
    const isSame = (id: string) => isDeepStrictEqual(rowsOf(id, this.#compiled), rowsOf(id, then));
    const isGranted = isDeepStrictEqual(this.#compiled.grants.get(policy), then.grants.get(policy));
    return isGranted && isSame(policy) && isSame(pendingPartOf(policy));
  }

  resolution(policy: string): Resolution | undefined {
    const refusal = this.#compiled.refusals.get(policy);
    if (refusal) return { refusal };
    const resolved = this.#compiled.held.get(policy) ?? this.#resolved(policy);
    return resolved && { policy: resolved };
  }

  /**
   * The accepted version of a policy. The accepted version decides. The result is undefined if the policy was never
   * accepted.
   */
  acceptedText(policy: string): AcceptedText | undefined {
    const [resolved, spec] = [this.#resolved(policy), this.#compiled.specs.get(policy)];
    return resolved && spec && { policy: resolved, spec };
  }

  #resolved(policy: string): ResolvedPolicy | undefined {
    const [first] = this.#byName.get(policy) ?? this.#compiled.expired.filter(({ name }) => name === policy);
    return first?.pendingFor ?? first;
  }

  /** The parts of a policy. If the policy was never accepted or has expired, the result is undefined. */
  parts(policy: string): readonly ResolvedPolicy[] | undefined {
    return this.#byName.get(policy);
  }

  #resolutions(): Map<string, unknown> {
    const parts = [...this.#byName].map(([name, [first]]) => [name, first] as const);
    return new Map<string, unknown>([...parts, ...this.#compiled.refusals]);
  }
}

function rowsOf(id: string, compiled: Compiled) {
  return programsOf({ id }, compiled).map(({ name, rows }) => [name, rows.get(id)]);
}

/**
 * The names whose values differ. The function compares values by identity, because an unchanged policy keeps its
 * object.
 */
function differing(before: ReadonlyMap<string, unknown>, now: ReadonlyMap<string, unknown>): Set<string> {
  const names = [...before.keys(), ...now.keys()];
  return new Set(names.filter((name) => before.get(name) !== now.get(name)));
}
