/**
 * Defines the lines that an observer in a pod writes for `cappol observe --cluster`. The lines contain evidence without
 * names, and reports on the progress.
 */
import type { Counts, Observed, UnnamedUse, UnnamedWatch } from './observation.ts';

export interface RawProgress {
  readonly seconds: number;
  readonly containers: number;
  readonly counts: Counts;
}

export interface RawEnd {
  readonly seconds: number;
  readonly counts: Counts;
  /** Whether the observation included containers that were running before the observation began. */
  readonly sawAll: boolean;
}

type RawLine =
  | ({ readonly raw: 'progress' } & RawProgress)
  | ({ readonly raw: 'use' } & UnnamedUse)
  | ({ readonly raw: 'watch' } & UnnamedWatch)
  | ({ readonly raw: 'end' } & RawEnd);

export function progressLine(progress: RawProgress): RawLine {
  return { raw: 'progress', ...progress };
}

/** The lines of an observation. Each line is a short JSON object, because a log may cut long lines. */
export function rawLines({ uses, watches, counts, seconds, sawAll }: Observed & Omit<RawEnd, 'counts'>): RawLine[] {
  return [
    ...watches.map((watch) => ({ raw: 'watch' as const, ...watch })),
    ...uses.map((use) => ({ raw: 'use' as const, ...use })),
    { raw: 'end', counts, seconds, sawAll },
  ];
}

/** The part of an observer's log that was read so far. */
export class RawLog {
  readonly uses: UnnamedUse[] = [];
  readonly watches: UnnamedWatch[] = [];
  progress: RawProgress | undefined;
  end: RawEnd | undefined;
  /** The error messages in the log, as texts for users. */
  readonly messages: string[] = [];

  read(text: string): void {
    const line = parsed(text);
    if (line === undefined) this.#message(text);
    else if (line.raw === 'progress') this.progress = without(line);
    else if (line.raw === 'use') this.uses.push(without(line));
    else if (line.raw === 'watch') this.watches.push(without(line));
    else if (line.raw === 'end') this.end = without(line);
  }

  #message(text: string): void {
    const [, message] = /^cappol: (?!observ(?:ing|ed) )(.*)$/.exec(text) ?? [];
    if (message !== undefined) this.messages.push(message);
  }
}

/** The joined evidence of several observers. */
export function joinedLogs(logs: readonly RawLog[]): Pick<Observed, 'uses' | 'watches'> {
  return { uses: logs.flatMap(({ uses }) => uses), watches: logs.flatMap(({ watches }) => watches) };
}

function without<Line extends { readonly raw: string }>({ raw: _raw, ...record }: Line): Omit<Line, 'raw'> {
  return record;
}

function parsed(text: string): RawLine | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value?.raw === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
