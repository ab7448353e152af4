/** Follows the cluster, and shows its status again after each change. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Source } from '../../../operator/cluster/reading.ts';
import { askKnownServers } from '../../../operator/cluster/servers.ts';
import { createCluster } from '../../../operator/cluster/store.ts';
import type { Cluster } from '../../../operator/model/objects.ts';
import { aborted } from '../../../operator/runtime/aborted.ts';
import type { Connected } from '../../cluster.ts';
import type { Io } from '../../command.ts';
import { complaints } from '../../output/complaints.ts';

interface Watching {
  /** The kinds that the user may not read. The command does not follow changes to objects of these kinds. */
  readonly forbidden: readonly Source[];
  readonly io: Io;
  show(cluster: Cluster): void;
}

/**
 * The time in which changes are collected before they are shown, in ms. Changes come in bursts. The view changes only
 * once for each burst of changes, so that users have time to read the view.
 */
const PAUSE_MS = 1_000;
const CLEAR_SCREEN = '\x1b[H\x1b[2J\x1b[3J';

/** Follows the cluster until `io.signal` is aborted. */
export async function following({ client }: Connected, { forbidden, io, show }: Watching): Promise<void> {
  let changed = Promise.withResolvers<void>();
  const followed = createCluster(client, {
    onChange: () => changed.resolve(),
    log: complaints(io),
    except: forbidden,
    ask: askKnownServers,
  });
  try {
    await followed.start(io.signal);
    while (!io.signal.aborted) {
      changed = Promise.withResolvers();
      if (io.stdout.isTTY) io.stdout.write(CLEAR_SCREEN);
      show(followed.cluster);
      await sleep(PAUSE_MS, undefined, { signal: io.signal });
      await Promise.race([changed.promise, aborted(io.signal)]);
    }
  } catch (error) {
    if (!io.signal.aborted) throw error;
  }
  await followed.ended();
}
