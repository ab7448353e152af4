/** Brings random policies into force on a real API server without an operator. The CRD validates the policies. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KubeConfig } from '@kubernetes/client-node';
import { Api, type Json } from '../../../hack/controlplane/api.ts';
import { SERVER_MINOR } from '../../../hack/controlplane/version.ts';
import { waitFor } from '../../../hack/controlplane/wait.ts';
import type { CapabilityPolicySpec, CompletePolicy } from '../../../operator/api/capability-policy.ts';
import { ApiClient } from '../../../operator/cluster/client.ts';
import { type Compiled, compile } from '../../../operator/compile/compile.ts';
import type { LevelVersion } from '../../../operator/compile/labels.ts';
import type { Stage } from '../../../operator/policy/parts.ts';
import { createProjection } from '../../../operator/projection/projection.ts';
import { RULES } from '../../../operator/rules/index.ts';
import { formatVersion } from '../../../operator/standards/level-version.ts';
import { waitUntilEstablished } from '../../support/established.ts';
import { policyManifest } from '../../support/policies.ts';
import { enforce } from '../../support/programs.ts';
import type { Pod } from '../../support/random-pods.ts';
import { createRuntimeClasses } from '../runtime-classes.ts';
import { withoutRandomNames } from './text.ts';

/** The API server's answer about a pod. */
export interface Answer {
  /** The HTTP status: 200, 403 for a refused pod, or 422 for an invalid pod. */
  readonly status: number;
  /** The pod in the form that the API server would store. */
  readonly pod: Json;
  /** The message of our admission policy, or of another refusal. */
  readonly text: string;
  readonly warnings: readonly string[];
}

interface Way {
  readonly path?: string;
  /** The API client of the creator. The default client is the API client of the cluster administrator. */
  readonly api?: Api;
}

const NAMESPACES = '/api/v1/namespaces';
const POLICIES = '/apis/capabilitypolicy.dev/v1alpha1/capabilitypolicies';
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/capabilitypolicies.capabilitypolicy.dev';
const CRD_FILE = fileURLToPath(new URL('../../../crds/capabilitypolicies.yaml', import.meta.url));
const STRATEGIC = 'application/strategic-merge-patch+json';
/** The name of the namespace without policies. */
export const OPEN = 'policies-open';
const NO_LIMIT = 100_000;
const DENIAL = / denied request: (.*)$/s;

export const projection = createProjection(RULES);

export class PolicyCluster {
  readonly api: Api;
  readonly #client: ApiClient;
  readonly #namespaces = new Map<string, Promise<void>>();

  constructor(kubeconfig: string) {
    this.api = new Api(kubeconfig);
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    this.#client = new ApiClient(config, { qps: NO_LIMIT, burst: NO_LIMIT });
  }

  async open(): Promise<void> {
    await this.api.apply(CRD, readFileSync(CRD_FILE, 'utf8'));
    await waitUntilEstablished(this.api);
    await createRuntimeClasses(this.api);
    await this.namespace(OPEN);
  }

  /** Requests the deletion of the namespaces. The API server completes the deletion in the background. */
  async close(): Promise<void> {
    for (const name of this.#namespaces.keys()) await this.api.remove(`${NAMESPACES}/${name}`);
    await this.api.close();
    await this.#client.close();
  }

  /**
   * Creates a missing namespace, and waits for its service account. The API server refuses pods without a service
   * account.
   */
  async namespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<string> {
    const known = this.#namespaces.get(name) ?? this.#make(name, labels);
    this.#namespaces.set(name, known);
    await known;
    return name;
  }

  /** A namespace in which only Pod Security Admission decides. */
  async labelled({ level, minor }: LevelVersion): Promise<string> {
    return this.namespace(`policies-${level}-1-${minor}`, {
      'pod-security.kubernetes.io/enforce': level,
      'pod-security.kubernetes.io/enforce-version': formatVersion(minor),
    });
  }

  /**
   * A policy with the fields that the API server fills in.
   * @returns undefined when the API server refuses the policy
   */
  async policy(name: string, spec: CapabilityPolicySpec): Promise<CompletePolicy | undefined> {
    const body = policyManifest({ name }, spec);
    const answer = await this.api.ask('POST', POLICIES, { body, query: { dryRun: 'All' } });
    if (answer.status === 422) return undefined;
    if (answer.status !== 201) throw new Error(answer.body.message);
    return projection.policy(answer.body);
  }

  /**
   * Compiles the policies.
   * @param stages the stage of each rollout, by the policy's name
   */
  compiled(policies: readonly CompletePolicy[], stages?: ReadonlyMap<string, Stage>): Compiled {
    const options = { oldestServer: SERVER_MINOR, operatorNamespace: 'operator', excludedNamespaces: [] };
    return compile(policies, { ...options, ...(stages && { stages }) });
  }

  /**
   * Renders policies, writes all objects, and waits until the policies are in force.
   * @returns the compiled policies, and a function that removes the objects
   */
  async enforce(
    policies: readonly CompletePolicy[],
    stages?: ReadonlyMap<string, Stage>,
  ): Promise<Compiled & { withdraw(): Promise<void> }> {
    const compiled = this.compiled(policies, stages);
    const paths = await enforce(this.#client, compiled);
    const withdraw = async () => {
      for (const path of paths.toReversed()) await this.#client.remove(path);
    };
    return { ...compiled, withdraw };
  }

  /**
   * The pod that the API server would store without policies. If the API server finds the pod invalid, the status of
   * the answer is 422.
   */
  async defaulted(pod: Pod): Promise<Answer> {
    return this.create(pod, OPEN);
  }

  /** Creates a pod, or another object of the collection at `path`, by dry run. */
  async create(object: unknown, namespace: string, { path, api = this.api }: Way = {}): Promise<Answer> {
    const collection = path ?? `${NAMESPACES}/${namespace}/pods`;
    return answerOf(await api.ask('POST', collection, { body: object, query: { dryRun: 'All' } }));
  }

  /** Creates a pod, without dry run. */
  async store(pod: Pod, namespace: string, api = this.api): Promise<Answer> {
    return answerOf(await api.ask('POST', `${NAMESPACES}/${namespace}/pods`, { body: pod }));
  }

  /** Adds containers to an existing pod, without dry run. */
  async storeEphemeral(pod: string, containers: readonly object[], namespace: string, api = this.api): Promise<Answer> {
    const path = `${NAMESPACES}/${namespace}/pods/${pod}/ephemeralcontainers`;
    const body = { spec: { ephemeralContainers: containers } };
    return answerOf(await api.ask('PATCH', path, { body, contentType: STRATEGIC }));
  }

  /** Adds a container to an existing pod, by dry run. */
  async addEphemeral(pod: string, container: object, namespace: string): Promise<Answer> {
    const path = `${NAMESPACES}/${namespace}/pods/${pod}/ephemeralcontainers`;
    const body = { spec: { ephemeralContainers: [container] } };
    return answerOf(await this.api.ask('PATCH', path, { body, contentType: STRATEGIC, query: { dryRun: 'All' } }));
  }

  async #make(name: string, labels: Readonly<Record<string, string>>): Promise<void> {
    const path = `${NAMESPACES}/${name}`;
    await this.api.apply(path, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    await waitFor(`${name}'s service account`, () => this.api.find(`${path}/serviceaccounts/default`));
  }
}

function answerOf({ status, body, warnings }: Awaited<ReturnType<Api['ask']>>): Answer {
  if (![200, 201, 403, 422].includes(status)) throw new Error(`${status} ${body.message}`);
  const message = String(body.message ?? '');
  const text = withoutRandomNames(DENIAL.exec(message)?.[1] ?? message);
  return { status: status === 201 ? 200 : status, pod: body, text, warnings };
}
