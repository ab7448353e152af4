/** Shows a word with an icon. Each tone has its own icon shape, so users need not distinguish colours. */
import type { ComponentChildren } from 'preact';

/** The tones of a badge, from the worst to the best. */
export type Tone = 'critical' | 'unknown' | 'warning' | 'audit' | 'good' | 'quiet';

/** The icon of each tone, as an SVG path in a square of 12 × 12. */
const ICONS: Readonly<Record<Tone, string>> = {
  // The icon is a cross in a disc.
  critical:
    'M6 0a6 6 0 1 0 0 12A6 6 0 0 0 6 0ZM3.2 4.3 4.3 3.2 6 4.9l1.7-1.7 1.1 1.1L7.1 6l1.7 1.7-1.1 1.1L6 7.1 4.3 8.8 3.2 7.7 4.9 6Z',
  // The icon is a diamond.
  unknown: 'M6 0 12 6 6 12 0 6ZM5.3 3h1.4v4H5.3Zm0 5h1.4v1.4H5.3Z',
  // The icon is a triangle.
  warning: 'M6 .5 12 11.5H0ZM5.3 4.2h1.4v3.6H5.3Zm0 4.4h1.4V10H5.3Z',
  // The icon is a page with lines.
  audit: 'M1.5 0h9v12h-9ZM3.5 2.5v1.2h5V2.5Zm0 2.6v1.2h5V5.1Zm0 2.6v1.2h3V7.7Z',
  // The icon is a tick in a disc.
  good: 'M6 0a6 6 0 1 0 0 12A6 6 0 0 0 6 0ZM5.2 8.7 2.6 6.1l1-1 1.6 1.6 3.3-3.3 1 1Z',
  // The icon is a ring.
  quiet: 'M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1Zm0 1.6a3.4 3.4 0 1 1 0 6.8 3.4 3.4 0 0 1 0-6.8Z',
};

export function Icon({ tone }: { readonly tone: Tone }) {
  return (
    <svg class={`icon ${tone}`} viewBox="0 0 12 12" aria-hidden="true">
      <path d={ICONS[tone]} fill="currentColor" fill-rule="evenodd" />
    </svg>
  );
}

interface BadgeProps {
  readonly tone: Tone;
  readonly children: ComponentChildren;
  readonly title?: string;
}

export function Badge({ tone, children, title }: BadgeProps) {
  return (
    <span class={`badge ${tone}`} title={title}>
      <Icon tone={tone} />
      {children}
    </span>
  );
}

/** The tone of each word. The words are verdicts, modes, effects, levels and the status of conditions. */
const TONES: Readonly<Record<string, Tone>> = {
  Violating: 'critical',
  Unknown: 'unknown',
  Compliant: 'good',
  Enforce: 'good',
  Warn: 'warning',
  Audit: 'audit',
  Refused: 'critical',
  Warned: 'warning',
  Audited: 'audit',
  Admitted: 'good',
  privileged: 'critical',
  baseline: 'warning',
  restricted: 'good',
};

/** @param word a verdict, mode, effect or level, as the API spells it */
export function WordBadge({ word }: { readonly word: string }) {
  return <Badge tone={TONES[word] ?? 'quiet'}>{word}</Badge>;
}
