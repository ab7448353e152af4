import { waitFor } from '../controlplane/wait.ts';

/**
 * Waits until the API server serves the objects of a CRD. `kubectl wait` ends with "accessor error: <nil> is of the type
 * <nil>" when it asks before the CRD has conditions, so it is asked again.
 *
 * @param kubectl throws when kubectl fails
 * @param crd the name of the CustomResourceDefinition
 */
export async function waitUntilEstablished(kubectl: (args: string[]) => Promise<unknown>, crd: string): Promise<void> {
  const wait = ['wait', '--for=condition=Established', `customresourcedefinition/${crd}`, '--timeout=30s'];
  await waitFor(`the CRD ${crd} to be established`, () =>
    kubectl(wait).then(
      () => true,
      (error) => {
        if (String(error).includes('accessor error')) return false;
        throw error;
      },
    ),
  );
}
