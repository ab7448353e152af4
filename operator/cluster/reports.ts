/**
 * Follows the operator's policy reports in the cluster's API for reports. Two APIs for reports exist. The CRDs of both
 * APIs may be installed and removed at any time. The operator keeps the fields that show whether a report has to be
 * rewritten. The operator does not keep the results.
 */
import { FIELD_MANAGER, GROUP, MANAGED_BY_LABEL } from '../api/capability-policy.ts';
import type { Change } from '../model/objects.ts';
import type { RawObject } from '../model/raw.ts';
import type { Log } from '../runtime/log.ts';
import type { ReflectorObserver } from '../runtime/metrics.ts';
import type { Reader } from './reading.ts';
import { Reflector } from './reflector.ts';
import { WrittenCollection } from './written-collection.ts';

export interface ReportApi {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The API of OpenReports (https://github.com/openreports/reports-api). */
export const OPEN_REPORTS: ReportApi = { apiVersion: 'openreports.io/v1alpha1', kind: 'Report' };
/** The older API for reports, by the Kubernetes Policy Working Group. Kyverno installs this API. */
export const POLICY_REPORTS: ReportApi = { apiVersion: 'wgpolicyk8s.io/v1alpha2', kind: 'PolicyReport' };

/** An annotation with a hash of the report's content. The hash leaves out the times of the results. */
export const DIGEST = `${GROUP}/digest`;
/**
 * Reports that contain no violation of the policy have this annotation. The annotation's value is the time at which the
 * namespace became free of violations, in the format of RFC 3339.
 */
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

/** The operator notices a newly installed CRD after this time in ms. */
const ABSENT_MS = 5_000;

export class FollowedReports {
  readonly #options: FollowedReportsOptions;
  /** The followed APIs of reports. The preferred API comes first. */
  readonly #followed: readonly Followed[];
  #reflectors: readonly Reflector[] = [];

  constructor(options: FollowedReportsOptions) {
    this.#options = options;
    this.#followed = [OPEN_REPORTS, POLICY_REPORTS].map((api) => new Followed(api, options));
  }

  /** Follows the reports until `signal` is aborted. The promise resolves when following has stopped. */
  async follow(client: Reader, signal: AbortSignal): Promise<void> {
    const { log, reflectorObserver: observer } = this.#options;
    const labelSelector = `${MANAGED_BY_LABEL}=${FIELD_MANAGER}`;
    const options = { log, absentMs: ABSENT_MS, ...(observer && { observer }) };
    this.#reflectors = this.#followed.map((sink) => {
      const source = { ...sink.api, labelSelector, optional: true, metadataOnly: true };
      return new Reflector(client, source, sink, signal, options);
    });
    await Promise.all(this.#reflectors.map((one) => one.run()));
  }

  /** Reads the reports again. The promise resolves when they have been read. */
  async readAgain(): Promise<void> {
    await Promise.all(this.#reflectors.map((one) => one.refresh()));
  }

  /**
   * The API to which the operator writes reports. The value is undefined if the API is not known yet, or if the cluster
   * has no API for reports.
   */
  get api(): ReportApi | undefined {
    const first = this.#followed.find(({ served }) => served !== 'No');
    return first?.served === 'Yes' ? first.api : undefined;
  }

  /** Returns the reports of a namespace from both APIs for reports. */
  in(namespace: string): readonly ReportView[] {
    return this.#followed.flatMap((reports) => reports.in(namespace));
  }

  /**
   * @param raw the API server's answer to a write of the operator. When the watch later shows this write, the event
   * from the watch has no effect
   */
  wrote(raw: RawObject): void {
    this.#followed.find(({ api }) => api.apiVersion === raw.apiVersion)?.wrote(raw);
  }
}

class Followed extends WrittenCollection<ReportView> {
  readonly api: ReportApi;
  served: 'Unknown' | 'Yes' | 'No' = 'Unknown';
  readonly #onChange: (change: Change) => void;

  constructor(api: ReportApi, { onChange }: FollowedReportsOptions) {
    super({
      project: (raw) => viewOf(api, raw),
      changed: ({ namespace }) => onChange({ of: 'report', namespace }),
    });
    this.api = api;
    this.#onChange = onChange;
  }

  override listed(): void {
    super.listed();
    this.#turn('Yes');
  }

  absent(): void {
    this.listing();
    super.listed();
    this.#turn('No');
  }

  /** If the cluster does not have the preferred API for reports, the operator writes to the other API. */
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
