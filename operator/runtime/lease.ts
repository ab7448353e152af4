/**
 * A Lease (coordination.k8s.io/v1) as a lock, with client-go's rules (tools/leaderelection). A candidate takes the
 * Lease if the Lease has not changed for the lease duration. The candidate measures this time by its own clock. The
 * times in the Lease are information for people. The lock does not use these times. Every write contains the last seen
 * resourceVersion. So only one of several candidates succeeds.
 */
import type { Clock } from './clock.ts';
import type { Revisions } from './revisions.ts';

export interface LeaseSpec {
  /** The holder of the Lease. If nobody holds the Lease, the value is empty. */
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  /** The number of times that the holder has changed. */
  readonly leaseTransitions?: number;
  readonly [field: string]: unknown;
}

export interface Lease {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string };
  readonly spec?: LeaseSpec;
}

/** The methods of an ApiClient that a LeaseLock calls. The errors of these methods have an HTTP `status`. */
export interface LeaseClient {
  get<Answer>(path: string): Promise<Answer>;
  create(path: string, object: unknown): Promise<unknown>;
  replace(object: Lease): Promise<unknown>;
}

interface LockOptions {
  readonly client: LeaseClient;
  readonly namespace: string;
  readonly name: string;
  /** A name that is unique to this process. A restarted process must not mistake itself for the holder. */
  readonly identity: string;
  readonly leaseDurationMs: number;
  readonly clock: Clock;
  /** The lock shows every resourceVersion of the Lease to this object. */
  readonly revisions: Revisions;
}

const RELEASE_TRIES = 3;

export class LeaseLock {
  readonly #options: LockOptions;
  #seen: Lease | undefined;
  /** The time at which `#seen` last changed, by this process's clock. */
  #seenAt = 0;
  #released = false;

  constructor(options: LockOptions) {
    this.#options = options;
  }

  /** The last known holder. If nobody holds the lease, the value is empty. */
  get holder(): string {
    return this.#seen?.spec?.holderIdentity ?? '';
  }

  /**
   * The time in ms until candidates other than the holder may take the lease. The value is 0 or less if any candidate
   * may take the lease now.
   */
  get remainingMs(): number {
    return this.#expiresAt - this.#options.clock.now();
  }

  /**
   * Acquires or renews the lock. The method may be called again before an earlier call has ended.
   *
   * @returns true if this process holds the lock. If another process holds the lock or acquired the lock first, the
   * result is false
   * @throws the client's error. After an error, it is unknown whether the API server stored the write
   */
  async acquireOrRenew(): Promise<boolean> {
    // The code compares the time before the request with the end of the lease. If the code used the time after the
    // request, a valid lease would look expired after a slow answer.
    const asked = this.#options.clock.now();
    const seen = this.#isOurs() ? this.#seen : undefined;
    if (seen && (await this.#write(seen, this.#renewed(seen)))) return true;
    const found = await this.#read();
    if (!found) return this.#create();
    this.#see(found);
    // If another call has seen a change of the lease since this call began, the lease has not expired.
    if (this.#released || (!this.#isOurs() && this.#expiresAt > asked)) return false;
    return this.#write(found, this.#isOurs() ? this.#renewed(found) : this.#acquired(found));
  }

  /**
   * Releases the lock permanently. The next holder need not wait.
   *
   * @returns false if this process did not hold the lock any more
   */
  async release(): Promise<boolean> {
    this.#released = true;
    for (let attempt = 0; attempt < RELEASE_TRIES; attempt++) {
      const found = await this.#read();
      if (found) this.#see(found);
      if (!found || !this.#isOurs()) return false;
      const time = this.#time();
      const released = { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: time, renewTime: time };
      if (await this.#write(found, { ...found.spec, ...released })) return true;
    }
    return false;
  }

  /** The end of the lease, by this process's clock. The time is in the past if nobody holds the lease. */
  get #expiresAt(): number {
    if (this.holder === '') return Number.NEGATIVE_INFINITY;
    return this.#seenAt + (this.#seen?.spec?.leaseDurationSeconds ?? 0) * 1000;
  }

  #isOurs(): boolean {
    return this.holder === this.#options.identity;
  }

  #renewed({ spec }: Lease): LeaseSpec {
    return { ...spec, ...this.#term(), acquireTime: spec?.acquireTime ?? this.#time() };
  }

  #acquired({ spec }: Lease): LeaseSpec {
    return { ...spec, ...this.#term(), acquireTime: this.#time(), leaseTransitions: (spec?.leaseTransitions ?? 0) + 1 };
  }

  #term() {
    const { identity, leaseDurationMs } = this.#options;
    return { holderIdentity: identity, leaseDurationSeconds: leaseDurationMs / 1000, renewTime: this.#time() };
  }

  async #read(): Promise<Lease | undefined> {
    const { client, name } = this.#options;
    const read = () => unless(404, client.get<Lease>(`${this.#path()}/${encodeURIComponent(name)}`));
    return this.#options.revisions.asking(read, versionOf);
  }

  async #create(): Promise<boolean> {
    const { client, namespace, name } = this.#options;
    const lease: Lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace },
      spec: { ...this.#term(), acquireTime: this.#time(), leaseTransitions: 0 },
    };
    const create = async () => (await unless(409, client.create(this.#path(), lease))) as Lease | undefined;
    const created = await this.#options.revisions.asking(create, versionOf);
    if (created) this.#see(created);
    return created !== undefined;
  }

  /** @returns false if somebody changed the Lease after `lease` was read */
  async #write(lease: Lease, spec: LeaseSpec): Promise<boolean> {
    const { client, revisions } = this.#options;
    const write = async () => (await unless(404, unless(409, client.replace({ ...lease, spec })))) as Lease | undefined;
    const written = await revisions.asking(write, versionOf);
    if (written) this.#see(written);
    return written !== undefined;
  }

  /**
   * The lease counts as renewed if the fields that the holder writes have changed. Changes of other fields do not
   * count, because other users may label the object at any time.
   */
  #see(lease: Lease): void {
    const changed = JSON.stringify(lease.spec) !== JSON.stringify(this.#seen?.spec);
    if (changed) this.#seenAt = this.#options.clock.now();
    this.#seen = lease;
  }

  /** The current time, as a metav1.MicroTime. */
  #time(): string {
    return this.#options.clock.date().toISOString().replace('Z', '000Z');
  }

  #path(): string {
    const { namespace } = this.#options;
    return `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  }
}

function versionOf({ metadata }: Lease): string | undefined {
  return metadata?.resourceVersion;
}

/** Returns the answer, or undefined if the request fails with this HTTP status. */
async function unless<Answer>(status: number, answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if ((error as { status?: unknown }).status === status) return undefined;
    throw error;
  }
}
