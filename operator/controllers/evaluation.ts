/** Evaluates the pods and workloads of each namespace against the policies that decide in the namespace. */
import { DecidingSince } from '../evaluate/deciding-since.ts';
import { evaluatingNamespace, type NamespaceVerdicts } from '../evaluate/namespace.ts';
import type { NamespaceView } from '../model/objects.ts';
import { deciding } from '../policy/deciding.ts';
import { Cooldown } from '../runtime/cooldown.ts';
import { type Done, Turns } from '../runtime/turns.ts';
import type { Context, Controller, Key } from './controller.ts';
import type { Cause, StateChange } from './state-change.ts';

const NONE = new Map();

export class Evaluation implements Controller {
  readonly name = 'evaluation';
  readonly concurrency = 8;
  readonly #context: Context;
  readonly #turns = new Turns();
  /**
   * The wait for more changes. Without this wait, many new pods would cause many evaluations of a namespace, one after
   * each pod.
   */
  readonly #cooldown = new Cooldown({ times: 4, mostMs: 10_000 });

  readonly #decidingSince = new DecidingSince();
  /** The namespaces with a verdict that waits for the next attempt of a controller whose pods were refused. */
  readonly #outdated = new Set<string>();

  constructor(context: Context) {
    this.#context = context;
  }

  keysFor({ cause, namespaces }: StateChange): Iterable<Key> {
    this.#follow(cause);
    if (cause.of === 'refused-again') return this.#outdated.has(cause.namespace) ? [cause.namespace] : [];
    return cause.of === 'pod' || cause.of === 'workload' ? [cause.namespace] : namespaces;
  }

  delay(name: Key): number {
    return this.#cooldown.left(name);
  }

  async reconcile(name: Key): Promise<void> {
    const { cluster, state, found } = this.#context;
    const { verdicts } = state.outcomes;
    const namespace = cluster.namespace(name);
    if (!namespace || !state.policies.isReached(namespace)) {
      verdicts.delete(name);
      state.promotionVerdicts.forget(name);
      this.#cooldown.forget(name);
      this.#decidingSince.forget(name);
      this.#outdated.delete(name);
    } else {
      const evaluated = await this.#evaluate(namespace);
      // A missing result means that the term has ended, or that the policies changed during the evaluation. If the
      // policies changed, this change has already queued the key again.
      if (!evaluated) return;
      verdicts.set(name, evaluated.result);
      this.#cooldown.start(name, evaluated.spentMs);
      if (hasOutdatedRefusal(evaluated.result)) this.#outdated.add(name);
      else this.#outdated.delete(name);
    }
    found({ by: this.name, namespace: name });
  }

  async #evaluate(namespace: NamespaceView): Promise<Done<NamespaceVerdicts> | undefined> {
    const { cluster, state, signal } = this.#context;
    const { name } = namespace;
    const policies = state.policies.selecting(name);
    const evaluated = { name, labels: state.policies.effectiveLabels(namespace) };
    const seen = state.seen.take(name);
    const { evaluator } = state;
    const { use } = state.policies;
    const deciders = deciding(policies, 'Enforce', evaluated.labels);
    const rightsTo = (policy: string) => use.rightsTo(policy);
    const decidedSince = this.#decidingSince.of(
      name,
      { policies: deciders, rightsTo, labels: namespace.labels },
      state.outcomes.programs,
      state.now(),
    );
    const work = evaluatingNamespace(evaluated, policies, cluster, { evaluator, use }, { seen, decidedSince });
    const done = await this.#turns.run(work, () => !signal.aborted && state.policies.selecting(name) === policies);
    if (!done) state.seen.restore(name, seen);
    else state.promotionVerdicts.set(name, { policies, use, verdicts: done.result.promotions ?? NONE }, state.now());
    return done;
  }

  #follow(cause: Cause): void {
    if (cause.of !== 'found' || cause.by !== 'programs') return;
    const { state } = this.#context;
    for (const policy of cause.policies ?? []) {
      this.#decidingSince.see(policy, state.outcomes.programs.get(policy), state.now());
    }
  }
}

function hasOutdatedRefusal({ modes }: NamespaceVerdicts): boolean {
  return modes.Enforce?.workloads.some(({ refused }) => refused === 'ByOthers') ?? false;
}
