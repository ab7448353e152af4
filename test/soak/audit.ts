/**
 * Reads the API server's audit log of two replicas. The log shows the times at which each replica held the Lease. The
 * log also shows writes of a replica that does not hold the Lease.
 */
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The fields that the test reads from an event of audit.k8s.io/v1, stage ResponseComplete. */
export interface AuditEvent {
  readonly user: { readonly username: string };
  readonly verb: string;
  readonly requestURI: string;
  readonly objectRef?: { readonly resource?: string };
  readonly responseStatus?: { readonly code?: number };
  /**
   * The time of the request. Both timestamps of an event are RFC 3339 in UTC with six digits of a second. The
   * timestamps can therefore be sorted as strings.
   */
  readonly requestReceivedTimestamp: string;
  /** The time at which the API server finished sending the answer. */
  readonly stageTimestamp: string;
  /** The object of the request, for writes to Leases. */
  readonly requestObject?: { readonly spec?: { readonly holderIdentity?: string } };
}

export interface Turns {
  /** The users that held the Lease, in order. An empty string means that the Lease had no holder. */
  readonly holders: readonly string[];
  /** The number of accepted writes by user. Writes of the Lease do not count. */
  readonly writes: Readonly<Record<string, number>>;
  /** The accepted writes of users that did not hold the Lease at the time of the write. */
  readonly outOfTurn: readonly string[];
}

interface Turn {
  readonly user: string;
  /** The time at which the API server received the write of the Lease. */
  readonly asked: string;
  /** The time at which the API server had answered the write of the Lease. */
  readonly answered: string;
}

/** The audit log of an API server that has not been started yet. */
export class AuditLog {
  readonly #dir = mkdtempSync(join(tmpdir(), 'capabilitypolicy-audit-'));
  readonly #file = join(this.#dir, 'audit.log');
  /** The flags that make kube-apiserver write the log. */
  readonly flags: readonly string[];
  readonly #events: AuditEvent[] = [];
  /** The number of bytes of the file that have been read into `#events`. */
  #read = 0;

  /** @param users the users whose writes are logged. The log has no writes of other users. */
  constructor(users: readonly string[]) {
    const policy = join(this.#dir, 'policy.json');
    writeFileSync(policy, JSON.stringify(auditPolicy(users)));
    // The size limit is very large, because a rotation would lose the beginning of the log.
    this.flags = [`--audit-policy-file=${policy}`, `--audit-log-path=${this.#file}`, '--audit-log-maxsize=2000'];
  }

  /** The turns of the users, from the log that the API server has written so far. */
  turns(): Turns {
    const text = this.#rest();
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    this.#read += Buffer.byteLength(whole);
    // Probes are dry runs, and do not count as writes.
    const written = whole.split('\n').filter((line) => !line.includes('dryRun=All'));
    for (const line of written) this.#events.push(...parsed(line));
    return turnsOf(this.#events);
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #rest(): string {
    const file = openSync(this.#file, 'r');
    try {
      const rest = Buffer.alloc(fstatSync(file).size - this.#read);
      readSync(file, rest, 0, rest.length, this.#read);
      return rest.toString('utf8');
    } finally {
      closeSync(file);
    }
  }
}

function auditPolicy(users: readonly string[]): object {
  const verbs = ['create', 'update', 'patch', 'delete', 'deletecollection'];
  return {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived', 'ResponseStarted'],
    rules: [
      { level: 'Request', users, verbs, resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
      { level: 'Metadata', users, verbs },
      { level: 'None' },
    ],
  };
}

/** The events in a line. The function ignores an unfinished line of a killed API server. */
function parsed(line: string): AuditEvent[] {
  try {
    return line === '' ? [] : [JSON.parse(line)];
  } catch {
    return [];
  }
}

/**
 * Finds writes out of turn. A write is out of turn if the API server received the write after another user had got the
 * Lease. A write is also out of turn if the API server received the write before the writer had requested the Lease.
 */
export function turnsOf(events: readonly AuditEvent[]): Turns {
  const accepted = events.filter(({ responseStatus, requestURI }) => {
    return (responseStatus?.code ?? 500) < 300 && !requestURI.includes('dryRun=All');
  });
  const turns = leaseTurns(accepted.filter(isOfLease));
  const writes: Record<string, number> = {};
  const outOfTurn: string[] = [];
  for (const event of accepted.filter((one) => !isOfLease(one))) {
    const { user, verb, requestURI, requestReceivedTimestamp: at } = event;
    writes[user.username] = (writes[user.username] ?? 0) + 1;
    if (isInTurn(user.username, at, turns)) continue;
    const last = turns.findLast(({ answered }) => answered <= at);
    outOfTurn.push(`${at} ${user.username}: ${verb} ${requestURI} (${last?.user || 'nobody'} since ${last?.answered})`);
  }
  return { holders: turns.map(({ user }) => user), writes, outOfTurn };
}

function isOfLease({ objectRef }: AuditEvent): boolean {
  return objectRef?.resource === 'leases';
}

/** The periods in which the same user held the Lease. A renewal does not begin a new period. */
function leaseTurns(events: readonly AuditEvent[]): Turn[] {
  const turns: Turn[] = [];
  for (const event of events.toSorted((a, b) => (a.stageTimestamp < b.stageTimestamp ? -1 : 1))) {
    const user = event.requestObject?.spec?.holderIdentity ? event.user.username : '';
    if (turns.at(-1)?.user === user) continue;
    turns.push({ user, asked: event.requestReceivedTimestamp, answered: event.stageTimestamp });
  }
  return turns;
}

function isInTurn(user: string, at: string, turns: readonly Turn[]): boolean {
  return turns.some((turn, index) => {
    const next = turns[index + 1];
    return turn.user === user && turn.asked <= at && (next === undefined || at <= next.answered);
  });
}
