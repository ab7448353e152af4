/** The work of observe on a node. */
import { mergeEvidence } from '../../../operator/evidence/merge.ts';
import type { Evidence } from '../../../operator/evidence/use.ts';
import type { ExitCode, Io } from '../../command.ts';
import { named } from '../../observe/names.ts';
import { Progress } from '../../output/progress.ts';
import { Configurations } from './configurations.ts';
import { type NodeObserved, observeNode } from './node.ts';
import { beginText, evidenceText, rawLine, secondsText, summaryLines } from './text.ts';

export interface ObserveOptions {
  /** In milliseconds. */
  readonly for?: number;
  readonly namespace?: string;
  readonly output: 'json' | 'table' | 'raw';
  readonly cgroup?: string;
  readonly tracefs?: string;
  readonly bufferSize: number;
}

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
    onRead: ({ checks, lost }, containers, seconds) => {
      const of = options.for === undefined ? '' : ` of ${secondsText(options.for / 1000)}`;
      progress.at(
        () => `${secondsText(seconds)}${of}: ${containers} containers, ${checks} checks, ${lost} events lost`,
      );
    },
  });
  progress.clear();
  const { lines, unnamed } = print(observed, names, options, io);
  io.stdout.write(lines);
  for (const line of summaryLines(observed, unnamed)) io.stderr.write(`cappol: ${line}\n`);
  return 0;
}

function print(observed: NodeObserved, names: Configurations, { output, namespace }: ObserveOptions, io: Io) {
  if (output === 'raw') return { lines: rawLine(observed), unnamed: 0 };
  const { evidence, unnamed } = named(observed, (group) => names.nameOf(group));
  const merged = mergeEvidence([namespace === undefined ? evidence : only(evidence, namespace)]);
  return { lines: evidenceText(merged, output, io), unnamed: unnamed.length };
}

function only({ uses, watches }: Evidence, namespace: string): Evidence {
  return {
    uses: uses.filter((use) => use.namespace === namespace),
    watches: watches.filter((watch) => watch.namespace === namespace),
  };
}
