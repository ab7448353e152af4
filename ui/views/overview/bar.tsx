/**
 * Shows the parts of a whole as a bar. Screen readers do not see the bar, because the numbers beside it say the same.
 */
interface BarProps {
  /** The parts of the bar; the key is the CSS class of the part. */
  readonly parts: readonly { readonly key: string; readonly value: number }[];
  /** The whole; if it is left out, the sum of the parts. */
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
