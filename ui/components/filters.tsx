/**
 * Shows the controls of a filter. The state of the filter is in the address. The controls only show and change this
 * state.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { visibleControls } from '../../analysis/text/printable-values.ts';

/** The time in ms for which a filter waits for further typing. */
const DEBOUNCE_MS = 150;

interface FilterProps {
  readonly label: string;
  readonly value: string;
  onChange(value: string): void;
}

export function TextFilter({ label, value, onChange, hint }: FilterProps & { readonly hint?: string }) {
  const [text, setText] = useState(value);
  const timer = useRef(0);
  // The box keeps a space at the end of its text, because the user may type another word. The text of the box is
  // replaced if it differs from the value in the address, except for spaces at the beginning and end.
  useLayoutEffect(() => setText((before) => (before.trim() === value ? before : value)), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const change = (next: string) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => onChange(next.trim()), DEBOUNCE_MS);
  };
  return (
    <label class="filter">
      <span>{label}</span>
      <input
        type="search"
        spellcheck={false}
        autocomplete="off"
        placeholder={hint}
        value={text}
        onInput={({ currentTarget }) => change(currentTarget.value)}
      />
    </label>
  );
}

export interface Choice {
  readonly value: string;
  readonly text: string;
}

/** @param all the text of the choice that filters nothing; undefined if there is no such choice */
export function ChoiceFilter({
  label,
  value,
  onChange,
  choices,
  all,
}: FilterProps & { readonly choices: readonly Choice[]; readonly all?: string }) {
  const listed = all === undefined ? choices : [{ value: '', text: all }, ...choices];
  // The address may name an object that no longer exists.
  const unknown = listed.some((choice) => choice.value === value) ? [] : [{ value, text: value }];
  return (
    <label class="filter">
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {[...listed, ...unknown].map((choice) => (
          <option key={choice.value} value={choice.value}>
            {visibleControls(choice.text)}
          </option>
        ))}
      </select>
    </label>
  );
}

interface Chip {
  readonly text: string;
  onRemove(): void;
}

/** Shows the filters that are set, each with a button that removes the filter. */
export function Chips({ chips, onReset }: { readonly chips: readonly Chip[]; onReset?(): void }) {
  if (chips.length === 0) return null;
  return (
    <ul class="chips" aria-label="Filters that are set">
      {chips.map(({ text, onRemove }) => (
        <li key={text}>
          <button type="button" class="chip" onClick={onRemove}>
            <span>{visibleControls(text)}</span>
            <span class="cross" role="img" aria-label="Remove this filter" />
          </button>
        </li>
      ))}
      {onReset && chips.length > 1 && (
        <li>
          <button type="button" class="link" onClick={onReset}>
            Remove all filters
          </button>
        </li>
      )}
    </ul>
  );
}

/** Shows the row of controls above a list. */
export function FilterBar({ children }: { readonly children: ComponentChildren }) {
  return (
    <search class="filters" aria-label="Filter">
      {children}
    </search>
  );
}
