/**
 * Asks questions whose full answer may take seconds. The first answer arrives soon. If the first answer is cut, the
 * same question is asked again, and the full answer replaces the first answer.
 */
import { latest, type Show } from './latest.ts';

export interface TwoAnswers<Question, Answer> {
  /** Answers the question in a short time. */
  first(question: Question): Promise<Answer>;
  full(question: Question): Promise<Answer>;
  /** Whether the first answer lacks something that the full answer may have. */
  isCut(answer: Answer): boolean;
  /** Stops the work on a full answer. The promise of the answer is then rejected. */
  stop(): void;
}

export interface TwoAnswersAsked<Question> {
  /** Asks a question, and drops the previous question. */
  ask(question: Question): void;
  /** Stops the work on a full answer, because its question does not matter any more. */
  drop(): void;
}

/** @param show receives the answers and errors. A question that was dropped has no full answer */
export function firstThenFull<Question, Answer>(
  { first, full, isCut, stop }: TwoAnswers<Question, Answer>,
  show: Show<Question, Answer>,
): TwoAnswersAsked<Question> {
  let newest: Question | undefined;
  let isAskingFull = false;
  const askFull = async (question: Question): Promise<void> => {
    const isWanted = () => newest === question;
    isAskingFull = true;
    try {
      const answer = await full(question);
      if (isWanted()) show.answer(answer, question);
    } catch (error) {
      if (isWanted()) show.error(error, question);
    }
    isAskingFull = false;
  };
  const askFirst = latest(first, {
    answer(answer, question) {
      show.answer(answer, question);
      if (isCut(answer) && newest === question) void askFull(question);
    },
    error: show.error,
  });
  const drop = () => {
    newest = undefined;
    if (isAskingFull) stop();
  };
  return {
    ask(question) {
      drop();
      newest = question;
      askFirst(question);
    },
    drop,
  };
}
