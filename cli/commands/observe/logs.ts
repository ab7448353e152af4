/** Names what a Job saw that somebody ran by hand: config/observe/job.yaml. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { withCluster } from '../../cluster.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { type NamedPod, named, PodNames } from '../../observe/names.ts';
import { RawLog } from '../../observe/raw-log.ts';
import type { ObserveOptions } from './options.ts';
import { evidenceText, unnamedText } from './text.ts';

export async function nameLogs(files: readonly string[], options: ObserveOptions, io: Io): Promise<ExitCode> {
  const log = new RawLog();
  for (const file of files) {
    const text = await readFile(resolve(io.cwd, file), 'utf8').catch((error: Error) => {
      throw new UsageError(`cannot read ${file}: ${error.message}`);
    });
    for (const line of text.split('\n')) log.read(line);
  }
  const names = new PodNames();
  await withCluster(options, async ({ client }) => {
    await client.list('/api/v1/pods', {}, ({ items }) => {
      for (const pod of items ?? []) names.add(pod as NamedPod);
    });
  });
  const { evidence, unnamed } = named(log, (group) => names.nameOf(group), options.namespace);
  io.stdout.write(evidenceText(evidence, options.output, io));
  for (const message of [...log.messages, ...unnamedText(unnamed.length)]) io.stderr.write(`cappol: ${message}\n`);
  return log.end ? 0 : 2;
}
