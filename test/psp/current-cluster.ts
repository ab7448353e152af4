/** The current cluster, in which the migrated policies are in force. */
import type { Migration } from '../../analysis/migrate/migrate.ts';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import { pathOf } from '../../operator/cluster/paths.ts';
import { OPEN, PolicyCluster, projection } from '../differential/policies/cluster.ts';
import { type Answer, type Creation, createPod, letEverybodyCreate } from './creation.ts';
import { migrated, SET_LABEL } from './migrated.ts';
import type { PspSet } from './objects.ts';
import { rbacSeen } from './rbac-seen.ts';

const POLICIES = '/apis/capabilitypolicy.dev/v1alpha1/capabilitypolicies';
/** The service accounts in each namespace. */
export const ACCOUNTS = ['default', 'runner'] as const;

/** The state of a set. */
export interface Migrated {
  readonly set: PspSet;
  readonly migration: Migration | undefined;
  /** Why it is not in force as it should be, as text. */
  readonly failures: readonly string[];
}

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

  create(creation: Creation): Promise<Answer> {
    return createPod(this.#cluster.api, creation);
  }

  /** In a namespace without policies; status 422 when the API server finds the pod invalid. */
  defaulted({ pod }: Creation): Promise<Answer> {
    return createPod(this.#cluster.api, { pod, namespace: OPEN, account: 'default', creator: { user: 'nobody' } });
  }

  /** Migrates sets, and waits until they are in force; `withdraw` removes them. */
  async enforce(sets: readonly PspSet[]): Promise<{ all: readonly Migrated[]; withdraw(): Promise<void> }> {
    const { api } = this.#cluster;
    await Promise.all(sets.map((set) => this.#namespaces(set)));
    const attempts = await Promise.all(sets.map((set) => this.#migrate(set)));
    // The old rights stay unchanged: those for everything also apply to the new policies.
    const rbac = [...sets.flatMap((set) => set.rbac), ...attempts.flatMap(({ migration }) => migration?.rbac ?? [])];
    for (const object of rbac) await api.apply(pathOf(object), object);
    const enforced = await this.#cluster.enforce(attempts.flatMap(({ accepted }) => accepted));
    await rbacSeen(api, `mark-${this.#marks++}`, OPEN);
    return {
      all: attempts.map(({ set, migration, accepted, failures }) => {
        const refused = accepted.flatMap(({ metadata }) => {
          const refusal = enforced.refusals.get(metadata?.name ?? '');
          return refusal ? [`${metadata?.name} is not compiled: ${refusal.message}`] : [];
        });
        return { set, migration, failures: [...failures, ...refused] };
      }),
      withdraw: async () => {
        await enforced.withdraw();
        for (const object of rbac.toReversed()) await api.remove(pathOf(object));
      },
    };
  }

  async #migrate(set: PspSet): Promise<Migrated & { readonly accepted: readonly CompletePolicy[] }> {
    const accepted: CompletePolicy[] = [];
    const failures: string[] = [];
    let migration: Migration | undefined;
    try {
      migration = migrated(set);
    } catch (error) {
      failures.push(`migrate: ${(error as Error).message}`);
    }
    for (const policy of migration?.policies ?? []) {
      const { status, body } = await this.#cluster.api.ask('POST', POLICIES, {
        body: policy,
        query: { dryRun: 'All' },
      });
      if (status === 201) accepted.push(projection.policy(body));
      else failures.push(`the API server refuses what migrate made: ${body.message}`);
    }
    return { set, migration, accepted, failures };
  }

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
