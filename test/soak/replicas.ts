/**
 * Runs two operators with one Lease. Each operator has a separate user, so that the audit log distinguishes the
 * operators.
 */
import { NODE_FLAGS } from '../../hack/bench/operator-under-test.ts';
import type { Api } from '../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { pathOf } from '../../operator/cluster/client.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { grantRights, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, rbacObjects } from '../support/rights.ts';
import type { FaultProxy } from './fault-proxy.ts';

export const REPLICAS = ['replica-a', 'replica-b'] as const;
type ReplicaName = (typeof REPLICAS)[number];

export const LEASE_MS = 5_000;
/**
 * The flags for the election. A leader may stop leading during a write. The flags give the write enough time to arrive
 * before the lease ends.
 */
export const ELECTION = [
  '--leader-elect',
  `--leader-elect-lease-duration=${LEASE_MS / 1000}s`,
  '--leader-elect-renew-deadline=3s',
  '--leader-elect-retry-period=500ms',
];

/** Grants each replica exactly the rights that config/rbac grants to the operator's service account. */
export async function grantReplicas(api: Api): Promise<void> {
  await grantRights(api);
  const subjects = REPLICAS.map((name) => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name }));
  const bindings = rbacObjects().filter((object) => object.subjects?.some(({ name }) => name === OPERATOR_ACCOUNT));
  for (const binding of bindings) {
    const metadata = { ...binding.metadata, name: `${binding.metadata.name}-replicas` };
    const own = { ...binding, metadata, subjects };
    await api.apply(pathOf(own), own);
  }
}

/** @returns the path of a kubeconfig of the replica */
export function replicaKubeconfig(controlPlane: ControlPlane, name: ReplicaName): string {
  return controlPlane.kubeconfigFor(name);
}

/**
 * An operator that takes part in the election and has not been started yet.
 * @param flags flags in addition to the flags for the cluster and the election
 */
export function newOperator(kubeconfig: string, flags: readonly string[] = []): OperatorProcess {
  const place = ['--kubeconfig', kubeconfig, '--operator-namespace', OPERATOR_NAMESPACE];
  return new OperatorProcess([...place, ...ELECTION, ...flags], NODE_FLAGS);
}

/** An operator that is restarted after each end, as a kubelet would restart the operator. */
export class Replica {
  readonly name: ReplicaName;
  readonly proxy: FaultProxy;
  readonly #kubeconfig: string;
  #process: OperatorProcess;
  #killed = false;
  #watched = false;
  /**
   * The last log lines of each run that ended by itself. A run is left out if no API server was available when the run
   * began.
   */
  readonly crashes: string[] = [];

  constructor(name: ReplicaName, proxy: FaultProxy, kubeconfig: string) {
    this.name = name;
    this.proxy = proxy;
    this.#kubeconfig = kubeconfig;
    this.#process = newOperator(kubeconfig);
  }

  get process(): OperatorProcess {
    return this.#process;
  }

  /** Restarts an operator that has ended. Call this method repeatedly. */
  async supervise(): Promise<void> {
    this.#watched ||= this.#process.log.some(({ message }) => message === 'watching');
    if (this.#process.running) return;
    if (this.#watched && !this.#killed) this.crashes.push(`${this.name} ended:\n${this.#process.logEnd()}`);
    this.#process = newOperator(this.#kubeconfig);
    this.#killed = false;
    this.#watched = false;
    await this.#process.start();
  }

  /** Kills the operator. The method `supervise` restarts the operator. */
  async kill(): Promise<void> {
    this.#killed = true;
    await this.#process.stop('SIGKILL');
  }
}
