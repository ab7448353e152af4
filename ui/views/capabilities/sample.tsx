/** One cell of the map, beside the words for it. */
import { COLUMNS } from '../../model/holding.ts';
import { CELL_WIDTH, drawingOf, ROW_HEIGHT } from '../../model/map-drawing.ts';
import { Paths } from './drawn.tsx';

/** How it is held, whether it is allowed, and whether it is held without being allowed. */
export type Sample = readonly [how: number, allowed: number, refused: number];

export function SampleCell({ sample }: { readonly sample: Sample }) {
  const [how, allowed, refused] = sample.map((value) => {
    const cells = new Uint8Array(COLUMNS.length);
    cells[0] = value;
    return cells;
  }) as [Uint8Array, Uint8Array, Uint8Array];
  return (
    <svg class="origin sample" width={CELL_WIDTH} height={ROW_HEIGHT} aria-hidden="true">
      <Paths drawing={drawingOf({ how, allowed, refused })} />
    </svg>
  );
}
