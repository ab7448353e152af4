/** Runs a real Prometheus on the loopback interface. Prometheus scrapes one address and evaluates a file of rules. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import type { Json } from '../../hack/controlplane/api.ts';
import { freePorts } from '../../hack/controlplane/ports.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import type { Alert, RuleFile } from './dashboard.ts';

interface PrometheusOptions {
  /** The address to scrape, such as 127.0.0.1:8080. */
  readonly scrapes: string;
  readonly rules: RuleFile;
  /** The labels that the Prometheus Operator would attach for a ServiceMonitor. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** The current value of the series, with its time. */
  readonly value: readonly [time: number, value: string];
}

export interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

interface EvaluatedRule extends Pick<Alert, 'labels'> {
  readonly name: string;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
}

export class Prometheus {
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #url: string;

  private constructor(folder: string, child: ChildProcess, url: string) {
    this.#folder = folder;
    this.#child = child;
    this.#url = url;
  }

  static async start({ scrapes, rules, labels }: PrometheusOptions): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-prometheus-'));
    const [port] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    writeFileSync(join(folder, 'rules.yaml'), dump(rules));
    const scrape = { job_name: 'scraped', honor_labels: true, static_configs: [{ targets: [scrapes], labels }] };
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yaml'],
      scrape_configs: [scrape],
    };
    writeFileSync(join(folder, 'prometheus.yaml'), dump(config));
    const flags = { 'config.file': 'prometheus.yaml', 'storage.tsdb.path': 'data', 'web.listen-address': address };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    const child = spawn('prometheus', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr?.on('data', (text) => (said = (said + text).slice(-4_000)));
    // Prometheus must also end if the test run crashes. The test run must not wait for Prometheus to end.
    child.unref();
    (child.stderr as Socket).unref();
    process.once('exit', () => void child.kill('SIGKILL'));
    const prometheus = new Prometheus(folder, child, `http://${address}`);
    await waitFor('Prometheus to be ready', async () => {
      if (child.exitCode !== null) throw new Error(`Prometheus ended:\n${said}`);
      return (await fetch(`http://${address}/-/ready`).catch(() => undefined))?.ok;
    });
    return prometheus;
  }

  /** @throws an Error with Prometheus' message about the query */
  async query(query: string): Promise<readonly Series[]> {
    return (await this.#ask(`query?${new URLSearchParams({ query })}`)).result;
  }

  async alerts(): Promise<readonly FiringAlert[]> {
    return (await this.#ask('alerts')).alerts;
  }

  async rules(): Promise<readonly EvaluatedRule[]> {
    return (await this.#ask('rules')).groups.flatMap(({ rules }: { rules: readonly EvaluatedRule[] }) => rules);
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
    rmSync(this.#folder, { recursive: true });
  }

  async #ask(path: string) {
    const answer = (await (await fetch(`${this.#url}/api/v1/${path}`)).json()) as Json;
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  }
}
