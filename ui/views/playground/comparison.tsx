/**
 * Compares the policies of the playground with the policies before the change. Shows pods that only one of the two sets
 * admits.
 */
import { useEffect, useRef } from 'preact/hooks';
import { visibleControls } from '../../../analysis/text/printable-values.ts';
import { Badge, type Tone } from '../../components/badge.tsx';
import { Code } from '../../components/code.tsx';
import type { Play } from '../../model/play-link.ts';
import { lazyWorker } from '../../worker/client.ts';
import type { CompareAnswer, ComparedTexts, ShownDifference } from '../../worker/compare.ts';
import { type TwoWorkers, useFirstThenFull } from '../../worker/use-latest.ts';
import { type OnReveal, Troubles } from './troubles.tsx';

/** The comparison has its own workers, so that no verdict waits for a comparison. */
const WORKERS: TwoWorkers = { first: lazyWorker(), full: lazyWorker() };
const TYPING_MS = 250;

/**
 * The comparison of the texts. The previous answer is shown until a new answer arrives. An edit stops the work on the
 * full answer.
 */
export function useComparison({ before, policies }: Play, serverVersion: number) {
  const { answer, question, problem, ask, drop } = useFirstThenFull(WORKERS, 'compare', isCut);
  useEffect(() => {
    if (before === undefined) return;
    const timer = setTimeout(() => ask({ before, policies, serverVersion, at: Date.now() }), TYPING_MS);
    return () => {
      clearTimeout(timer);
      drop();
    };
  }, [before, policies, serverVersion, ask, drop]);
  return { answer, isCurrent: question?.before === before && question?.policies === policies, problem };
}

function isCut({ compared }: CompareAnswer): boolean {
  return compared?.isCut ?? false;
}

interface ComparisonProps {
  readonly comparison: ReturnType<typeof useComparison>;
  readonly onReveal: OnReveal;
}

export function Comparison({ comparison: { answer, isCurrent, problem }, onReveal }: ComparisonProps) {
  const shown = useLastCompared(answer);
  const isFirst = isCurrent && problem === '' && answer !== undefined && isCut(answer);
  return (
    <section class="play-results" aria-label="Comparison" aria-busy={!isCurrent || isFirst}>
      <h2>
        Comparison
        {!isCurrent && <span class="quiet"> of the last texts; comparing again …</span>}
        {isFirst && <span class="quiet"> so far; still comparing …</span>}
      </h2>
      {problem !== '' && (
        <p class="play-problem" role="alert">
          {problem}
        </p>
      )}
      <Troubles troubles={answer?.troubles ?? []} onReveal={onReveal} />
      <div role="status">
        {answer && !answer.compared && (
          <p class="play-problem">
            A text has an error, so the texts are not compared.
            {shown && ' The answer below is about the last texts without errors.'}
          </p>
        )}
        {shown?.summaries.map(({ state, text }) => (
          <p class="play-summary" key={text}>
            <StateBadge state={state} /> {sentence(text)}
          </p>
        ))}
      </div>
      {shown && <Found compared={shown} />}
    </section>
  );
}

/** The newest answer about texts without errors. */
function useLastCompared(answer: CompareAnswer | undefined): ComparedTexts | undefined {
  const last = useRef<ComparedTexts | undefined>(undefined);
  last.current = answer?.compared ?? last.current;
  return last.current;
}

function Found({ compared }: { readonly compared: ComparedTexts }) {
  const { differences, undecided, notes } = compared;
  return (
    <>
      {notes.map((note) => (
        <p class="quiet" key={note}>
          {sentence(note)}
        </p>
      ))}
      {differences.items.map((difference) => (
        <Difference key={`${difference.direction} ${difference.where}`} difference={difference} />
      ))}
      {differences.more > 0 && <p>… and {differences.more} more.</p>}
      {undecided.items.length > 0 && (
        <article class="play-item">
          <h3>
            <StateBadge state="undecided" />
          </h3>
          <ul>
            {undecided.items.map((text) => (
              <li key={text}>{visibleControls(text)}</li>
            ))}
            {undecided.more > 0 && <li>… and {undecided.more} more.</li>}
          </ul>
          {!compared.isCut && (
            <p class="quiet">
              <code>cappol compare</code> looks at more pods than the page does.
            </p>
          )}
        </article>
      )}
    </>
  );
}

function Difference({ difference }: { readonly difference: ShownDifference }) {
  const { direction, rule, where, refused, messages, admitted, caused, pod } = difference;
  return (
    <article class="play-item play-difference">
      <div>
        <h3>
          <StateBadge state={direction} /> {visibleControls(where)}
        </h3>
        <p>{visibleControls(refused)}</p>
        <ul>
          {messages.map((message) => (
            <li key={message}>{visibleControls(message)}</li>
          ))}
        </ul>
        <p>{visibleControls(admitted)}</p>
        {caused.map((text) => (
          <p key={text}>{visibleControls(text)}</p>
        ))}
      </div>
      <Code text={pod} what={`the smallest pod for ${rule}`} />
    </article>
  );
}

type State = ComparedTexts['summaries'][number]['state'];

const BADGES: Readonly<Record<State, readonly [Tone, string]>> = {
  opens: ['critical', 'Opens'],
  closes: ['warning', 'Closes'],
  undecided: ['unknown', 'Not decided'],
  proved: ['good', 'Proved'],
};

function StateBadge({ state }: { readonly state: State }) {
  const [tone, text] = BADGES[state];
  return <Badge tone={tone}>{text}</Badge>;
}

/** A text of the comparison, changed to a sentence for the page. */
function sentence(text: string): string {
  return visibleControls(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
}
