/** Prints the observations. */
import { type Evidence, NOISE, observedLines } from '../../../analysis/evidence/use.ts';
import type { RawEnd, RawLog, RawProgress } from '../../../analysis/observe/raw-log.ts';
import { escapedControls } from '../../../analysis/text/printable-values.ts';
import type { Io } from '../../command.ts';
import { tableText } from '../../output/table.ts';
import { terminalOf } from '../../output/terminal.ts';
import type { NodeObserved } from './node.ts';
import type { ObserveOptions } from './options.ts';

const HEAD = [
  'NAMESPACE',
  'POD',
  'CONTAINER',
  'CAPABILITY',
  'OUTCOME',
  'COUNT',
  'COMMAND',
  'CALL SITE',
  'NO NEED BECAUSE',
];

/**
 * Evidence as a table or as lines of JSON. If the containers in the evidence already have names, the format `-o raw`
 * cannot print the evidence.
 */
export function evidenceText(
  evidence: Evidence,
  output: ObserveOptions['output'],
  io: Pick<Io, 'stdout' | 'env'>,
): string {
  if (output !== 'table') return observedLines(evidence).map(jsonLine).join('');
  const rows = evidence.uses.map((use) => [
    use.namespace,
    use.pod ?? '',
    use.container,
    use.capability,
    use.outcome,
    String(use.count),
    use.example?.command ?? '',
    use.example?.callSite ?? '',
    use.noise === undefined ? '' : NOISE[use.noise],
  ]);
  return tableText(HEAD, rows, { terminal: terminalOf(io), optional: ['CALL SITE', 'COMMAND'] });
}

export function jsonLine(value: object): string {
  return `${escapedControls(JSON.stringify(value))}\n`;
}

export function beginText(forMs: number | undefined): string {
  const how = forMs === undefined ? 'until Ctrl-C' : `for ${secondsText(forMs / 1000)}; Ctrl-C ends it earlier`;
  return `observing the containers of this node ${how}`;
}

export function progressText({ seconds, containers, counts }: RawProgress, forMs: number | undefined): string {
  const of = forMs === undefined ? '' : ` of ${secondsText(forMs / 1000)}`;
  const { checks, lost } = counts;
  return `${secondsText(seconds)}${of}: ${containers} containers, ${checks} checks, ${lost} events lost`;
}

export function summaryLines({ watches, counts, seconds, sawAll }: NodeObserved, unnamed: number): string[] {
  const { checks, lost } = counts;
  return [
    `observed ${watches.length} containers for ${secondsText(seconds)}: ${checks} capability checks, ${lost} events lost`,
    ...unseenText({ counts, sawAll }),
    ...unnamedText(unnamed),
  ];
}

/** The log of an observer's pod. The log may be incomplete. */
interface Reported {
  /** The name of the observed node, or of the file with the observations. */
  readonly name: string;
  readonly log: RawLog;
  /** The reason why the pod does not run. If the pod runs, `waiting` is undefined. */
  readonly waiting: string | undefined;
}

/**
 * Returns the lines that report on a node or file. The messages in the pod's log may contain lines that are already
 * printed. Each line is printed only once.
 */
export function reportLines({ name, log, waiting }: Reported): string[] {
  const { end, watches, messages } = log;
  const [why = waiting ?? 'its pod did not report', ...others] = messages;
  const lines = end
    ? [endText(end, watches.length), ...unseenText(end), ...messages]
    : [`not observed, ${why}`, ...others];
  return [...new Set(lines)].map((line) => `${name}: ${line}`);
}

function endText({ counts, seconds }: RawEnd, containers: number): string {
  const { checks, lost } = counts;
  return `${containers} containers for ${secondsText(seconds)}, ${checks} capability checks, ${lost} events lost`;
}

function unseenText({ counts, sawAll }: Pick<RawEnd, 'counts' | 'sawAll'>): string[] {
  const { lost, unplaced } = counts;
  return [
    ...(lost > 0 ? ['some uses may be missing, since events were lost: choose a larger --buffer-size'] : []),
    ...(sawAll
      ? []
      : [
          'the observer cannot see all processes of the node, so containers that started before the observer are left out',
        ]),
    ...(unplaced > 0 && sawAll
      ? [`${unplaced} checks are left out, since their processes ended while the observation began`]
      : []),
  ];
}

export function unnamedText(unnamed: number): string[] {
  return unnamed > 0 ? [`${unnamed} containers are left out, since they ended before their names were read`] : [];
}

/** A duration as text, such as `1h2m5s`. */
export function secondsText(seconds: number): string {
  const whole = Math.round(seconds);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(whole / 3600), 'h'],
    [Math.floor((whole % 3600) / 60), 'm'],
    [whole % 60, 's'],
  ];
  return parts.map(([count, unit]) => (count > 0 ? `${count}${unit}` : '')).join('') || '0s';
}
