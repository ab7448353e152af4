/** A name or message of the cluster: untrusted text. */
import { visibleControls } from '../../analysis/text/printable-values.ts';

/**
 * Shows a name or message in its own text direction, with control characters as visible escapes. The `title` has the
 * whole text, because the page may cut a long text.
 */
export function Name({ text, class: className = '' }: { readonly text: string; readonly class?: string }) {
  // A blank name is shown in quotes, so that something is visible to users and screen readers.
  const shown = visibleControls(text.trim() === '' ? `"${text}"` : text);
  return (
    <bdi class={`name ${className}`} title={shown}>
      {shown}
    </bdi>
  );
}
