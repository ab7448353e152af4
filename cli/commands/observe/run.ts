/** Runs `observe` on a node. */
import { named } from '../../../analysis/observe/names.ts';
import { progressLine, type RawProgress, rawLines } from '../../../analysis/observe/raw-log.ts';
import type { ExitCode, Io } from '../../command.ts';
import { Progress } from '../../output/progress.ts';
import { Configurations } from './configurations.ts';
import { type NodeObserved, observeNode } from './node.ts';
import type { ObserveOptions } from './options.ts';
import { beginText, evidenceText, jsonLine, progressText, summaryLines } from './text.ts';

/** The interval between two lines of progress, in seconds. */
const REPORT_SECONDS = 5;

export async function runObserve(options: ObserveOptions, io: Io): Promise<ExitCode> {
  const names = new Configurations();
  const progress = new Progress(io);
  const onBegin = () => io.stderr.write(`cappol: ${beginText(options.for)}\n`);
  const observed = await observeNode(io, {
    forMs: options.for,
    onBegin,
    tracefs: options.tracefs,
    bufferKb: options.bufferSize,
    below: options.cgroup?.replace(/\/+$/, ''),
    onContainer: (group) => names.read(group),
    onRead: options.output === 'raw' ? reporting(io) : (made) => progress.at(() => progressText(made, options.for)),
  });
  progress.clear();
  const { lines, unnamed } = print(observed, names, options, io);
  io.stdout.write(lines);
  for (const line of summaryLines(observed, unnamed)) io.stderr.write(`cappol: ${line}\n`);
  return 0;
}

/**
 * Writes the progress into the log of the pod. The command that waits for the pod reads the progress in the pod's log.
 */
function reporting({ stdout }: Io): (made: RawProgress) => void {
  let next = 0;
  return (made) => {
    if (made.seconds < next) return;
    next = made.seconds + REPORT_SECONDS;
    stdout.write(jsonLine(progressLine(made)));
  };
}

function print(observed: NodeObserved, names: Configurations, { output, namespace }: ObserveOptions, io: Io) {
  if (output === 'raw') return { lines: rawLines(observed).map(jsonLine).join(''), unnamed: 0 };
  const { evidence, unnamed } = named(observed, (group) => names.nameOf(group), namespace);
  return { lines: evidenceText(evidence, output, io), unnamed: unnamed.length };
}
