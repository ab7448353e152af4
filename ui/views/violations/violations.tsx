/** Shows the workloads that violate policies, and the fix of the workload that the address names. */
import { useMemo } from 'preact/hooks';
import type { Snapshot } from '../../../analysis/snapshot/document.ts';
import { counted } from '../../../operator/text/wording.ts';
import { setParameters } from '../../address.ts';
import { WordBadge } from '../../components/badge.tsx';
import { Cell, HeadRow } from '../../components/cells.tsx';
import { CsvButton } from '../../components/download.tsx';
import { Empty } from '../../components/empty.tsx';
import { Chips, ChoiceFilter, FilterBar, TextFilter } from '../../components/filters.tsx';
import { Name } from '../../components/name.tsx';
import { VirtualRows } from '../../components/rows.tsx';
import { linksFrom } from '../../model/links.ts';
import { isEvaluated } from '../../model/namespaces.ts';
import {
  filtered,
  parseOrder,
  type Sort,
  sorted,
  type ViolatingFilter,
  type ViolatingRow,
  violatingRows,
  workloadKey,
} from '../../model/violating.ts';
import type { ViewProps } from '../view.ts';
import { WorkloadDetails } from './workload.tsx';

const ROW_HEIGHT = 34;
const COLUMNS: readonly { readonly title: string; readonly sort: Sort; readonly class?: string }[] = [
  { title: 'Namespace', sort: 'namespace' },
  { title: 'Workload', sort: 'workload' },
  { title: 'Result', sort: 'mode' },
  { title: 'Policy', sort: 'policy' },
  { title: 'Rules', sort: 'rules' },
  { title: 'Pods', sort: 'pods', class: 'number' },
];
const FILTERS = ['namespace', 'policy', 'rule', 'result', 'text'] as const;
const NO_FILTER = { namespace: '', policy: '', rule: '', result: '', text: '' };
const RESULTS = [
  { value: 'Refused', text: 'Refused (mode Enforce)' },
  { value: 'Unknown', text: 'Unknown' },
  { value: 'Warned', text: 'Warned (mode Warn)' },
  { value: 'Audited', text: 'Audited (mode Audit)' },
];

export function Violations({ cluster: { snapshot }, parameters, worker }: ViewProps) {
  const all = useMemo(() => violatingRows(snapshot), [snapshot]);
  const filter = filterIn(parameters);
  const key = FILTERS.map((name) => filter[name]).join('\n');
  const { sort: order = '', workload = '' } = parameters;
  const rows = useMemo(() => sorted(filtered(all, filter), order), [all, key, order]);
  const shown = useMemo(() => all.filter((row) => workloadKey(row) === workload), [all, workload]);
  const link = linksFrom(parameters);
  if (all.length === 0) return <Empty text={nothingText(snapshot)} />;
  const show = (row: ViolatingRow | undefined) =>
    setParameters({ workload: row === undefined || workloadKey(row) === workload ? '' : workloadKey(row) });
  return (
    <>
      <h2>Violations</h2>
      <p class="about">
        Workloads that violate a policy, or may do so (unknown): one row for each mode. Choose a row to see why, and how
        to fix it.
      </p>
      <Controls all={all} rows={rows} filter={filter} snapshot={snapshot} />
      {workload !== '' && shown.length === 0 && (
        <p role="status">The workload in the address does not violate a policy, or it is gone.</p>
      )}
      {rows.length === 0 ? (
        <Empty text="No workload matches the filter." onReset={() => setParameters(NO_FILTER)} />
      ) : (
        <VirtualRows
          label="Workloads that violate policies"
          class={`violations ${shown.length > 0 ? 'short' : ''}`}
          count={rows.length}
          rowHeight={ROW_HEIGHT}
          columns={COLUMNS.length}
          head={<HeadRow headings={headings(order)} />}
          onOpen={(index) => show(rows[index])}
          row={(index, active) => rowOf(rows[index] as ViolatingRow, active, workload, show)}
        />
      )}
      {shown.length > 0 && (
        <WorkloadDetails
          key={workload}
          rows={shown}
          snapshot={snapshot}
          worker={worker}
          link={link}
          onClose={() => setParameters({ workload: '' })}
        />
      )}
    </>
  );
}

function filterIn(parameters: Readonly<Record<string, string>>): ViolatingFilter {
  const { namespace = '', policy = '', rule = '', result = '', text = '' } = parameters;
  return { namespace, policy, rule, result, text };
}

function nothingText(snapshot: Snapshot): string {
  return snapshot.missing.length > 0 && !isEvaluated(snapshot)
    ? 'Workloads could not be read, so their violations are not known.'
    : 'No workload violates a policy.';
}

interface ControlsProps {
  readonly all: readonly ViolatingRow[];
  readonly rows: readonly ViolatingRow[];
  readonly filter: ViolatingFilter;
  readonly snapshot: Snapshot;
}

function Controls({ all, rows, filter, snapshot }: ControlsProps) {
  const choices = useMemo(
    () => ({
      namespace: fewChoices(all.map(({ namespace }) => namespace)),
      policy: choicesOf(all.flatMap(({ policies }) => policies)),
      rule: choicesOf(all.flatMap(({ rules }) => rules)),
    }),
    [all],
  );
  const set = (name: (typeof FILTERS)[number]) => (value: string) => setParameters({ [name]: value });
  const chips = FILTERS.filter((name) => filter[name] !== '').map((name) => ({
    text: `${name}: ${filter[name]}`,
    onRemove: () => setParameters({ [name]: '' }),
  }));
  return (
    <>
      <FilterBar>
        <TextFilter label="Text" hint="namespace or name" value={filter.text} onChange={set('text')} />
        <ChoiceFilter label="Result" all="All" value={filter.result} choices={RESULTS} onChange={set('result')} />
        <ChoiceFilter
          label="Policy"
          all="All"
          value={filter.policy}
          choices={choices.policy}
          onChange={set('policy')}
        />
        <ChoiceFilter label="Rule" all="All" value={filter.rule} choices={choices.rule} onChange={set('rule')} />
        {(choices.namespace.length > 0 || filter.namespace !== '') && (
          <ChoiceFilter
            label="Namespace"
            all="All"
            value={filter.namespace}
            choices={choices.namespace}
            onChange={set('namespace')}
          />
        )}
      </FilterBar>
      <div class="above-rows">
        <p class="count" role="status">
          {countText(rows, all)}
        </p>
        <Chips chips={chips} onReset={() => setParameters(NO_FILTER)} />
        <CsvButton file={`violations-${snapshot.context}.csv`} rows={() => csvRows(rows)} />
      </div>
    </>
  );
}

function countText(shown: readonly ViolatingRow[], all: readonly ViolatingRow[]): string {
  const workloads = counted(new Set(shown.map(workloadKey)).size, 'workload');
  const rows =
    shown.length === all.length ? counted(all.length, 'row') : `${shown.length} of ${counted(all.length, 'row')}`;
  return `${workloads} in ${rows}`;
}

/** The choices of a menu. Each value occurs once, with the number of its rows. */
function choicesOf(values: readonly string[]) {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.keys()]
    .sort()
    .map((value) => ({ value, text: `${value} (${counts.get(value)?.toLocaleString('en')})` }));
}

/**
 * The maximum number of choices in a menu. A menu with thousands of values is not useful. The user then filters by
 * text.
 */
const MOST_CHOICES = 200;

function fewChoices(values: readonly string[]) {
  const choices = choicesOf(values);
  return choices.length > MOST_CHOICES ? [] : choices;
}

function* csvRows(rows: readonly ViolatingRow[]): Generator<string[]> {
  yield ['namespace', 'kind', 'name', 'result', 'mode', 'policies', 'rules', 'pods'];
  for (const { namespace, kind, name, effect, mode, policies, rules, pods } of rows)
    yield [namespace, kind, name, effect, mode, policies.join(' '), rules.join(' '), String(pods)];
}

/**
 * The headings of the columns. The first click on a heading sorts by the column. The second click reverses the order.
 */
function headings(order: string) {
  const { sort, reverse } = parseOrder(order);
  return COLUMNS.map(({ sort: own, ...column }) => ({
    ...column,
    sorted: own !== sort ? ('none' as const) : reverse ? ('descending' as const) : ('ascending' as const),
    onSort: () => setParameters({ sort: own === sort && !reverse ? `-${own}` : own }),
  }));
}

function rowOf(row: ViolatingRow, active: number | undefined, chosen: string, show: (row: ViolatingRow) => void) {
  const { namespace, kind, name, mode, effect, policies, rules, pods } = row;
  const isChosen = workloadKey(row) === chosen;
  return {
    key: `${mode} ${workloadKey(row)}`,
    class: `cells ${isChosen ? 'chosen' : ''}`,
    cells: (
      <>
        <Cell names column={1} active={active}>
          <Name text={namespace} />
        </Cell>
        <Cell column={2} active={active}>
          <button type="button" class="link" tabIndex={-1} aria-pressed={isChosen} onClick={() => show(row)}>
            <Name text={kind} class="quiet" /> <Name text={name} />
          </button>
        </Cell>
        <Cell column={3} active={active}>
          <WordBadge word={effect} />
        </Cell>
        <Cell column={4} active={active}>
          <Name text={policies.join(', ')} />
        </Cell>
        <Cell column={5} active={active}>
          <Name text={rules.join(', ')} />
        </Cell>
        <Cell column={6} active={active} class="number">
          {pods.toLocaleString('en')}
        </Cell>
      </>
    ),
  };
}
