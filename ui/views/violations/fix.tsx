/**
 * Shows the edits that `cappol fix` makes for a workload, what they may break, and the violations that no edit ends.
 */
import type { Snapshot } from '../../../analysis/snapshot/document.ts';
import { Badge, type Tone } from '../../components/badge.tsx';
import { Code, Diff } from '../../components/code.tsx';
import { Name } from '../../components/name.tsx';
import { Scrolled } from '../../components/scrolled.tsx';
import { Fold } from '../../components/section.tsx';
import { Table } from '../../components/table.tsx';
import { Value } from '../../components/value.tsx';
import { fixCommand } from '../../model/fix-command.ts';
import type { WorkloadFix } from '../../worker/workload-fix.ts';

const CLASSES: Readonly<Record<string, { readonly tone: Tone; readonly text: string }>> = {
  spelling: { tone: 'good', text: 'the same capability, as Kubernetes spells it' },
  safe: { tone: 'good', text: 'nothing is known to rely on the old value' },
  check: { tone: 'warning', text: 'something may stop working' },
};

interface FixProps {
  readonly fix: WorkloadFix | undefined;
  readonly kind: string;
  readonly namespace: string;
  readonly snapshot: Snapshot;
}

export function Fix({ fix, kind, namespace, snapshot }: FixProps) {
  if (!fix) return <p>Its pods are gone.</p>;
  const { edits, diff, findings } = fix;
  // Several policies may refuse the same field. The field is then listed only once.
  const left = [...new Map(fix.left.map((one) => [`${one.rule} ${one.path} ${one.message} ${one.why}`, one])).values()];
  return (
    <>
      {fix.onlyPods && (
        <p>
          Its template complies. Only pods that are there violate: an earlier template made them, or somebody changed
          them. Restart the workload to replace them.
        </p>
      )}
      {fix.of === 'pod' && !fix.onlyPods && kind !== 'Pod' && (
        <p>
          <Name text={kind} /> itself is not known: this is the first of its pods. Make the same edits in its template.
        </p>
      )}
      {edits.length === 0 && left.length === 0 && (
        <p>No edit of the manifest ends these violations: their messages say what does.</p>
      )}
      {edits.length > 0 && (
        <>
          <p class="about">
            These are the edits of <code>cappol fix</code>. Only the fields that policies read are shown; the edits
            leave all others as they are.
          </p>
          <Diff text={diff} what="the diff" />
          <Edits edits={edits} />
          <Fold summary="Make these edits in your own files">
            {() => (
              <>
                <p>In the folder with the manifests, write the policies to a file and run the command:</p>
                <Code text={fixCommand(namespace, snapshot)} what="the commands" />
              </>
            )}
          </Fold>
        </>
      )}
      {left.length > 0 && (
        <>
          <h4>What no edit ends</h4>
          <ul class="left">
            {left.map(({ rule, message, why, path }) => (
              <li key={`${rule} ${path} ${message} ${why}`}>
                <code>{rule}</code> <Name text={message} />
                <br />
                <span class="quiet">
                  No fix: <Name text={why} />
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      {findings.length > 0 && (
        <>
          <h4>Advice about its capabilities</h4>
          <ul>
            {findings.map(({ reason, message, path }) => (
              <li key={`${reason} ${path} ${message}`}>
                <Name text={message} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function Edits({ edits }: Pick<WorkloadFix, 'edits'>) {
  return (
    <Scrolled label="Edits">
      <Table class="edits" columns={['Edit', 'Before', 'After', 'Class', 'Reason', 'Risk']}>
        {edits.map(({ path, before, after, class: fixClass, reason, risk }) => (
          <tr key={path}>
            <td>
              <code>
                <Name text={path} />
              </code>
            </td>
            <td>
              <Value value={before} />
            </td>
            <td>
              <Value value={after} />
            </td>
            <td title={CLASSES[fixClass]?.text}>
              <Badge tone={CLASSES[fixClass]?.tone ?? 'quiet'}>{fixClass}</Badge>
            </td>
            <td>
              <Name text={reason} />
            </td>
            <td>
              <Name text={risk} />
            </td>
          </tr>
        ))}
      </Table>
    </Scrolled>
  );
}
