/**
 * Runs clients that create pods by dry run all the time. The clients check each answer against the law in changes.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Api, Identity } from '../../../hack/controlplane/api.ts';
import type { StatedPod } from '../../differential/reference/pod.ts';
import { accountOf } from '../../differential/sets/reference-model.ts';
import { baselinePod, hostNetworkPod, privilegedPod, restrictedPod } from '../../support/pod-manifests.ts';
import { Random } from '../../support/random.ts';
import { NAMESPACES } from '../../support/rendered.ts';
import { verdictOf } from '../../support/verdict.ts';
import { oneOf } from './random-state.ts';
import type { Timeline } from './timeline.ts';

export const ACCOUNTS = ['default', 'runner'] as const;
/** A user who may create pods, and may use no policy. */
export const AUTHOR: Identity = { user: 'changes-author', groups: ['creators'] };
const PERSON = { name: AUTHOR.user, groups: [...(AUTHOR.groups ?? []), 'system:authenticated'] };
/** A namespace that no policy reaches. */
const EXCLUDED = 'kube-public';

const PODS: Readonly<Record<string, object>> = {
  restricted: restrictedPod(),
  'restricted, NET_RAW': restrictedPod({ add: ['NET_RAW'] }),
  'restricted, SYS_TIME': restrictedPod({ add: ['SYS_TIME'] }),
  'restricted, NET_RAW, SYS_TIME': restrictedPod({ add: ['NET_RAW', 'SYS_TIME'] }),
  'restricted, SYS_ADMIN': restrictedPod({ add: ['SYS_ADMIN'] }),
  baseline: baselinePod(),
  'baseline, SYS_TIME': baselinePod({ add: ['SYS_TIME'] }),
  'host network': hostNetworkPod(),
  privileged: privilegedPod(),
};

export interface Wrong {
  /**
   * The wrong answer. If all current states refuse the pod, the wrong verdict is `admitted`. If all current states
   * admit the pod, the wrong verdict is `refused`.
   */
  readonly verdict: 'admitted' | 'refused';
  readonly text: string;
}

interface ClientsOptions {
  readonly api: Api;
  readonly timeline: Timeline;
  readonly namespaces: readonly string[];
  readonly seed: number;
  /** Returns whether the API server is ready (/readyz). */
  readonly isReady: () => boolean;
}

const NOT_USABLE = /neither its service account nor its creator may use this policy/;
const IN_FLIGHT = 5;
const PAUSE_MS = 4;

export class Clients {
  readonly #options: ClientsOptions;
  readonly #began = Date.now();
  readonly #open: ReadonlyMap<string, StatedPod>;
  readonly #running: Promise<void>[];
  #stopped = false;
  readonly counts = { admitted: 0, refused: 0, unanswered: 0, bound: 0 };
  readonly wrong: Wrong[] = [];

  private constructor(options: ClientsOptions, open: Clients['open']) {
    this.#options = options;
    this.#open = open;
    this.#running = Array.from({ length: IN_FLIGHT }, (_, i) => this.#run(new Random(options.seed + i)));
  }

  get open(): ReadonlyMap<string, StatedPod> {
    return this.#open;
  }

  /** Starts the clients. The clients begin to create pods immediately. */
  static async start(options: ClientsOptions): Promise<Clients> {
    const open = new Map<string, StatedPod>();
    for (const [title, body] of Object.entries(PODS)) {
      const answer = await options.api.ask('POST', `${NAMESPACES}/${EXCLUDED}/pods`, {
        body,
        query: { dryRun: 'All' },
      });
      if (answer.status !== 201) throw new Error(`${title}: ${answer.body.message}`);
      open.set(title, answer.body);
    }
    return new Clients(options, open);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  async #run(random: Random): Promise<void> {
    while (!this.#stopped) {
      await this.#create(random);
      await sleep(PAUSE_MS);
    }
  }

  async #create(random: Random): Promise<void> {
    const { api, timeline, namespaces, isReady } = this.#options;
    const title = oneOf(Object.keys(PODS), random);
    const namespace = oneOf(namespaces, random);
    const account = oneOf(ACCOUNTS, random);
    const body = withAccount(PODS[title] ?? {}, account);
    const sent = Date.now();
    const wasReady = isReady();
    const path = `${NAMESPACES}/${namespace}/pods`;
    const answer = await api.ask('POST', path, { body, as: AUTHOR, query: { dryRun: 'All' } }).catch(() => undefined);
    const received = Date.now();
    const verdict = answer === undefined ? 'unanswered' : verdictOf(answer);
    this.counts[verdict]++;
    if (answer === undefined || verdict === 'unanswered') {
      await sleep(100);
      return;
    }
    const people = [accountOf(namespace, account), PERSON];
    const pod = this.#open.get(title) as StatedPod;
    const { admitted, changes } = timeline.law({ namespace, people, pod, sent, received });
    if (admitted !== undefined) this.counts.bound++;
    if (admitted === undefined || admitted === (verdict === 'admitted')) return;
    // Before it is ready, an API server may not have read all bindings of roles, so it refuses the use of policies.
    if (verdict === 'refused' && !(wasReady && isReady()) && NOT_USABLE.test(answer.body.message)) return;
    const at = ((sent - this.#began) / 1000).toFixed(1);
    const during = changes.join('; then ') || 'no change';
    this.wrong.push({
      verdict,
      text: `${at} s: ${title} of ${account} in ${namespace} is ${verdict} during: ${during}${verdict === 'refused' ? `: ${answer.body.message}` : ''}`,
    });
  }
}

function withAccount(pod: object, serviceAccountName: string): object {
  const { spec, ...rest } = pod as { readonly spec: object };
  return { ...rest, spec: { ...spec, serviceAccountName } };
}
