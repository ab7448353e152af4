/** A cluster of Kubernetes 1.24, in which PodSecurityPolicies are in force. */
import { Api } from '../../hack/controlplane/api.ts';
import { findBinaries } from '../../hack/controlplane/binaries.ts';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { pathOf } from '../../operator/cluster/paths.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { findPspApiServer } from './apiserver.ts';
import { type Creation, createPod, letEverybodyCreate } from './creation.ts';
import { binding, OPEN_ANNOTATIONS, OPEN_SPEC, type PodSecurityPolicy, type PspSet, psp, role } from './objects.ts';
import { rbacSeen } from './rbac-seen.ts';

const FLAGS = [
  '--enable-admission-plugins=PodSecurityPolicy',
  '--disable-admission-plugins=ServiceAccount',
  '--feature-gates=ProcMountType=true',
];
const POLICIES = '/apis/policy/v1beta1/podsecuritypolicies';
const MARKS = 'psp-marks';
const RUNTIME_CLASSES = ['gvisor', 'kata', 'runc'];

const MARKED: Omit<Creation, 'creator'> = {
  pod: podManifest({ name: 'marked', annotations: {} }, { containers: [{ name: 'app', image: 'app' }] }),
  namespace: MARKS,
  account: 'default',
};

/** There are no controllers: nothing makes service accounts, and none are required. */
export async function startOldControlPlane(): Promise<ControlPlane> {
  const binaries = { ...(await findBinaries()), apiServer: await findPspApiServer() };
  return startControlPlane({ binaries, controllers: false, apiServerFlags: FLAGS });
}

/** For a refusal: metav1.StatusCause. */
interface Cause {
  readonly field: string;
  readonly message: string;
}

export class OldCluster {
  readonly api: Api;
  #marks = 0;

  constructor(kubeconfig: string) {
    this.api = new Api(kubeconfig);
  }

  async open(): Promise<void> {
    for (const name of RUNTIME_CLASSES) {
      const path = `/apis/node.k8s.io/v1/runtimeclasses/${name}`;
      await this.api.apply(path, {
        apiVersion: 'node.k8s.io/v1',
        kind: 'RuntimeClass',
        metadata: { name },
        handler: name,
      });
    }
    await letEverybodyCreate(this.api);
    await this.#namespace(MARKS);
  }

  async close(): Promise<void> {
    await this.api.close();
  }

  /** The API server's reasons against it; empty if it accepts it. */
  async refusals(policy: PodSecurityPolicy): Promise<readonly Cause[]> {
    const { status, body } = await this.api.ask('POST', POLICIES, { body: policy, query: { dryRun: 'All' } });
    if (status === 201) return [];
    if (status !== 422) throw new Error(body.message);
    return body.details.causes;
  }

  /** Waits until they are in force; @returns a function that removes them */
  async enforce(sets: readonly PspSet[]): Promise<() => Promise<void>> {
    for (const name of sets.flatMap(({ namespaces }) => namespaces)) await this.#namespace(name);
    const policies = sets.flatMap((set) => set.policies);
    const rbac = sets.flatMap((set) => set.rbac);
    for (const policy of policies) await this.api.apply(`${POLICIES}/${policy.metadata.name}`, policy);
    for (const object of rbac) await this.api.apply(pathOf(object), object);
    await this.#seen();
    return async () => {
      for (const object of rbac.toReversed()) await this.api.remove(pathOf(object));
      for (const { metadata } of policies) await this.api.remove(`${POLICIES}/${metadata.name}`);
    };
  }

  /** Writes one more policy, and waits until it has come and gone. Its name is the first of those that admit a pod. */
  async #seen(): Promise<void> {
    const mark = `a-mark-${this.#marks++}`;
    await rbacSeen(this.api, mark, MARKS);
    const may = role(mark, [mark]);
    const rbac = [may, binding(mark, may, [{ kind: 'User', name: mark }])];
    for (const object of rbac) await this.api.apply(pathOf(object), object);
    await this.api.apply(`${POLICIES}/${mark}`, psp(mark, OPEN_SPEC, OPEN_ANNOTATIONS));
    await waitFor(`PodSecurityPolicy ${mark} in force`, () => this.#isAdmittedBy(mark));
    await this.api.remove(`${POLICIES}/${mark}`);
    await waitFor(`PodSecurityPolicy ${mark} gone`, async () => !(await this.#isAdmittedBy(mark)));
    for (const object of rbac.toReversed()) await this.api.remove(pathOf(object));
  }

  async #isAdmittedBy(mark: string): Promise<boolean> {
    const { status, pod } = await createPod(this.api, { ...MARKED, creator: { user: mark } });
    return status === 200 && pod.metadata.annotations['kubernetes.io/psp'] === mark;
  }

  async #namespace(name: string): Promise<void> {
    const metadata = { name };
    await this.api.apply(`/api/v1/namespaces/${name}`, { apiVersion: 'v1', kind: 'Namespace', metadata });
  }
}
