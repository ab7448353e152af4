/** A file that `cappol snapshot` wrote. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { SNAPSHOT_KIND, SNAPSHOT_VERSION, type Snapshot } from '../../../operator/snapshot/document.ts';
import { UsageError } from '../../command.ts';
import { reason } from '../../input/trouble.ts';

const GZIP = Buffer.from([0x1f, 0x8b]);

/** @throws UsageError for anything else */
export function storedSnapshot(path: string): Snapshot {
  const read = parsed(path);
  const { apiVersion, kind, context, missing } = (read ?? {}) as Partial<Snapshot>;
  const isSnapshot = apiVersion === SNAPSHOT_VERSION && kind === SNAPSHOT_KIND;
  if (!isSnapshot || typeof context !== 'string' || !Array.isArray(missing)) {
    throw new UsageError(`${path}: not a ${SNAPSHOT_KIND} of ${SNAPSHOT_VERSION}, which cappol snapshot prints`);
  }
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
