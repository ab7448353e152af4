/**
 * Reads the events of cappol ui as the page of cappol ui reads them. The reader opens the link that `cappol ui` prints,
 * and keeps the session.
 */

export interface UiEvent {
  readonly name: 'contexts' | 'snapshot' | 'difference';
  readonly data: string;
}

/**
 * Calls `onEvent` for each event, until the server ends the connection or the signal is aborted.
 *
 * @param link the link that cappol ui prints, or the session that an earlier call returned
 * @returns the session, as soon as the server has accepted the request
 */
export async function readEvents(
  link: string | UiSession,
  onEvent: (event: UiEvent) => void,
  signal?: AbortSignal,
): Promise<UiSession> {
  const session = typeof link === 'string' ? await begin(link) : link;
  const { cookie, origin } = session;
  const response = await fetch(`${origin}/events`, { headers: { cookie }, ...(signal && { signal }) });
  if (!response.ok || !response.body) throw new Error(`${response.status} ${await response.text()}`);
  // Reading ends when the client or the server closes the connection.
  read(response.body.pipeThrough(new TextDecoderStream()), onEvent).catch(() => {});
  return session;
}

export interface UiSession {
  readonly origin: string;
  readonly cookie: string;
}

async function begin(link: string): Promise<UiSession> {
  const answer = await fetch(link, { redirect: 'manual' });
  return { origin: new URL(link).origin, cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' };
}

async function read(texts: ReadableStream<string>, onEvent: (event: UiEvent) => void): Promise<void> {
  let chunks: string[] = [];
  for await (const chunk of texts) {
    const hasEnd = `${chunks.at(-1)?.at(-1) ?? ''}${chunk}`.includes('\n\n');
    chunks.push(chunk);
    // The snapshot of a large cluster arrives in many chunks. The reader therefore joins the chunks only when the end
    // of an event has arrived.
    if (!hasEnd) continue;
    const events = chunks.join('').split('\n\n');
    chunks = [events.pop() ?? ''];
    for (const event of events) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? [];
      if (name !== undefined && data !== undefined) onEvent({ name: name as UiEvent['name'], data });
    }
  }
}
