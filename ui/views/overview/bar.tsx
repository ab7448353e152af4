/** Parts of a whole, as a bar. The numbers beside it show the same, so it is hidden from screen readers. */
interface BarProps {
  /** The key is the class of the part. */
  readonly parts: readonly { readonly key: string; readonly value: number }[];
  /** The whole; the sum of the parts if it is left out. */
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
