/** Shows the value of a field of an object. */
import { Name } from './name.tsx';

export function Value({ value }: { readonly value: unknown }) {
  if (value === undefined || value === null) return <span class="quiet unset">not set</span>;
  return (
    <code>
      <Name text={typeof value === 'string' ? value : JSON.stringify(value)} />
    </code>
  );
}
