/** Questions of which only the newest one matters, such as those of somebody who types. */

/**
 * Asks one question at a time. A question that comes meanwhile waits, and replaces one that waits already: the worker
 * never answers questions that nobody waits for.
 *
 * @param ask answers a question
 * @param show receives the answers, and errors; those to replaced questions never come
 */
export function latest<Question, Answer>(
  ask: (question: Question) => Promise<Answer>,
  show: { answer(answer: Answer, question: Question): void; error(error: unknown, question: Question): void },
): (question: Question) => void {
  let waiting: { readonly question: Question } | undefined;
  let isAsking = false;
  const next = async (): Promise<void> => {
    while (waiting) {
      const { question } = waiting;
      waiting = undefined;
      try {
        const answer = await ask(question);
        show.answer(answer, question);
      } catch (error) {
        show.error(error, question);
      }
    }
    isAsking = false;
  };
  return (question) => {
    waiting = { question };
    if (isAsking) return;
    isAsking = true;
    void next();
  };
}
