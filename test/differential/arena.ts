/**
 * Evaluates one pod with three engines. Our admission policy decides in a namespace without labels. Pod Security
 * Admission decides in a namespace with a Pod Security label. The third engine is the operator.
 */
import assert from 'node:assert/strict';
import { KubeConfig } from '@kubernetes/client-node';
import { Api } from '../../hack/controlplane/api.ts';
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { ApiClient, ApiError, type Identified, pathFor, pathOf } from '../../operator/cluster/client.ts';
import { Connection } from '../../operator/cluster/connection.ts';
import { send } from '../../operator/cluster/transport.ts';
import { compile } from '../../operator/compile/compile.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { createPodProjection } from '../../operator/projection/pod-projection.ts';
import { RULES } from '../../operator/rules/index.ts';
import { SIZE_RULE } from '../../operator/rules/size.ts';
import { RateLimit } from '../../operator/runtime/rate-limit.ts';
import { formatVersion } from '../../operator/standards/level-version.ts';
import { enforce } from '../support/programs.ts';
import { CASE_LABEL, type DifferentialCase } from './cases.ts';
import { says, withoutRandomNames } from './policies/text.ts';
import { createRuntimeClasses } from './runtime-classes.ts';

interface Answer {
  readonly admitted: boolean;
  /** The reason for the refusal. The text comes from the engine. */
  readonly text: string;
}

export interface Answers {
  readonly policy: Answer;
  readonly podSecurity: Answer;
  readonly operator: Answer;
}

interface ServerAnswer {
  readonly status: number;
  readonly text: string;
  /** The pod in the form that the API server would store. The value is undefined if the API server refuses the pod. */
  readonly object: unknown;
}

/** A request that is sent to the API server in each namespace. */
export interface Question {
  readonly method: 'POST' | 'PATCH';
  /** The path of the request, relative to the namespace. */
  readonly path: string;
  readonly body: unknown;
}

const NO_LIMIT = 100_000;
const SETTINGS = { timeoutMs: 30_000, reuse: true, writes: new RateLimit(NO_LIMIT, NO_LIMIT) };
const DENIAL = / denied request: (.*)$/s;

export function createPod(pod: unknown): Question {
  return { method: 'POST', path: 'pods', body: pod };
}

/** @param pod the name of a compliant pod in each of the namespaces */
export function addEphemeralContainer(pod: string, container: unknown): Question {
  const body = { spec: { ephemeralContainers: [container] } };
  return { method: 'PATCH', path: `pods/${pod}/ephemeralcontainers`, body };
}

/**
 * Whether the policy, Pod Security Admission and the operator give answers that agree. The policy and the operator must
 * give the same reasons. If a message is cut, only the part before the cut is compared. If the case is exact, the label
 * must give the policy's verdict. If the case is not exact, the label may admit more pods than the policy. Even then,
 * the label must admit each pod that the policy admits. Pod Security Admission does not limit the size of a pod.
 */
export function agree({ policy, podSecurity, operator }: Answers, { exact }: DifferentialCase): boolean {
  if (policy.text.includes(`${SIZE_RULE}: pod `)) return !operator.admitted && says(policy.text, operator.text);
  const sound = exact ? podSecurity.admitted === policy.admitted : podSecurity.admitted || !policy.admitted;
  return sound && policy.admitted === operator.admitted && says(withoutRandomNames(policy.text), operator.text);
}

export class Arena {
  readonly #kubeconfig: string;
  readonly #client: ApiClient;
  readonly #connection: Connection;
  readonly #evaluator = new Evaluator();
  readonly #projection = createPodProjection(RULES);
  readonly #cases: readonly DifferentialCase[];
  /**
   * The name of the namespace without policies. A deleted namespace exists for a while, so each `Arena` has its own
   * namespace.
   */
  readonly #open: string;
  readonly #policies = new Map<string, ResolvedPolicy>();
  readonly #written: string[] = [];
  readonly #answered = new Map<string, Promise<ServerAnswer>>();

  constructor(kubeconfig: string, cases: readonly DifferentialCase[]) {
    this.#kubeconfig = kubeconfig;
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    this.#client = new ApiClient(config, { qps: NO_LIMIT, burst: NO_LIMIT });
    this.#connection = new Connection(config);
    this.#cases = cases;
    this.#open = `differential-open-${cases[0]?.name}`;
  }

  /** Creates the namespaces, and brings the policies into force. */
  async open(): Promise<void> {
    await this.#applyNamespace(this.#open);
    const api = new Api(this.#kubeconfig);
    await createRuntimeClasses(api).finally(() => api.close());
    for (const { name, podSecurity } of this.#cases) {
      await this.#applyNamespace(policyNamespace(name), { [CASE_LABEL]: name });
      await this.#applyNamespace(podSecurityNamespace(name), {
        ...(podSecurity && {
          'pod-security.kubernetes.io/enforce': podSecurity.level,
          'pod-security.kubernetes.io/enforce-version': formatVersion(podSecurity.minor),
        }),
      });
    }
    await this.#applyPolicies();
    await Promise.all(this.#namespacesOf(this.#cases).map((namespace) => this.#serviceAccount(namespace)));
  }

  /** Removes the objects of open(). The API server deletes the namespaces in the background. */
  async close(): Promise<void> {
    for (const path of this.#written.toReversed()) await this.#client.remove(path);
    await this.#client.close();
    await this.#connection.close();
  }

  /** Creates a pod in all namespaces of the given cases, without dry run. */
  async createEverywhere(cases: readonly DifferentialCase[], pod: unknown): Promise<void> {
    for (const namespace of this.#namespacesOf(cases)) await this.#client.create(pathFor('v1', 'Pod', namespace), pod);
  }

  /** @returns undefined when the API server finds the object invalid */
  async ask(question: Question, { name }: DifferentialCase): Promise<Answers | undefined> {
    const open = await this.#inTheOpen(question);
    if (open.status === 422) return undefined;
    assert.equal(open.status, 200, `in the namespace without policies: ${open.text}`);
    const [policy, podSecurity] = await Promise.all([
      this.#try(question, policyNamespace(name)),
      this.#try(question, podSecurityNamespace(name)),
    ]);
    return {
      policy: { admitted: policy.status === 200, text: DENIAL.exec(policy.text)?.[1] ?? policy.text },
      podSecurity: { admitted: podSecurity.status === 200, text: podSecurity.text },
      operator: this.#evaluate(open.object, name),
    };
  }

  /** @param pod the pod in the form that the API server would store */
  #evaluate(pod: unknown, name: string): Answer {
    const policy = this.#policies.get(name);
    assert.ok(policy);
    const violations = this.#evaluator
      .violations(this.#projection.content(pod), policy)
      .map(({ rule, message }) => `${rule}: ${message}`);
    const text = violations.length > 0 ? `CapabilityPolicy ${name}: ${violations.join('; ')}` : '';
    return { admitted: violations.length === 0, text };
  }

  /**
   * The API server's answer in the namespace without policies. Cases with the same seed have the same requests. Many of
   * these requests are invalid. The function therefore sends each request only once.
   */
  #inTheOpen(question: Question): Promise<ServerAnswer> {
    const key = JSON.stringify(question);
    const answer = this.#answered.get(key) ?? this.#try(question, this.#open);
    this.#answered.set(key, answer);
    return answer;
  }

  async #try({ method, path, body }: Question, namespace: string): Promise<ServerAnswer> {
    try {
      const answer = await send(this.#connection, SETTINGS, {
        method,
        path: `/api/v1/namespaces/${namespace}/${path}`,
        query: { dryRun: 'All' },
        body,
        ...(method === 'PATCH' && { contentType: 'application/strategic-merge-patch+json' }),
      });
      return { status: 200, text: '', object: await answer.json() };
    } catch (error) {
      if (!(error instanceof ApiError) || (error.status !== 403 && error.status !== 422)) throw error;
      return { status: error.status, text: error.message, object: undefined };
    }
  }

  async #applyNamespace(name: string, labels: Record<string, string> = {}): Promise<void> {
    const metadata = { name, labels };
    await this.#apply({ apiVersion: 'v1', kind: 'Namespace', metadata });
  }

  #namespacesOf(cases: readonly DifferentialCase[]): string[] {
    return [this.#open, ...cases.flatMap(({ name }) => [policyNamespace(name), podSecurityNamespace(name)])];
  }

  async #applyPolicies(): Promise<void> {
    const compiled = compile(
      this.#cases.map(({ policy }) => policy),
      { oldestServer: SERVER_MINOR, operatorNamespace: 'operator', excludedNamespaces: [] },
    );
    for (const policy of compiled.policies) this.#policies.set(policy.name, policy);
    this.#written.push(...(await enforce(this.#client, compiled)));
  }

  async #apply(object: Identified & { readonly metadata: object }): Promise<void> {
    await this.#client.apply(object, { force: true });
    this.#written.push(pathOf(object));
  }

  /**
   * Waits until the service account of a namespace exists, because the API server refuses pods without the service
   * account.
   */
  async #serviceAccount(namespace: string): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
    await waitFor(path, () => this.#client.get(path).catch(() => undefined));
  }
}

function policyNamespace(name: string): string {
  return `differential-policy-${name}`;
}

function podSecurityNamespace(name: string): string {
  return `differential-psa-${name}`;
}
