/** Sets and withdraws the Pod Security labels of each namespace. */
import { isDeepStrictEqual } from 'node:util';
import { writeLabels } from '../apply/label-writer.ts';
import { labelOutcome, planLabels } from '../apply/namespace-labels.ts';
import { namespaceEvents } from '../report/transitions.ts';
import { type Context, type Controller, type Key, originOf } from './controller.ts';
import type { StateChange } from './state-change.ts';

export class Labels implements Controller {
  readonly name = 'labels';
  readonly concurrency = 8;
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  keysFor({ cause, namespaces }: StateChange): Iterable<Key> {
    // Labels do not depend on the users of a policy.
    return cause.of === 'rbac' ? [] : namespaces;
  }

  async reconcile(name: Key): Promise<void> {
    const { client, cluster, state, recorder, log, found } = this.#context;
    const { labels } = state.findings;
    const namespace = cluster.namespace(name);
    if (!namespace || namespace.terminating) {
      labels.delete(name);
      return;
    }
    const plan = planLabels(namespace, state.wantedLabels(namespace));
    await writeLabels(client, namespace, plan);
    if (plan.changes) log.info('set labels of namespace', { namespace: name, labels: plan.labels });
    const outcome = labelOutcome(name, plan);
    const before = labels.get(name);
    if (isDeepStrictEqual(outcome, before)) return;
    // Before it is stored: a failed write of an Event is tried again with the key.
    const refusals = await recorder.tell(namespaceEvents(namespace, before, outcome, originOf(this.#context)));
    for (const error of refusals) log.warn('an Event was refused', { namespace: name, error });
    labels.set(name, outcome);
    found({ by: this.name, namespace: name });
  }
}
