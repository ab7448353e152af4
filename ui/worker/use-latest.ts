/** Sends a view's question to the worker. The question changes while the user types. */
import { useMemo, useState } from 'preact/hooks';
import type { PageWorker } from './client.ts';
import { latest } from './latest.ts';
import type { RequestName, Requests } from './requests.ts';

interface Answered<Name extends RequestName> {
  readonly question: Requests[Name]['question'];
  readonly answer: Requests[Name]['answer'];
}

/**
 * The last answer, and the question to which the answer belongs. Until a new answer arrives, the function returns the
 * last answer, even if the newest question causes an error.
 *
 * @param interrupt stops the worker's work on the last question when a newer question is asked
 */
export function useLatest<Name extends RequestName>(worker: PageWorker, name: Name, interrupt?: () => void) {
  const [answered, setAnswered] = useState<Answered<Name>>();
  const [problem, setProblem] = useState('');
  const ask = useMemo(
    () =>
      latest(
        (question: Requests[Name]['question']) => worker.ask(name, question),
        {
          answer(answer, question) {
            setAnswered({ question, answer });
            setProblem('');
          },
          error: (error) => setProblem(String(error)),
        },
        interrupt,
      ),
    [worker, name, interrupt],
  );
  return { answer: answered?.answer, question: answered?.question, problem, ask, setProblem };
}
