/** The API server's audit log: what somebody asked of it, and what it answered. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly responseStatus?: { readonly code: number };
}

export class Audit {
  readonly #log: string;
  /** Of kube-apiserver. */
  readonly flags: readonly string[];

  /**
   * @param dir of its files
   * @param user whose requests are kept
   */
  constructor(dir: string, user: string) {
    const folder = mkdtempSync(join(dir, 'audit-'));
    this.#log = join(folder, 'log');
    const policy = join(folder, 'policy.yaml');
    // JSON is YAML.
    const rules = [{ level: 'Metadata', users: [user] }, { level: 'None' }];
    const content = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'], rules };
    writeFileSync(policy, JSON.stringify(content));
    this.flags = [`--audit-policy-file=${policy}`, `--audit-log-path=${this.#log}`];
  }

  /** What was answered so far; of a watch, when it began and when it ended. */
  events(): AuditEvent[] {
    const lines = readFileSync(this.#log, 'utf8').split('\n');
    // The last one may still be being written.
    return lines.slice(0, -1).map((line) => JSON.parse(line));
  }
}
