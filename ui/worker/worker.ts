/** Runs the worker, which answers the questions one after another. */
import { createAnswers } from './answers.ts';
import type { RequestMessage, ResponseMessage } from './requests.ts';

const answers = createAnswers();

addEventListener('message', ({ data: { id, name, question } }: MessageEvent<RequestMessage>) => {
  postMessage(responseTo(id, () => (answers[name] as (question: unknown) => unknown)(question)));
});

function responseTo(id: number, answer: () => unknown): ResponseMessage {
  try {
    return { id, answer: answer() as undefined };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}
