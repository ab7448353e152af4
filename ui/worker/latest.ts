/**
 * Asks questions, such as questions about a text that the user is typing. Only the answer to the newest question
 * matters.
 */

export interface Show<Question, Answer> {
  answer(answer: Answer, question: Question): void;
  error(error: unknown, question: Question): void;
}

/**
 * Only one question is asked at a time. A new question waits, and replaces a question that is already waiting. If a
 * question is replaced before its turn, the worker never answers the question.
 *
 * @param ask answers a question
 * @param show receives the answers and errors. Replaced questions have no answer
 */
export function latest<Question, Answer>(
  ask: (question: Question) => Promise<Answer>,
  show: Show<Question, Answer>,
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
