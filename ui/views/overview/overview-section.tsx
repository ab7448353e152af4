/** Shows a section of the overview, which has a title, and a table or a list. */
import type { ComponentChildren } from 'preact';
import { counted } from '../../../operator/text/wording.ts';
import type { ShownCluster } from '../../data/clusters.ts';
import type { LinkTo } from '../../model/links.ts';
import type { Overview } from '../../model/overview.ts';

/**
 * The properties of a section of the overview: its cluster, the numbers, and links to other views of the same cluster.
 */
export interface OverviewProps {
  readonly cluster: ShownCluster;
  readonly numbers: Overview;
  readonly link: LinkTo;
}

interface OverviewSectionProps {
  readonly title: string;
  /** A line of text below the title. */
  readonly about?: string;
  readonly children: ComponentChildren;
}

export function OverviewSection({ title, about, children }: OverviewSectionProps) {
  if (children === null) return <div class="overview-section none" />;
  return (
    <section class="overview-section">
      <h2>{title}</h2>
      {about !== undefined && <p class="about">{about}</p>}
      {children}
    </section>
  );
}

/** Shows a link to the entries that a cut list does not show. */
export function More({ count, noun, href }: { readonly count: number; readonly noun: string; readonly href: string }) {
  if (count <= 0) return null;
  return (
    <p class="about">
      <a href={href}>and {counted(count, `more ${noun}`)}</a>
    </p>
  );
}
