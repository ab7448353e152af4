/** A name or message of the cluster: untrusted text. */
import { visibleControls } from '../../analysis/text/printable-values.ts';

/**
 * Shows a name or message in its own text direction, with control characters as visible escapes. The title has the
 * whole text, because the place may cut the text.
 */
export function Name({ text, class: className = '' }: { readonly text: string; readonly class?: string }) {
  // Some character must be visible, also to a screen reader.
  const shown = visibleControls(text.trim() === '' ? `"${text}"` : text);
  return (
    <bdi class={`name ${className}`} title={shown}>
      {shown}
    </bdi>
  );
}
