/** Shows a table or text that may be wider than its place. The table or text scrolls, also with the keyboard. */
import type { ComponentChildren } from 'preact';

export function Scrolled({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <section class="scrolled" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
