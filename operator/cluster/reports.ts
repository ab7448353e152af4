/**
 * The policy reports that are ours, in whichever API the cluster has for them. Their CRDs come and go while we run. Only
 * what tells whether a report has to be written anew is kept: never its results.
 */
import { FIELD_MANAGER, GROUP, MANAGED_BY_LABEL } from '../api/capability-policy.ts';
import type { Change } from '../model/objects.ts';
import type { Log } from '../runtime/log.ts';
import type { ReflectorObserver } from '../runtime/metrics.ts';
import { Collection } from './collection.ts';
import type { RawObject } from './raw.ts';
import type { Reader } from './reading.ts';
import { reflect } from './reflector.ts';
import type { Sink } from './sink.ts';

export interface ReportApi {
  readonly apiVersion: string;
  readonly kind: string;
}

/** https://github.com/openreports/reports-api */
export const OPEN_REPORTS: ReportApi = { apiVersion: 'openreports.io/v1alpha1', kind: 'Report' };
/** Its predecessor, of the Kubernetes Policy Working Group; what Kyverno installs. */
export const POLICY_REPORTS: ReportApi = { apiVersion: 'wgpolicyk8s.io/v1alpha2', kind: 'PolicyReport' };

/** Annotation: a hash of all that a report says, the times of its results aside. */
export const DIGEST = `${GROUP}/digest`;
/** Annotation of a report of a namespace where nothing violates the policy: RFC 3339, since when. */
export const CLEAN_SINCE = `${GROUP}/clean-since`;

export interface ReportView {
  readonly api: ReportApi;
  readonly namespace: string;
  readonly name: string;
  readonly digest?: string;
  readonly cleanSince?: string;
}

interface FollowedReportsOptions {
  onChange(change: Change): void;
  readonly log: Log;
  readonly reflectorObserver?: ReflectorObserver;
}

/** How soon a CRD that somebody installs is noticed. */
const ABSENT_MS = 5_000;

export class FollowedReports {
  readonly #options: FollowedReportsOptions;
  /** The one to be preferred comes first. */
  readonly #followed: readonly Followed[];

  constructor(options: FollowedReportsOptions) {
    this.#options = options;
    this.#followed = [OPEN_REPORTS, POLICY_REPORTS].map((api) => new Followed(api, options));
  }

  /** Follows until `signal` is aborted; resolves when nothing is followed any more. */
  async follow(client: Reader, signal: AbortSignal): Promise<void> {
    const { log, reflectorObserver: observer } = this.#options;
    const labelSelector = `${MANAGED_BY_LABEL}=${FIELD_MANAGER}`;
    const options = { log, absentMs: ABSENT_MS, ...(observer && { observer }) };
    await Promise.all(
      this.#followed.map((sink) => {
        const source = { ...sink.api, labelSelector, optional: true, metadataOnly: true };
        return reflect(client, source, sink, signal, options);
      }),
    );
  }

  /** The API to write to; undefined as long as it is not known which, and when there is none. */
  get api(): ReportApi | undefined {
    const first = this.#followed.find(({ served }) => served !== 'No');
    return first?.served === 'Yes' ? first.api : undefined;
  }

  /** In both APIs. */
  in(namespace: string): readonly ReportView[] {
    return this.#followed.flatMap(({ reports }) => reports.in(namespace));
  }

  /** @param raw the answer to our own write: what the watch brings of it later is no news */
  wrote(raw: RawObject): void {
    this.#followed.find(({ api }) => api.apiVersion === raw.apiVersion)?.put(raw);
  }
}

class Followed implements Sink {
  readonly api: ReportApi;
  readonly reports: Collection<ReportView>;
  served: 'Unknown' | 'Yes' | 'No' = 'Unknown';
  readonly #onChange: (change: Change) => void;

  constructor(api: ReportApi, { onChange }: FollowedReportsOptions) {
    this.api = api;
    this.#onChange = onChange;
    this.reports = new Collection({
      project: (raw) => viewOf(api, raw),
      changed: ({ namespace }) => onChange({ of: 'report', namespace }),
    });
  }

  listing(): void {
    this.reports.listing();
  }

  put(raw: RawObject): void {
    this.reports.put(raw);
  }

  remove(raw: RawObject): void {
    this.reports.remove(raw);
  }

  listed(): void {
    this.reports.listed();
    this.#turn('Yes');
  }

  absent(): void {
    this.reports.listing();
    this.reports.listed();
    this.#turn('No');
  }

  /** That the preferred API is not there makes the other the one to write to. */
  #turn(served: 'Yes' | 'No'): void {
    if (served === this.served) return;
    this.served = served;
    this.#onChange({ of: 'reports' });
  }
}

function viewOf(api: ReportApi, { metadata }: RawObject): ReportView {
  const { [DIGEST]: digest, [CLEAN_SINCE]: cleanSince } = metadata?.annotations ?? {};
  return {
    api,
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    ...(digest && { digest }),
    ...(cleanSince && { cleanSince }),
  };
}
