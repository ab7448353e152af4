/**
 * Gets the findings about the policies of the shown cluster. A separate worker makes the findings. The views therefore
 * do not wait for the findings.
 */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import type { ToldFindings } from '../model/finding-words.ts';
import { lazyWorker } from './client.ts';
import type { FindingsQuestion } from './findings.ts';
import { questionAbout } from './findings-question.ts';
import { latest } from './latest.ts';

const WORKER = lazyWorker();
/**
 * The delay in ms before the worker starts. During the delay, a view can send questions that matter more to users.
 */
const LATER_MS = 100;

/**
 * The last result. The result is stored outside the views. The list of policies and the view of one policy therefore
 * share the result.
 */
let known: { readonly key: string; readonly context: string; readonly told: ToldFindings } | undefined;
const listeners = new Set<() => void>();

const ask = latest((question: FindingsQuestion) => WORKER.ask('findings', question), {
  answer: (findings, question) => tell(question, { findings }),
  error: (error, question) => tell(question, { error: String(error) }),
});

function tell(question: FindingsQuestion, told: ToldFindings): void {
  known = { key: keyOf(question), context: question.context, told };
  for (const listener of listeners) listener();
}

/**
 * The findings about the policies of the cluster. Before the first result for the cluster, the value is undefined. The
 * last result remains until the next result arrives.
 */
export function useFindings(snapshot: Snapshot): ToldFindings | undefined {
  const question = useMemo(() => questionAbout(snapshot), [snapshot]);
  const key = useMemo(() => keyOf(question), [question]);
  const [, redraw] = useState({});
  useEffect(() => {
    const listener = () => redraw({});
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  // In a cluster without the operator, the policies of the snapshot represent levels of the Pod Security Standards.
  // Users cannot delete such policies.
  const isAsked = snapshot.installed !== false;
  useEffect(() => {
    if (!isAsked || known?.key === key) return;
    const timer = setTimeout(() => ask(question), LATER_MS);
    return () => clearTimeout(timer);
    // The answer to an earlier question may arrive after the answer to a later question. If the key of the last result
    // differs from the current key, the question is therefore asked again.
  }, [isAsked, key, known?.key]);
  return isAsked && known?.context === snapshot.context ? known.told : undefined;
}

/** A string that changes if the findings may change. The time matters only if a policy expires. */
function keyOf({ taken, ...question }: FindingsQuestion): string {
  const now = Date.parse(taken);
  const expired = question.policies.filter(({ spec }) => spec.expires !== undefined && Date.parse(spec.expires) <= now);
  return JSON.stringify([question, expired.length]);
}
