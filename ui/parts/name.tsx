/** A name or message of the cluster: untrusted text. */
import { visibleControls } from '../../cli/output/printable.ts';

/** In its own direction, with control characters as visible escapes. The whole text is its title: the place may cut it. */
export function Name({ text, class: className = '' }: { readonly text: string; readonly class?: string }) {
  const shown = visibleControls(text);
  return (
    <bdi class={`name ${className}`} title={shown}>
      {shown}
    </bdi>
  );
}
