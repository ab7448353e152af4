/** Lists all policies. Each row shows what the policy admits, where it decides, and whether it is in force. */
import { Fragment } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Finding } from '../../../analysis/compare/finding.ts';
import { counted } from '../../../operator/text/wording.ts';
import { setParameters } from '../../address.ts';
import { Badge, WordBadge } from '../../components/badge.tsx';
import { Empty } from '../../components/empty.tsx';
import { ChoiceFilter, FilterBar, TextFilter } from '../../components/filters.tsx';
import { Name } from '../../components/name.tsx';
import { Scrolled } from '../../components/scrolled.tsx';
import { Table } from '../../components/table.tsx';
import { findingsByPolicy, findingTitle } from '../../model/finding-words.ts';
import { type LinkTo, linksFrom } from '../../model/links.ts';
import { isInState, NOT_READY, type PolicyRow, policyRows } from '../../model/policy-list.ts';
import { useFindings } from '../../worker/use-findings.ts';
import type { ViewProps } from '../view.ts';
import { FindingsNote, FindingsRow } from './findings.tsx';

export function PolicyList({ cluster: { snapshot }, parameters }: ViewProps) {
  const { text = '', state = '' } = parameters;
  const rows = useMemo(() => policyRows(snapshot), [snapshot]);
  const told = useFindings(snapshot);
  const findings = useMemo(() => findingsByPolicy(told), [told]);
  const rollouts = rows.some(({ policy }) => policy.spec.rollout);
  const ends = rows.some(({ policy }) => policy.spec.expires !== undefined);
  const shown = rows.filter(
    (row) => textOf(row, findings.get(row.policy.name)).includes(text.toLowerCase()) && isInState(row, state),
  );
  const words = [...new Set(rows.map((row) => row.state.word))].sort();
  const link = linksFrom(parameters);
  const columns = [
    'Name',
    'State',
    'Mode',
    'Level and exceptions',
    { text: 'Priority', number: true },
    { text: 'Namespaces', number: true, title: 'Where it decides, of those that it selects' },
    ...(rollouts
      ? [{ text: 'Rolled out', number: true, title: 'The namespaces in which a rollout has enforced it' }]
      : []),
    { text: 'Violating', number: true, title: 'Workloads that violate it' },
    ...(ends ? ['Expires'] : []),
  ];
  if (rows.length === 0) return <Empty text="The cluster has no CapabilityPolicies." />;
  return (
    <>
      <h2>Policies</h2>
      <p class="about">
        Each policy is a level of the Pod Security Standards and its exceptions, for the namespaces that it selects.
        Where several select the same namespace, those of the highest priority decide.
      </p>
      <FilterBar>
        <TextFilter
          label="Filter"
          hint="name, level, exception"
          value={text}
          onChange={(value) => setParameters({ text: value })}
        />
        <ChoiceFilter
          label="State"
          all="All"
          value={state}
          choices={[{ value: NOT_READY, text: 'Not ready' }, ...words.map((word) => ({ value: word, text: word }))]}
          onChange={(value) => setParameters({ state: value })}
        />
        <p class="count" role="status">
          {shown.length === rows.length
            ? counted(rows.length, 'policy')
            : `${shown.length} of ${counted(rows.length, 'policy')}`}
          {findings.size > 0 && `, ${findings.size} with findings`}
        </p>
      </FilterBar>
      {shown.length === 0 ? (
        <Empty text="No policy matches the filter." onReset={() => setParameters({ text: '', state: '' })} />
      ) : (
        <Scrolled label="Policies">
          <Table class="policies" columns={columns}>
            {shown.map((row) => (
              <Fragment key={row.policy.name}>
                <Row row={row} rollouts={rollouts} ends={ends} link={link} />
                <FindingsRow findings={findings.get(row.policy.name)} columns={columns.length} link={link} />
              </Fragment>
            ))}
          </Table>
        </Scrolled>
      )}
      <FindingsNote told={told} />
    </>
  );
}

interface RowProps {
  readonly row: PolicyRow;
  readonly rollouts: boolean;
  readonly ends: boolean;
  readonly link: LinkTo;
}

function Row({ row, rollouts, ends, link }: RowProps) {
  const { policy, level, exceptions, namespaces, workloads, state } = row;
  const { name, spec, status } = policy;
  return (
    <tr>
      <th scope="row">
        <a href={link('policies', { policy: name })}>
          <Name text={name} />
        </a>
      </th>
      <td>
        <Badge tone={state.tone} title={state.message}>
          {state.word}
        </Badge>
      </td>
      <td>
        <WordBadge word={spec.mode} />
      </td>
      <td class="level">
        <b>{level}</b>
        <Exceptions exceptions={exceptions} />
      </td>
      <td class="number">{spec.priority}</td>
      <td class="number">
        {namespaces.deciding.toLocaleString('en')}
        {namespaces.selected > namespaces.deciding && (
          <span class="quiet"> of {namespaces.selected.toLocaleString('en')}</span>
        )}
      </td>
      {rollouts && <td class="number">{status.rollout?.progress ?? (spec.rollout ? 'not begun' : '')}</td>}
      <td class="number">
        {workloads.violating > 0 ? (
          <a href={link('violations', { policy: name })}>{workloads.violating.toLocaleString('en')}</a>
        ) : (
          0
        )}
        {workloads.unknown > 0 && <span class="quiet"> +{workloads.unknown.toLocaleString('en')} unknown</span>}
      </td>
      {ends && (
        <td>{spec.expires !== undefined && <time dateTime={spec.expires}>{spec.expires.slice(0, 10)}</time>}</td>
      )}
    </tr>
  );
}

const MOST_EXCEPTIONS = 4;

function Exceptions({ exceptions }: Pick<PolicyRow, 'exceptions'>) {
  if (exceptions.length === 0) return null;
  const more = exceptions.length - MOST_EXCEPTIONS;
  return (
    <span>
      , except: <Name text={exceptions.slice(0, MOST_EXCEPTIONS).join('; ')} />
      {more > 0 && ` and ${more} more`}
    </span>
  );
}

function textOf({ policy, level, exceptions, state }: PolicyRow, findings: readonly Finding[] = []): string {
  const kinds = findings.map(({ kind }) => findingTitle(kind));
  return [policy.name, level, policy.spec.mode, state.word, ...exceptions, ...kinds].join(' ').toLowerCase();
}
