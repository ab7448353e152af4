/** The work of ui: follows the clusters, and serves the page, until it is stopped. */
import { loadKubeConfig } from '../../../operator/cluster/kubeconfig.ts';
import { aborted } from '../../../operator/runtime/aborted.ts';
import type { ExitCode, Io } from '../../command.ts';
import type { Given, PolicyOptions } from '../../options.ts';
import { livePage } from '../../page/live-page.ts';
import { pageTemplate } from '../../page/template.ts';
import { Feed } from './feed.ts';
import { FollowedContext } from './followed-context.ts';
import { servePage } from './server.ts';

export interface UiOptions extends Given<Omit<PolicyOptions, 'context'>> {
  readonly port: number;
  readonly context?: readonly string[];
}

export async function ui({ port, context, ...options }: UiOptions, io: Io): Promise<ExitCode> {
  const page = livePage(pageTemplate());
  const contexts: FollowedContext[] = [];
  const feed = new Feed(contexts);
  for (const one of context ?? [undefined]) {
    const given = { ...options, ...(one !== undefined && { context: one }) };
    // A context that does not exist is a mistake of the user, and never comes right by itself.
    const name = loadKubeConfig(given).getCurrentContext() ?? '';
    contexts.push(new FollowedContext(name, given, io, () => feed.update()));
  }
  const server = await servePage({ page, events: (signal) => feed.events(signal) }, port);
  io.stdout.write(`Open this link in a browser. It works once, and Ctrl-C ends the server:\n\n  ${server.link}\n\n`);
  const following = Promise.all(contexts.map((one) => one.follow()));
  await aborted(io.signal);
  await Promise.all([server.close(), following]);
  return 0;
}
