/**
 * Shows the grid of the map. The focused row has an element for each capability. Every other row is a drawing with a
 * text.
 */
import { useRef } from 'preact/hooks';
import { RISK_CLASSES, RISKS, type Risk } from '../../../operator/standards/capabilities.ts';
import { counted } from '../../../operator/text/wording.ts';
import { setParameters } from '../../address.ts';
import { Icon } from '../../components/badge.tsx';
import { Name } from '../../components/name.tsx';
import { type Row, VirtualRows } from '../../components/rows.tsx';
import type { Cells } from '../../model/capability-map.ts';
import { COLUMNS, columnOf } from '../../model/holding.ts';
import { CELL_WIDTH, columnAt, drawingOf, LEFTS, MAP_WIDTH, ROW_HEIGHT } from '../../model/map-drawing.ts';
import type { MapRow } from '../../model/map-rows.ts';
import { cellText, rowText } from '../../model/map-text.ts';
import type { Pointed } from './detail.tsx';
import { Paths } from './drawn.tsx';

/**
 * The number of columns before the capabilities: the name and the violations. `aria-colindex` counts the name and the
 * violations, too.
 */
const LEADING = 2;
/** The number of rows that contain headings. */
const HEADINGS = 2;

const RISK_TITLES: Readonly<Record<Risk, string>> = {
  host: 'Host',
  node: 'Node',
  kernel: 'Kernel',
  container: 'Container',
  low: 'Low risk',
};

interface HeatMapProps {
  readonly rows: readonly MapRow[];
  onToggle(index: number): void;
  /** Called with the cell under the pointer, or with the focused cell. */
  onPoint(pointed: Pointed | undefined): void;
  /** The capability that the filter names. */
  readonly asked: string;
}

export function HeatMap({ rows, onToggle, onPoint, asked }: HeatMapProps) {
  const column = columnOf(asked);
  const map = useRef<HTMLDivElement>(null);
  const last = useRef<Pointed>({});
  const point = (at: Pointed) => {
    if (at.row === last.current.row && at.column === last.current.column) return;
    last.current = at;
    map.current?.style.setProperty('--pointed', at.column === undefined ? '-100px' : `${LEFTS[at.column]}px`);
    onPoint(at);
  };
  return (
    <div
      ref={map}
      class="map"
      style={{ '--map': `${MAP_WIDTH}px`, '--asked': column === undefined ? '-100px' : `${LEFTS[column]}px` }}
      onPointerMove={(event) => point(underPointer(event, rows))}
      onFocusIn={({ target }) => point(withFocus(target as Element, rows))}
    >
      <VirtualRows
        role="treegrid"
        label="Capabilities by namespace, workload and container"
        count={rows.length}
        rowHeight={ROW_HEIGHT}
        columns={LEADING + COLUMNS.length}
        head={<Headings />}
        headRows={HEADINGS}
        row={(index, column, isActive) => rowOf(rows[index] as MapRow, column, isActive, () => onToggle(index))}
        onToggle={onToggle}
        onOpen={onToggle}
        parentOf={(index) => rows[index]?.parent}
      />
    </div>
  );
}

/**
 * The row and the column under the pointer. The column is computed from the position, because the cells of a drawing
 * are not elements.
 */
function underPointer({ target, clientX }: PointerEvent, rows: readonly MapRow[]): Pointed {
  const row = rowOfElement(target as Element, rows);
  const first = (target as Element).closest('.row, .rows-head')?.querySelector('.origin');
  const column = first ? columnAt(clientX - first.getBoundingClientRect().left) : undefined;
  return { ...(row && { row }), ...(column !== undefined && { column }) };
}

function withFocus(target: Element, rows: readonly MapRow[]): Pointed {
  const row = rowOfElement(target, rows);
  const column = Number(target.getAttribute('aria-colindex') ?? 0) - LEADING - 1;
  return { ...(row && { row }), ...(column >= 0 && { column }) };
}

function rowOfElement(target: Element, rows: readonly MapRow[]): MapRow | undefined {
  return rows[Number(target.closest('.row')?.getAttribute('aria-rowindex') ?? 0) - HEADINGS - 1];
}

function Headings() {
  return (
    <>
      <div role="row" aria-rowindex={1} class="risks">
        <span role="columnheader" aria-colindex={1} aria-colspan={LEADING} class="corner" aria-label="Risk" />
        <span class="origin" aria-hidden="true" />
        {RISK_CLASSES.map((risk) => {
          const first = COLUMNS.findIndex((capability) => capability.risk === risk);
          const count = COLUMNS.filter((capability) => capability.risk === risk).length;
          return (
            <span
              key={risk}
              role="columnheader"
              aria-colindex={first + LEADING + 1}
              aria-colspan={count}
              class={`risk r-${risk}`}
              style={placed(first, count)}
            >
              <b>{RISK_TITLES[risk]}</b>
              {risk !== 'low' && <span class="words">{RISKS[risk]}</span>}
            </span>
          );
        })}
      </div>
      <div role="row" aria-rowindex={2} class="names">
        <span role="columnheader" aria-colindex={1} class="corner">
          Namespace, workload, container
        </span>
        <span role="columnheader" aria-colindex={2} class="violating">
          Violating
        </span>
        {COLUMNS.map(({ name }, column) => (
          <span
            key={name}
            role="columnheader"
            aria-colindex={column + LEADING + 1}
            class="capability"
            style={placed(column)}
          >
            <button type="button" tabIndex={-1} onClick={() => setParameters({ capability: name })}>
              {name}
            </button>
          </span>
        ))}
      </div>
    </>
  );
}

function placed(column: number, count = 1) {
  return { '--left': `${LEFTS[column]}px`, '--width': `${count * CELL_WIDTH}px` };
}

function rowOf(row: MapRow, focused: number | undefined, isActive: boolean, toggle: () => void): Row {
  const { key, level, expanded, cells } = row;
  return {
    key,
    level,
    ...(expanded !== undefined && { expanded }),
    class: `level-${level}`,
    cells: [
      <span key="name" role="rowheader" aria-colindex={1} class="title" tabIndex={focused === 1 ? 0 : undefined}>
        <Title row={row} toggle={toggle} />
      </span>,
      <span
        key="violating"
        role="gridcell"
        aria-colindex={2}
        class="violating"
        tabIndex={focused === 2 ? 0 : undefined}
      >
        <Violating row={row} />
      </span>,
      <Drawn key="drawn" cells={cells} hidden={isActive} />,
      ...(isActive ? focusable(row, focused) : []),
    ],
  };
}

/**
 * Shows the drawing of a row, with a text for screen readers.
 *
 * @param hidden whether other elements already have this text
 */
function Drawn({ cells, hidden }: { readonly cells: Cells; readonly hidden: boolean }) {
  const svg = (
    <svg class="origin" width={MAP_WIDTH} height={ROW_HEIGHT} aria-hidden="true">
      <Paths drawing={drawingOf(cells)} />
    </svg>
  );
  if (hidden) return svg;
  return (
    <span role="gridcell" aria-colindex={LEADING + 1} aria-colspan={COLUMNS.length} aria-label={rowText(cells)}>
      {svg}
    </span>
  );
}

function focusable({ cells }: MapRow, focused: number | undefined) {
  return COLUMNS.map(({ name }, column) => (
    <span
      key={name}
      role="gridcell"
      aria-colindex={column + LEADING + 1}
      aria-label={cellText(cells, column)}
      tabIndex={focused === column + LEADING + 1 ? 0 : undefined}
      class="cell"
      style={placed(column)}
    />
  ));
}

function Title({ row: { level, namespace, workload, container, expanded }, toggle }: { row: MapRow; toggle(): void }) {
  const arrow =
    expanded === undefined ? (
      <span class="arrow none" />
    ) : (
      // The button is only for the pointer. With the keyboard, users expand the row by keys on the row itself.
      <button
        type="button"
        class={`arrow ${expanded ? 'open' : ''}`}
        tabIndex={-1}
        aria-hidden="true"
        onClick={toggle}
      />
    );
  if (level === 1) {
    return (
      <>
        {arrow}
        <Name text={namespace.namespace.name} />
        <span class="note">{counted(namespace.workloads.length, 'workload')}</span>
      </>
    );
  }
  if (level === 2 && workload) {
    return (
      <>
        {arrow}
        <Name text={workload.name} />
        <span class="note">
          {workload.kind}
          {workload.pods > 0 && `, ${counted(workload.pods, 'pod')}`}
        </span>
      </>
    );
  }
  return (
    <>
      <Name text={container?.name ?? ''} />
      {container?.error !== undefined && <span class="note">does not start: {container.error}</span>}
    </>
  );
}

function Violating({ row: { level, namespace, workload } }: { readonly row: MapRow }) {
  if (level === 1) return namespace.violating === 0 ? null : namespace.violating.toLocaleString('en');
  if (level === 3 || !workload?.verdict || workload.verdict === 'Compliant') return null;
  const isViolating = workload.verdict === 'Violating';
  return (
    <>
      <Icon tone={isViolating ? 'critical' : 'unknown'} />
      <span class="visually-hidden">{workload.verdict}</span>
    </>
  );
}
