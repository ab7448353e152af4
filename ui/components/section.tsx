/** Shows parts of a long page: sections with a heading, and folds that are rendered only when the user opens them. */
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';

interface SectionProps {
  readonly title: ComponentChildren;
  /** A sentence below the heading of the section. */
  readonly about?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Section({ title, about, children }: SectionProps) {
  const id = useId();
  return (
    <section class="section" aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      {about && <p class="about">{about}</p>}
      {children}
    </section>
  );
}

interface FoldProps {
  readonly summary: ComponentChildren;
  readonly class?: string;
  /** Renders the content of the section, when the user opens the section. */
  children(): ComponentChildren;
}

export function Fold({ summary, class: className = '', children }: FoldProps) {
  const [opened, setOpened] = useState(false);
  return (
    <details class={`fold ${className}`} onToggle={({ currentTarget }) => currentTarget.open && setOpened(true)}>
      <summary>{summary}</summary>
      {opened && children()}
    </details>
  );
}
