/**
 * Shows the parts of a whole as a bar. The bar is hidden from screen readers, because the numbers beside the bar mean
 * the same.
 */
interface BarProps {
  /** The parts of the bar. The key is the CSS class of the part. */
  readonly parts: readonly { readonly key: string; readonly value: number }[];
  /** The value of the whole bar. By default, the value is the sum of the parts. */
  readonly whole?: number;
}

export function Bar({ parts, whole = parts.reduce((sum, { value }) => sum + value, 0) }: BarProps) {
  return (
    <div class="bar" aria-hidden="true">
      {parts.map(({ key, value }) => (
        <span key={key} class={`bar-part ${key}`} style={{ width: `${whole === 0 ? 0 : (value / whole) * 100}%` }} />
      ))}
    </div>
  );
}
