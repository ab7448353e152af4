/**
 * Reads recorded sets of policies and pods. Also reads the recorded answers of Kubernetes 1.24 with PodSecurityPolicy.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Identity, Json } from '../../hack/controlplane/api.ts';
import type { PspSet } from './objects.ts';

export interface RecordedSet {
  readonly set: PspSet;
  readonly pods: readonly RecordedPod[];
}

export interface RecordedPod {
  /** The created pod, with the fields that a current API server without policies fills in. */
  readonly pod: Json;
  readonly namespace: string;
  readonly account: string;
  readonly creator: Identity;
  /**
   * The result of securityOf() for the pod that Kubernetes 1.24 created. If Kubernetes 1.24 refused the pod, `becomes`
   * is absent.
   */
  readonly becomes?: Json;
}

const FILE = join(import.meta.dirname, 'recorded.jsonl.gz');

/** Reads the recorded sets. The file has one JSON document per line. */
export function readRecorded(): RecordedSet[] {
  const lines = gunzipSync(readFileSync(FILE)).toString('utf8').trimEnd().split('\n');
  return lines.map((text) => JSON.parse(text));
}
