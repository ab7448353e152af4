/** Lists all objects in a cluster, except for automatically created objects. */
import type { Api, Json } from '../../hack/controlplane/api.ts';

/** Kinds whose objects are created and deleted automatically. */
const PASSING = ['events', 'leases', 'endpointslices', 'endpoints', 'componentstatuses'];

/**
 * Lists each object as `resource namespace/name`. Also lists each label and annotation of a namespace. The list is
 * sorted. The line `manager namespaces/NAME` means that the namespace's managedFields have an entry of the operator.
 */
export async function snapshot(api: Api): Promise<string[]> {
  const resources = await listable(api);
  const found = await Promise.all(
    resources.map(async ({ path, name }) => {
      // After the deletion of a CRD, the API server no longer serves the CRD's resource.
      const { status, body } = await api.ask('GET', path);
      return status === 200 ? body.items.flatMap((item: Json) => traces(name, item)) : [];
    }),
  );
  return found.flat().sort();
}

function traces(resource: string, { metadata }: Json): string[] {
  const { namespace, name, labels = {}, annotations = {}, managedFields = [] } = metadata;
  const object = `${resource} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  if (resource !== 'namespaces') return [object];
  const managers: string[] = managedFields.map(({ manager }: Json) => `${object} managed by ${manager}`);
  return [
    object,
    ...Object.keys(labels).map((key) => `${object} label ${key}`),
    ...Object.keys(annotations).map((key) => `${object} annotation ${key}`),
    ...new Set(managers),
  ];
}

async function listable(api: Api): Promise<{ path: string; name: string }[]> {
  const { groups } = await api.get('/apis');
  const versions: string[] = [
    '/api/v1',
    ...groups.map((group: Json) => `/apis/${group.preferredVersion.groupVersion}`),
  ];
  const lists = await Promise.all(versions.map(async (path) => ({ path, ...(await api.get(path)) })));
  return lists.flatMap(({ path, resources }) =>
    resources
      .filter(({ name, verbs }: Json) => verbs.includes('list') && !PASSING.includes(name))
      .map(({ name }: Json) => ({ path: `${path}/${name}`, name })),
  );
}
