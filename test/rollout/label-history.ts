/** Records the pending labels of all namespaces at every moment, as the API server's watch shows them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Api, Json } from '../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { eventually } from '../support/harness.ts';
import { NAMESPACES } from '../support/rendered.ts';

/** A value that the label has from a certain time on. */
interface LabelValue {
  /** The value of the label. If the namespace does not have the label, the value is undefined. */
  readonly value: string | undefined;
  /**
   * The time at which the watch showed the value, in milliseconds since the epoch. The watch shows the value slightly
   * later than the write.
   */
  readonly at: number;
}

export class LabelHistory {
  readonly #api: Api;
  readonly #key: string;
  readonly #watch: ChildProcess;
  readonly #values = new Map<string, LabelValue[]>();
  #seen = 0;
  #ended = false;

  private constructor({ kubectl, kubeconfig }: ControlPlane, api: Api, key: string, listed: Json) {
    this.#api = api;
    this.#key = key;
    for (const namespace of listed.items) this.#add(namespace);
    const path = `${NAMESPACES}?watch=true&resourceVersion=${listed.metadata.resourceVersion}`;
    this.#watch = spawn(kubectl, ['--kubeconfig', kubeconfig, 'get', '--raw', path], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const { stdout } = this.#watch;
    if (stdout) createInterface({ input: stdout }).on('line', (line) => this.#add(JSON.parse(line).object));
    this.#watch.once('exit', () => {
      this.#ended = true;
    });
  }

  static async begin(controlPlane: ControlPlane, api: Api, key: string): Promise<LabelHistory> {
    return new LabelHistory(controlPlane, api, key, await api.get(NAMESPACES));
  }

  /** The label values of a namespace in order. Each value differs from the preceding value. */
  of(namespace: string): readonly LabelValue[] {
    return this.#values.get(namespace) ?? [];
  }

  /**
   * The time at which the namespace lost the label for the last time. The result is undefined if the namespace has the
   * label now or never had the label.
   */
  promotedAt(namespace: string): number | undefined {
    const values = this.of(namespace);
    const last = values.at(-1);
    return values.length > 1 && last?.value === undefined ? last?.at : undefined;
  }

  /** The times of all promotions, oldest first. */
  promotions(namespaces: readonly string[]): number[] {
    return namespaces.flatMap((namespace) => this.promotedAt(namespace) ?? []).sort((a, b) => a - b);
  }

  /** Waits until the watch has shown all earlier writes. */
  async caughtUp(): Promise<void> {
    const { metadata } = await this.#api.get(NAMESPACES, { limit: '1' });
    const written = Number(metadata.resourceVersion);
    const marker = `${NAMESPACES}/default`;
    // The resourceVersion of a list may come from a write to an object of another kind. The watch of namespaces does
    // not show a write to an object of another kind. Therefore the test makes a write that the watch of namespaces
    // shows.
    const { metadata: own } = await this.#api.patch(marker, {
      metadata: { annotations: { 'test.example/seen': String(written) } },
    });
    await eventually('the watch of namespaces to catch up', async () => {
      if (this.#ended) throw new Error('the watch of namespaces ended');
      return this.#seen >= Number(own.resourceVersion);
    });
  }

  end(): void {
    this.#watch.kill('SIGKILL');
  }

  #add({ metadata }: Json): void {
    this.#seen = Math.max(this.#seen, Number(metadata.resourceVersion));
    const value: string | undefined = metadata.labels?.[this.#key];
    const values = this.#values.get(metadata.name) ?? [];
    if (values.length === 0 || values.at(-1)?.value !== value) values.push({ value, at: Date.now() });
    this.#values.set(metadata.name, values);
  }
}
