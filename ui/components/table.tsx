/** Shows a table that has a heading for each column. */
import type { ComponentChildren } from 'preact';

interface Column {
  readonly text: ComponentChildren;
  readonly title?: string;
  /** Whether the cells of the column have the class `number`. */
  readonly number?: boolean;
}

interface TableProps {
  readonly columns: readonly (string | Column)[];
  readonly class?: string;
  readonly children: ComponentChildren;
}

export function Table({ columns, class: className, children }: TableProps) {
  const all = columns.map((column) => (typeof column === 'string' ? { text: column } : column));
  return (
    <table class={className}>
      <thead>
        <tr>
          {all.map(({ text, title, number }: Column, index) => (
            <th key={index} scope="col" title={title} class={number ? 'number' : undefined}>
              {text}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}
