/** Reads the text of a file or of standard input in chunks. Input that can be read only once is copied. */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { Io } from '../command.ts';
import type { InputFile } from './files.ts';

type Reading = Pick<Io, 'stdin' | 'signal'>;

const CHUNK = 256 * 1024;
const LONG_MS = 50;

/** A regular file. The program can read the file without waiting for data. */
export interface FileAtHand extends InputFile {
  readonly path: string | number;
}

export function isAtHand(file: InputFile): file is FileAtHand {
  return file.regular && file.path !== undefined;
}

/**
 * The text of a regular file. For ten thousand small files, synchronous reads are several times as fast as reads with
 * promises.
 *
 * @param exactly whether to keep a byte order mark at the beginning
 * @throws Error if the file contains invalid UTF-8, because invalid UTF-8 is a mistake in the file
 */
export function* textAtHand(file: FileAtHand, { signal }: Pick<Reading, 'signal'>, exactly = false): Generator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: exactly });
  for (const { bytes, isLast } of read(file.path, signal)) yield decoder.decode(bytes, { stream: !isLast });
}

/**
 * Whether the file contains one of the given words, and the file's size in bytes. The search is much faster than
 * decoding the file.
 *
 * @param words the words to search for, in ASCII
 */
export function searchAtHand(
  file: FileAtHand,
  words: readonly string[],
  { signal }: Pick<Reading, 'signal'>,
): { readonly found: boolean; readonly size: number } {
  const longest = Math.max(...words.map((word) => word.length));
  let [size, found] = [0, false];
  // A searched word may begin at the end of one chunk and end in the next chunk.
  let end = Buffer.alloc(0);
  for (const { bytes, isLast } of read(file.path, signal)) {
    size += bytes.length;
    if (found) continue;
    const seam = end.length > 0 ? Buffer.concat([end, bytes.subarray(0, longest)]) : end;
    found = words.some((word) => bytes.includes(word) || seam.includes(word));
    if (!isLast) end = Buffer.concat([end, bytes.subarray(-longest)]).subarray(-longest);
  }
  return { found, size };
}

/** The text of any input. The input may be a pipe on which data arrives slowly. */
export async function* readText(file: InputFile, io: Reading): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of bytesOf(file, io)) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

/**
 * A copy of a stream that can be read again. When this function returns, the copy is an open file without a name.
 * Without a name, no other process can open the copy. The operating system deletes the copy when the copy is closed, or
 * when the process ends.
 */
export async function spool(file: InputFile, io: Reading): Promise<InputFile & { readonly path: number }> {
  const name = join(tmpdir(), `cappol-${process.pid}-${performance.now()}`);
  const copy = openSync(name, 'wx+', 0o600);
  unlinkSync(name);
  try {
    for await (const chunk of bytesOf(file, io)) writeSync(copy, chunk);
  } catch (error) {
    closeSync(copy);
    throw error;
  }
  return { name: file.name, path: copy, regular: true };
}

function bytesOf({ path }: InputFile, { stdin, signal }: Reading): AsyncGenerator<Uint8Array> {
  return typeof path === 'string' ? waited(path, signal) : streamed(stdin, signal);
}

/**
 * All files share one buffer. For ten thousand files, allocating a buffer for each file would take longer than reading
 * the files.
 */
const SHARED = Buffer.alloc(CHUNK);

interface Chunk {
  /** The bytes that were read. The bytes are in the shared buffer. The next read overwrites the buffer. */
  readonly bytes: Buffer;
  readonly isLast: boolean;
}

function* read(path: string | number, signal: AbortSignal): Generator<Chunk> {
  const file = typeof path === 'number' ? path : openSync(path, 'r');
  try {
    for (let at = 0, isLast = false; !isLast; ) {
      signal.throwIfAborted();
      const count = filled(file, at);
      isLast = count < CHUNK;
      at += count;
      yield { bytes: SHARED.subarray(0, count), isLast };
    }
  } finally {
    if (typeof path === 'string') closeSync(file);
  }
}

/**
 * Fills the shared buffer with several reads. On some file systems, one read returns only a part of the requested
 * bytes.
 */
function filled(file: number, at: number): number {
  let count = 0;
  while (count < CHUNK) {
    const read = readSync(file, SHARED, count, CHUNK - count, at + count);
    if (read === 0) break;
    count += read;
  }
  return count;
}

/** Yields the bytes of a pipe or a device. A read could block, so the function reads asynchronously. */
async function* waited(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  try {
    const buffer = new Uint8Array(CHUNK);
    while (true) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, CHUNK, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function* streamed(stdin: Reading['stdin'], signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of addAbortSignal(signal, stdin)) {
    yield typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk;
  }
}

/** Yields to the event loop during long work, so that signals are handled. */
export class EventLoopYield {
  #last = performance.now();

  get isDue(): boolean {
    return performance.now() - this.#last >= LONG_MS;
  }

  async take(): Promise<void> {
    await setImmediate();
    this.#last = performance.now();
  }
}
