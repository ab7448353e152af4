/**
 * Draws the cells of a row as a few SVG paths. An element for each cell would make scrolling slow. If several rows have
 * the same cells, the rows share one drawing.
 */
import { perObject } from '../../operator/policy/memo.ts';
import { RISK_CLASSES, type Risk } from '../../operator/standards/capabilities.ts';
import type { Cells } from './capability-map.ts';
import { COLUMNS, HELD } from './holding.ts';

/** The height of a row in the map, in CSS pixels. */
export const ROW_HEIGHT = 24;
export const CELL_WIDTH = 20;
/** The gap between the columns of two classes of risk, in CSS pixels. */
const GAP = 12;

/** The left edge of each column, in CSS pixels. */
export const LEFTS: readonly number[] = COLUMNS.map(
  ({ risk }, column) => column * CELL_WIDTH + RISK_CLASSES.indexOf(risk) * GAP,
);
export const MAP_WIDTH = (LEFTS.at(-1) ?? 0) + CELL_WIDTH;

/**
 * The column at the given distance from the left edge of the map. The result is undefined in the gap between two
 * classes.
 */
export function columnAt(x: number): number | undefined {
  const column = LEFTS.findLastIndex((left) => left <= x);
  const left = LEFTS[column];
  return left !== undefined && x < left + CELL_WIDTH ? column : undefined;
}

/** The SVG paths of a row. If there is nothing to draw, a path is empty. */
export interface Drawing {
  /** The dots, squares, bars and lines as SVG paths, grouped by the colour of their risk. */
  readonly fills: readonly (readonly [Risk, string])[];
  /** The shapes of held but unused capabilities, grouped by colour like `fills`. */
  readonly unused: readonly (readonly [Risk, string])[];
  /** The plus signs in the squares. */
  readonly pluses: string;
  /**
   * The frames around capabilities that are held and allowed. `room` has the frames around the allowed capabilities
   * that no container holds.
   */
  readonly frames: string;
  readonly room: string;
  /** The marks of the capabilities that are held but not allowed. Each mark is in a corner of the capability's cell. */
  readonly corners: string;
}

export const drawingOf = perObject(drawn);

const MIDDLE = ROW_HEIGHT / 2;

function drawn({ how, allowed, refused, unprivileged, unused }: Cells): Drawing {
  const [fills, dimmed] = [new Map<Risk, string>(), new Map<Risk, string>()];
  let [pluses, frames, room, corners] = ['', '', '', ''];
  for (const [column, { risk }] of COLUMNS.entries()) {
    const left = LEFTS[column] as number;
    const [way, mark] = [how[column] as number, (unprivileged ?? how)[column] as number];
    // If only some containers are privileged, a line represents the privileged containers. The shape above the line
    // represents the other containers.
    const line = unprivileged && way === HELD.privileged ? box(left, ROW_HEIGHT - 5, CELL_WIDTH, 3) : '';
    const shape = line + (SHAPES[mark]?.(left) ?? '');
    const into = unused?.[column] ? dimmed : fills;
    if (shape !== '') into.set(risk, (into.get(risk) ?? '') + shape);
    if (mark === HELD.added) pluses += `M${left + 6} ${MIDDLE}h8m-4-4v8`;
    const isLine = line !== '' && mark === HELD.no;
    if (refused[column] && !isLine) corners += `M${left + 15} ${way === HELD.privileged && !unprivileged ? 5 : 2}h5v5z`;
    if (allowed[column] && way === HELD.no) room += frame(left, 13);
    else if (allowed[column]) frames += frame(left, 18);
  }
  return { fills: [...fills], unused: [...dimmed], pluses, frames, room, corners };
}

/** The shapes, indexed by the values of HELD. */
const SHAPES: readonly ((left: number) => string)[] = [
  () => '',
  (left) => `M${left + 6.5} ${MIDDLE}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z`,
  (left) => box(left + 3, MIDDLE - 7, 14, 14),
  (left) => box(left, MIDDLE - 7, CELL_WIDTH, 14),
];

function box(left: number, top: number, width: number, height: number): string {
  return `M${left} ${top}h${width}v${height}h${-width}z`;
}

function frame(left: number, size: number): string {
  return box(left + CELL_WIDTH / 2 - size / 2, MIDDLE - size / 2, size, size);
}
