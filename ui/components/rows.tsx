/**
 * A list of many rows, of which only the visible rows are in the document. Arrow keys, Home, End, Page Up and Page Down
 * move through the list. Only one row or cell at a time can be reached with the Tab key.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { moved, type Position, windowOf } from './rows-model.ts';

export interface Row {
  readonly key: string;
  /** Elements of role `rowheader` or `gridcell`, with `aria-colindex`; absent columns need no element. */
  readonly cells: ComponentChildren;
  readonly class?: string | undefined;
  /** The level of the row in a treegrid, starting from 1. */
  readonly level?: number;
  /** Whether the row is expanded; absent if no rows are below it. */
  readonly expanded?: boolean;
}

interface VirtualRowsProps {
  readonly role?: 'grid' | 'treegrid';
  readonly label: string;
  readonly count: number;
  /** The height of each row, in CSS pixels. */
  readonly rowHeight: number;
  /** The number of cells that the arrow keys reach in a row; 0 if they only move between rows. */
  readonly columns?: number;
  /** The rows of column headings: elements of role `row`. */
  readonly head?: ComponentChildren;
  readonly headRows?: number;
  /**
   * @param column the cell that needs `tabIndex={0}`, by its `aria-colindex`; undefined in other rows
   * @param isActive whether the row, or one of its cells, can be reached with the Tab key
   */
  row(index: number, column: number | undefined, isActive: boolean): Row;
  /** Expands or collapses a row of a treegrid. */
  onToggle?(index: number): void;
  /** Opens a row: on Enter, or on a double click. */
  onOpen?(index: number): void;
  /** The row that contains the row; undefined at the top level. */
  parentOf?(index: number): number | undefined;
  readonly class?: string;
}

/** The most rows that are printed; the reader should filter a longer list. */
const PRINTED_ROWS = 1_000;

export function VirtualRows(props: VirtualRowsProps) {
  const { role = 'grid', label, count, rowHeight, columns = 0, head, headRows = head ? 1 : 0 } = props;
  const container = useRef<HTMLDivElement>(null);
  const [shown, setShown] = useState({ first: 0, last: Math.min(count, 40) });
  const [position, setPosition] = useState<Position>({ row: 0, column: 0 });
  const follows = useRef(false);
  const printing = usePrinting();
  const active = { ...position, row: Math.max(0, Math.min(position.row, count - 1)) };

  const measure = () => {
    const { current } = container;
    if (!current) return;
    const next = windowOf(current.scrollTop, current.clientHeight, rowHeight, count);
    setShown((before) => (before.first === next.first && before.last === next.last ? before : next));
  };
  useLayoutEffect(measure, [count, rowHeight]);
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    if (container.current) observer.observe(container.current);
    return () => observer.disconnect();
  }, [count, rowHeight]);
  useLayoutEffect(() => {
    if (!follows.current) {
      // Rows above the focused row may have been added or removed, which changes the index of the focused row.
      const at = focusedIn(container.current, headRows);
      if (at && at.row !== active.row) setPosition(at);
      return;
    }
    follows.current = false;
    container.current?.querySelector<HTMLElement>('[role="row"] [tabindex="0"], [role="row"][tabindex="0"]')?.focus({
      preventScroll: true,
    });
  });

  const go = (next: Position) => {
    follows.current = true;
    setPosition(next);
    if (container.current) scrollTo(container.current, next.row, rowHeight);
    measure();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.metaKey || isControl(event.target)) return;
    // A heading handles its keys itself.
    if (!positionOf(event.target as Element, headRows)) return;
    if (event.key === 'Enter' && props.onOpen) {
      event.preventDefault();
      props.onOpen(active.row);
      return;
    }
    const page = Math.floor((container.current?.clientHeight ?? 0) / rowHeight) - headRows - 1;
    const { expanded } = props.row(active.row, undefined, true);
    const parent = props.parentOf?.(active.row);
    const step = moved(active, event, { count, columns, page, expanded, parent });
    if (!step) return;
    event.preventDefault();
    if (step === 'toggle') props.onToggle?.(active.row);
    else go(step);
  };
  const onFocus = ({ target }: FocusEvent) => {
    const at = positionOf(target as Element, headRows);
    if (at && (at.row !== active.row || at.column !== active.column)) setPosition(at);
  };

  const indexes = printing ? range(0, Math.min(count, PRINTED_ROWS)) : range(shown.first, Math.min(shown.last, count));
  // A focused row keeps the focus when it is scrolled out of view.
  if (!printing && count > 0 && !indexes.includes(active.row)) indexes.push(active.row);
  return (
    <>
      {printing && count > PRINTED_ROWS && (
        <p class="cut">
          The first {PRINTED_ROWS.toLocaleString('en')} of {count.toLocaleString('en')} rows are printed. Filter the
          rows to print the others.
        </p>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useAriaPropsSupportedByRole: it is a grid; its rows have the focus */}
      <div
        ref={container}
        class={`rows ${props.class ?? ''}`}
        role={role}
        aria-label={label}
        aria-rowcount={count + headRows}
        aria-colcount={columns > 0 ? columns : undefined}
        onScroll={measure}
        onKeyDown={onKeyDown}
        onFocusIn={onFocus}
      >
        {head && (
          <div class="rows-head" role="rowgroup">
            {head}
          </div>
        )}
        <div class="rows-body" role="rowgroup" style={{ '--height': `${count * rowHeight}px` }}>
          {indexes.map((index) => {
            const isActive = index === active.row;
            const onCell = isActive && active.column > 0;
            const {
              key,
              cells,
              class: className = '',
              level,
              expanded,
            } = props.row(index, onCell ? active.column : undefined, isActive);
            return (
              <div
                key={key}
                role="row"
                class={`row ${className}`}
                aria-rowindex={index + headRows + 1}
                aria-level={level}
                aria-expanded={expanded}
                tabIndex={isActive && !onCell ? 0 : -1}
                onDblClick={props.onOpen && (() => props.onOpen?.(index))}
                style={{ '--top': `${index * rowHeight}px`, '--height': `${rowHeight}px` }}
              >
                {cells}
              </div>
            );
          })}
        </div>
      </div>
    </>
  );
}

/** A text box or a select in a row handles the arrow keys itself. */
function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches('input, select, textarea');
}

function focusedIn(container: Element | null, headRows: number): Position | undefined {
  const { activeElement } = document;
  return container && activeElement && container.contains(activeElement)
    ? positionOf(activeElement, headRows)
    : undefined;
}

function positionOf(target: Element, headRows: number): Position | undefined {
  const row = target.closest('.row');
  if (!row) return undefined;
  const cell = target.closest('[role="gridcell"], [role="rowheader"]');
  const column = target === row ? 0 : Number(cell?.getAttribute('aria-colindex') ?? 0);
  return { row: Number(row.getAttribute('aria-rowindex')) - headRows - 1, column };
}

/** Scrolls the row below the headings, which stay at the top. */
function scrollTo(container: HTMLElement, row: number, rowHeight: number): void {
  const head = container.querySelector('.rows-head')?.clientHeight ?? 0;
  const [top, bottom] = [row * rowHeight, (row + 1) * rowHeight];
  if (top < container.scrollTop) container.scrollTop = top;
  const room = container.clientHeight - head;
  if (bottom > container.scrollTop + room) container.scrollTop = bottom - room;
}

function usePrinting(): boolean {
  const [printing, setPrinting] = useState(false);
  useLayoutEffect(() => {
    const print = matchMedia('print');
    const follow = () => setPrinting(print.matches);
    const begin = () => setPrinting(true);
    const end = () => setPrinting(false);
    print.addEventListener('change', follow);
    addEventListener('beforeprint', begin);
    addEventListener('afterprint', end);
    return () => {
      print.removeEventListener('change', follow);
      removeEventListener('beforeprint', begin);
      removeEventListener('afterprint', end);
    };
  }, []);
  return printing;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index);
}
