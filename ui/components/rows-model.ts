/** Calculates which rows of a long list are in the document, and where a key moves the focus. */

/** A position in a list: a row, and a column of the row. Column 0 means the row itself. */
export interface Position {
  readonly row: number;
  readonly column: number;
}

/**
 * While the user scrolls, the window of shown rows moves by this number of rows. A step of more than one row avoids
 * work for most scroll events.
 */
const STEP = 4;

/** @returns the index of the first row in the document, and the index after its last row */
export function windowOf(
  scrollTop: number,
  height: number,
  rowHeight: number,
  count: number,
): { readonly first: number; readonly last: number } {
  const top = Math.floor(scrollTop / rowHeight / STEP) * STEP;
  const visible = Math.ceil(height / rowHeight / STEP) * STEP;
  const first = Math.max(0, Math.min(top - STEP, count - visible));
  return { first, last: Math.min(count, top + visible + 2 * STEP) };
}

export interface Surroundings {
  readonly count: number;
  readonly columns: number;
  /** The number of rows by which Page Down moves the focus. */
  readonly page: number;
  /** Whether the active row is expanded. If the active row contains no other rows, the value is undefined. */
  readonly expanded: boolean | undefined;
  /** The index of the row that contains the active row. */
  readonly parent: number | undefined;
}

interface Key {
  readonly key: string;
  readonly ctrlKey: boolean;
}

/** Handles the keys of the treegrid pattern in the ARIA Authoring Practices. @returns undefined for any other key */
export function moved(at: Position, { key, ctrlKey }: Key, around: Surroundings): Position | 'toggle' | undefined {
  const { row, column } = at;
  const last = Math.max(0, around.count - 1);
  const page = Math.max(1, around.page);
  const to = (next: number): Position => ({ row: Math.max(0, Math.min(last, next)), column });
  if (around.count === 0) return undefined;
  switch (key) {
    case 'ArrowDown':
      return to(row + 1);
    case 'ArrowUp':
      return to(row - 1);
    case 'PageDown':
      return to(row + page);
    case 'PageUp':
      return to(row - page);
    case 'Home':
      return column === 0 || ctrlKey ? to(0) : { row, column: 1 };
    case 'End':
      return column === 0 || ctrlKey ? to(last) : { row, column: around.columns };
    case 'ArrowRight':
      return toTheRight(at, around);
    case 'ArrowLeft':
      return toTheLeft(at, around);
    case ' ':
      return column === 0 && around.expanded !== undefined ? 'toggle' : undefined;
    default:
      return undefined;
  }
}

function toTheRight({ row, column }: Position, { columns, expanded }: Surroundings): Position | 'toggle' | undefined {
  if (column === 0 && expanded === false) return 'toggle';
  return column < columns ? { row, column: column + 1 } : undefined;
}

function toTheLeft({ row, column }: Position, { expanded, parent }: Surroundings): Position | 'toggle' | undefined {
  if (column > 0) return { row, column: column - 1 };
  if (expanded) return 'toggle';
  return parent === undefined ? undefined : { row: parent, column };
}
