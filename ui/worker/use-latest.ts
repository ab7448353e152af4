/** Sends a view's question to the worker. The question changes while the user types. */
import { useMemo, useState } from 'preact/hooks';
import type { PageWorker } from './client.ts';
import { firstThenFull } from './first-then-full.ts';
import { latest, type Show } from './latest.ts';
import type { RequestName, Requests } from './requests.ts';

/**
 * The last answer, and the question to which the answer belongs. Until a new answer arrives, the function returns the
 * last answer, even if the newest question causes an error.
 */
export function useLatest<Name extends RequestName>(worker: PageWorker, name: Name) {
  const { show, ...shown } = useShown<Name>();
  const ask = useMemo(
    () => latest((question: Requests[Name]['question']) => worker.ask(name, question), show),
    [worker, name, show],
  );
  return { ...shown, ask };
}

/** A worker for first answers, and a worker for full answers. */
export interface TwoWorkers {
  /** This worker is never stopped. The worker has already compiled its program, so its answers arrive sooner. */
  readonly first: PageWorker;
  /** This worker is stopped when its question changes. */
  readonly full: PageWorker;
}

/**
 * The time in ms after which a search for a first answer ends. Together with a pause in typing and the work after the
 * search, the first answer takes less than a second.
 */
const FIRST_MS = 600;

/** The questions whose search may have a time limit. */
type LimitedName = 'compare' | 'textFindings';

/** Works like `useLatest`, but shows the full answer after an answer that is cut. */
export function useFirstThenFull<Name extends LimitedName>(
  { first, full }: TwoWorkers,
  name: Name,
  isCut: (answer: Requests[Name]['answer']) => boolean,
) {
  type Question = Requests[Name]['question'];
  const { show, ...shown } = useShown<Name>();
  const asked = useMemo(() => {
    const { ask, drop } = firstThenFull(
      {
        first: (question: Question) => first.ask(name, question),
        full: (question: Question) => full.ask(name, { ...question, until: undefined }),
        isCut,
        stop: full.stop,
      },
      show,
    );
    // The time limit starts now, even if the worker is still answering the previous question.
    return { ask: (question: Question) => ask({ ...question, until: Date.now() + FIRST_MS }), drop };
  }, [first, full, name, isCut, show]);
  return { ...shown, ...asked };
}

interface Answered<Name extends RequestName> {
  readonly question: Requests[Name]['question'];
  readonly answer: Requests[Name]['answer'];
}

/** The answer or error that was shown last. */
function useShown<Name extends RequestName>() {
  const [answered, setAnswered] = useState<Answered<Name>>();
  const [problem, setProblem] = useState('');
  const show = useMemo(
    (): Show<Requests[Name]['question'], Requests[Name]['answer']> => ({
      answer(answer, question) {
        setAnswered({ question, answer });
        setProblem('');
      },
      error: (error) => setProblem(String(error)),
    }),
    [],
  );
  return { answer: answered?.answer, question: answered?.question, problem, setProblem, show };
}
