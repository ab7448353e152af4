/** A suggestion in words: what was found, who needs what, and what would make it needless. */
import type { StatedOverride, Suggestion } from '../../evaluate/suggest.ts';
import type { Need } from '../../evaluate/suggest-needs.ts';
import { bounded, counted, firstOf, workloadText } from '../../report/text.ts';

const MOST_WORKLOADS = 3;
const MOST_TEXTS = 4;
const LONGEST = 400;

export interface Summarized {
  readonly suggestion: Suggestion;
  /** How many it admits. */
  readonly workloads: number;
  readonly narrow: boolean;
}

/** What the level and its overrides admit, and what the other level would have needed. */
export function summaryLines({ suggestion, workloads, narrow }: Summarized): string[] {
  const { level, stated, considered, obstacles } = suggestion;
  const overrides = stated.length > 0 ? ` with ${counted(stated.length, 'override')}` : '';
  const name = level === 'restricted' ? 'baseline' : 'restricted';
  const other = level === 'privileged' ? undefined : considered[name];
  return [
    `Level ${level}${overrides} admits ${counted(workloads, 'workload')}.`,
    ...(other ? [`Level ${name} would need ${otherText(other)}.`] : []),
    ...(obstacles.length > 0 ? ['No override of another level admits:', ...needLines(obstacles)] : []),
    ...(narrow || level === 'privileged'
      ? []
      : ['What no level restricts stays open, such as paths of the node: --narrow states it, too.']),
  ];
}

/** `capabilities.allowedAdd: NET_RAW` */
export function overrideText({ path, value }: StatedOverride): string {
  const isTexts = Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === 'string');
  return `${path}: ${isTexts ? value.join(', ') : JSON.stringify(value)}`;
}

/** Who needs the override, what the level wants instead, and what would do without. */
export function overrideLines({ value, needs }: StatedOverride): string[] {
  if (needs.length === 0) return ['Nobody needs it: it narrows what the level leaves open.'];
  const any = Array.isArray(value) && value.includes('*') ? ['  Any is admitted: no list can name what is used.'] : [];
  return [...needLines(needs), ...any];
}

function needLines(needs: readonly Need[]): string[] {
  return [
    ownersText(needs),
    ...textLines('without it', distinct(needs.flatMap(({ change }) => change ?? []))),
    ...textLines('advice', distinct(needs.flatMap(({ advice }) => advice))),
  ];
}

/** Why the level that was asked for admits them by no override. */
export function obstacleText(level: string, { obstacles }: Suggestion): string {
  return [`level ${level} cannot be made to admit them:`, ...needLines(obstacles)].join('\n');
}

/** `Deployment net/pinger (ping), DaemonSet … and 2 more` */
export function ownersText(needs: readonly Need[]): string {
  const groups = Map.groupBy(needs, ({ workload }) => workloadText(workload));
  const owners = [...groups].map(([owner, own]) => {
    const containers = distinct(own.flatMap(({ container }) => container ?? []));
    return containers.length > 0 ? `${owner} (${containers.join(', ')})` : owner;
  });
  return bounded(firstOf(owners, MOST_WORKLOADS), LONGEST);
}

function textLines(label: string, texts: readonly string[]): string[] {
  const rest = texts.length - MOST_TEXTS;
  const first = texts.slice(0, MOST_TEXTS).map((text) => `  ${label}: ${bounded(text, LONGEST)}`);
  return rest > 0 ? [...first, `  ${label}: and ${rest} more like these`] : first;
}

function otherText(paths: readonly string[]): string {
  return paths.length === 0 ? 'no overrides' : `${counted(paths.length, 'override')}: ${paths.join(', ')}`;
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
