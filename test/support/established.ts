import { Api } from '../../hack/controlplane/api.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import type { Condition } from '../../operator/api/capability-policy.ts';

export const CRD_NAME = 'capabilitypolicies.capabilitypolicy.dev';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const TIMEOUT_MS = 120_000;

/**
 * Waits until the API server serves the objects of a CRD. `kubectl wait` does not help here. The command fails if the
 * CRD has no conditions yet.
 *
 * @param crd the name of the CRD. The CRD has the version v1alpha1
 */
export async function waitUntilEstablished(api: Api, crd = CRD_NAME): Promise<void> {
  const [plural, ...group] = crd.split('.');
  const objects = `/apis/${group.join('.')}/v1alpha1/${plural}`;
  const established = ({ type, status }: Condition) => type === 'Established' && status === 'True';
  const look = async () => {
    const { status } = await api.get(`${CRDS}/${crd}`);
    // The API server may answer 429 for a moment even after the CRD is established.
    return status?.conditions?.some(established) && (await api.ask('GET', objects)).status === 200;
  };
  await waitFor(`the CRD ${crd} to be established`, look, { timeoutMs: TIMEOUT_MS, intervalMs: 50 });
}

/** Waits until the API server serves the objects of a CRD, for a test without its own client. */
export async function establishedOn(kubeconfig: string, crd = CRD_NAME): Promise<void> {
  const api = new Api(kubeconfig);
  await waitUntilEstablished(api, crd).finally(() => api.close());
}
