/** Provides a current API server on which migrated policies are in force. */
import type { CapabilityPolicy, CompletePolicy } from '../../operator/api/capability-policy.ts';
import { pathOf } from '../../operator/cluster/paths.ts';
import { OPEN, PolicyCluster } from '../differential/policies/cluster.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { type Answer, createPod, letEverybodyCreate } from './creation.ts';
import { migrated, SET_LABEL } from './migrated.ts';
import type { PspSet } from './objects.ts';
import { rbacSeen } from './rbac-seen.ts';
import type { RecordedPod } from './recorded.ts';

/** The service accounts in each namespace. */
const ACCOUNTS = ['default', 'runner'];

export class CurrentCluster {
  readonly #cluster: PolicyCluster;
  #marks = 0;

  constructor(kubeconfig: string) {
    this.#cluster = new PolicyCluster(kubeconfig);
  }

  async open(): Promise<void> {
    await this.#cluster.open();
    await letEverybodyCreate(this.#cluster.api);
  }

  async close(): Promise<void> {
    await this.#cluster.close();
  }

  create({ pod: { metadata, spec }, ...by }: RecordedPod): Promise<Answer> {
    return createPod(this.#cluster.api, { pod: podManifest({ name: 'recorded', ...metadata }, spec), ...by });
  }

  /**
   * Migrates the sets, and waits until the migrated policies are in force.
   * @returns a function that removes the policies
   */
  async enforce(sets: readonly PspSet[]): Promise<() => Promise<void>> {
    const { api } = this.#cluster;
    for (const set of sets) await this.#namespaces(set);
    const migrations = sets.map(migrated);
    // The rights on PodSecurityPolicies stay unchanged. A right to all policies therefore also applies to the new
    // policies.
    const rbac = [...sets.flatMap((set) => set.rbac), ...migrations.flatMap((migration) => migration.rbac)];
    for (const object of rbac) await api.apply(pathOf(object), object);
    const policies = await Promise.all(migrations.flatMap((migration) => migration.policies.map(this.#accepted)));
    const { refusals, withdraw } = await this.#cluster.enforce(policies);
    for (const [name, { message }] of refusals) throw new Error(`${name}: ${message}`);
    await rbacSeen(api, `mark-${this.#marks++}`, OPEN);
    return async () => {
      await withdraw();
      for (const object of rbac.toReversed()) await api.remove(pathOf(object));
    };
  }

  readonly #accepted = async ({ metadata, spec }: CapabilityPolicy): Promise<CompletePolicy> => {
    const policy = await this.#cluster.policy(metadata?.name ?? '', spec);
    if (policy === undefined) throw new Error(`the API server refuses ${metadata?.name} as migrate writes it`);
    return policy;
  };

  async #namespaces({ id, namespaces }: PspSet): Promise<void> {
    for (const namespace of namespaces) {
      await this.#cluster.namespace(namespace, { [SET_LABEL]: id });
      for (const name of ACCOUNTS) {
        const metadata = { name, namespace };
        const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`;
        await this.#cluster.api.apply(path, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
      }
    }
  }
}
