/**
 * Writes policy reports, if the cluster has an API for reports. A namespace gets reports if a policy decides in the
 * namespace.
 */
import type { FollowedReports, ReportApi } from '../cluster/reports.ts';
import type { NamespaceVerdicts } from '../evaluate/namespace.ts';
import type { NamespaceView } from '../model/objects.ts';
import { firstReportName, type PolicyReport, policyReports } from '../report/policy-report.ts';
import { writePolicyReports } from '../report/policy-report-writer.ts';
import type { FindIdentity } from '../report/violation-events.ts';
import { Cooldown } from '../runtime/cooldown.ts';
import type { Context, Controller, Key } from './controller.ts';
import type { StateChange } from './state-change.ts';

/** The wait in ms for more changes. Changes come in bursts, and a burst leads to one write. */
const DELAY_MS = 3_000;
/**
 * The cooldown of a namespace in ms is the number of bytes of the namespace's reports, divided by this number. The
 * operator writes larger reports less often.
 */
const MOST_BYTES_PER_MS = 256;

const NOWHERE: Pick<NamespaceVerdicts, 'modes'> = { modes: {} };

export class Reports implements Controller {
  readonly name = 'reports';
  readonly #context: Context;
  readonly #followed: FollowedReports;
  readonly #cooldown = new Cooldown({ times: 1 });

  constructor(context: Context, followed: FollowedReports) {
    this.#context = context;
    this.#followed = followed;
  }

  keysFor({ cause }: StateChange): Iterable<Key> {
    if (cause.of === 'found' && cause.by === 'evaluation') return [cause.namespace ?? ''];
    if (cause.of === 'report') return [cause.namespace];
    if (cause.of !== 'term' && cause.of !== 'reports') return [];
    return this.#followed.api ? this.#context.cluster.namespaces().map(({ name }) => name) : [];
  }

  delay(namespace: Key): number {
    return Math.max(DELAY_MS, this.#cooldown.left(namespace));
  }

  async reconcile(name: Key): Promise<void> {
    const { client, cluster, state } = this.#context;
    const { api } = this.#followed;
    const namespace = cluster.namespace(name);
    if (!namespace) this.#cooldown.forget(name);
    // Before the evaluation of a namespace, the namespace's reports stay unchanged. The namespace comes back to the
    // queue after its evaluation. The reports of a deleted namespace are deleted with the namespace.
    if (!api || !namespace || namespace.terminating) return;
    if (state.policies.isReached(namespace) && !state.outcomes.verdicts.has(name)) return;
    let written = 0;
    await writePolicyReports(client, this.#wanted(namespace, api), this.#followed.in(name), (report, bytes) => {
      this.#followed.wrote(report);
      written += bytes;
    });
    this.#cooldown.start(name, written / MOST_BYTES_PER_MS);
  }

  *#wanted(namespace: NamespaceView, api: ReportApi): Generator<PolicyReport> {
    const { state } = this.#context;
    const findIdentity = this.#identities(namespace.name);
    const now = new Date().toISOString();
    const { modes } = state.outcomes.verdicts.get(namespace.name) ?? NOWHERE;
    for (const { deciding, workloads } of Object.values(modes)) {
      for (const policy of state.policies.selecting(namespace.name).filter(({ name }) => deciding.includes(name))) {
        const first = firstReportName(policy.name);
        // The operator may have written to the other API for reports earlier. The time may therefore come from the
        // reports of either API.
        const cleanSince = this.#followed.in(namespace.name).find(({ name }) => name === first)?.cleanSince;
        yield* policyReports({ api, policy, namespace, workloads, findIdentity, cleanSince, now });
      }
    }
  }

  #identities(namespace: string): FindIdentity {
    const { cluster } = this.#context;
    const pods = new Map(Iterator.from(cluster.pods(namespace)).map(({ name, uid }) => [name, uid]));
    return ({ kind, name }) => {
      const uid = kind === 'Pod' ? pods.get(name) : cluster.workload(namespace, kind, name)?.uid;
      return uid === undefined ? undefined : { uid };
    };
  }
}
