/**
 * Runs two operators with one Lease. The test kills the operators repeatedly, and restarts a killed operator at once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { freePorts } from '../../hack/controlplane/ports.ts';
import { newOperator, REPLICAS, replicaKubeconfig } from '../soak/replicas.ts';
import { eventually } from '../support/harness.ts';
import type { OperatorProcess } from '../support/operator-process.ts';
import type { Random } from '../support/random.ts';

/**
 * The period from a kill until an operator leads again, in milliseconds since the epoch. If an object existed only
 * within this period, no operator saw the object.
 */
interface Gap {
  readonly from: number;
  readonly until: number;
}

interface Running {
  readonly process: OperatorProcess;
  readonly metrics: string;
}

export class Operators {
  readonly #running: readonly Running[];
  readonly gaps: Gap[] = [];
  kills = 0;

  private constructor(running: readonly Running[]) {
    this.#running = running;
  }

  static async start(controlPlane: ControlPlane): Promise<Operators> {
    const ports = await freePorts(REPLICAS.length);
    const running = REPLICAS.map((name, index) => {
      const metrics = `127.0.0.1:${ports[index]}`;
      const flags = ['--metrics-bind-address', metrics];
      return { process: newOperator(replicaKubeconfig(controlPlane, name), flags), metrics };
    });
    const operators = new Operators(running);
    await Promise.all(running.map(({ process }) => process.startAndWatch()));
    await operators.leader();
    return operators;
  }

  /**
   * Waits until one of the operators leads.
   * @returns the leader
   */
  async leader(): Promise<Running> {
    return eventually('an operator to lead', async () => {
      for (const one of this.#running) {
        const series = await seriesOf(one.metrics);
        if ([...series].some(([name, value]) => name.startsWith('leader_election_master_status') && value === 1))
          return one;
      }
      return undefined;
    });
  }

  /** Kills the leader. In a quarter of the calls, the function kills the standby instead of the leader. */
  async kill(random: Random): Promise<void> {
    const leader = await this.leader();
    const killed = random.int(4) === 0 ? (this.#running.find((one) => one !== leader) as Running) : leader;
    const from = Date.now();
    this.kills++;
    await killed.process.stop('SIGKILL');
    await sleep(random.int(1_000));
    await killed.process.startAndWatch();
    await this.leader();
    if (killed === leader) this.gaps.push({ from, until: Date.now() });
  }

  /** The leader's metrics. Each entry maps the name and labels of a series to the value of the series. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    return seriesOf((await this.leader()).metrics);
  }

  /** The namespaces whose promotion one of the operators logged. */
  get promoted(): ReadonlySet<string> {
    const entries = this.#running.flatMap(({ process }) => process.log);
    return new Set(
      entries.flatMap(({ message, namespace }) => (message === 'promoted namespace' ? [String(namespace)] : [])),
    );
  }

  logEnds(): string {
    return this.#running.map(({ process }) => process.logEnd(60)).join('\n---\n');
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map(({ process }) => process.stop('SIGKILL')));
  }
}

async function seriesOf(address: string): Promise<ReadonlyMap<string, number>> {
  const lines = await request(`http://${address}/metrics`)
    .then(async ({ body }) => (await body.text()).split('\n'))
    .catch(() => []);
  const values = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    values.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}
