/**
 * Sends a view's question to the worker. If the question or the snapshot changes, the hook sends the question again.
 */
import { useEffect, useState } from 'preact/hooks';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import type { PageWorker } from './client.ts';
import type { RequestName, Requests } from './requests.ts';

export type Answer<Name extends RequestName> =
  | { readonly state: 'waiting' }
  | { readonly state: 'failed'; readonly error: string }
  | { readonly state: 'answered'; readonly answer: Requests[Name]['answer'] };

/**
 * The answer to a question. If only the snapshot has changed, the function returns the last answer until the next
 * answer arrives.
 */
export function useAnswer<Name extends RequestName>(
  worker: PageWorker,
  snapshot: Snapshot,
  name: Name,
  question: Requests[Name]['question'],
): Answer<Name> {
  const key = JSON.stringify(question);
  const [told, setTold] = useState<{ key: string; answer: Answer<Name> }>({ key: '', answer: { state: 'waiting' } });
  useEffect(() => {
    let isWanted = true;
    const tell = (answer: Answer<Name>) => isWanted && setTold({ key, answer });
    worker.ask(name, question).then(
      (answer) => tell({ state: 'answered', answer }),
      (error: Error) => tell({ state: 'failed', error: error.message }),
    );
    return () => {
      isWanted = false;
    };
  }, [worker, snapshot, name, key]);
  return told.key === key ? told.answer : { state: 'waiting' };
}
