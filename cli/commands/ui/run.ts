/** Runs `ui`: follows the clusters and serves the page, until the user stops the program. */
import { setFlagsFromString } from 'node:v8';
import { loadKubeConfig } from '../../../operator/cluster/kubeconfig.ts';
import { aborted } from '../../../operator/runtime/aborted.ts';
import type { ExitCode, Io } from '../../command.ts';
import type { UsedOptions } from '../../evidence/used.ts';
import type { Given, PolicyOptions } from '../../options.ts';
import { livePage } from '../../page/live-page.ts';
import { pageTemplate } from '../../page/template.ts';
import { evidenceOf } from './evidence-of.ts';
import { Feed } from './feed.ts';
import { FollowedContext } from './followed-context.ts';
import { servePage } from './server.ts';

export interface UiOptions extends Given<Omit<PolicyOptions, 'context'>>, UsedOptions {
  readonly port: number;
  readonly context?: readonly string[];
}

/**
 * V8 flags that limit the memory of objects that are no longer used. With these flags, the heap grows slowly, its space
 * for new objects does not grow, and the garbage collector marks objects in one pause (decision 0045).
 */
const HEAP_FLAGS = ['--heap-growing-percent=20', '--semi-space-growth-factor=1', '--no-incremental-marking'];

const IN_EACH_CONTEXT = '--used: the files do not name a cluster, so the evidence counts in each context';

export async function ui({ port, context = [], ...options }: UiOptions, io: Io): Promise<ExitCode> {
  for (const flag of HEAP_FLAGS) setFlagsFromString(flag);
  const page = livePage(pageTemplate());
  if (context.length > 1 && Array.isArray(options.used)) io.stderr.write(`cappol: ${IN_EACH_CONTEXT}\n`);
  const following = { io, evidenceOf: await evidenceOf(options, io), show: () => feed.update() };
  const contexts: FollowedContext[] = [];
  const feed = new Feed(contexts);
  for (const one of context.length > 0 ? context : [undefined]) {
    const given = { ...options, ...(one !== undefined && { context: one }) };
    // If a context does not exist, the user has made a mistake. Trying again would not help.
    const name = loadKubeConfig(given).getCurrentContext() ?? '';
    contexts.push(new FollowedContext(name, given, following));
  }
  const server = await servePage({ page, events: (signal) => feed.events(signal) }, port);
  io.stdout.write(
    `Open this link in a browser. The link works once, and Ctrl-C ends the server:\n\n  ${server.link}\n\n`,
  );
  const followed = Promise.all(contexts.map((one) => one.follow()));
  await aborted(io.signal);
  await Promise.all([server.close(), followed]);
  return 0;
}
