/** A thread that evaluates edits. The thread has its own heap, like the worker of the page. */
import { parentPort } from 'node:worker_threads';
import { createAnswers } from '../../ui/worker/answers.ts';
import type { ReevaluateAnswer } from '../../ui/worker/reevaluate.ts';

export interface TimedAnswer {
  readonly answer: ReevaluateAnswer;
  /** The CPU time of the process in ms. While the answer is computed, no other thread works. */
  readonly ms: number;
}

const answers = createAnswers();

/** The first message is the snapshot as JSON, and further messages are policies. */
parentPort?.once('message', (snapshot: string) => {
  answers.load(JSON.parse(snapshot));
  parentPort?.on('message', (policies: string) => {
    const begun = process.cpuUsage();
    const answer = answers.reevaluate({ policies });
    const { user, system } = process.cpuUsage(begun);
    parentPort?.postMessage({ answer, ms: Math.round((user + system) / 1000) } satisfies TimedAnswer);
  });
});
