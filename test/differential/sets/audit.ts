/** Reads the API server's audit log about pods. A refusal in mode Audit is visible only in the audit log. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../../hack/controlplane/wait.ts';

const FAILURES = 'validation.policy.admission.k8s.io/validation_failure';
const POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', verbs: ['create'], resources: [{ group: '', resources: ['pods'] }] }, { level: 'None' }],
};

export class AuditLog {
  readonly #dir = mkdtempSync(join(tmpdir(), 'capabilitypolicy-audit-'));
  readonly #file = join(this.#dir, 'audit.log');
  /** Flags for kube-apiserver. */
  readonly flags: readonly string[];
  /** The messages about each pod, by the pod's name. */
  readonly #messages = new Map<string, readonly string[]>();
  #offset = 0;
  #rest = '';
  #pods = 0;

  constructor() {
    const policy = join(this.#dir, 'policy.json');
    writeFileSync(policy, JSON.stringify(POLICY));
    this.flags = [`--audit-policy-file=${policy}`, `--audit-log-path=${this.#file}`, '--audit-log-mode=blocking'];
  }

  /** Deletes the log. The caller must wait for the end of the API server first. */
  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** A new unique name for a pod. The log identifies pods by the returned name. */
  podName(): string {
    return `pod-${this.#pods++}`;
  }

  /**
   * The reasons of the policies that refuse the created pod. The API server keeps only one reason, from any of the
   * policies.
   */
  async messagesOf(pod: string): Promise<readonly string[]> {
    return waitFor(
      `${pod} in the audit log`,
      () => {
        this.#read();
        return this.#messages.get(pod);
      },
      { intervalMs: 20 },
    );
  }

  #read(): void {
    const lines = (this.#rest + this.#newText()).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const { objectRef, annotations = {} } = JSON.parse(line);
      const failures: { message: string }[] = JSON.parse(annotations[FAILURES] ?? '[]');
      this.#messages.set(
        objectRef.name,
        failures.map(({ message }) => message),
      );
    }
  }

  #newText(): string {
    const file = openSync(this.#file, 'r');
    try {
      const parts: Buffer[] = [];
      for (;;) {
        const buffer = Buffer.alloc(1 << 20);
        const size = readSync(file, buffer, 0, buffer.length, this.#offset);
        this.#offset += size;
        if (size === 0) return Buffer.concat(parts).toString();
        parts.push(buffer.subarray(0, size));
      }
    } finally {
      closeSync(file);
    }
  }
}
