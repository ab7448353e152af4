/** Cells for the rows of `VirtualRows`, and headings for the columns. */
import type { ComponentChildren } from 'preact';

interface CellProps {
  /** The number of the column. The first column is 1. */
  readonly column: number;
  /** The number of the column that has the focus, as `VirtualRows` passes it. */
  readonly active: number | undefined;
  /** Whether the cell is the heading of its row. */
  readonly names?: boolean;
  readonly class?: string;
  readonly children: ComponentChildren;
}

export function Cell({ column, active, names = false, class: className, children }: CellProps) {
  const role = names ? 'rowheader' : 'gridcell';
  const attributes = { role, 'aria-colindex': column, tabIndex: column === active ? 0 : -1 } as const;
  return (
    <span class={className} {...attributes}>
      {children}
    </span>
  );
}

export interface Heading {
  readonly title: string;
  readonly class?: string;
  /** The direction in which the column is sorted; absent if users cannot sort by the column. */
  readonly sorted?: 'ascending' | 'descending' | 'none';
  onSort?(): void;
}

export function HeadRow({ headings }: { readonly headings: readonly Heading[] }) {
  return (
    <div role="row" class="cells head">
      {headings.map(({ title, class: className, sorted, onSort }, index) => (
        <span key={title} role="columnheader" class={className} aria-colindex={index + 1} aria-sort={sorted}>
          {onSort ? (
            <button type="button" class="sort" onClick={onSort}>
              {title}
              <span aria-hidden="true">{sorted === 'ascending' ? ' ↑' : sorted === 'descending' ? ' ↓' : ''}</span>
            </button>
          ) : (
            title
          )}
        </span>
      ))}
    </div>
  );
}
