/** One cell of the map, beside the words for it. */
import { COLUMNS } from '../../model/holding.ts';
import { CELL_WIDTH, drawingOf, ROW_HEIGHT } from '../../model/map-drawing.ts';
import { Paths } from './drawn.tsx';

/** How it is held, and whether it is allowed, held without being allowed, and unused. */
export type Sample = readonly [how: number, allowed: number, refused: number, unused?: number];

export function SampleCell({ sample }: { readonly sample: Sample }) {
  const [how, allowed, refused, unused] = sample.map((value = 0) => {
    const cells = new Uint8Array(COLUMNS.length);
    cells[0] = value;
    return cells;
  }) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array?];
  return (
    <svg class="origin sample" width={CELL_WIDTH} height={ROW_HEIGHT} aria-hidden="true">
      <Paths drawing={drawingOf({ how, allowed, refused, ...(unused && { unused }) })} />
    </svg>
  );
}
