/** Shows a name or a message from the cluster, which is untrusted text. */
import { visibleControls } from '../../analysis/text/printable-values.ts';

/**
 * Shows a name or message in its own text direction, with control characters as visible escapes. The attribute `title`
 * has the whole text, because the page may cut a long text.
 */
export function Name({ text, class: className = '' }: { readonly text: string; readonly class?: string }) {
  // A blank name is shown in quotes, so that users and screen readers notice the name.
  const shown = visibleControls(text.trim() === '' ? `"${text}"` : text);
  return (
    <bdi class={`name ${className}`} title={shown}>
      {shown}
    </bdi>
  );
}
