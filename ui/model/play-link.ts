/**
 * Converts the texts of the playground to the fragment of an address, and back. In the fragment, the texts are deflated
 * and encoded as base64url.
 */

export interface Play {
  readonly policies: string;
  readonly manifests: string;
  /** The namespace for manifests that state no namespace. */
  readonly namespace: string;
  /** The labels of the namespace as text, such as `team=network,stage=prod`. */
  readonly labels: string;
  /** The policies before the change. If the playground does not compare texts, the field is absent. */
  readonly before?: string | undefined;
}

const FIELDS = ['policies', 'manifests', 'namespace', 'labels', 'before'] as const;
/** The minimum number of fields in a link. Only the field `before` may be missing. */
const LEAST_FIELDS = 4;
/**
 * The maximum number of characters in the texts of the playground. Users type shorter texts. A longer text would only
 * consume memory.
 */
const MOST_CHARACTERS = 4 * 1024 * 1024;

export async function linkOf(play: Play): Promise<string> {
  const text = JSON.stringify(FIELDS.map((field) => play[field]).filter((value) => value !== undefined));
  const bytes = await bytesOf(new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw')));
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** @param address the address of the page to which the link leads */
export function copiedText(address: string): string {
  const { protocol, hostname } = new URL(address);
  const nothing = 'Copied. The link contains all texts; nothing was sent.';
  if (protocol === 'file:') return `${nothing} The link opens only where this file is.`;
  return hostname === '127.0.0.1' ? `${nothing} The link opens only in this browser, while cappol ui runs.` : nothing;
}

/** Reads the texts from a link. @throws Error with a message for users, if the link is incomplete */
export async function playOf(link: string): Promise<Play> {
  const values = await valuesOf(link).catch(() => {
    throw new Error(
      'This link is damaged: a part of the link is missing or was changed. Copy the whole link, or ask for the link again.',
    );
  });
  return Object.fromEntries(values.map((value, index) => [FIELDS[index], value])) as unknown as Play;
}

async function valuesOf(link: string): Promise<readonly string[]> {
  const binary = atob(link.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const text = new TextDecoder('utf-8', { fatal: true }).decode(await bytesOf(stream));
  const values: unknown = JSON.parse(text);
  if (!Array.isArray(values) || !values.every((value) => typeof value === 'string')) throw new Error('no texts');
  if (values.length < LEAST_FIELDS || values.length > FIELDS.length) throw new Error('no texts');
  return values;
}

/** Reads a stream up to the maximum size. A short link may expand to a text of any length. */
async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    size += read.value.length;
    if (size > MOST_CHARACTERS) {
      await reader.cancel();
      throw new Error('too long');
    }
    chunks.push(read.value);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Parses labels such as `team=network,stage=prod`. @throws Error with a message for users */
export function labelsOf(text: string): Readonly<Record<string, string>> {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  return Object.fromEntries(
    entries.map((entry) => {
      const [, key, value = ''] = /^([^=\s]+)\s*=\s*(\S*)$/.exec(entry) ?? [];
      if (key === undefined)
        throw new Error(`Write labels as KEY=VALUE, separated by commas; ${JSON.stringify(entry)} is not.`);
      return [key, value];
    }),
  );
}

export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
