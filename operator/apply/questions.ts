/**
 * Asks each API server which versions of programs are in force. Between two whole passes with the same input, the
 * operator only asks which versions are in force. An API server needs up to a second to compile a change. A question to
 * the API servers costs much less than a whole pass over a thousand policies.
 */
import type { ApiClient } from '../cluster/client.ts';
import type { Compiled } from '../compile/compile.ts';
import type { RenderedObject } from '../model/objects.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Question } from './in-force.ts';
import type { PassResult } from './outcome.ts';

/** The input of a pass. If all fields contain the same objects as before, the input counts as unchanged. */
interface Subject {
  readonly compiled: Compiled;
  readonly rendered: readonly RenderedObject[];
  readonly servers: readonly ApiClient[];
}

interface Last {
  readonly subject: Subject;
  readonly questions: readonly Question[];
  readonly result: PassResult;
  /** The time at which the next whole pass is due, by the clock. */
  readonly until: number;
}

/**
 * The maximum time in ms between two whole passes. A whole pass detects everything that depends on the time. A question
 * only detects which version of a program the API servers enforce.
 */
const WHOLE_AGAIN_MS = 1_000;

export class Questions {
  readonly #clock: Pick<Clock, 'now'>;
  #last: Last | undefined;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /**
   * Stores the questions that are open at the end of a whole pass. A question is open until the API servers give the
   * wanted answer.
   *
   * @param otherMs the time in ms until the operator has other work than questions
   * @returns the result of the pass, with the time until the next run
   */
  keep(
    subject: Subject,
    questions: readonly Question[],
    found: Omit<PassResult, 'comeBackMs'>,
    otherMs: number,
  ): PassResult {
    const now = this.#clock.now();
    const result = { ...found, comeBackMs: nextMs(questions, otherMs, now) };
    const until = now + Math.min(otherMs, WHOLE_AGAIN_MS);
    this.#last = questions.length > 0 && !found.unremoved ? { subject, questions, result, until } : undefined;
    return result;
  }

  /**
   * @returns the result of the last whole pass, with a new time until the next run. The result is undefined if a whole
   * pass is due
   */
  async askAgain(subject: Subject): Promise<PassResult | undefined> {
    const last = this.#last;
    this.#last = undefined;
    if (!last || !isSame(last.subject, subject) || this.#clock.now() >= last.until) return undefined;
    const { questions, result, until } = last;
    const found = await Promise.all(questions.map(({ inForce, text }) => inForce.ask(text, subject.servers)));
    if (found.includes(true)) return undefined;
    this.#last = last;
    const now = this.#clock.now();
    return { ...result, comeBackMs: nextMs(questions, until - now, now) };
  }
}

/**
 * The time in ms until the next run, which asks a question or does other work. The result is undefined if nothing is
 * due.
 */
function nextMs(questions: readonly Question[], otherMs: number, now: number): number | undefined {
  const ms = Math.min(otherMs, ...questions.map(({ inForce }) => inForce.askAt - now));
  return Number.isFinite(ms) ? Math.max(ms, 0) : undefined;
}

function isSame(a: Subject, b: Subject): boolean {
  const haveSameServers = a.servers.length === b.servers.length && a.servers.every((one, i) => one === b.servers[i]);
  return a.compiled === b.compiled && a.rendered === b.rendered && haveSameServers;
}
