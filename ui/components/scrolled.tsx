/**
 * Shows a table or a text that may be wider than its container. The table or text scrolls, and the keyboard can scroll
 * it, too.
 */
import type { ComponentChildren } from 'preact';

export function Scrolled({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <section class="scrolled" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
