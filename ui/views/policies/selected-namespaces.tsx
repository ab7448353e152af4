/**
 * Lists the namespaces that a policy selects. Each row says why the policy decides in the namespace, or why it does not
 * decide.
 */
import { useMemo } from 'preact/hooks';
import type { SelectedNamespace } from '../../../analysis/policies/selected-namespaces.ts';
import type { Snapshot, SnapshotPolicy } from '../../../analysis/snapshot/document.ts';
import { labelOfMode } from '../../../operator/compile/labels.ts';
import { setParameters } from '../../address.ts';
import { Badge, type Tone } from '../../components/badge.tsx';
import { Cell, HeadRow } from '../../components/cells.tsx';
import { Empty } from '../../components/empty.tsx';
import { ChoiceFilter, FilterBar, TextFilter } from '../../components/filters.tsx';
import { Name } from '../../components/name.tsx';
import { VirtualRows } from '../../components/rows.tsx';
import { Section } from '../../components/section.tsx';
import type { LinkTo } from '../../model/links.ts';
import {
  SELECTION_STATES,
  type SelectionState,
  STATE_WORDS,
  selectionState,
  whyText,
} from '../../model/selection-words.ts';
import type { PolicyFacts } from '../../worker/policy-facts.ts';

const TONES: Readonly<Record<SelectionState, Tone>> = {
  decides: 'good',
  shares: 'good',
  pending: 'warning',
  overridden: 'quiet',
  terminating: 'quiet',
  excluded: 'quiet',
};
const ROW_HEIGHT = 46;
const HEADINGS = ['Namespace', 'Decision', 'Why', 'Pod Security label'].map((title) => ({ title }));

const WHY_NOWHERE = {
  Expired: 'It has expired, so it counts as deleted: it decides nowhere.',
  NotAccepted: 'It was never accepted, so it decides nowhere.',
  Gone: 'It is gone.',
} as const;

interface SelectedNamespacesProps {
  readonly policy: SnapshotPolicy;
  readonly facts: PolicyFacts;
  readonly snapshot: Snapshot;
  readonly parameters: Readonly<Record<string, string>>;
  readonly link: LinkTo;
}

interface Shown extends SelectedNamespace {
  readonly state: SelectionState;
  readonly why: string;
  readonly label: string;
}

export function SelectedNamespaces({ policy, facts, snapshot, parameters, link }: SelectedNamespacesProps) {
  const { namespace: text = '', decision = '' } = parameters;
  const all = useMemo(() => shownNamespaces(facts.selected, policy, snapshot), [facts, policy, snapshot]);
  const counts = SELECTION_STATES.flatMap((state) => {
    const count = all.filter((one) => one.state === state).length;
    return count > 0 ? [{ value: state, text: `${STATE_WORDS[state]} (${count.toLocaleString('en')})` }] : [];
  });
  const shown = all.filter(
    ({ namespace, state }) => namespace.includes(text.toLowerCase()) && (decision === '' || state === decision),
  );
  if (!facts.force.in) return <Section title="Where it decides">{WHY_NOWHERE[facts.force.why]}</Section>;
  return (
    <Section title="Where it decides" about={summaryOf(all)}>
      {all.length > 0 && (
        <FilterBar>
          <TextFilter label="Namespace" value={text} onChange={(namespace) => setParameters({ namespace })} />
          <ChoiceFilter
            label="Decision"
            all={`All (${all.length.toLocaleString('en')})`}
            value={decision}
            choices={counts}
            onChange={(value) => setParameters({ decision: value })}
          />
        </FilterBar>
      )}
      {all.length > 0 && shown.length === 0 && (
        <Empty text="No namespace matches the filter." onReset={() => setParameters({ namespace: '', decision: '' })} />
      )}
      {shown.length > 0 && (
        <VirtualRows
          label="Namespaces that the policy selects"
          class="selected-namespaces"
          count={shown.length}
          rowHeight={ROW_HEIGHT}
          columns={HEADINGS.length}
          head={<HeadRow headings={HEADINGS} />}
          onOpen={(index) => {
            location.hash = link('violations', { namespace: shown[index]?.namespace ?? '' });
          }}
          row={(index, active) => rowOf(shown[index] as Shown, active, link)}
        />
      )}
    </Section>
  );
}

function shownNamespaces(
  selected: readonly SelectedNamespace[],
  { spec }: SnapshotPolicy,
  { namespaces }: Snapshot,
): Shown[] {
  const labels = new Map(namespaces.map((namespace) => [namespace.name, namespace.labels]));
  return selected.map((one) => ({
    ...one,
    state: selectionState(one),
    why: whyText(one, spec.priority),
    label: labels.get(one.namespace)?.[labelOfMode('Enforce')] ?? '–',
  }));
}

function summaryOf(all: readonly Shown[]): string {
  if (all.length === 0) return 'It selects no namespace.';
  const decides = all.filter(({ state }) => state === 'decides' || state === 'shares' || state === 'pending').length;
  return decides === all.length
    ? `In ${all.length === 1 ? 'the one namespace' : `all ${all.length.toLocaleString('en')} namespaces`} that it selects.`
    : `In ${decides === 0 ? 'none' : decides.toLocaleString('en')} of the ${all.length === 1 ? 'one namespace' : `${all.length.toLocaleString('en')} namespaces`} that it selects.`;
}

function rowOf({ namespace, state, why, label }: Shown, active: number | undefined, link: LinkTo) {
  return {
    key: namespace,
    class: 'cells',
    cells: (
      <>
        <Cell names column={1} active={active}>
          <a href={link('violations', { namespace })} tabIndex={-1}>
            <Name text={namespace} />
          </a>
        </Cell>
        <Cell column={2} active={active}>
          <Badge tone={TONES[state]}>{STATE_WORDS[state]}</Badge>
        </Cell>
        <Cell column={3} active={active} class="why">
          <Name text={why} />
        </Cell>
        <Cell column={4} active={active}>
          <Name text={label} />
        </Cell>
      </>
    ),
  };
}
