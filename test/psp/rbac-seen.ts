/**
 * Waits until an API server has seen all RBAC objects that were written before the call. The API server reads each kind
 * through a separate watch.
 */
import type { Api } from '../../hack/controlplane/api.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { pathOf } from '../../operator/cluster/paths.ts';
import { binding, role } from './objects.ts';

const USER = 'rbac-seen';
const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

/**
 * Writes one more object of each kind, and waits until the new objects take effect.
 * @param mark a name that was not used before
 * @param namespace an existing namespace
 */
export async function rbacSeen(api: Api, mark: string, namespace: string): Promise<void> {
  const rule = { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] };
  const everywhere = role(`${mark}-everywhere`, [`${mark}-everywhere`], { rule });
  const here = role(`${mark}-here`, [`${mark}-here`], { namespace, rule });
  const user = [{ kind: 'User' as const, name: USER }];
  const objects = [
    everywhere,
    here,
    binding(`${mark}-everywhere`, everywhere, user),
    binding(`${mark}-here`, here, user, namespace),
  ];
  for (const object of objects) await api.apply(pathOf(object), object);
  for (const { metadata } of [everywhere, here]) {
    const resourceAttributes = { namespace, verb: 'get', resource: 'configmaps', name: metadata.name };
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: USER, resourceAttributes },
    };
    await waitFor(`RBAC object ${metadata.name}`, async () => (await api.create(REVIEWS, body)).status.allowed);
  }
  for (const object of objects.toReversed()) await api.remove(pathOf(object));
}
