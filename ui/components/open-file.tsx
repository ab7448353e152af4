/** Opens snapshots that the user chooses in a file dialog, or drops anywhere on the page. */
import { useLayoutEffect } from 'preact/hooks';

export function OpenFile({ onOpen }: { onOpen(files: Iterable<File>): void }) {
  useLayoutEffect(() => {
    const over = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      const files = event.dataTransfer?.files;
      if (!files || files.length === 0) return;
      event.preventDefault();
      onOpen(files);
    };
    addEventListener('dragover', over);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('drop', drop);
    };
  }, [onOpen]);
  return (
    <label class="open-file" title="The output of cappol snapshot. It stays in this page: nothing is sent.">
      Open a snapshot file
      <input
        type="file"
        class="visually-hidden"
        accept=".json,.gz,application/json,application/gzip"
        multiple
        onChange={({ currentTarget }) => {
          if (currentTarget.files) onOpen(currentTarget.files);
          currentTarget.value = '';
        }}
      />
    </label>
  );
}
