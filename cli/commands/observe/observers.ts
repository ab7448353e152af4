/** Follows the pods of an observation. While a pod writes its log, the program reads the log. */
import { setTimeout as sleep } from 'node:timers/promises';
import { OBSERVER_NAMESPACE } from '../../../analysis/observe/job.ts';
import { RawLog } from '../../../analysis/observe/raw-log.ts';
import { pathFor } from '../../../operator/cluster/paths.ts';
import type { RawObject } from '../../../operator/model/raw.ts';
import type { Connected } from '../../cluster.ts';

/** The fields of an observer's pod that this module reads. */
interface ObserverPod {
  readonly metadata?: { readonly name?: string };
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly reason?: string; readonly message?: string }[];
    readonly containerStatuses?: readonly {
      readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
    }[];
  };
}

const ATTEMPTS = 3;
const PAUSE_MS = 1_000;

export interface Observer {
  readonly pod: string;
  node: string | undefined;
  /** The reason why the pod does not run yet, as text for users. */
  waiting: string | undefined;
  log: RawLog;
  reading: Promise<void> | undefined;
  ended: boolean;
}

export class Observers {
  readonly #client: Connected['client'];
  readonly #signal: AbortSignal;
  readonly #byPod = new Map<string, Observer>();

  constructor(client: Connected['client'], signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  get all(): readonly Observer[] {
    return [...this.#byPod.values()];
  }

  /** Updates the state of a pod. */
  seen(raw: RawObject): void {
    const { metadata, spec, status } = raw as ObserverPod;
    const pod = metadata?.name ?? '';
    const observer = this.#byPod.get(pod) ?? newObserver(pod);
    this.#byPod.set(pod, observer);
    observer.node = spec?.nodeName ?? observer.node;
    observer.waiting = waitingIn(status);
    const hasLog = ['Running', 'Succeeded', 'Failed'].includes(status?.phase ?? '');
    if (hasLog && !observer.reading) observer.reading = this.#read(observer);
  }

  pathOf({ pod }: Observer): string {
    return pathFor('v1', 'Pod', OBSERVER_NAMESPACE, pod);
  }

  /** Resolves when the program has finished reading all open logs. */
  async ended(): Promise<void> {
    await Promise.all(this.all.map(({ reading }) => reading));
  }

  async #read(observer: Observer): Promise<void> {
    const path = `${this.pathOf(observer)}/log`;
    let problem = 'its log ended early';
    for (let attempt = 0; attempt < ATTEMPTS && !this.#signal.aborted; attempt++) {
      if (attempt > 0) await sleep(PAUSE_MS);
      // If the connection to a log breaks, the log is read again from its beginning.
      const log = new RawLog();
      observer.log = log;
      try {
        await this.#client.follow(path, { follow: true }, (line) => log.read(line), this.#signal);
      } catch (error) {
        problem = (error as Error).message;
      }
      if (log.end || log.messages.length > 0) break;
    }
    if (!observer.log.end && observer.log.messages.length === 0) observer.log.messages.push(problem);
    observer.ended = true;
  }
}

function newObserver(pod: string): Observer {
  return { pod, node: undefined, waiting: undefined, log: new RawLog(), reading: undefined, ended: false };
}

function waitingIn(status: ObserverPod['status']): string | undefined {
  const waiting = status?.containerStatuses?.map(({ state }) => state?.waiting).find((found) => found !== undefined);
  const unscheduled = status?.conditions?.find(({ reason }) => reason === 'Unschedulable');
  const why = waiting ?? unscheduled;
  return why && [why.reason, why.message].filter((part) => part !== undefined).join(': ');
}
