/** Changes a cluster at random. The changes concern pods, workloads, policies, grants, namespaces and their labels. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Api, Identity, Method, Request } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMINISTRATOR, CREATOR } from '../support/harness.ts';
import { workloads } from '../support/pod-manifests.ts';
import { policyManifest } from '../support/policies.ts';
import type { Random } from '../support/random.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { bindingOf, roleOf } from './grants.ts';
import {
  ACCOUNTS,
  drawLabels,
  drawObserver,
  drawPolicy,
  drawSentinel,
  oneOf,
  PODS,
  type Population,
  SENTINEL_LABELS,
} from './population.ts';
import type { Window, WindowState } from './window.ts';

const APPLY = { contentType: 'application/apply-patch+yaml', query: { fieldManager: 'churn', force: true } };
const PODS_OF_NAMESPACE = 12;
const PAUSE_MS = 60;
const AGAIN_MS = 200;
const PATIENCE_MS = 120_000;

/** The kinds of changes, and the frequency of each in percent. */
const KINDS = { pod: 45, workload: 25, grant: 7, role: 2, labels: 10, policy: 9, namespace: 2 } as const;
type Kind = keyof typeof KINDS;

export class Churn {
  readonly #api: Api;
  readonly #window: Window;
  readonly #random: Random;
  readonly #population: Population;
  #policies = new Map<string, CapabilityPolicySpec>();
  /** The number of changes by kind. Attempted changes also count. */
  readonly changes = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, 0])) as Record<Kind, number>;

  constructor(api: Api, window: Window, random: Random, population: Population) {
    this.#api = api;
    this.#window = window;
    this.#random = random;
    this.#population = population;
  }

  /** Creates the initial objects. */
  async populate(): Promise<void> {
    for (const policy of ['*', ...this.#population.policies]) {
      const { path, object } = roleOf(policy, true);
      await this.#ask('PATCH', path, { ...APPLY, body: object });
    }
    const { namespaces, policies, sentinel } = this.#population;
    for (const namespace of namespaces) await this.#makeNamespace(namespace);
    await this.#makeNamespace(sentinel.namespace, SENTINEL_LABELS);
    for (const policy of [...policies, sentinel.policy]) await this.#changePolicy(policy);
  }

  /** @param now the current objects of the cluster */
  continueFrom({ policies }: WindowState): void {
    this.#policies = new Map(policies);
  }

  /** Makes changes one after the other, until `until` is aborted. */
  async run(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      await this.#change(this.#drawKind());
      await sleep(PAUSE_MS);
    }
  }

  #drawKind(): Kind {
    let left = this.#random.int(100);
    for (const [kind, share] of Object.entries(KINDS)) {
      left -= share;
      if (left < 0) return kind as Kind;
    }
    return 'pod';
  }

  async #change(kind: Kind): Promise<void> {
    this.changes[kind]++;
    const namespace = oneOf(this.#population.namespaces, this.#random);
    const rarely = this.#random.int(6) === 0;
    switch (kind) {
      case 'pod':
        return this.#changePod(namespace);
      case 'workload':
        return this.#changeWorkload(namespace, rarely);
      case 'grant':
        return this.#changeGrant(namespace);
      case 'role':
        return this.#changeRole();
      case 'labels':
        return this.#makeNamespace(namespace);
      case 'policy': {
        const { policies, sentinel } = this.#population;
        if (this.#random.int(3) === 0) return this.#changePolicy(sentinel.policy);
        const policy = oneOf(policies, this.#random);
        return rarely ? this.#deletePolicy(policy) : this.#changePolicy(policy);
      }
      case 'namespace':
        await this.#ask('DELETE', `${NAMESPACES}/${namespace}`);
    }
  }

  async #changePod(namespace: string): Promise<void> {
    const name = `pod-${this.#random.int(PODS_OF_NAMESPACE)}`;
    const path = `${NAMESPACES}/${namespace}/pods`;
    const deleted = await this.#ask('DELETE', `${path}/${name}`, { query: { gracePeriodSeconds: '0' } });
    if (deleted.status === 200 && this.#random.int(2) === 0) return;
    const pod = { ...oneOf(PODS, this.#random), metadata: { name } };
    await this.#ask('POST', path, { body: pod, as: this.#somebody() });
  }

  async #changeWorkload(namespace: string, deletes: boolean): Promise<void> {
    const { path, object } = oneOf(workloads(oneOf(PODS, this.#random)), this.#random);
    const whole = `${path.replace('*', `namespaces/${namespace}`)}/workload`;
    if (deletes) await this.#ask('DELETE', whole, { body: { propagationPolicy: 'Background' } });
    else await this.#ask('PATCH', whole, { ...APPLY, body: object, as: this.#somebody() });
  }

  async #changeGrant(namespace: string): Promise<void> {
    const all = this.#random.int(8) === 0;
    const grant = { namespace, policy: all ? '*' : oneOf(this.#population.policies, this.#random) };
    const { path, object } = bindingOf(grant);
    if (this.#random.int(2) === 0) {
      await this.#ask('DELETE', path);
      return;
    }
    this.#window.addGrant(grant);
    await this.#ask('PATCH', path, { ...APPLY, body: object });
  }

  /**
   * Changes the rules of a role. After the change, either all bindings to the role grant the use of the policy, or none
   * of the bindings grants the use.
   */
  async #changeRole(): Promise<void> {
    const { namespaces, policies } = this.#population;
    const policy = oneOf(['*', ...policies], this.#random);
    const grants = this.#random.int(3) > 0;
    if (grants) for (const namespace of namespaces) this.#window.addGrant({ namespace, policy });
    const { path, object } = roleOf(policy, grants);
    await this.#ask('PATCH', path, { ...APPLY, body: object });
  }

  /**
   * Creates a namespace, or changes the labels of an existing namespace. If a namespace is being deleted, the function
   * does not change the namespace.
   */
  async #makeNamespace(name: string, labels = drawLabels(this.#random)): Promise<void> {
    this.#window.addLabels(name, labels);
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
    const path = `${NAMESPACES}/${name}`;
    await this.#ask('PATCH', path, { ...APPLY, body: object });
    for (const account of ACCOUNTS) {
      const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account } };
      await this.#ask('PATCH', `${path}/serviceaccounts/${account}`, { ...APPLY, body });
    }
  }

  async #changePolicy(name: string): Promise<void> {
    const spec = this.#draw(name);
    this.#policies.set(name, spec);
    this.#window.addPolicies(this.#policies);
    const body = policyManifest({ name }, spec);
    const { status, body: answer } = await this.#ask('PATCH', `${POLICIES}/${name}`, { ...APPLY, body });
    if (status >= 300) throw new Error(`policy ${JSON.stringify(spec)}: ${answer.message}`);
  }

  #draw(policy: string): CapabilityPolicySpec {
    const { observer, sentinel } = this.#population;
    if (policy === observer) return drawObserver(this.#random);
    return policy === sentinel.policy ? drawSentinel(this.#random) : drawPolicy(this.#random, this.#population);
  }

  async #deletePolicy(name: string): Promise<void> {
    this.#policies.delete(name);
    this.#window.removePolicy(name, this.#policies);
    await this.#ask('DELETE', `${POLICIES}/${name}`, { body: { propagationPolicy: 'Background' } });
  }

  #somebody(): Identity {
    return this.#random.int(2) === 0 ? CREATOR : ADMINISTRATOR;
  }

  /** Repeats the request until an API server answers. A change may therefore be made twice. */
  async #ask(method: Method, path: string, request: Request = {}): Promise<Answer> {
    for (const until = Date.now() + PATIENCE_MS; ; await sleep(AGAIN_MS)) {
      try {
        const answer = await this.#api.ask(method, path, request);
        if (answer.status !== 503 && answer.status !== 429 && !isStarting(answer)) return answer;
      } catch (error) {
        // The API server may be restarting.
        if (Date.now() > until) throw error;
      }
    }
  }
}

/**
 * Whether the API server is still starting. Admission plugins refuse requests until their informers have synced
 * (k8s.io/apiserver, admission.Handler).
 */
function isStarting({ status, body }: Answer): boolean {
  return status === 403 && /not yet ready to handle request$/.test(body.message ?? '');
}
