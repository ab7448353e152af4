/**
 * Remembers which workloads lack pods because an API server refused the pods.
 *
 * The condition ReplicaFailure and Events say so. An Event expires after an hour although the workload may still lack
 * pods, and controllers do not update the condition. Therefore a refusal is remembered until the workload has its pods,
 * wants no more pods, or is deleted.
 */
import type { Change, Refusal, RefusalEvent, RefusalText, WorkloadView } from '../model/objects.ts';
import type { RawObject } from '../model/raw.ts';
import type { Sink } from './sink.ts';

interface RefusedPodsOptions {
  project(raw: RawObject): RefusalEvent | undefined;
  /** Finds the current workload, without its refusal. */
  find(event: Pick<RefusalEvent, 'kind' | 'namespace' | 'name'>): WorkloadView | undefined;
  onChange(change: Change): void;
  /** Returns the time in milliseconds since 1970. The default is the time in the Event. */
  readonly now?: () => number;
}

interface Remembered {
  readonly refusal: Refusal;
  /** The newest Event. If only the condition is known, the field is absent. */
  readonly event?: Pick<RefusalEvent, 'attempt' | 'time'>;
}

/** The maximum number of remembered refusals. The oldest refusals are forgotten first. */
const MOST_REMEMBERED = 20_000;
/**
 * A refusal that is older than this time in ms does not explain why a workload that had all of its pods now wants more
 * pods.
 */
const MOST_EARLY_MS = 30_000;

export class RefusedPods implements Sink {
  readonly #options: RefusedPodsOptions;
  /** The key is the UID of a workload. A workload may be unknown so far, because its Event arrives first. */
  readonly #remembered = new Map<string, Remembered>();
  readonly #views = new WeakMap<WorkloadView, { readonly refusal: Refusal; readonly view: WorkloadView }>();
  readonly #synced = Promise.withResolvers<void>();

  constructor(options: RefusedPodsOptions) {
    this.#options = options;
  }

  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** Returns the workload with its refusal. As long as nothing changes, the method returns the same object. */
  in(view: WorkloadView): WorkloadView {
    const refusal = view.lacksPods && this.#remembered.get(view.uid)?.refusal;
    if (!refusal) return view;
    const known = this.#views.get(view);
    if (known?.refusal === refusal) return known.view;
    const refused = { ...view, refused: refusal };
    this.#views.set(view, { refusal, view: refused });
    return refused;
  }

  /**
   * Follows a changed workload.
   *
   * @param now the workload. If the workload is gone, the value is undefined
   */
  changed(now: WorkloadView | undefined, before: WorkloadView | undefined): void {
    const isSame = now?.uid === before?.uid;
    if (before && !isSame) this.#remembered.delete(before.uid);
    if (!now) return;
    const earlier = isSame ? before : undefined;
    if (this.#isOver(now, earlier)) this.#remembered.delete(now.uid);
    const { replicaFailure: failure } = now;
    if (failure && failure.message !== earlier?.replicaFailure?.message) this.#remember(now.uid, failure);
  }

  listing(): void {}

  put(raw: RawObject): void {
    const event = this.#options.project(raw);
    if (!event) return;
    const { uid, namespace, name, attempt, by, message, time } = event;
    const before = this.#remembered.get(uid);
    // A list has the Events in the order of their names, and repeats Events that are known already.
    if (before?.event && (before.event.attempt === attempt || time < before.event.time)) return;
    this.#remember(uid, { by, message }, { attempt, time });
    const view = this.#options.find(event);
    if (view?.uid !== uid || !view.lacksPods) return;
    const isRepeated = before?.refusal.by === by && before.refusal.message === message;
    this.#options.onChange(isRepeated ? { of: 'refused-again', namespace } : { of: 'workload', namespace, name });
  }

  /** An Event that expires says nothing about its workload. Nobody remembers an Event about an unknown workload. */
  remove(raw: RawObject): void {
    const event = this.#options.project(raw);
    if (event && this.#options.find(event)?.uid !== event.uid) this.#remembered.delete(event.uid);
  }

  listed(): void {
    this.#synced.resolve();
  }

  #isOver(now: WorkloadView, before: WorkloadView | undefined): boolean {
    if (before?.lacksPods && !now.lacksPods) return true;
    // The controller removes the condition after it has created a pod.
    if (before?.replicaFailure && !now.replicaFailure) return true;
    const at = this.#remembered.get(now.uid)?.refusal.at;
    const begins = before && !before.lacksPods && now.lacksPods;
    return Boolean(begins && at !== undefined && this.#options.now && this.#options.now() - at > MOST_EARLY_MS);
  }

  #remember(uid: string, { by, message }: RefusalText, newer?: Remembered['event']): void {
    const event = newer ?? this.#remembered.get(uid)?.event;
    const at = this.#options.now?.() ?? event?.time ?? 0;
    // The newest refusal has to be the last entry of the map.
    this.#remembered.delete(uid);
    this.#remembered.set(uid, { refusal: { by, message, at }, ...(event && { event }) });
    if (this.#remembered.size <= MOST_REMEMBERED) return;
    for (const oldest of this.#remembered.keys()) {
      this.#remembered.delete(oldest);
      break;
    }
  }
}
