/** Shows the rows of a policy in the tables of the programs. */
import { Fragment } from 'preact';
import { Name } from '../../components/name.tsx';
import { Fold, Section } from '../../components/section.tsx';
import type { RenderedRow } from '../../worker/rendered-policy.ts';

type Columns = RenderedRow['row'];

export function Rows({ rows }: { readonly rows: readonly RenderedRow[] }) {
  return (
    <Section
      title="Rows"
      about="A program of the API servers has each policy as a row of a table. A row has only the columns in which the policy differs from its level."
    >
      {rows.map((row) => (
        <Row key={row.programs.join()} row={row} />
      ))}
    </Section>
  );
}

function Row({ row: { programs, row, entries, level } }: { readonly row: RenderedRow }) {
  const columnsOfLevel = Object.keys(level).length;
  return (
    <figure class="policy-row">
      <figcaption>
        In{' '}
        {programs.map((program, index) => (
          <Fragment key={program}>
            {index > 0 && ', '}
            <Name text={program} />
          </Fragment>
        ))}
      </figcaption>
      <ColumnList columns={row} />
      {entries.length > 0 && <p>Single containers have rows of their own:</p>}
      {entries.map((entry, index) => (
        <ColumnList key={index} columns={entry} />
      ))}
      {columnsOfLevel > 0 && (
        <Fold summary={`The ${columnsOfLevel} other columns have the values of the level`}>
          {() => <ColumnList columns={level} />}
        </Fold>
      )}
    </figure>
  );
}

function ColumnList({ columns }: { readonly columns: Columns }) {
  return (
    <dl class="columns">
      {Object.entries(columns).map(([column, values]) => (
        <Fragment key={column}>
          <dt>
            <code>{column}</code>
          </dt>
          <dd>{values.length === 0 ? <span class="quiet">none</span> : <Values values={values} />}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

function Values({ values }: { readonly values: readonly string[] }) {
  return (
    <>
      {values.map((value, index) => (
        <Fragment key={index}>
          {index > 0 && ', '}
          <code>
            <Name text={value} />
          </code>
        </Fragment>
      ))}
    </>
  );
}
