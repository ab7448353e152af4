/** Asks once an hour for the default level of Pod Security, which no object of the API shows. */
import { isDeepStrictEqual } from 'node:util';
import { askDefault, isPrivileged, type PodSecurityAnswer, type ProbedNamespace } from '../apply/pod-security-probe.ts';
import { EXCLUDED_NAMESPACES } from '../model/namespaces.ts';
import type { NamespaceView } from '../model/objects.ts';
import type { Context, Controller, Key } from './controller.ts';
import type { StateChange } from './state-change.ts';

const ALL = ['all'];
const ASK_AGAIN_MS = 3_600_000;
/** The number of namespaces with a privileged pod that the controller asks about. One is enough to know the default. */
const MOST_WITH_POD = 3;

export class PodSecurity implements Controller {
  readonly name = 'pod-security';
  readonly #context: Context;
  readonly #operatorNamespace: string;

  constructor(context: Context, operatorNamespace: string) {
    this.#context = context;
    this.#operatorNamespace = operatorNamespace;
  }

  keysFor({ cause }: StateChange): Iterable<Key> {
    return cause.of === 'term' ? ALL : [];
  }

  async reconcile(_key: Key, again: (ms: number) => void): Promise<void> {
    const answer = await askDefault(this.#context.client, this.#namespaces());
    if (this.#context.signal.aborted) return;
    this.#remember(answer);
    again(ASK_AGAIN_MS);
  }

  /** The namespaces whose answer may show the default. Clusters that set a default usually exempt kube-system. */
  #namespaces(): ProbedNamespace[] {
    const { cluster } = this.#context;
    const withPod: NamespaceView[] = [];
    for (const namespace of cluster.namespaces()) {
      if (namespace.terminating || ![...cluster.pods(namespace.name)].some(isPrivileged)) continue;
      withPod.push(namespace);
      if (withPod.length === MOST_WITH_POD) break;
    }
    const usuallyExempt = [...EXCLUDED_NAMESPACES, this.#operatorNamespace].flatMap((name) => {
      const namespace = cluster.namespace(name);
      return namespace && !withPod.includes(namespace) ? [namespace] : [];
    });
    return [
      ...withPod.map(({ name, labels }) => ({ name, labels, hasPrivilegedPod: true })),
      ...usuallyExempt.map(({ name, labels }) => ({ name, labels, hasPrivilegedPod: false })),
    ];
  }

  #remember(answer: PodSecurityAnswer): void {
    const { cluster, state, log, found } = this.#context;
    const { podSecurity } = state.outcomes;
    const before = podSecurity.current;
    // If a later question gets no answer, the earlier answer stays.
    if (isDeepStrictEqual(before, answer) || (before?.isKnown && !answer.isKnown)) return;
    podSecurity.current = answer;
    const wrong = state.wrongFlag();
    if (wrong) log.warn('the flag --psa-defaults is wrong', wrong);
    if (answer.isKnown) log.info('the default of Pod Security', { enforce: answer.enforce ?? 'privileged' });
    else log.info('the default of Pod Security is unknown, so --psa-defaults decides', { error: answer.message });
    const namespaces = cluster.namespaces().map(({ name }) => name);
    found({ by: this.name, namespaces, policies: cluster.policies().map(({ metadata }) => metadata?.name ?? '') });
  }
}
