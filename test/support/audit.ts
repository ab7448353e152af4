/** Reads the API server's audit log. The log has each request with the user and the answer. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface AuditEvent {
  readonly user: { readonly username: string };
  readonly verb: string;
  readonly requestURI: string;
  readonly objectRef?: { readonly resource?: string; readonly namespace?: string; readonly name?: string };
  /** The time in RFC 3339 in UTC, with six digits of a second. The times therefore sort as text. */
  readonly requestReceivedTimestamp: string;
  readonly responseStatus?: { readonly code: number; readonly message?: string };
}

export class Audit {
  readonly #log: string;
  /** Flags for kube-apiserver. */
  readonly flags: readonly string[];

  /**
   * @param dir the folder in which the log is created
   * @param kept a rule of an audit policy. The log has the requests that the rule selects.
   */
  constructor(dir: string, kept: { readonly users?: readonly string[]; readonly verbs?: readonly string[] }) {
    const folder = mkdtempSync(join(dir, 'audit-'));
    this.#log = join(folder, 'log');
    const policy = join(folder, 'policy.yaml');
    // JSON is valid YAML.
    const rules = [{ level: 'Metadata', ...kept }, { level: 'None' }];
    const content = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'], rules };
    writeFileSync(policy, JSON.stringify(content));
    // The maximum size is large, because rotation would lose the beginning of the log.
    this.flags = [`--audit-policy-file=${policy}`, `--audit-log-path=${this.#log}`, '--audit-log-maxsize=2000'];
  }

  /**
   * The events of all requests that were answered so far. A watch has one event for its beginning and another event for
   * its end.
   */
  events(): AuditEvent[] {
    const lines = readFileSync(this.#log, 'utf8').split('\n');
    // The last line may be incomplete.
    return lines.slice(0, -1).map((line) => JSON.parse(line));
  }
}
