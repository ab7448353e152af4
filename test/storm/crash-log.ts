/** Reads the cause of a crash from the log of a Go program. */

interface Crash {
  /** The error of the crash, such as `fatal error: concurrent map read and map write`. */
  readonly error: string;
  /** The innermost functions of the failed goroutine, each with its place in the source. */
  readonly frames: readonly string[];
}

const FATAL = /^(fatal error: .*|panic: .*)$/gm;
const FRAMES = 8;

/** The last crash in the log. If the log has no crash, the function returns undefined. */
export function crashIn(log: string): Crash | undefined {
  const last = [...log.matchAll(FATAL)].at(-1);
  if (last === undefined) return undefined;
  const [, ...lines] = log.slice(last.index).split('\n');
  const start = lines.findIndex((line) => /^goroutine \d+ .*\[/.test(line));
  const goroutine = start < 0 ? [] : lines.slice(start + 1);
  const end = goroutine.findIndex((line) => line.trim() === '');
  const frames = goroutine.slice(0, end < 0 ? undefined : end);
  return { error: last[0], frames: inPairs(frames).slice(0, FRAMES) };
}

/**
 * Joins the lines of a stack in pairs. Each frame has one line with the function, and one line with the file and line
 * number.
 */
function inPairs(lines: readonly string[]): string[] {
  return lines.flatMap((line, i) => {
    if (i % 2 !== 0) return [];
    const name = line.replace(/\([^()]*\)$/, '');
    const place = (lines[i + 1] ?? '').trim().replace(/ \+0x[0-9a-f]+$/, '');
    return [place === '' ? name : `${name} ${place}`];
  });
}
