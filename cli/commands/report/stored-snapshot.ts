/** Reads a file that `cappol snapshot` wrote. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { reason } from '../../../analysis/manifests/trouble.ts';
import type { Snapshot } from '../../../analysis/snapshot/document.ts';
import { snapshotProblem } from '../../../analysis/snapshot/snapshot-problem.ts';
import { UsageError } from '../../command.ts';

const GZIP = Buffer.from([0x1f, 0x8b]);

/** @throws UsageError if the file is not a snapshot */
export function storedSnapshot(path: string): Snapshot {
  const read = parsed(path);
  const problem = snapshotProblem(read);
  if (problem !== undefined) throw new UsageError(`${path}: ${problem}`);
  return read as Snapshot;
}

function parsed(path: string): unknown {
  try {
    const bytes = readFileSync(path);
    const text = bytes.subarray(0, GZIP.length).equals(GZIP) ? gunzipSync(bytes) : bytes;
    return JSON.parse(text.toString('utf8'));
  } catch (error) {
    throw new UsageError(`${path}: ${reason(error)}`);
  }
}
