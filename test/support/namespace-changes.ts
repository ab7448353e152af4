/** Changes a namespace's metadata through every kind of request that can change metadata. All requests are dry runs. */
import type { Answer, Api, Identity, Json, Method } from '../../hack/controlplane/api.ts';
import { NAMESPACES } from './rendered.ts';

/** Keys of labels or annotations with their new values. The value null removes a key. */
type Entries = Readonly<Record<string, string | null>>;

export interface MetadataChange {
  readonly labels?: Entries;
  readonly annotations?: Entries;
}

/** A user who may change namespaces through each route in the list ROUTES, and has no other rights. */
export const EDITOR: Identity = { user: 'namespace-editor', groups: ['namespace-editors'] };

const APPLY = 'application/apply-patch+yaml';
const MERGE = 'application/merge-patch+json';

interface Route {
  readonly title: string;
  readonly method: Method;
  /** The subresource of the namespace that the request writes. */
  readonly subresource: string;
  readonly contentType?: string;
}

export const ROUTES: readonly Route[] = [
  { title: 'update', method: 'PUT', subresource: '' },
  { title: 'patch', method: 'PATCH', subresource: '', contentType: MERGE },
  { title: 'server-side apply', method: 'PATCH', subresource: '', contentType: APPLY },
  { title: 'update of /status', method: 'PUT', subresource: '/status' },
  { title: 'patch of /status', method: 'PATCH', subresource: '/status', contentType: MERGE },
  { title: 'server-side apply to /status', method: 'PATCH', subresource: '/status', contentType: APPLY },
  { title: 'update of /finalize', method: 'PUT', subresource: '/finalize' },
];

const ATTEMPTS = 5;

/**
 * Finds the routes through which a client can make the change. A manager can remove a field by server-side apply only
 * after the manager has applied the field through the same route. No manager applies labels to /status. A request to
 * /status therefore cannot remove labels.
 */
export function routesOf({ labels = {}, annotations = {} }: MetadataChange): readonly Route[] {
  const removes = Object.values({ ...labels, ...annotations }).includes(null);
  return ROUTES.filter(
    ({ subresource, contentType }) => !(removes && subresource === '/status' && contentType === APPLY),
  );
}

/**
 * Sends the change, and returns the API server's answer. If the operator changes the namespace at the same time, the
 * function repeats the request.
 */
export async function change(
  api: Api,
  namespace: string,
  wanted: MetadataChange,
  as: Identity,
  route: Route = ROUTES[0] as Route,
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await changeOnce(api, namespace, wanted, as, route);
    if (answer.status !== 409 || attempt === ATTEMPTS) return answer;
  }
}

async function changeOnce(
  api: Api,
  namespace: string,
  { labels = {}, annotations = {} }: MetadataChange,
  as: Identity,
  { method, subresource, contentType }: Route,
): Promise<Answer> {
  const path = `${NAMESPACES}/${namespace}`;
  const { kind, apiVersion, metadata, spec, status } = await api.get(path);
  const whole = {
    labels: merged(metadata.labels, labels),
    annotations: merged(metadata.annotations, annotations),
  };
  const applies = contentType === APPLY;
  const body =
    contentType === MERGE
      ? { metadata: { labels, annotations } }
      : applies
        ? { kind, apiVersion, metadata: { name: namespace, ...whole } }
        : { kind, apiVersion, metadata: { ...metadata, ...whole }, spec, status };
  // A client may use any name as the name of its field manager. If a client applies fewer fields under the name of the
  // operator's field manager, the API server removes the missing fields.
  const fieldManager = [...Object.keys(labels), ...Object.keys(annotations)].some(isOurs)
    ? 'capabilitypolicy.dev'
    : 'test';
  return api.ask(method, path + subresource, {
    body,
    as,
    ...(contentType !== undefined && { contentType }),
    query: { dryRun: 'All', ...(applies && { fieldManager, force: true }) },
  });
}

/** Whether an answer contains the changed namespace. */
export function isChanged({ status, body }: Answer, { labels = {}, annotations = {} }: MetadataChange): boolean {
  const shows = (live: Json = {}, wanted: Entries) =>
    Object.entries(wanted).every(([key, value]) => (live[key] ?? null) === value);
  return status === 200 && shows(body.metadata?.labels, labels) && shows(body.metadata?.annotations, annotations);
}

/** Grants `EDITOR` the right to change namespaces. */
export async function allowEditor(api: Api): Promise<void> {
  const resources = ['namespaces', 'namespaces/status', 'namespaces/finalize'];
  await grant(api, EDITOR.user, [{ apiGroups: [''], resources, verbs: ['get', 'update', 'patch'] }]);
}

/**
 * Grants rules to a user through a ClusterRole and a binding. The role and the binding have the given name.
 * @param namespace the namespace of a RoleBinding. Without a namespace, a ClusterRoleBinding is created.
 * @returns the path of the binding
 */
export async function grant(
  api: Api,
  user: string,
  rules: readonly object[],
  { name = user, namespace }: { name?: string; namespace?: string } = {},
): Promise<string> {
  const group = 'rbac.authorization.k8s.io';
  const [apiVersion, root] = [`${group}/v1`, `/apis/${group}/v1`];
  await api.apply(`${root}/clusterroles/${name}`, { apiVersion, kind: 'ClusterRole', metadata: { name }, rules });
  const path = `${root}/${namespace === undefined ? 'clusterrolebindings' : `namespaces/${namespace}/rolebindings`}/${name}`;
  await api.apply(path, {
    apiVersion,
    kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name },
    subjects: [{ apiGroup: group, kind: 'User', name: user }],
  });
  return path;
}

/** The RBAC rule that grants a verb on one policy. */
export function onPolicy(verb: 'use' | 'exempt', policy: string): object {
  return {
    apiGroups: ['capabilitypolicy.dev'],
    resources: ['capabilitypolicies'],
    resourceNames: [policy],
    verbs: [verb],
  };
}

function merged(before: Json = {}, changes: Entries): object {
  return Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null));
}

function isOurs(key: string): boolean {
  return key.startsWith('pod-security.kubernetes.io/') || key.startsWith('capabilitypolicy.dev/');
}
