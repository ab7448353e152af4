/** A question of a view that changes as somebody types. */
import { useMemo, useState } from 'preact/hooks';
import type { Judge } from './client.ts';
import { latest } from './latest.ts';
import type { RequestName, Requests } from './requests.ts';

/** The last answer stays until there is a new one, also beside a problem. */
export function useLatest<Name extends RequestName>(judge: Judge, name: Name) {
  const [answer, setAnswer] = useState<Requests[Name]['answer']>();
  const [problem, setProblem] = useState('');
  const ask = useMemo(
    () =>
      latest((question: Requests[Name]['question']) => judge.ask(name, question), {
        answer(next) {
          setAnswer(() => next);
          setProblem('');
        },
        error: (error) => setProblem(String(error)),
      }),
    [judge, name],
  );
  return { answer, problem, ask, setProblem };
}
