/** Replaces an empty list by the reason why the list is empty, and by a button that removes the filters. */
interface EmptyProps {
  /** A whole sentence, such as `No workload matches the filter.` */
  readonly text: string;
  /** Removes the filters, so that the list is no longer empty. */
  onReset?(): void;
}

export function Empty({ text, onReset }: EmptyProps) {
  return (
    <div class="empty" role="status">
      <p>{text}</p>
      {onReset && (
        <button type="button" onClick={onReset}>
          Remove all filters
        </button>
      )}
    </div>
  );
}
