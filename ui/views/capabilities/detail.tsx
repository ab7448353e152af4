/** Describes the cell under the pointer, or the focused cell. The description has one sentence for each fact. */
import { useLayoutEffect, useState } from 'preact/hooks';
import { riskText } from '../../../operator/standards/capabilities.ts';
import { Name } from '../../components/name.tsx';
import { COLUMNS, type Runtime } from '../../model/holding.ts';
import type { MapRow } from '../../model/map-rows.ts';
import { cellWords } from '../../model/map-text.ts';

export interface Pointed {
  readonly row?: MapRow;
  readonly column?: number;
}

interface DetailProps {
  readonly runtime: Runtime;
  /**
   * Registers the function that draws this part of the page. Only this part is drawn again when the pointer moves,
   * because the pointer moves often.
   */
  register(show: (pointed: Pointed | undefined) => void): void;
}

export function Detail({ runtime, register }: DetailProps) {
  const [pointed, setPointed] = useState<Pointed>();
  useLayoutEffect(() => register(setPointed), [register]);
  return (
    <div class="detail">
      {pointed?.column === undefined ? (
        <p class="quiet">
          {pointed?.row ? (
            <ContainerName row={pointed.row} />
          ) : (
            'Point at a cell, or go to it with the arrow keys, to read what it means.'
          )}
        </p>
      ) : pointed.row ? (
        <OfCell row={pointed.row} column={pointed.column} runtime={runtime} />
      ) : (
        <OfColumn column={pointed.column} />
      )}
    </div>
  );
}

function ContainerName({ row: { namespace, workload, container } }: { readonly row: MapRow }) {
  const { name, state, deciding, mode } = namespace.namespace;
  const policies =
    deciding.length > 0 ? `${mode}: ${deciding.join(', ')}` : state === 'excluded' ? 'excluded' : 'no policy';
  const names = [
    name,
    ...(workload ? [`${workload.kind} ${workload.name}`] : []),
    ...(container ? [container.name] : []),
  ];
  return <Name text={`${names.join(' › ')} (${policies})`} />;
}

function OfCell({
  row,
  column,
  runtime,
}: {
  readonly row: MapRow;
  readonly column: number;
  readonly runtime: Runtime;
}) {
  const { capability, here, policy, meaning } = cellWords(row, column, runtime);
  return (
    <>
      <p>
        <b>{capability}</b> <ContainerName row={row} />
      </p>
      <p>
        {here} <Name text={policy} />
      </p>
      <p class="quiet">{meaning}</p>
    </>
  );
}

function OfColumn({ column }: { readonly column: number }) {
  const capability = COLUMNS[column] as (typeof COLUMNS)[number];
  return (
    <>
      <p>
        <b>{capability.name}</b>
      </p>
      <p>It permits a process to {capability.permits}.</p>
      <p class="quiet">Risk: {riskText(capability)}.</p>
    </>
  );
}
