/** Draws one cell of the map beside the words that explain it. */
import type { Cells } from '../../model/capability-map.ts';
import { COLUMNS, HELD } from '../../model/holding.ts';
import { CELL_WIDTH, drawingOf, ROW_HEIGHT } from '../../model/map-drawing.ts';
import { Paths } from './drawn.tsx';

/** Draws a cell in which some containers are privileged, and the other containers do not hold the capability. */
export function PrivilegedAmongOthers() {
  const [how, none] = [new Uint8Array(COLUMNS.length), new Uint8Array(COLUMNS.length)];
  how[0] = HELD.privileged;
  return <Cell cells={{ how, unprivileged: none, allowed: none, refused: none }} />;
}

/** A sample cell: how the capability is held, and whether it is allowed, held but not allowed, and unused. */
export type Sample = readonly [how: number, allowed: number, refused: number, unused?: number];

export function SampleCell({ sample }: { readonly sample: Sample }) {
  const [how, allowed, refused, unused] = sample.map((value = 0) => {
    const cells = new Uint8Array(COLUMNS.length);
    cells[0] = value;
    return cells;
  }) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array?];
  return <Cell cells={{ how, allowed, refused, ...(unused && { unused }) }} />;
}

function Cell({ cells }: { readonly cells: Cells }) {
  return (
    <svg class="origin sample" width={CELL_WIDTH} height={ROW_HEIGHT} aria-hidden="true">
      <Paths drawing={drawingOf(cells)} />
    </svg>
  );
}
