/** Sends questions to the worker. The page contains the worker's program as text. */
import type { RequestMessage, RequestName, Requests, ResponseMessage } from './requests.ts';

export interface PageWorker {
  /** Asks the worker a question. @throws Error if the worker reports an error or is stopped */
  ask<Name extends RequestName>(name: Name, question: Requests[Name]['question']): Promise<Requests[Name]['answer']>;
  /** Stops the worker. The promises of unanswered questions are rejected. */
  stop(): void;
}

export function startWorker(): PageWorker {
  const worker = new Worker(programUrl());
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  worker.addEventListener('message', ({ data }: MessageEvent<ResponseMessage>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if ('error' in data) asked?.reject(new Error(data.error));
    else asked?.resolve(data.answer);
  });
  let last = 0;
  return {
    ask(name, question) {
      const id = ++last;
      const asked = Promise.withResolvers<unknown>();
      waiting.set(id, asked);
      worker.postMessage({ id, name, question } satisfies RequestMessage<typeof name>);
      return asked.promise as Promise<Requests[typeof name]['answer']>;
    },
    stop() {
      worker.terminate();
      for (const asked of waiting.values()) asked.reject(new Error('the worker was stopped'));
    },
  };
}

/** Returns a worker that starts at the first question. After stop(), the worker starts again at the next question. */
export function lazyWorker(): PageWorker {
  let started: PageWorker | undefined;
  return {
    ask(name, question) {
      started ??= startWorker();
      return started.ask(name, question);
    },
    stop() {
      started?.stop();
      started = undefined;
    },
  };
}

let url: string | undefined;

/** The address of the worker's program. All workers of the page share the address. */
function programUrl(): string {
  const program = document.getElementById('worker')?.textContent ?? '';
  url ??= URL.createObjectURL(new Blob([program], { type: 'text/javascript' }));
  return url;
}
