/**
 * Shows the filters of the map. The filter by the way of holding a capability also explains the shapes of the cells.
 */
import { useMemo } from 'preact/hooks';
import type { Snapshot } from '../../../analysis/snapshot/document.ts';
import { setParameters } from '../../address.ts';
import { Chips, ChoiceFilter, FilterBar, TextFilter } from '../../components/filters.tsx';
import { COLUMNS, HELD } from '../../model/holding.ts';
import { FILTERS, type MapQuestion, NO_FILTER, RUNTIMES } from '../../model/map-question.ts';
import type { Holding, Order } from '../../model/map-rows.ts';
import { type NamespaceState, STATE_TITLES, STATES } from '../../model/namespaces.ts';
import { PrivilegedAmongOthers, type Sample, SampleCell } from './sample.tsx';

const ORDER_TEXTS: Readonly<Record<Order, string>> = { risk: 'Risk', name: 'Name', violations: 'Violations' };

/**
 * The choices of the filter by the way of holding a capability. A sample is a cell of the map, written as `[how the
 * capability is held, whether it is allowed, whether it is held but not allowed]`.
 */
const HELD_TEXTS: readonly { readonly value: Holding; readonly text: string; readonly sample?: Sample }[] = [
  { value: '', text: 'Held in any way' },
  { value: 'default', text: 'Given by the runtime', sample: [HELD.byDefault, 0, 0] },
  { value: 'added', text: 'Added', sample: [HELD.added, 0, 0] },
  { value: 'privileged', text: 'Privileged', sample: [HELD.privileged, 0, 0] },
  { value: 'refused', text: 'Not allowed by the policy', sample: [HELD.added, 0, 1] },
];

/** The choice `Not used`, which is shown only if the snapshot contains evidence. */
const UNUSED = { value: 'unused', text: 'Not used, as far as was observed', sample: [HELD.added, 0, 0, 1] } as const;

interface ControlsProps {
  readonly question: MapQuestion;
  readonly snapshot: Snapshot;
}

export function Controls({ question, snapshot }: ControlsProps) {
  const { filter, order, runtime } = question;
  const policies = useMemo(() => snapshot.policies.map(({ name }) => ({ value: name, text: name })), [snapshot]);
  const hasEvidence = useMemo(() => snapshot.namespaces.some(({ used }) => used !== undefined), [snapshot]);
  const set = (name: string) => (value: string) => setParameters({ [name]: value });
  return (
    <>
      <FilterBar>
        <TextFilter label="Namespace, workload or container" value={filter.text} onChange={set('text')} />
        <ChoiceFilter
          label="Capability"
          all="Any"
          choices={COLUMNS.map(({ name }) => ({ value: name, text: name }))}
          value={filter.capability}
          onChange={set('capability')}
        />
        <ChoiceFilter label="Policy" all="Any" choices={policies} value={filter.policy} onChange={set('policy')} />
        <ChoiceFilter
          label="Namespaces"
          all="All"
          choices={STATES.map((state) => ({ value: state, text: STATE_TITLES[state] }))}
          value={filter.state}
          onChange={set('state')}
        />
        <ChoiceFilter
          label="Verdict"
          all="Any"
          choices={['Violating', 'Unknown', 'Compliant'].map((value) => ({ value, text: value }))}
          value={filter.verdict}
          onChange={set('verdict')}
        />
        <ChoiceFilter
          label="Sorted by"
          choices={(['risk', 'violations', 'name'] as const).map((value) => ({ value, text: ORDER_TEXTS[value] }))}
          value={order}
          onChange={set('sort')}
        />
        <ChoiceFilter
          label="Container runtime"
          choices={RUNTIMES.map((value) => ({ value, text: value }))}
          value={runtime}
          onChange={set('runtime')}
        />
      </FilterBar>
      <HeldChoice value={filter.held} hasEvidence={hasEvidence} onChange={set('held')} />
      <Chips chips={chipsOf(question)} onReset={() => setParameters(NO_FILTER)} />
    </>
  );
}

interface HeldChoiceProps {
  readonly value: Holding;
  readonly hasEvidence: boolean;
  onChange(value: string): void;
}

function HeldChoice({ value, hasEvidence, onChange }: HeldChoiceProps) {
  return (
    <fieldset class="held">
      <legend class="visually-hidden">How the capability is held</legend>
      {[...HELD_TEXTS, ...(hasEvidence ? [UNUSED] : [])].map(({ value: one, text, sample }) => (
        <label key={one}>
          <input type="radio" name="held" checked={value === one} onChange={() => onChange(one)} />
          {sample && <SampleCell sample={sample} />}
          {text}
        </label>
      ))}
      <span class="note">
        <SampleCell sample={[HELD.no, 1, 0]} /> framed: the deciding policy allows it
      </span>
      <span class="note">
        <PrivilegedAmongOthers /> underlined: some of its containers are privileged
      </span>
    </fieldset>
  );
}

const NAMES: Readonly<Record<(typeof FILTERS)[number], string>> = {
  text: 'name',
  capability: 'capability',
  namespace: 'namespace',
  policy: 'policy',
  held: 'held',
  state: 'namespaces',
  verdict: 'verdict',
};

function chipsOf({ filter }: MapQuestion) {
  return FILTERS.filter((name) => filter[name] !== '').map((name) => ({
    text: `${NAMES[name]}: ${textOf(name, filter[name])}`,
    onRemove: () => setParameters({ [name]: '' }),
  }));
}

function textOf(name: string, value: string): string {
  if (name === 'held') return [...HELD_TEXTS, UNUSED].find((one) => one.value === value)?.text.toLowerCase() ?? value;
  return name === 'state' ? STATE_TITLES[value as NamespaceState].toLowerCase() : value;
}
