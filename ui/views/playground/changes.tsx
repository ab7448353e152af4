/** Shows what the policies of the playground would change in the cluster. */
import { useEffect } from 'preact/hooks';
import type { WorkloadChange } from '../../../analysis/check/changes-result.ts';
import type { Snapshot } from '../../../analysis/snapshot/document.ts';
import { visibleControls } from '../../../analysis/text/printable-values.ts';
import { WordBadge } from '../../components/badge.tsx';
import { Name } from '../../components/name.tsx';
import { Scrolled } from '../../components/scrolled.tsx';
import { Table } from '../../components/table.tsx';
import { isEvaluated } from '../../model/namespaces.ts';
import { changesText, selectionText } from '../../model/play-changes.ts';
import type { PageWorker } from '../../worker/client.ts';
import type { ReevaluateAnswer } from '../../worker/reevaluate.ts';
import { useLatest } from '../../worker/use-latest.ts';

interface ChangesProps {
  readonly snapshot: Snapshot;
  readonly policies: string;
  readonly worker: PageWorker;
}

const TYPING_MS = 250;

export function ChangesSection({ snapshot, policies, worker }: ChangesProps) {
  const { answer, problem, ask } = useLatest(worker, 'reevaluate');
  useEffect(() => {
    const timer = setTimeout(() => ask({ policies }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [policies, snapshot, ask]);
  return (
    <section class="play-changes" aria-label="Changes in the cluster">
      <h2>
        If you applied these policies to <Name text={snapshot.context} />
      </h2>
      {problem !== '' && <p role="alert">{problem}</p>}
      {isEvaluated(snapshot) ? (
        answer && <Summary answer={answer} />
      ) : (
        <p>Namespaces or workloads could not be read, so the changes are not known.</p>
      )}
    </section>
  );
}

function Summary({ answer: { candidates, summary, changes, refusals } }: { readonly answer: ReevaluateAnswer }) {
  if (candidates.length === 0) return <p>There is no valid policy in the text.</p>;
  return (
    <>
      {refusals.map((refusal) => (
        <p class="play-problem" key={refusal}>
          {refusal}
        </p>
      ))}
      <p role="status">{changesText(summary)}</p>
      <p>{selectionText(candidates, summary)}</p>
      {changes.length > 0 && (
        <Scrolled label="Workloads whose effect changes">
          <Table columns={['Namespace', 'Workload', 'Now', 'Then', 'Why']}>
            {changes.map((change) => (
              <Row key={`${change.namespace} ${change.kind} ${change.name}`} change={change} />
            ))}
          </Table>
        </Scrolled>
      )}
      {summary.changed > changes.length && <p>… and {summary.changed - changes.length} more.</p>}
    </>
  );
}

function Row({ change: { namespace, kind, name, before, after, violations } }: { readonly change: WorkloadChange }) {
  const [first, ...more] = violations;
  return (
    <tr>
      <td>
        <Name text={namespace} />
      </td>
      <td>
        {kind} <Name text={name} />
      </td>
      <td>
        <WordBadge word={before} />
      </td>
      <td>
        <WordBadge word={after} />
      </td>
      <td>
        {first && visibleControls(first.message)}
        {more.length > 0 && <span class="quiet"> and {more.length} more</span>}
      </td>
    </tr>
  );
}
