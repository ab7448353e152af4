/** Sends a view's question that changes while somebody types. */
import { useMemo, useState } from 'preact/hooks';
import type { PageWorker } from './client.ts';
import { latest } from './latest.ts';
import type { RequestName, Requests } from './requests.ts';

/**
 * The answer to the newest question. The last answer stays until a new answer arrives, even if the newest question
 * causes an error.
 */
export function useLatest<Name extends RequestName>(worker: PageWorker, name: Name) {
  const [answer, setAnswer] = useState<Requests[Name]['answer']>();
  const [problem, setProblem] = useState('');
  const ask = useMemo(
    () =>
      latest((question: Requests[Name]['question']) => worker.ask(name, question), {
        answer(next) {
          setAnswer(() => next);
          setProblem('');
        },
        error: (error) => setProblem(String(error)),
      }),
    [worker, name],
  );
  return { answer, problem, ask, setProblem };
}
