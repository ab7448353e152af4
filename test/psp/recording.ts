/** The answers of 1.24, kept for machines without such a server: sets of policies, each with pods and their results. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Identity, Json } from '../../hack/controlplane/api.ts';
import type { OnJudgement } from './campaign.ts';
import type { PspSet } from './objects.ts';
import { securityOf } from './security.ts';

export interface RecordedSet {
  readonly set: PspSet;
  readonly pods: readonly RecordedPod[];
}

export interface RecordedPod {
  /** With the fields that today's API server fills in without policies. */
  readonly pod: Json;
  readonly namespace: string;
  readonly account: string;
  readonly creator: Identity;
  /** The result of securityOf() for the pod that 1.24 made; absent if it refused. */
  readonly becomes?: Json;
}

const FILE = join(import.meta.dirname, 'recorded.jsonl.gz');
const PODS_OF_POLICY = 2;

/** One JSON document per line. */
export function readRecorded(): RecordedSet[] {
  const lines = gunzipSync(readFileSync(FILE)).toString('utf8').trimEnd().split('\n');
  return lines.map((text) => JSON.parse(text));
}

/** Records the first few pods of each set that both servers agreed about. */
export class Recorder {
  readonly #pods = new Map<PspSet, RecordedPod[]>();

  readonly onJudgement: OnJudgement = ({ set }, { namespace, account, creator }, { status, old, defaulted }) => {
    const pods = this.#pods.get(set) ?? [];
    this.#pods.set(set, pods);
    if (status !== 'admitted' && status !== 'refused') return;
    if (pods.length >= PODS_OF_POLICY * set.policies.length) return;
    const { metadata, spec } = defaulted.pod;
    const pod = { metadata: { annotations: metadata.annotations ?? {} }, spec };
    pods.push({ pod, namespace, account, creator, ...(status === 'admitted' && { becomes: securityOf(old.pod) }) });
  };

  /** @returns how many pods are in the file now */
  write(): number {
    const sets = [...this.#pods].map(([set, pods]): RecordedSet => ({ set, pods }));
    const text = sets.map((one) => `${JSON.stringify(one)}\n`).join('');
    writeFileSync(FILE, gzipSync(text, { level: 9 }));
    return sets.reduce((sum, { pods }) => sum + pods.length, 0);
  }
}
