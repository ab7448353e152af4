/** One part of the overview: a title, and a table or a list. */
import type { ComponentChildren } from 'preact';
import { counted } from '../../../operator/text/wording.ts';
import type { ShownCluster } from '../../data/clusters.ts';
import type { LinkTo } from '../../model/links.ts';
import type { Overview } from '../../model/overview.ts';

/** For the parts of the overview: their cluster, its numbers, and links to the other views about the same cluster. */
export interface PartProps {
  readonly cluster: ShownCluster;
  readonly numbers: Overview;
  readonly link: LinkTo;
}

interface PartBoxProps {
  readonly title: string;
  /** One line below the title. */
  readonly about?: string;
  readonly children: ComponentChildren;
}

export function Part({ title, about, children }: PartBoxProps) {
  if (children === null) return <div class="part none" />;
  return (
    <section class="part">
      <h2>{title}</h2>
      {about !== undefined && <p class="about">{about}</p>}
      {children}
    </section>
  );
}

/** A link to the rest of a list that is cut. */
export function More({ count, noun, href }: { readonly count: number; readonly noun: string; readonly href: string }) {
  if (count <= 0) return null;
  return (
    <p class="about">
      <a href={href}>and {counted(count, `more ${noun}`)}</a>
    </p>
  );
}
