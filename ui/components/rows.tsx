/**
 * Shows a list of many rows. Only the visible rows are in the document. Arrow keys, Home, End, Page Up and Page Down
 * move through the list. The Tab key reaches only one row or cell at a time.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { moved, type Position, windowOf } from './rows-model.ts';

export interface Row {
  readonly key: string;
  /**
   * The cells of the row: elements of role `rowheader` or `gridcell` with `aria-colindex`. A column without content
   * needs no element.
   */
  readonly cells: ComponentChildren;
  readonly class?: string | undefined;
  /** The level of the row in a treegrid. The top level is 1. */
  readonly level?: number;
  /** Whether the row is expanded; absent if the row has no rows below it. */
  readonly expanded?: boolean;
}

interface VirtualRowsProps {
  readonly role?: 'grid' | 'treegrid';
  readonly label: string;
  readonly count: number;
  /** The height of a row, in CSS pixels. */
  readonly rowHeight: number;
  /** The number of cells in a row that the arrow keys can reach; 0 if the keys move only between rows. */
  readonly columns?: number;
  /** The rows with the column headings, as elements of role `row`. */
  readonly head?: ComponentChildren;
  readonly headRows?: number;
  /**
   * @param column the `aria-colindex` of the cell that needs `tabIndex={0}`; undefined in other rows
   * @param isActive whether the Tab key can reach the row, or one of its cells
   */
  row(index: number, column: number | undefined, isActive: boolean): Row;
  /** Expands or collapses a row of a treegrid. */
  onToggle?(index: number): void;
  /** Opens a row, when the user presses Enter or double-clicks. */
  onOpen?(index: number): void;
  /** Returns the index of the row that contains the given row; undefined at the top level. */
  parentOf?(index: number): number | undefined;
  readonly class?: string;
}

/** The maximum number of rows that are printed. Users should filter a longer list before they print it. */
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
      // The index of the focused row may have changed, because rows above it may have been added or removed.
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
    // Headings handle their keys themselves.
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
  // The focused row stays in the document when it is scrolled out of view, so that it keeps the focus.
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

/** Whether the element is a text box or a select, which handles the arrow keys itself. */
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

/** Scrolls so that the row is visible below the headings, which stay at the top. */
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
