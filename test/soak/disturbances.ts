/** Disturbs the replicas and the API server, in addition to the faults of single requests. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import type { Random } from '../support/random.ts';
import { LEASE_MS, type Replica } from './replicas.ts';

interface Scene {
  readonly controlPlane: ControlPlane;
  readonly leader: Replica;
  readonly standBy: Replica;
  /** No disturbance kills this replica, so the test can measure the replica's memory over a long time. */
  readonly spared: Replica | undefined;
  /** The longest silence of a watch, in ms. */
  readonly silenceMs: number;
}

type Act = (scene: Scene, random: Random) => Promise<void>;

export const DISTURBANCES = {
  'kill the leader': ({ leader, standBy, spared }) => (leader === spared ? standBy : leader).kill(),
  'kill the stand-by': ({ leader, standBy, spared }) => (standBy === spared ? leader : standBy).kill(),
  'stop the leader': async ({ leader }, random) => {
    leader.process.signal('SIGSTOP');
    await sleep(beyondLease(random));
    leader.process.signal('SIGCONT');
  },
  'cut off the leader': ({ leader }, random) => leader.proxy.partition(beyondLease(random)),
  'silence the leader': ({ leader, silenceMs }, random) =>
    leader.proxy.silence(silenceMs / 2 + random.int(silenceMs / 2)),
  'crash the API server': ({ controlPlane }) => controlPlane.restartApiServer(0, 'SIGKILL'),
  'restart the API server': ({ controlPlane }) => controlPlane.restartApiServer(0, 'SIGTERM'),
} as const satisfies Record<string, Act>;

export type Disturbance = keyof typeof DISTURBANCES;

export const ALL = Object.keys(DISTURBANCES) as Disturbance[];

/**
 * A deck of disturbances. First, the deck returns each disturbance once, in a random order. Then the deck returns each
 * disturbance again, in another random order.
 */
export class Deck {
  readonly #random: Random;
  #left: Disturbance[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  draw(): Disturbance {
    if (this.#left.length === 0) this.#left = [...ALL];
    const [drawn] = this.#left.splice(this.#random.int(this.#left.length), 1);
    return drawn as Disturbance;
  }
}

function beyondLease(random: Random): number {
  return LEASE_MS + 500 + random.int(2_000);
}
