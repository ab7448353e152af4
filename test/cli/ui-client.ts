/** Reads from cappol ui as the page does: opens the link, keeps the session, applies the events. */
import { waitFor } from '../../hack/controlplane/wait.ts';
import { LiveState } from '../../ui/model/live-state.ts';

export class UiClient {
  readonly state = new LiveState();
  /** When the last event arrived, by `performance.now()`. */
  heardAt = 0;
  readonly #stopping = new AbortController();

  /** @param link as cappol ui prints it */
  static async open(link: string): Promise<UiClient> {
    const client = new UiClient();
    const begun = await fetch(link, { redirect: 'manual' });
    const cookie = begun.headers.get('set-cookie')?.split(';')[0] ?? '';
    const response = await fetch(new URL('/events', link), { headers: { cookie }, signal: client.#stopping.signal });
    if (!response.ok || !response.body) throw new Error(`${response.status} ${await response.text()}`);
    // It ends when either side closes the connection.
    client.#read(response.body.pipeThrough(new TextDecoderStream())).catch(() => {});
    return client;
  }

  async until(what: string, isThere: (state: LiveState) => boolean): Promise<void> {
    await waitFor(what, () => isThere(this.state), { intervalMs: 20 });
  }

  close(): void {
    this.#stopping.abort();
  }

  async #read(texts: ReadableStream<string>): Promise<void> {
    let chunks: string[] = [];
    for await (const chunk of texts) {
      const hasEnd = `${chunks.at(-1)?.at(-1) ?? ''}${chunk}`.includes('\n\n');
      chunks.push(chunk);
      // A snapshot of a large cluster has many chunks, so they are joined only at its end.
      if (!hasEnd) continue;
      const events = chunks.join('').split('\n\n');
      chunks = [events.pop() ?? ''];
      for (const event of events) this.#apply(event);
    }
  }

  #apply(event: string): void {
    const [, name = '', data = ''] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? [];
    if (name === 'contexts') this.state.setContexts(JSON.parse(data));
    if (name === 'snapshot') this.state.setSnapshot(JSON.parse(data));
    if (name === 'difference') this.state.change(JSON.parse(data));
    this.heardAt = performance.now();
  }
}
