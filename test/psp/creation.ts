/** Creates a pod as a user, by dry run. The request is the same for each version of the API server. */
import type { Api, Identity, Json } from '../../hack/controlplane/api.ts';
import { pathOf } from '../../operator/cluster/paths.ts';
import type { Pod } from '../support/random-pods.ts';
import { binding, role } from './objects.ts';

export interface Creation {
  readonly pod: Pod;
  readonly namespace: string;
  /** The pod's service account. */
  readonly account: string;
  readonly creator: Identity;
}

export interface Answer {
  /** The HTTP status: 200, 403 for a refused pod, or 422 for an invalid pod. */
  readonly status: number;
  /** The pod that would be stored. If the pod is refused, the value is a Status object. */
  readonly pod: Json;
  /** The reason for the refusal. */
  readonly text: string;
}

export async function createPod(api: Api, { pod, namespace, account, creator }: Creation): Promise<Answer> {
  const body = { ...pod, spec: { ...pod.spec, serviceAccountName: account } };
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const { status, body: answer } = await api.ask('POST', path, { body, as: creator, query: { dryRun: 'All' } });
  if (![201, 403, 422].includes(status)) throw new Error(`${status} ${answer.message}`);
  return { status: status === 201 ? 200 : status, pod: answer, text: status === 201 ? '' : String(answer.message) };
}

/** Grants everybody the right to create pods. */
export async function letEverybodyCreate(api: Api): Promise<void> {
  const creator = role('psp-pod-creator', undefined, {
    rule: { apiGroups: [''], resources: ['pods'], verbs: ['create'] },
  });
  const all = binding('psp-pod-creator', creator, [{ kind: 'Group', name: 'system:authenticated' }]);
  for (const object of [creator, all]) await api.apply(pathOf(object), object);
}
