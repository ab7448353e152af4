/** Sends pods to every API server continuously, and records wrong answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Api } from '../../hack/controlplane/api.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { type Verdict, verdictOf } from '../support/verdict.ts';

const ANSWERS = ['admitted', 'refused'] as const;
type Answer = (typeof ANSWERS)[number];

export interface Probe {
  /** The title of the probe. The title is a phrase for the middle of a sentence, such as `a pod with NET_ADMIN`. */
  readonly title: string;
  readonly pod: object;
  readonly namespace: string;
  /**
   * The expected answer of an API server at this moment. If both the old and the new answer are correct at the moment,
   * the value is undefined.
   */
  readonly expected: () => Answer | undefined;
}

interface Target {
  readonly api: Api;
  readonly asking: Promise<unknown>;
}

interface Pace {
  /**
   * The number of concurrent requests to each API server. While an API server starts, the requests wait. Later requests
   * get their answers after the waiting requests.
   */
  readonly atOnce: number;
  readonly pauseMs: number;
}

const PACE: Pace = { atOnce: 3, pauseMs: 10 };

export class Prober {
  readonly #probes: readonly Probe[];
  readonly #pace: Pace;
  readonly #targets = new Map<string, Target>();
  /**
   * The number of answers of each kind. The key is `API server: title: answer`. If an API server starts or stops, some
   * requests may get no answer. Such requests count separately.
   */
  readonly #counts = new Map<string, number>();
  /** The wrong answers, as messages for the output. */
  readonly surprises: string[] = [];

  constructor(probes: readonly Probe[], pace: Pace = PACE) {
    this.#probes = probes;
    this.#pace = pace;
  }

  /**
   * Begins to send requests to an API server, whether or not the API server is up.
   * @param name the name of the API server in the output
   */
  start(name: string, kubeconfig: string): void {
    const api = new Api(kubeconfig);
    // The requests begin only after the target is registered. The target is therefore known when the first answer
    // comes.
    const asking = Promise.resolve().then(() =>
      Promise.all(Array.from({ length: this.#pace.atOnce }, (_, first) => this.#ask(name, api, first))),
    );
    this.#targets.set(name, { api, asking });
  }

  async stop(name: string): Promise<void> {
    const target = this.#targets.get(name);
    this.#targets.delete(name);
    await target?.asking;
    await target?.api.close();
  }

  /** Counts the answers of an API server to each probe, and returns the smallest count. */
  rounds(name: string): number {
    const answered = this.#probes.map(({ title }) =>
      ANSWERS.reduce((sum, answer) => sum + (this.#counts.get(line(name, title, answer)) ?? 0), 0),
    );
    return Math.min(...answered);
  }

  summary(): string[] {
    return [...this.#counts].map(([what, count]) => `${what} ${count} times`).sort();
  }

  async #ask(name: string, api: Api, first: number): Promise<void> {
    for (let next = first; this.#targets.get(name)?.api === api; next++) {
      const probe = this.#probes[next % this.#probes.length];
      if (probe !== undefined) await this.#askOnce(name, api, probe);
      await sleep(this.#pace.pauseMs);
    }
  }

  async #askOnce(name: string, api: Api, { title, pod, namespace, expected }: Probe): Promise<void> {
    const wanted = expected();
    const path = `${NAMESPACES}/${namespace}/pods`;
    const reply = await api.ask('POST', path, { body: pod, query: { dryRun: 'All' } }).catch(() => undefined);
    const answer: Verdict = reply ? verdictOf(reply) : 'unanswered';
    const key = line(name, title, answer);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    // If the expected answer changed during the request, both the old and the new answer are correct.
    if (answer === 'unanswered' || wanted === undefined || expected() !== wanted || answer === wanted) return;
    this.surprises.push(
      `${new Date().toISOString()} ${key}, not ${wanted} ${answer === 'refused' ? reply?.body.message : ''}`.trim(),
    );
  }
}

function line(name: string, title: string, answer: Verdict): string {
  return `${name}: ${title}: ${answer}`;
}
