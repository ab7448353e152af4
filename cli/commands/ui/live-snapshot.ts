/**
 * Keeps the snapshot of a followed cluster up to date. Only the namespaces that a change affects are evaluated and
 * described again.
 */
import type { Snapshot } from '../../../analysis/snapshot/document.ts';
import { SnapshotTaker } from '../../../analysis/snapshot/take.ts';
import { evaluateNamespace } from '../../../operator/evaluate/namespace.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import type { Change, Cluster } from '../../../operator/model/objects.ts';
import type { PolicyState } from '../../../operator/state/policy-state.ts';
import { type Rights, stateOf, takenOf } from '../../live.ts';
import type { PolicyOptions } from '../../options.ts';
import type { LiveEvidence } from './live-evidence.ts';

/**
 * Limits the growth of a `SnapshotTaker`. When a `SnapshotTaker` contains too many shapes and violations, a new
 * `SnapshotTaker` replaces it. The limit is `SPARE` plus twice the number of shapes and violations in the first
 * document of the `SnapshotTaker`.
 */
const SPARE = 1_000;

interface LiveSnapshotOptions extends PolicyOptions {
  readonly context: string;
  /** The capabilities that processes used. */
  readonly evidence?: LiveEvidence | undefined;
}

export class LiveSnapshot {
  readonly #cluster: Cluster;
  readonly #rights: Rights;
  readonly #options: LiveSnapshotOptions;
  readonly #evaluator = new Evaluator();
  readonly #state: PolicyState;
  #taker = new SnapshotTaker();
  /** The number of shapes and violations in the first document of the `SnapshotTaker`. */
  #size: number | undefined;
  /** The namespaces to evaluate again, including namespaces that were deleted. */
  #dirty = new Set<string>();
  /** The dirty namespaces whose pods or workloads have changed. */
  #changed = new Set<string>();

  /** @param cluster a cluster that was already read completely */
  constructor(cluster: Cluster, rights: Rights, options: LiveSnapshotOptions) {
    this.#cluster = cluster;
    this.#rights = rights;
    this.#options = options;
    this.#state = stateOf(cluster, rights, options);
    this.#soilAll();
  }

  apply(change: Change): void {
    this.#soil(this.#state.apply(change).namespaces);
    if (change.of !== 'pod' && change.of !== 'workload') return;
    this.#dirty.add(change.namespace);
    this.#changed.add(change.namespace);
  }

  /**
   * Whether the set of expired policies has changed since the last document. Either a policy has expired, or a clock
   * was set back.
   */
  hasExpired(now = Date.now()): boolean {
    const { policies, expired } = this.#state.compiled;
    return policies.some(({ expires }) => expires <= now) || expired.some(({ expires }) => expires > now);
  }

  /**
   * Makes the next document. The generator yields between the steps of its work, so that the caller can do other work.
   * If something changes during the work, the change is in this document or in the next document.
   */
  *taking(): Generator<void, Snapshot> {
    if (this.hasExpired()) this.#state.outdate();
    if (this.#state.isStale) this.#soil((yield* this.#state.accepting()).namespaces);
    this.#renewTaker();
    // Namespaces that become dirty during the work are left for the next document. If each document also included the
    // namespaces that become dirty meanwhile, a document might never be complete.
    for (const name of [...this.#dirty]) {
      this.#dirty.delete(name);
      this.#take(name);
      yield;
    }
    this.#size ??= this.#taker.size;
    return this.#taker.document(takenOf(this.#cluster, this.#state, this.#rights, this.#options, Date.now()));
  }

  #take(name: string): void {
    const keepsObjects = !this.#changed.delete(name);
    const namespace = this.#cluster.namespace(name);
    if (!namespace) {
      this.#taker.drop(name);
      return;
    }
    const evaluation = { evaluator: this.#evaluator, use: this.#state.use };
    const isEvaluated = this.#rights.canEvaluate && this.#state.isReached(namespace);
    const result = isEvaluated
      ? evaluateNamespace(namespace, this.#state.selecting(name), this.#cluster, evaluation)
      : undefined;
    const used = this.#options.evidence?.usedIn(name, this.#cluster) ?? [];
    this.#taker.put(namespace, { result, used, keepsObjects }, this.#cluster);
  }

  /**
   * Replaces the `SnapshotTaker` if it has grown too large. A `SnapshotTaker` keeps shapes and violations that no
   * document uses any more.
   */
  #renewTaker(): void {
    if (this.#size === undefined || this.#taker.size <= 2 * this.#size + SPARE) return;
    this.#taker = new SnapshotTaker();
    this.#size = undefined;
    this.#soilAll();
  }

  #soilAll(): void {
    this.#soil(this.#cluster.namespaces().map(({ name }) => name));
  }

  #soil(namespaces: Iterable<string>): void {
    for (const name of namespaces) this.#dirty.add(name);
  }
}
