/** Adds the names of containers to the observations of a Job that a user ran from config/observe/job.yaml. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type NamedPod, named, PodNames } from '../../../analysis/observe/names.ts';
import { joinedLogs, RawLog } from '../../../analysis/observe/raw-log.ts';
import { withCluster } from '../../cluster.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import type { ObserveOptions } from './options.ts';
import { evidenceText, reportLines, unnamedText } from './text.ts';

export async function nameLogs(files: readonly string[], options: ObserveOptions, io: Io): Promise<ExitCode> {
  const logs = await Promise.all(files.map(async (name) => ({ name, log: await readLog(name, io) })));
  const names = new PodNames();
  await withCluster(options, async ({ client }) => {
    await client.list('/api/v1/pods', {}, ({ items }) => {
      for (const pod of items ?? []) names.add(pod as NamedPod);
    });
  });
  const all = joinedLogs(logs.map(({ log }) => log));
  const { evidence, unnamed } = named(all, (group) => names.nameOf(group), options.namespace);
  io.stdout.write(evidenceText(evidence, options.output, io));
  const reports = logs.flatMap((one) => reportLines({ ...one, waiting: 'the log has no end' }));
  for (const line of [...reports, ...unnamedText(unnamed.length)]) io.stderr.write(`cappol: ${line}\n`);
  return logs.every(({ log }) => log.end) ? 0 : 2;
}

async function readLog(file: string, { cwd }: Pick<Io, 'cwd'>): Promise<RawLog> {
  const text = await readFile(resolve(cwd, file), 'utf8').catch((error: Error) => {
    throw new UsageError(`cannot read ${file}: ${error.message}`);
  });
  const log = new RawLog();
  for (const line of text.split('\n')) log.read(line);
  return log;
}
