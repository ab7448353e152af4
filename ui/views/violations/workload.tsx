/** Shows why a workload violates in each mode, and how to fix it. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Snapshot } from '../../../analysis/snapshot/document.ts';
import { WordBadge } from '../../components/badge.tsx';
import { Name } from '../../components/name.tsx';
import { Scrolled } from '../../components/scrolled.tsx';
import { Section } from '../../components/section.tsx';
import { Table } from '../../components/table.tsx';
import { Value } from '../../components/value.tsx';
import type { LinkTo } from '../../model/links.ts';
import { type BrokenRule, brokenBy, effectText, type ViolatingRow } from '../../model/violating.ts';
import type { PageWorker } from '../../worker/client.ts';
import { useAnswer } from '../../worker/use-answer.ts';
import { Fix } from './fix.tsx';

interface WorkloadProps {
  /** The rows of the workload, one for each mode. */
  readonly rows: readonly ViolatingRow[];
  readonly snapshot: Snapshot;
  readonly worker: PageWorker;
  readonly link: LinkTo;
  onClose(): void;
}

export function WorkloadDetails({ rows, snapshot, worker, link, onClose }: WorkloadProps) {
  const [{ namespace, kind, name }] = rows as [ViolatingRow];
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.scrollIntoView({ block: 'nearest' }), []);
  const violations = useMemo(() => brokenBy(rows, snapshot), [rows, snapshot]);
  const paths = [...new Set(violations.map(({ path }) => path))];
  const fix = useAnswer(worker, snapshot, 'fix', { namespace, kind, name, paths });
  const values = new Map(fix.state === 'answered' ? paths.map((path, index) => [path, fix.answer?.values[index]]) : []);
  return (
    <section class="workload" aria-labelledby="workload">
      <h2 id="workload" ref={heading} tabIndex={-1}>
        <Name text={`${kind} ${namespace}/${name}`} />
        <button type="button" onClick={onClose}>
          Close
        </button>
      </h2>
      {rows.map((row) => (
        <p key={row.mode} class="effect">
          <WordBadge word={row.effect} /> {effectText(row)}
          {row.of.admittedBy !== undefined && (
            <>
              {' '}
              Policy <Name text={row.of.admittedBy} /> admits it, and would still do so if{' '}
              <Name text={row.policies.join(', ')} /> were enforced.
            </>
          )}
          {row.policies.length > 1 && ` It has to satisfy only one of the ${row.policies.length} policies.`}
        </p>
      ))}
      <Broken violations={violations} values={values} link={link} />
      <Section title="Fix">
        {fix.state === 'waiting' && <p role="status">Looking for a fix …</p>}
        {fix.state === 'failed' && <p class="critical">{fix.error}</p>}
        {fix.state === 'answered' && <Fix fix={fix.answer} kind={kind} namespace={namespace} snapshot={snapshot} />}
      </Section>
    </section>
  );
}

interface BrokenProps extends Pick<WorkloadProps, 'link'> {
  readonly violations: readonly BrokenRule[];
  readonly values: ReadonlyMap<string, unknown>;
}

function Broken({ violations, values, link }: BrokenProps) {
  return (
    <Scrolled label="Violations of the workload">
      <Table class="broken" columns={['Rule', 'Violation', 'Field', 'Value', 'Policies']}>
        {violations.map(({ rule, message, path, policies }) => (
          <tr key={`${rule} ${path} ${message}`}>
            <th scope="row">
              <code>{rule}</code>
            </th>
            <td>
              <Name text={message} />
            </td>
            <td>
              <code>
                <Name text={path} />
              </code>
            </td>
            <td>{values.has(path) && path !== '' && <Value value={values.get(path)} />}</td>
            <td>
              {policies.map(({ name, mode }) => (
                <div key={name}>
                  <a href={link('policies', { policy: name })}>
                    <Name text={name} />
                  </a>{' '}
                  <span class="quiet">{mode}</span>
                </div>
              ))}
            </td>
          </tr>
        ))}
      </Table>
    </Scrolled>
  );
}
