import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type { Lease, LeaseClient, LeaseSpec } from '../../operator/runtime/lease.ts';

type Fault = 'refused' | 'hangs' | 'waits' | 'answer lost';

class HttpError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`HTTP status ${status}`);
    this.status = status;
  }
}

/** A fake API server with one Lease. The fake API server sets resourceVersions like a real API server. */
export class FakeLeases {
  lease: Lease | undefined;
  /** The fault of all requests from now on. If `of` is set, only the requests of the identity `of` fail. */
  fault: { readonly what: Fault; readonly of?: string } | undefined;
  /** The requests in the order of arrival, as `identity: METHOD`. */
  readonly asked: string[] = [];
  /** A function that is called between receiving a request and answering the request. */
  onAnswer: () => void = () => {};
  #version = 0;
  #waiting = Promise.withResolvers<void>();

  get spec(): LeaseSpec {
    assert.ok(this.lease?.spec, 'there is no lease');
    return this.lease.spec;
  }

  get holder(): string | undefined {
    return this.lease?.spec?.holderIdentity;
  }

  /** Changes the Lease like a write of another client. */
  set(spec: LeaseSpec, labels?: object): void {
    this.#keep({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { ...this.lease?.metadata, name: 'operator', namespace: 'system', ...(labels && { labels }) },
      spec,
    });
  }

  /** Ends the fault, and answers the waiting requests. */
  goOn(): void {
    this.fault = undefined;
    this.#waiting.resolve();
    this.#waiting = Promise.withResolvers();
  }

  clientOf(identity: string): LeaseClient {
    const answer = async <Result>(method: string, act: () => Result): Promise<Result> => {
      this.asked.push(`${identity}: ${method}`);
      const fault = this.fault && (this.fault.of ?? identity) === identity ? this.fault.what : undefined;
      if (fault === 'refused') throw new Error('connection refused');
      if (fault === 'hangs') return new Promise<never>(() => {});
      if (fault === 'waits') await this.#waiting.promise;
      // On a network, a later request may arrive before an earlier request is handled.
      await setImmediate();
      const result = act();
      this.onAnswer();
      if (fault === 'answer lost') throw new Error('connection reset');
      return result;
    };
    return {
      get: <Answer>(path: string) =>
        answer('GET', () => {
          assert.equal(path, '/apis/coordination.k8s.io/v1/namespaces/system/leases/operator');
          if (!this.lease) throw new HttpError(404);
          return structuredClone(this.lease) as Answer;
        }),
      create: (path, object) =>
        answer('POST', () => {
          assert.equal(path, '/apis/coordination.k8s.io/v1/namespaces/system/leases');
          if (this.lease) throw new HttpError(409);
          return this.#keep(object as Lease);
        }),
      replace: (object) =>
        answer('PUT', () => {
          if (!this.lease) throw new HttpError(404);
          if (object.metadata.resourceVersion !== this.lease.metadata.resourceVersion) throw new HttpError(409);
          return this.#keep(object);
        }),
    };
  }

  #keep(lease: Lease): Lease {
    this.#version++;
    this.lease = structuredClone({
      ...lease,
      metadata: { ...lease.metadata, resourceVersion: String(this.#version) },
    });
    return structuredClone(this.lease);
  }
}
