/** Keeps the state of a page of `cappol ui`. The events of the page describe the state. */
import { readEvents } from '../../hack/bench/ui-events.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { LiveState } from '../../ui/model/live-state.ts';

export class UiClient {
  readonly state = new LiveState();
  readonly #stopping = new AbortController();

  /** Opens the page. @param link the link that `cappol ui` prints */
  static async open(link: string): Promise<UiClient> {
    const client = new UiClient();
    await readEvents(
      link,
      ({ name, data }) => {
        if (name === 'contexts') client.state.setContexts(JSON.parse(data));
        if (name === 'snapshot') client.state.setSnapshot(JSON.parse(data));
        if (name === 'difference') client.state.change(JSON.parse(data));
      },
      client.#stopping.signal,
    );
    return client;
  }

  async until(what: string, isThere: (state: LiveState) => boolean): Promise<void> {
    await waitFor(what, () => isThere(this.state), { intervalMs: 20 });
  }

  close(): void {
    this.#stopping.abort();
  }
}
