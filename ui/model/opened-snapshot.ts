/**
 * Reads a snapshot from a file that the user opened. The user may open any file, and a wrong file must not break the
 * page.
 */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { snapshotProblem } from '../../analysis/snapshot/snapshot-problem.ts';

/** Reads the snapshot. @throws Error with a message for users */
export async function snapshotIn(bytes: Uint8Array<ArrayBuffer>): Promise<Snapshot> {
  const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = isCompressed ? await decompressed(bytes) : textOf(bytes);
  const value = parsed(text);
  const problem = snapshotProblem(value);
  if (problem !== undefined) throw new Error(`This cannot be shown: ${problem}. ${HOW}`);
  return value as Snapshot;
}

const HOW = 'Open the output of cappol snapshot, either uncompressed or compressed with gzip.';

async function decompressed(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return await new Response(stream).text();
  } catch {
    throw new Error(`The compressed file is damaged. ${HOW}`);
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`The file is not text. ${HOW}`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`The file is not JSON. ${HOW}`);
  }
}
