/** Shows the playground's policies that have no effect beside the other policies, and rollouts that cannot end. */
import { useEffect, useRef } from 'preact/hooks';
import { findingText } from '../../../analysis/compare/finding.ts';
import { visibleControls } from '../../../analysis/text/printable-values.ts';
import { counted } from '../../../operator/text/wording.ts';
import { Badge } from '../../components/badge.tsx';
import { FindingBadge } from '../../components/finding.tsx';
import { lazyWorker } from '../../worker/client.ts';
import type { TextFindings } from '../../worker/findings.ts';
import { type TwoWorkers, useFirstThenFull } from '../../worker/use-latest.ts';
import { Line, type OnReveal } from './troubles.tsx';

/** Findings have separate workers, so that verdicts and comparisons do not wait for findings. */
const WORKERS: TwoWorkers = { first: lazyWorker(), full: lazyWorker() };
const TYPING_MS = 250;

/**
 * The findings about the YAML of the policies. The last findings remain until the YAML has no errors and the next
 * findings arrive.
 */
export function useTextFindings(policies: string, serverVersion: number) {
  const { answer, question, problem, ask, drop } = useFirstThenFull(WORKERS, 'textFindings', isCut);
  useEffect(() => {
    const timer = setTimeout(() => ask({ policies, serverVersion, at: Date.now() }), TYPING_MS);
    return () => {
      clearTimeout(timer);
      drop();
    };
  }, [policies, serverVersion, ask, drop]);
  const last = useRef<TextFindings | undefined>(undefined);
  last.current = answer ?? last.current;
  const isAnswered = question?.policies === policies;
  return { found: last.current ?? NOTHING, problem, isAnswered, isCurrent: isAnswered && answer !== undefined };
}

const NOTHING: TextFindings = { findings: [], undecided: [], isCut: false };

function isCut(answer: TextFindings | undefined): boolean {
  return answer?.isCut ?? false;
}

interface FindingsProps {
  readonly answer: ReturnType<typeof useTextFindings>;
  readonly onReveal: OnReveal;
}

/** The findings of the playground. Nothing is visible if there are no findings. */
export function Findings({ answer: { found, problem, isAnswered, isCurrent }, onReveal }: FindingsProps) {
  const { findings, undecided } = found;
  const isFirst = isCurrent && problem === '' && isCut(found);
  return (
    <>
      <p class="visually-hidden" role="status">
        {findings.length > 0 && `${counted(findings.length, 'finding')} about the policies`}
      </p>
      {problem !== '' && (
        <p class="play-problem" role="alert">
          {problem}
        </p>
      )}
      {(findings.length + undecided.length > 0 || isFirst) && (
        <section class="play-results" aria-label="Findings" aria-busy={!isAnswered || isFirst}>
          <h2>
            Findings about the policies
            {isAnswered && !isCurrent && <span class="quiet"> before the error in their text</span>}
            {isCut(found) && <span class="quiet"> so far{isFirst && '; still looking …'}</span>}
          </h2>
          <ul>
            {findings.map((finding) => (
              <li key={`${finding.policy} ${finding.kind}`}>
                <FindingBadge kind={finding.kind} />{' '}
                {isCurrent && <Line text="policies" line={finding.line} onReveal={onReveal} />}{' '}
                {visibleControls(findingText(finding))}
              </li>
            ))}
            {undecided.map((text) => (
              <li key={text}>
                <Badge tone="unknown">Not decided</Badge> {visibleControls(text)}
              </li>
            ))}
          </ul>
          {undecided.length > 0 && (
            <p class="quiet">
              <code>cappol compare</code> looks at more pods than the page does.
            </p>
          )}
        </section>
      )}
    </>
  );
}
