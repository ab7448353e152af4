/**
 * Writes objects directly into etcd. The objects have the same JSON form as objects that the API server itself wrote
 * earlier. The objects have statuses, too. Writes into etcd are many times faster than writes through admission,
 * validation and defaulting. Clients that read the objects later see no difference.
 */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';

export interface Entry {
  /** The object's key in etcd, without the prefix, such as `pods/net/web-1`. */
  readonly key: string;
  readonly object: string;
}

/**
 * The maximum number of objects in a transaction. The number is below etcd's own limits for a transaction, which are
 * 128 operations and 1.5 MiB.
 */
const AT_ONCE = 64;
const CONNECTIONS = 4;

export class Etcd {
  readonly #url: string;
  readonly #agent = new Agent({ connections: CONNECTIONS });

  /** @param pids the IDs of processes. Exactly one of these processes is etcd */
  constructor(pids: readonly number[]) {
    const flags = pids
      .map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
      .find((text) => text.includes('--listen-client-urls='));
    const url = flags?.split('\0').find((flag) => flag.startsWith('--listen-client-urls='));
    if (!url) throw new Error('none of the processes is etcd');
    this.#url = url.slice(url.indexOf('=') + 1);
  }

  /**
   * Writes objects in transactions. All objects of a transaction get the same resourceVersion. No API server writes
   * several objects with one resourceVersion. If a watch is interrupted in the middle of a transaction, the watch loses
   * the remaining objects of the transaction.
   *
   * @param atOnce the number of objects in a transaction. The number must be 1 if a client watches
   */
  async write(entries: Iterable<Entry>, atOnce = AT_ONCE): Promise<void> {
    const puts = Iterator.from(entries).map(({ key, object }) => ({
      requestPut: { key: keyOf(key), value: base64(object) },
    }));
    await this.#commit(puts, atOnce);
  }

  /** Removes objects. Each removal has its own resourceVersion. */
  async removeEach(keys: Iterable<string>): Promise<void> {
    const deletions = Iterator.from(keys).map((key) => ({ requestDeleteRange: { key: keyOf(key) } }));
    await this.#commit(deletions, 1);
  }

  /**
   * Removes all objects whose keys begin with `prefix`, in one transaction (see `write`). `prefix` must end in a slash.
   */
  async remove(prefix: string): Promise<void> {
    const key = `/registry/${prefix}`;
    // In ASCII, the character `0` follows the slash. The range therefore contains exactly the keys that begin with the
    // prefix.
    const body = JSON.stringify({ key: base64(key), range_end: base64(`${key.slice(0, -1)}0`) });
    await this.#post('deleterange', body);
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  async #commit(operations: Iterator<object>, atOnce: number): Promise<void> {
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        for (let some = take(operations, atOnce); some.length > 0; some = take(operations, atOnce)) {
          await this.#post('txn', JSON.stringify({ success: some }));
        }
      }),
    );
  }

  async #post(call: 'txn' | 'deleterange', body: string): Promise<void> {
    const answer = await request(`${this.#url}/v3/kv/${call}`, { method: 'POST', body, dispatcher: this.#agent });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`etcd: ${answer.statusCode} ${text}`);
  }
}

function take<Item>(items: Iterator<Item>, count: number): Item[] {
  const some: Item[] = [];
  while (some.length < count) {
    const next = items.next();
    if (next.done) break;
    some.push(next.value);
  }
  return some;
}

function keyOf(key: string): string {
  return base64(`/registry/${key}`);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
