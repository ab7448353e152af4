/**
 * Provides a cluster with the CRD and the operator for the tests of one file.
 *
 *   const cluster = useCluster('decisions');            // in a describe: registers hooks that start and clean up
 *   const namespace = await cluster.namespace('team', { team: 'net' });
 *   const policy = await cluster.policy('ping', { namespaceSelector: {…}, level: 'restricted', mode: 'Enforce' });
 *   await cluster.programmed(policy);
 *   assert.equal(await cluster.admit(restrictedPod(), namespace), ADMITTED);
 *
 * All files share the control plane. Only one operator runs at a time, because the files run one after the other. The
 * operator is installed as documented. The operator runs as its service account, with only the rights that config/rbac
 * grants.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Answer, Api, type Identity, type Json } from '../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { renderedObjects } from '../../hack/controlplane/rendered.ts';
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import type { CapabilityPolicySpec, Condition } from '../../operator/api/capability-policy.ts';
import { PROGRAM_LABEL, rowsIn } from '../../operator/compile/program.ts';
import { EXCLUDED_NAMESPACES } from '../../operator/model/namespaces.ts';
import type { RenderedObject } from '../../operator/model/objects.ts';
import { offers } from '../../operator/standards/server-features.ts';
import { PROTECTED, sharedControlPlane } from './control-plane.ts';
import { waitUntilEstablished } from './established.ts';
import { accountKubeconfig, install } from './installed.ts';
import { OperatorProcess } from './operator-process.ts';
import { differences, NAMESPACES, POLICIES } from './rendered.ts';
import { OPERATOR_NAMESPACE, OPERATOR_USER } from './rights.ts';

export const ADMITTED = 'admitted';
export { OPERATOR_NAMESPACE };

/** The default creator of pods. This user may create workloads anywhere, and may `use` no policy. */
export const CREATOR: Identity = { user: 'creator', groups: ['creators'] };

/** A user with all rights. This user may therefore `use` every policy. */
export const ADMINISTRATOR: Identity = { user: 'administrator', groups: ['system:masters'] };

/**
 * A cluster administrator who acts as the operator. Under the protection, only the operator may write the rendered
 * objects.
 */
const ACTS_AS_OPERATOR: Identity = { user: OPERATOR_USER, groups: ['system:masters'] };

const CRD = 'capabilitypolicies.capabilitypolicy.dev';
const CRD_PATH = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${CRD}`;
const CRD_FILE = join(import.meta.dirname, '..', '..', 'crds', 'capabilitypolicies.yaml');

interface ClusterOptions {
  readonly controlPlane?: () => Promise<ControlPlane>;
  /**
   * Makes the operator's kubeconfig, for a test that deletes the operator's service account. The default kubeconfig has
   * a token of this service account.
   */
  readonly kubeconfig?: (controlPlane: ControlPlane) => string;
  /** The tool that installs the operator. The default is kubectl. */
  readonly installWith?: 'helm';
  /** Flags of the operator in addition to the flags that name its cluster. */
  readonly args?: readonly string[] | (() => Promise<readonly string[]>);
}

/**
 * Starts the operator before the tests. After the tests, the operator removes everything and is stopped. Call this
 * function in a `describe`.
 * @param prefix the prefix of the names of all namespaces and policies. Each test file must have another prefix
 */
export function useCluster(prefix: string, options: ClusterOptions = {}): TestCluster {
  const { controlPlane = sharedControlPlane, args = [] } = options;
  const cluster = new TestCluster(prefix);
  before(async function () {
    this.timeout(300_000);
    await cluster.start(await controlPlane(), typeof args === 'function' ? await args() : args, options);
  });
  afterEach(function () {
    if (this.currentTest?.isFailed()) console.log(`the end of the operator's log:\n${cluster.operator.logEnd()}`);
  });
  after(async () => {
    await cluster.end();
  });
  return cluster;
}

/**
 * The time in ms between two checks of the cluster. Each check takes CPU time of the API server and etcd. A waiting
 * operator needs this CPU time for its work.
 */
const LOOK_MS = 150;
/**
 * The time in ms between two checks of all objects of the operator. A check of all objects reads eight complete lists.
 */
const LOOK_AT_ALL_MS = 400;

/** Waits until `look` returns a value other than undefined and false, and returns this value. */
export function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  timeoutMs = 120_000,
  intervalMs = LOOK_MS,
): Promise<T> {
  return waitFor(what, look, { timeoutMs, intervalMs });
}

/** A service account as the creator of pods. */
export function serviceAccount(namespace: string, name: string): Identity {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, ...(CREATOR.groups ?? [])];
  return { user: `system:serviceaccount:${namespace}:${name}`, groups };
}

/**
 * The time in ms within which a policy must be Programmed. API servers need about four times as long to compile
 * admission policies without variables.
 */
const PROGRAMMED_WITHIN_MS = offers(SERVER_MINOR, 'admissionVariables') ? 60_000 : 240_000;

interface Started {
  readonly controlPlane: ControlPlane;
  readonly api: Api;
  readonly byHand: Api;
  readonly kubeconfig: string;
  readonly operator: OperatorProcess;
}

export class TestCluster {
  readonly #prefix: string;
  #started: Started | undefined;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  get controlPlane(): ControlPlane {
    return this.#running.controlPlane;
  }

  /** The API client with the rights of a cluster administrator. */
  get api(): Api {
    return this.#running.api;
  }

  /**
   * The API client for out-of-band changes of the operator's objects. The client has the rights of a cluster
   * administrator. Under the protection, the client acts as the operator.
   */
  get byHand(): Api {
    return this.#running.byHand;
  }

  /** The path of the operator's kubeconfig. */
  get operatorKubeconfig(): string {
    return this.#running.kubeconfig;
  }

  /**
   * The operator. The operator runs when the tests begin. If a test stops the operator, the clean-up after the test
   * starts the operator again.
   */
  get operator(): OperatorProcess {
    return this.#running.operator;
  }

  /** The full name of a namespace or policy of this file. */
  named(suffix: string): string {
    return `${this.#prefix}-${suffix}`;
  }

  /** Creates a namespace in which pods can be created at once. */
  async namespace(suffix: string, labels: Readonly<Record<string, string>> = {}): Promise<string> {
    const name = this.named(suffix);
    await createNamespace(this.api, name, labels);
    return name;
  }

  async serviceAccount(namespace: string, name: string): Promise<void> {
    await createServiceAccount(this.api, namespace, name);
  }

  /** Creates a policy, or replaces its spec. Returns the policy's name. */
  async policy(suffix: string, spec: CapabilityPolicySpec): Promise<string> {
    const name = this.named(suffix);
    const apiVersion = 'capabilitypolicy.dev/v1alpha1';
    await this.api.apply(`${POLICIES}/${name}`, { apiVersion, kind: 'CapabilityPolicy', metadata: { name }, spec });
    return name;
  }

  async deletePolicy(name: string, propagation: 'Background' | 'Orphan' = 'Background'): Promise<void> {
    await this.api.remove(`${POLICIES}/${name}`, propagation);
  }

  /** The names of this file's existing policies. */
  async policies(): Promise<string[]> {
    const policies = await this.api.list(POLICIES);
    return policies.map(({ metadata }) => metadata.name).filter((name) => this.#isOwn(name));
  }

  async deletePolicies(): Promise<void> {
    const policies = await this.policies();
    await Promise.all(policies.map((name) => this.deletePolicy(name)));
  }

  /**
   * The API server's answer to the creation of a pod, by dry run. The answer is `admitted` or the message of the
   * refusal.
   */
  async admit(pod: object, namespace: string, as: Identity = CREATOR): Promise<string> {
    const { status, body } = await this.tryCreate(`${NAMESPACES}/${namespace}/pods`, pod, as);
    return status === 201 ? ADMITTED : body.message;
  }

  async tryCreate(path: string, object: object, as: Identity = CREATOR): Promise<Answer> {
    return this.api.ask('POST', path, { body: object, as, query: { dryRun: 'All' } });
  }

  /** The condition that was written last. The condition may be about an older generation of the policy. */
  async condition(policy: string, type: string): Promise<Condition | undefined> {
    return conditionOf(await this.api.get(`${POLICIES}/${policy}`), type);
  }

  /** Waits until the status says that the policy's current text is in force. */
  async programmed(...policies: readonly string[]): Promise<void> {
    for (const policy of policies) {
      let last: Json;
      const look = async () => {
        last = await this.api.get(`${POLICIES}/${policy}`);
        return isProgrammed(last);
      };
      await eventually(`${policy} to be programmed`, look, PROGRAMMED_WITHIN_MS).catch((error: Error) => {
        const condition = JSON.stringify(conditionOf(last, 'Programmed'));
        throw new Error(`${error.message}: generation ${last.metadata.generation}, ${condition}`);
      });
    }
  }

  /**
   * Waits until the cluster contains exactly the compiled objects of the cluster's policies. Also waits until the
   * namespaces of this file have the right labels.
   */
  async settled(timeoutMs = 180_000): Promise<void> {
    let last: readonly string[] = [];
    const look = async () => {
      last = await this.differences();
      return last.length === 0;
    };
    await eventually('the cluster to settle', look, timeoutMs, LOOK_AT_ALL_MS).catch((error: Error) => {
      throw new Error(`${error.message}:\n${last.slice(0, 20).join('\n')}`);
    });
  }

  async differences(): Promise<string[]> {
    const options = {
      oldestServer: SERVER_MINOR,
      operatorNamespace: OPERATOR_NAMESPACE,
      excludedNamespaces: EXCLUDED_NAMESPACES,
    };
    return differences(this.api, options, (name) => this.#isOwn(name));
  }

  /** The policy's own objects in the cluster: its role, and the binding of its users. */
  async rendered(policy: string): Promise<Json[]> {
    return renderedObjects(this.api, policy);
  }

  /** The admission policies of all policies in the cluster, and their bindings. */
  async programs(): Promise<Json[]> {
    return (await renderedObjects(this.api)).filter(({ metadata }) => PROGRAM_LABEL in metadata.labels);
  }

  /** The names of the programs with a row for the policy. */
  async having(policy: string): Promise<string[]> {
    const programs = (await this.programs()) as unknown as RenderedObject[];
    return programs.filter((program) => rowsIn(program).has(policy)).map(({ metadata }) => metadata.name);
  }

  async start(
    controlPlane: ControlPlane,
    args: readonly string[],
    { kubeconfig: kubeconfigOf, installWith }: Pick<ClusterOptions, 'kubeconfig' | 'installWith'> = {},
  ): Promise<void> {
    const api = new Api(controlPlane.kubeconfig);
    await install(controlPlane, installWith);
    await waitUntilEstablished(api);
    await allowCreators(api);
    const kubeconfig = kubeconfigOf?.(controlPlane) ?? (await accountKubeconfig(controlPlane, api));
    const own = ['--kubeconfig', kubeconfig, '--operator-namespace', OPERATOR_NAMESPACE];
    const byHand = PROTECTED ? new Api(controlPlane.kubeconfig, ACTS_AS_OPERATOR) : api;
    this.#started = { controlPlane, api, byHand, kubeconfig, operator: new OperatorProcess([...own, ...args]) };
    await this.operator.startAndWatch();
  }

  async end(): Promise<void> {
    if (!this.#started) return;
    await this.deletePolicies();
    await this.operator.start();
    await this.settled().finally(() => this.operator.stop());
    const namespaces = await this.api.list(NAMESPACES);
    const own = namespaces.map(({ metadata }) => metadata.name).filter((name) => this.#isOwn(name));
    await Promise.all(own.map((name) => this.api.remove(`${NAMESPACES}/${name}`)));
    await Promise.all([this.api, this.byHand].map((one) => one.close()));
  }

  get #running() {
    if (!this.#started) throw new Error('the cluster runs only in hooks and tests');
    return this.#started;
  }

  #isOwn(name: string): boolean {
    return name.startsWith(`${this.#prefix}-`);
  }
}

/** Whether the condition Programmed is True for the policy's current generation. */
export function isProgrammed(policy: Json): boolean {
  const condition = conditionOf(policy, 'Programmed');
  return condition?.status === 'True' && condition.observedGeneration === policy.metadata.generation;
}

export function conditionOf(policy: Json, type: string): Condition | undefined {
  return policy.status?.conditions?.find((condition: Condition) => condition.type === type);
}

export async function installCrd(api: Api): Promise<void> {
  await api.apply(CRD_PATH, readFileSync(CRD_FILE, 'utf8'));
  await waitUntilEstablished(api);
}

export async function allowCreators(api: Api): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io';
  await api.apply(`/apis/${apiGroup}/v1/clusterrolebindings/creators`, {
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'creators' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'edit' },
    subjects: [{ apiGroup, kind: 'Group', name: 'creators' }],
  });
}

/**
 * Creates a namespace in which pods can be created at once. The function also creates the service account that a
 * controller would create.
 */
export async function createNamespace(
  api: Api,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  await api.apply(`${NAMESPACES}/${name}`, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  await createServiceAccount(api, name, 'default');
}

async function createServiceAccount(api: Api, namespace: string, name: string): Promise<void> {
  const path = `${NAMESPACES}/${namespace}/serviceaccounts/${name}`;
  await api.apply(path, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
}
